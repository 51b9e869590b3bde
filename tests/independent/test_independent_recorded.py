"""Our readers and verdicts on recorded traffic of real Mastodon servers, from 2.9 to 4.8, played back byte for byte.

Nobody recorded a 429 or a 5xx of a server in trouble: for those there is `mastodon_mock` and our own platform.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from mastodon.errors import MastodonDeprecationWarning

from adapters.likeness import Likeness, likeness
from adapters.mastodon import SKEW
from guardian.adapter import Readiness
from guardian.errors import Doubt
from guardian.gate.verdicts import Accepted, Rejected
from guardian.model import Limits, MediaLimits, Part
from tests.independent.replay import MISSING, Recorded, Replay, named, recorded
from tests.independent.visit import NOBODY, Outcome, picture_of, visit

if TYPE_CHECKING:
    from guardian.fence.house import House
    from guardian.model import PostRef

CREATE = "/api/v1/statuses"
PUBLISHING = recorded("publishing")
MADE = [one for one in PUBLISHING if one.status == 200]
PACKED = [one for one in MADE if one.body.startswith(b"\x1f\x8b")]
POSTS = [one for one in MADE if one not in PACKED and "uri" in one.document]
SCHEDULED = [one for one in MADE if one not in PACKED and one not in POSTS]
REFUSALS = recorded("refusals")
READING = recorded("reading")
SOMEBODY = [one for one in READING if one.path.endswith("verify_credentials")]
INSTANCES = [one for one in READING if "/instance" in one.path]
PAGES = recorded("pages")
MEDIA = recorded("media")
REPLIES = [one for one in POSTS if one.document["in_reply_to_id"] and one.document["quote"] is None]
INSTANCE = named("reading", "refresh_id_extraction[response].yaml#0")
ME = named("reading", "cassettes/test_account.yaml#0")


def name_of(one: object) -> str:
    return one.name.partition("/test_")[2] if isinstance(one, Recorded) else str(one)


def answered(house: House, one: Recorded) -> Outcome:
    """What we make of it when a create is answered with it."""
    with Replay([one._replace(method="POST", target=CREATE)]) as replay:
        found = visit(house, replay.url).publish(Part(text=one.sent.get("status", "hello")))
        assert replay.seen == [f"POST {CREATE}"]
    return found


def stated(one: Recorded) -> Limits:
    """What the document says, read without our adapter."""
    said = one.document["configuration"]
    media = said["media_attachments"]
    return Limits(
        characters=said["statuses"]["max_characters"],
        media=MediaLimits(
            count=said["statuses"]["max_media_attachments"],
            types=frozenset(media["supported_mime_types"]),
            image_bytes=media["image_size_limit"],
            video_bytes=media["video_size_limit"],
            pixels=media["image_matrix_limit"],
            alt_characters=media.get("description_limit", MediaLimits().alt_characters),
        ),
        server=f"Mastodon {one.document['version']}",
    )


def unremarked(found: Limits) -> Limits:
    """Without what is said of a server's age: that is ours, and no document's."""
    return replace(found, remarks=())


def page_of(*posts: Recorded) -> Recorded:
    """A list of the account's posts that holds these recorded ones, as they were told one by one."""
    body = b"[" + b",".join(one.body for one in posts) + b"]"
    lines = [line for line in posts[0].headers if not line.startswith("content-length")]
    target = f"/api/v1/accounts/{ME.document['id']}/statuses"
    return posts[0]._replace(target=target, body=body, headers=(*lines, f"content-length: {len(body)}"))


def cut_out(page: Recorded, at: int) -> Recorded:
    """One post out of a recorded page, as the server would tell it alone."""
    post = page.document[at]
    body = json.dumps(post).encode()
    lines = [line for line in page.headers if line.partition(":")[0].lower() not in ("content-length", "link")]
    target = f"{CREATE}/{post['id']}"
    return page._replace(target=target, body=body, headers=(*lines, f"content-length: {len(body)}"))


def ms(said: str) -> int:
    return int(datetime.fromisoformat(said).timestamp() * 1000)


def find(
    house: House, text: str, answers: list[Recorded], *, since: int, known: frozenset[str] = NOBODY
) -> PostRef | None:
    with Replay([ME, INSTANCE, *answers]) as replay:
        return visit(house, replay.url).adapter.find(Part(text=text), since=since, known=known)


@pytest.mark.parametrize("one", POSTS, ids=name_of)
def test_every_post_that_was_really_made_is_read_as_made_with_its_id_as_text_and_its_address(
    house: House, one: Recorded
) -> None:
    found = answered(house, one)
    assert found.error is None
    assert found.verdict == Accepted(200)
    assert found.ref is not None
    assert f'"id":"{found.ref.id}"'.encode() in one.body
    assert found.ref.url == one.document["url"]


@pytest.mark.parametrize("one", SCHEDULED, ids=name_of)
def test_a_post_that_the_server_only_put_off_is_never_called_published(house: House, one: Recorded) -> None:
    found = answered(house, one)
    assert found.verdict == Accepted(200)
    assert found.ref is None
    assert isinstance(found.error, Doubt)


@pytest.mark.parametrize("one", PACKED, ids=name_of)
def test_a_packed_answer_that_we_did_not_ask_for_leaves_a_doubt_and_no_post(house: House, one: Recorded) -> None:
    found = answered(house, one)
    assert found.verdict == Accepted(200)
    assert found.ref is None


@pytest.mark.parametrize("one", REFUSALS, ids=name_of)
def test_every_refusal_is_a_no_with_the_servers_own_words(house: House, one: Recorded) -> None:
    found = answered(house, one).verdict
    assert isinstance(found, Rejected)
    assert found.status == one.status
    assert one.document["error"].split()[0] in found.why or r"\u" in one.body.decode()


@pytest.mark.parametrize("one", SOMEBODY, ids=name_of)
def test_everybody_is_named_by_account_and_domain_and_numbered_by_text(house: House, one: Recorded) -> None:
    with Replay([one, INSTANCE]) as replay:
        found = visit(house, replay.url).adapter.whoami()
    assert found.handle == f"@{one.document['acct']}@localhost:3000"
    assert found.id == one.document["id"]
    assert isinstance(found.id, str)


@pytest.mark.parametrize("one", INSTANCES, ids=name_of)
def test_every_instance_tells_its_name_and_its_limits_whichever_way_it_has_of_telling(
    house: House, one: Recorded
) -> None:
    """Where only version 1 was recorded, version 2 is *not found*, as on servers before 4.0."""
    packed = one.body.startswith(b"\x1f\x8b")
    with Replay([one, ME]) as replay:
        adapter = visit(house, replay.url).adapter
        if packed:
            with pytest.raises(Exception, match="parse"):
                adapter.limits()
        elif any(line.lower().startswith("deprecation") for line in one.headers):
            with pytest.warns(MastodonDeprecationWarning):
                assert unremarked(adapter.limits()) == stated(one)
        else:
            assert unremarked(adapter.limits()) == stated(one)
            assert adapter.whoami().handle.endswith("@" + (one.document.get("domain") or one.document["uri"]))


@pytest.mark.parametrize("one", [one for one in POSTS if one.sent], ids=name_of)
def test_what_real_servers_show_of_a_post_is_never_taken_for_another_one(one: Recorded) -> None:
    found = likeness(one.document["content"], one.sent.get("status", ""))
    quotes = "quote-inline" in one.document["content"]
    assert found is (Likeness.UNSURE if quotes else Likeness.SAME)


@pytest.mark.parametrize("page", [0, 1])
@pytest.mark.parametrize("era", [0, 2], ids=["Mastodon 4.7", "Mastodon 2.4"])
def test_a_lost_post_is_found_on_its_page_by_what_it_shows_where_there_are_no_sources(
    house: House, era: int, page: int
) -> None:
    pages = [one.on(f"/api/v1/accounts/{ME.document['id']}/statuses") for one in PAGES[era : era + 2]]
    posts = [post for one in pages for post in one.document]
    alone = [cut_out(one, at) for one in pages for at in range(len(one.document))]
    wanted = pages[page].document[3]
    text = wanted["content"].replace("<p>", "").replace("</p>", "").replace("&#39;", "'")
    others = frozenset(post["id"] for post in posts if post["content"] != wanted["content"])
    found = find(house, text, [*pages, *alone], since=ms(posts[-1]["created_at"]), known=others)
    assert found is not None
    assert (found.id, found.url) == (wanted["id"], wanted["url"])


def test_posts_that_are_only_alike_leave_a_doubt_that_names_one_of_them(house: House) -> None:
    pages = [one.on(f"/api/v1/accounts/{ME.document['id']}/statuses") for one in PAGES[:2]]
    empty = pages[0]._replace(body=b"[]", headers=("content-length: 2",))
    alone = [cut_out(one, at) for one in pages for at in range(5)]
    since = ms(pages[1].document[-1]["created_at"])
    with pytest.raises(Doubt, match=pages[0].document[0]["id"]):
        find(house, "Toot number 99!", [*pages, empty, *alone], since=since)
    assert find(house, "We have moved: come and see us", [*pages, empty, *alone], since=since) is None


def test_the_pages_are_turned_by_the_ids_of_the_posts_and_end_before_the_time_asked_for(house: House) -> None:
    path = f"/api/v1/accounts/{ME.document['id']}/statuses"
    newest, older = (one.on(path) for one in PAGES[:2])
    since = ms(older.document[0]["created_at"]) + 1 + SKEW // timedelta(milliseconds=1)
    known = frozenset(post["id"] for post in newest.document + older.document)
    with Replay([ME, INSTANCE, newest, older]) as replay:
        assert visit(house, replay.url).adapter.find(Part(text="x"), since=since, known=known) is None
        asked = [line for line in replay.seen if path in line]
    assert len(asked) == 2
    assert "_id=" not in asked[0]
    assert f"max_id={newest.document[-1]['id']}" in asked[1]


@pytest.mark.parametrize(
    "ids", ["01JBGZ4Q8FVK9X0M3R5T7W2Y{:02}", "AXq7v0rV5mK2nB8c{:02}"], ids=["GoToSocial", "Pleroma"]
)
def test_pages_turn_and_posts_are_found_by_ids_that_are_no_numbers(house: House, ids: str) -> None:
    """The recorded pages, with ids as those servers give them."""
    path = f"/api/v1/accounts/{ME.document['id']}/statuses"
    pages = [_renumbered(one.on(path), ids, first=place * 5) for place, one in enumerate(PAGES[:2])]
    wanted = pages[1].document[3]
    alone = [cut_out(one, at) for one in pages for at in range(5)]
    with Replay([ME, INSTANCE, *pages, *alone]) as replay:
        adapter = visit(house, replay.url).adapter
        found = adapter.find(Part(text="Toot number 1!"), since=ms(wanted["created_at"]), known=NOBODY)
        asked = [line for line in replay.seen if path in line]
    assert found is not None
    assert found.id == wanted["id"]
    assert f"max_id={pages[0].document[-1]['id']}" in asked[1]


def _renumbered(page: Recorded, ids: str, *, first: int) -> Recorded:
    posts = [post | {"id": ids.format(50 - first - at)} for at, post in enumerate(page.document)]
    body = json.dumps(posts).encode()
    return page._replace(body=body, headers=("content-type: application/json", f"content-length: {len(body)}"))


def test_a_source_is_compared_word_for_word(house: House) -> None:
    post, source = named("reading", "status_edit.yaml#3"), named("reading", "status_edit.yaml#5")
    answers = [page_of(post), source]
    since = ms(post.document["created_at"])
    made = find(house, source.document["text"], answers, since=since)
    assert made is not None
    assert made.id == post.document["id"]
    with pytest.raises(Doubt, match="too many"):  # the replay gives the same page for ever
        find(house, source.document["text"] + "!", answers, since=since)


def test_a_post_that_was_deleted_since_it_was_listed_is_not_ours(house: House) -> None:
    post = named("reading", "status_edit.yaml#3")
    empty = page_of(post)._replace(body=b"[]", headers=("content-type: application/json", "content-length: 2"))
    assert find(house, "whatever", [page_of(post), empty], since=ms(post.document["created_at"])) is None


def test_a_post_dated_by_a_clock_that_is_behind_ours_is_found_all_the_same(house: House) -> None:
    """By half an hour: more than any allowance for a skew, and the server says so in every answer."""
    post, source = named("reading", "status_edit.yaml#3"), named("reading", "status_edit.yaml#5")
    half_an_hour = timedelta(minutes=30)
    there = datetime.now(UTC) - half_an_hour
    dated = cut_out(page_of(post), 0).document | {"created_at": there.isoformat()}
    body = json.dumps([dated]).encode()
    lines = (f"date: {there.strftime('%a, %d %b %Y %H:%M:%S GMT')}", f"content-length: {len(body)}")
    page = page_of(post)._replace(body=body, headers=lines)
    found = find(house, source.document["text"], [page, source], since=int(datetime.now(UTC).timestamp() * 1000))
    assert found is not None
    assert found.id == post.document["id"]


@pytest.mark.parametrize("one", [one for one in MEDIA if one.method == "POST"], ids=name_of)
def test_every_upload_that_was_taken_gives_an_id_whether_it_is_ready_or_not(house: House, one: Recorded) -> None:
    data = b"\x89PNG..."
    with Replay([one]) as replay:
        upload, found = visit(house, replay.url).upload(data, picture_of(data, alt="a picture"))
        assert replay.seen == ["POST /api/v2/media"]
    assert upload == one.document["id"]
    assert found == Accepted(one.status)


@pytest.mark.parametrize("one", MEDIA, ids=name_of)
def test_only_a_file_with_an_address_is_ready_and_206_or_none_is_waited_for(house: House, one: Recorded) -> None:
    """202 and 206 come without an address; both are asked again, and neither is taken for ready."""
    with Replay([one._replace(method="GET", target="/api/v1/media/1")]) as replay:
        found = visit(house, replay.url).adapter.ready("1")
    assert found is (Readiness.READY if one.document["url"] else Readiness.PROCESSING)
    assert (one.status == 200) == (found is Readiness.READY)


@pytest.mark.parametrize("one", [one for one in REFUSALS if one.status in (404, 422)], ids=name_of)
def test_a_file_that_could_not_be_processed_or_is_gone_has_failed(house: House, one: Recorded) -> None:
    with Replay([one._replace(method="GET", target="/api/v1/media/1")]) as replay:
        assert visit(house, replay.url).adapter.ready("1") is Readiness.FAILED


@pytest.mark.parametrize("one", REPLIES, ids=name_of)
def test_a_lost_reply_is_found_under_its_parent_and_under_no_other_post(house: House, one: Recorded) -> None:
    post = one._replace(method="GET", target=f"{CREATE}/{one.document['id']}")
    since, parent = ms(one.document["created_at"]), one.document["in_reply_to_id"]
    empty = page_of(post)._replace(body=b"[]", headers=("content-length: 2",))
    for reply_to, wanted in ((parent, one.document["id"]), (None, None), ("1", None)):
        with Replay([ME, INSTANCE, page_of(post), empty, post]) as replay:
            adapter = visit(house, replay.url).adapter
            found = adapter.find(Part(text=one.sent["status"]), since=since, known=NOBODY, reply_to=reply_to)
        assert (found and found.id) == wanted


def test_what_was_recorded_holds_no_secret_and_names_its_licence() -> None:
    """And the name of an exchange says which test of Mastodon.py it is from."""
    assert MISSING.document == {"error": "Not Found"}
    from tests.independent.recording import HERE, SECRETS

    assert "Mastodon.py contributors" in (HERE / "LICENSE").read_text("utf-8")
    for file in HERE.glob("*.json"):
        assert not SECRETS.search(file.read_text("utf-8"))
