"""What leaves the house for Reddit: one request for one post, with every word where Reddit has a place for it."""

from __future__ import annotations

import pytest

from guardian.errors import Doubt
from guardian.gate.verdicts import Accepted, Rejected, Throttled, Uncertain
from guardian.gate.verdicts import Shut as ShutVerdict
from guardian.model import Media, Part
from tests.adapters.reddit_double import FILMS, PAGE, STORAGE, TOKEN, Next
from tests.adapters.reddit_room import GIF, Room, double, now, picture, room

__all__ = ["double", "room"]

TEXT = Part(text="Fresh bread\n\nFrom six {o'clock} on.", visibility="r/acme")


def errors(*all_of_them: list[object], **more: object) -> Next:
    return Next(body={"json": {"errors": list(all_of_them), **more}}, made=False)


def test_a_post_is_its_first_line_as_title_and_the_rest_as_it_was_written(room: Room) -> None:
    found = room.publish(TEXT)
    assert found.verdict == Accepted(200)
    assert found.ref is not None
    assert found.ref.id.startswith("t3_")
    assert found.ref.url == f"{room.double.url}/r/acme/comments/{found.ref.id[3:]}/a_title/"
    (asked,) = room.double.creates
    assert (asked.host, asked.path, asked.login) == ("oauth.reddit.com", "/api/submit", f"bearer {TOKEN}")
    wanted = {"kind": "self", "sr": "acme", "title": "Fresh bread", "text": "From six {o'clock} on."}
    assert asked.said.items() >= {**wanted, "nsfw": "False", "spoiler": "False"}.items()
    assert "flair_id" not in asked.said


def test_without_a_place_it_goes_to_the_accounts_own_profile_and_marks_and_flair_go_where_reddit_has_them(
    room: Room,
) -> None:
    room.publish(Part(text="Fresh bread", warning="NSFW, spoiler"))
    room.publish(Part(text="Fresh bread", visibility="r/acme#0a1b2c3d-1111-11ee-8c99-0242ac120002"))
    own, flaired = (one.said for one in room.double.creates)
    assert own.items() >= {"sr": "u_acme_brand", "nsfw": "True", "spoiler": "True", "text": ""}.items()
    assert flaired["flair_id"] == "0a1b2c3d-1111-11ee-8c99-0242ac120002"


def test_a_web_address_alone_below_the_title_is_a_link_and_one_among_words_is_not(room: Room) -> None:
    room.publish(Part(text="Our shop\nhttps://acme.example/shop?a=1&b=2"))
    room.publish(Part(text="Our shop\nSee https://acme.example/shop"))
    link, words = (one.said for one in room.double.creates)
    assert (link["kind"], link["url"]) == ("link", "https://acme.example/shop?a=1&b=2")
    assert "text" not in link
    assert (words["kind"], words["text"]) == ("self", "See https://acme.example/shop")


def test_a_thread_goes_on_as_comments_each_below_the_one_before_it(room: Room) -> None:
    first = room.made(TEXT)
    second = room.made(Part(text="One more thing", visibility="r/acme", follows=True), reply_to=first.id)
    third = room.made(Part(text="And another", visibility="r/acme", follows=True), reply_to=second.id)
    asked = [one.said for one in room.double.creates[1:]]
    assert [(one["thing_id"], one["text"]) for one in asked] == [
        (first.id, "One more thing"),
        (second.id, "And another"),
    ]
    assert second.url == f"{room.double.url}/r/acme/comments/{first.id[3:]}/comment/{second.id[3:]}/"
    assert third.id.startswith("t1_")


def test_a_picture_is_left_at_the_storage_without_our_token_and_its_post_is_unknown_until_it_is_found(
    room: Room,
) -> None:
    since = now()
    upload, said = room.upload()
    assert said == Accepted(201)
    assert upload == f"oxwf261u2x261 https://{STORAGE}/rte_images/oxwf261u2x261"
    part = Part(text="Fresh bread\nwith seeds", visibility="r/acme", media=(picture("Bread"),))
    found = room.publish(part, uploads=[upload])
    assert isinstance(found.verdict, Uncertain)
    assert "a moment after" in found.verdict.why
    (stored,) = [one for one in room.double.log if one.host == STORAGE]
    assert stored.login == ""
    assert GIF in stored.said[""]
    assert room.double.creates[0].said.items() >= {"kind": "image", "text": "with seeds"}.items()
    with pytest.raises(Doubt, match="proves nothing"):
        room.adapter.find(part, since=since, known=frozenset())
    room.double.settle()
    ref = room.adapter.find(part, since=since, known=frozenset())
    assert ref is not None
    assert len(room.double.creates) == 1
    with pytest.raises(Doubt, match="proves nothing"):
        room.adapter.find(part, since=since, known=frozenset({ref.id}))


def test_a_film_goes_to_its_own_storage_with_the_picture_that_stands_for_it_and_is_unknown_until_it_is_found(
    room: Room,
) -> None:
    since = now()
    film = Media(sha256="f" * 64, type="video/mp4", size=3)
    part = Part(text="Bread is baked", visibility="r/acme", media=(film, picture()))
    assert room.adapter.check(part, room.adapter.limits()) == []
    uploads = [room.upload(one)[0] or "" for one in part.media]
    found = room.publish(part, uploads=uploads)
    assert isinstance(found.verdict, Uncertain)
    assert [(one.host, one.login) for one in room.double.log if one.path == "/"] == [(FILMS, ""), (STORAGE, "")]
    (asked,) = room.double.creates
    assert (
        asked.said.items()
        >= {
            "kind": "video",
            "url": f"https://{FILMS}/siiiyua50x261",
            "video_poster_url": f"https://{STORAGE}/rte_images/oxwf261u2x261",
        }.items()
    )
    room.made(Part(text="Bread is baked\nhttps://acme.example/", visibility="r/acme"))  # the same title, and no film
    with pytest.raises(Doubt, match="proves nothing"):
        room.adapter.find(part, since=since, known=frozenset())
    room.double.settle()
    ref = room.adapter.find(part, since=since, known=frozenset())
    assert ref is not None
    assert room.double.things[ref.id]["is_video"] is True


@pytest.mark.parametrize(
    ("media", "why"),
    [
        (("video/mp4",), "add one to media beside the film"),
        (("video/mp4", "video/quicktime"), "goes alone"),
        (("video/mp4", "image/gif", "image/png"), "goes alone"),
        (("video/webm", "image/gif"), "it is video/webm"),
    ],
)
def test_a_film_without_its_picture_or_beside_more_is_refused_before_it_is_handed_over(
    room: Room, media: tuple[str, ...], why: str
) -> None:
    files = tuple(Media(sha256=f"{nr:x}" * 64, type=kind, size=3) for nr, kind in enumerate(media))
    part = Part(text="Bread is baked", visibility="r/acme", media=files)
    (problem,) = room.adapter.check(part, room.adapter.limits())
    assert why in problem.message


def test_a_gallery_shows_every_picture_in_order_with_its_alt_text_as_caption(room: Room) -> None:
    media = (picture("Bread"), picture(None, mark="1"))
    uploads = [room.upload(one)[0] or "" for one in media]
    found = room.publish(Part(text="Fresh bread", visibility="r/acme", media=media), uploads=uploads)
    assert found.verdict == Accepted(200)
    assert found.ref is not None
    (asked,) = room.double.creates
    assert [(one["media_id"], one["caption"]) for one in asked.said["items"]] == [
        ("oxwf261u2x261", "Bread"),
        ("oxwf261u2x261", ""),
    ]


@pytest.mark.parametrize("words", ["that subreddit doesn't exist", "diese Community gibt es nicht", "该社区不存在"])
def test_a_no_with_200_is_a_no_by_its_code_whatever_language_its_words_are_in(room: Room, words: str) -> None:
    room.double.next("/api/submit", errors(["SUBREDDIT_NOEXIST", words, "sr"]))
    found = room.publish(TEXT).verdict
    assert isinstance(found, Rejected)
    assert not isinstance(found, ShutVerdict)
    assert found.why == f"Reddit says no: SUBREDDIT_NOEXIST: {words} (sr)"


@pytest.mark.parametrize(
    ("words", "more", "after"),
    [
        ("Take a break for 9 minutes before trying again.", {}, 540.0),
        ("you are doing that too much. try again in 7 seconds.", {}, 7.0),
        ("Take a break for 120 milliseconds before trying again.", {}, 0.12),
        ("Du machst das zu oft. Versuche es in 9 Minuten noch einmal.", {}, None),
        ("Du machst das zu oft. Versuche es in 9 Minuten noch einmal.", {"ratelimit": 559.6}, 559.6),
    ],
)
def test_too_much_at_once_is_told_with_200_and_is_sent_once_and_put_off(
    room: Room, words: str, more: dict[str, object], after: float | None
) -> None:
    room.double.next("/api/submit", errors(["RATELIMIT", words, "ratelimit"], **more))
    found = room.publish(TEXT).verdict
    assert isinstance(found, Throttled)
    assert found.after == after
    assert len(room.double.creates) == 1


def test_a_429_is_put_off_until_the_seconds_are_over_that_reddit_counts_in(room: Room) -> None:
    spent = {"x-ratelimit-remaining": "0.0", "x-ratelimit-used": "600", "x-ratelimit-reset": "73"}
    room.double.next("/api/submit", Next(status=429, body={"message": "Too Many Requests"}, headers=spent, made=False))
    found = room.publish(TEXT).verdict
    assert isinstance(found, Throttled)
    assert found.after == 73.0
    assert len(room.double.creates) == 1


def test_an_app_that_is_not_let_in_stops_the_account_and_says_what_to_do(room: Room) -> None:
    room.double.next("/api/submit", Next(status=403, body=PAGE, type="text/html", made=False))
    found = room.publish(TEXT).verdict
    assert isinstance(found, ShutVerdict)
    assert "docs/accounts/reddit.md" in found.why


def test_a_no_to_the_one_post_with_403_refuses_that_post_alone(room: Room) -> None:
    room.double.next("/api/submit", Next(status=403, body={"message": "Forbidden", "error": 403}, made=False))
    found = room.publish(TEXT).verdict
    assert isinstance(found, Rejected)
    assert not isinstance(found, ShutVerdict)


def test_a_rule_of_the_subreddit_is_told_in_its_own_words(room: Room) -> None:
    body = {
        "fields": ["title"],
        "explanation": 'You may not have "bread" in your title.',
        "message": "Bad Request",
        "reason": "SUBMIT_VALIDATION_TITLE_BLACKLISTED_STRING",
    }
    room.double.next("/api/submit", Next(status=400, body=body, made=False))
    found = room.publish(TEXT).verdict
    assert isinstance(found, Rejected)
    assert 'You may not have "bread" in your title. (title)' in found.why


@pytest.mark.parametrize(
    "what",
    [
        Next(body=PAGE, type="text/html"),
        Next(body={"json": {"errors": [], "data": {"things": []}}}),
        Next(body={"json": {"errors": [["BAD", "no", "sr"]], "data": {"id": "4bbe4b", "name": "t3_4bbe4b"}}}),
        Next(body=b"{}"),
        Next(body=b"[" * 100_000),
    ],
    ids=["a page", "nothing named", "no and a name", "nothing", "no JSON"],
)
def test_an_answer_that_names_nothing_is_asked_about_and_never_sent_again(room: Room, what: Next) -> None:
    since = now()
    room.double.next("/api/submit", what)
    assert isinstance(room.publish(TEXT).verdict, Uncertain)
    ref = room.adapter.find(TEXT, since=since, known=frozenset())
    assert ref is not None
    assert ref.id in room.double.things
    assert len(room.double.creates) == 1


def test_a_post_that_is_not_listed_yet_is_never_called_absent(room: Room) -> None:
    since = now()
    ref = room.made(TEXT)
    room.double.unlisted.add(ref.id)
    with pytest.raises(Doubt, match="look at the account with your own eyes"):
        room.adapter.find(TEXT, since=since, known=frozenset())
    room.double.unlisted.clear()
    assert room.adapter.find(TEXT, since=since, known=frozenset()) == ref


def test_another_post_with_the_same_title_is_not_taken_for_the_lost_one(room: Room) -> None:
    since = now()
    room.made(Part(text="Fresh bread\n\nOther words.", visibility="r/acme"))
    room.made(Part(text=TEXT.text, visibility="r/elsewhere"))
    room.made(Part(text="Fresh bread\nhttps://acme.example/", visibility="r/acme"))
    with pytest.raises(Doubt, match="proves nothing"):
        room.adapter.find(TEXT, since=since, known=frozenset())
    link = Part(text="Fresh bread\nhttps://acme.example/other", visibility="r/acme")
    with pytest.raises(Doubt, match="its address is not"):
        room.adapter.find(link, since=since, known=frozenset())


def test_a_lost_comment_is_found_below_its_parent_and_below_no_other_post(room: Room) -> None:
    since = now()
    first, other = room.made(TEXT), room.made(Part(text="Another"))
    part = Part(text="One more thing", follows=True)
    ref = room.made(part, reply_to=first.id)
    assert room.adapter.find(part, since=since, known=frozenset(), reply_to=first.id) == ref
    with pytest.raises(Doubt):
        room.adapter.find(part, since=since, known=frozenset(), reply_to=other.id)


def test_what_was_posted_lately_is_listed_with_comments_newest_first(room: Room) -> None:
    since = now()
    first = room.made(TEXT)
    second = room.made(Part(text="One more thing", follows=True), reply_to=first.id)
    seen = room.adapter.recent(since=since)
    assert [one.ref for one in seen] == [second, first]
    assert [one.text for one in seen] == ["One more thing", "Fresh bread\n\nFrom six {o'clock} on."]
