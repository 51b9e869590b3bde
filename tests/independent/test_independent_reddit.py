"""Our readers and verdicts on recorded traffic of the real Reddit, from 2016 to 2025, played back byte for byte.

Nobody recorded a 429, a RATELIMIT or a 5xx to a post: for those there is the double in `tests/adapters`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from adapters import reddit_answers as answers_
from adapters import reddit_rules as rules
from adapters import reddit_words as words
from adapters.reddit import ROUTES
from adapters.reddit_client import API
from guardian.adapter import Answer, Kind
from guardian.errors import TokenRefused
from guardian.gate.intents import declare, retracting
from guardian.gate.verdicts import Accepted, Rejected, Shut, Uncertain, verdict, verdict_of_retract
from guardian.model import Media, Part, PostRef, Presence
from tests.adapters.reddit_room import Room, account_at, adapter_at, double, opened, picture
from tests.independent.replay import Recorded, Replay, named, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.adapters.reddit_double import RedditDouble
    from tests.adapters.reddit_room import Outcome

__all__ = ["double"]

MAKING = recorded("reddit/making")
REFUSALS = recorded("reddit/refusals")
RETRACTING = recorded("reddit/retracting")
READING = recorded("reddit/reading")
LOGIN = json.dumps({"access_token": "recorded", "token_type": "bearer", "expires_in": 3600, "scope": "*"}).encode()
HEADERS = ("Content-Type: application/json; charset=UTF-8", f"Content-Length: {len(LOGIN)}")
TOKEN = Recorded("token", "POST", "/api/v1/access_token", None, 200, "OK", HEADERS, LOGIN)
TEXT = Part(text="Test Title\n\nTest text.", visibility="r/test")
POSTS = ("t3", "t1")


def name_of(one: Recorded) -> str:
    return one.name.removesuffix(".json")


def things(one: Recorded) -> list[dict[str, Any]]:
    """The posts and comments of a recorded page or list."""
    found = one.document
    listing = found[0] if isinstance(found, list) else found
    return [child["data"] for child in listing["data"]["children"]] if listing.get("kind") == "Listing" else []


def listing(*found: dict[str, Any], on: str) -> Recorded:
    """As a list of them at another address."""
    children = [{"kind": one["name"][:2], "data": one} for one in found]
    body = json.dumps({"kind": "Listing", "data": {"after": None, "children": children}}).encode()
    lines = ("Content-Type: application/json; charset=UTF-8", f"Content-Length: {len(body)}")
    return Recorded("list", "GET", on, None, 200, "OK", lines, body)


PAGES = [one for one in READING if one.status == 200 and things(one)]


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Any]:
    """A room whose Reddit is a replay of these answers."""
    opened_ones: list[Replay] = []

    def room_of(*answers: Recorded) -> Room:
        replay = Replay([TOKEN, *answers])
        opened_ones.append(replay)
        account = account_at(replay.url, identity="u/PyAPITestUser2")
        place = tmp_path / str(len(opened_ones))
        place.mkdir()
        nobody: Any = replay  # these tests ask the replay for what was requested, and no double
        return Room(opened(place), nobody, account, adapter_at(account, within=3.0))

    yield room_of
    for one in opened_ones:
        one.__exit__()


def answered(rooms: Any, one: Recorded) -> Outcome:  # noqa: ANN401 (the fixture)
    """What a publish comes to when it is answered so."""
    part = TEXT
    more: dict[str, Any] = {}
    if one.path == "/api/comment/":
        part, more = Part(text="Comment reply", follows=True), {"reply_to": "t1_d1616q2"}
    if one.path == "/api/submit_gallery_post.json":
        media = (picture(), picture(mark="1"))
        part, more = Part(text="Test Title", visibility="r/test", media=media), {"uploads": ["a x", "b x"]}
    found: Outcome = rooms(one).publish(part, **more)
    return found


@pytest.mark.parametrize("one", MAKING, ids=name_of)
def test_what_was_really_made_is_read_with_its_name_and_address_and_what_was_not_named_is_unknown(
    rooms: Any,  # noqa: ANN401 (the fixture)
    one: Recorded,
) -> None:
    found = answered(rooms, one)
    data = one.document["json"]["data"]
    made = data["things"][0]["data"].get("name") if data.get("things") else data.get("name") or data.get("id")
    if made is None or made[:2] not in POSTS:  # a picture or film, a reply to nobody, a message
        assert isinstance(found.verdict, Uncertain)
        assert found.ref is None
        return
    assert found.verdict == Accepted(200)
    assert found.ref is not None
    assert found.ref.id == made
    assert f"/comments/{made[3:]}/" in (found.ref.url or "") or made.startswith("t1_")


@pytest.mark.parametrize("one", REFUSALS, ids=name_of)
def test_every_no_is_a_no_with_its_code_be_it_with_200_or_400_or_403(
    rooms: Any,  # noqa: ANN401 (the fixture)
    one: Recorded,
) -> None:
    found = answered(rooms, one.on("/api/submit/")).verdict
    if one.status == 409:
        assert isinstance(found, Uncertain)
        return
    assert isinstance(found, Rejected)
    assert found.status == one.status
    said = one.document
    code = said["json"]["errors"][0][0] if "json" in said else said.get("reason") or str(one.status)
    assert code in found.why
    assert isinstance(found, Shut) == (code == "USER_REQUIRED")


@pytest.mark.parametrize("one", RETRACTING, ids=name_of)
def test_what_was_asked_for_to_take_down_or_show_again_passes_the_gate_as_what_it_is(
    rooms: Any,  # noqa: ANN401 (the fixture)
    one: Recorded,
) -> None:
    """The same name to the same address as PRAW sent it, under our own intents, and answered as it was."""
    (route,) = [route for route in ROUTES if route.matches("POST", one.path)]
    edits = "thing_id" in one.sent
    field = "thing_id" if edits else "id"
    name, room = one.sent[field], rooms(one)
    shows = one.path.strip("/") in ("api/approve", "api/unlock", "api/unspoiler")
    assert route.kind is (Kind.MANAGE if shows else Kind.RETRACT)
    said = {"text": one.sent["text"], "api_type": "json"} if edits else {}
    intent = room.intent(Kind.MANAGE) if shows else retracting(room.account, name, frozenset(said.values()))
    with declare(intent) as receipt:
        room.adapter._client.ask("POST", API + one.path, data={field: name, **said})
    found = verdict(receipt) if shows else verdict_of_retract(receipt)
    if one.status == 400:
        assert isinstance(found, Rejected)
        assert "SUBMIT_VALIDATION_BODY_BLACKLISTED_STRING" in found.why
    else:
        assert found == Accepted(200)


def test_a_lease_and_what_the_storage_said_make_an_upload_that_a_post_can_show(
    rooms: Any,  # noqa: ANN401 (the fixture)
) -> None:
    lease = next(one for one in recorded("reddit/storing") if one.path == "/api/media/asset.json")
    stored = next(one for one in recorded("reddit/storing") if one.path == "/" and b"reddit-uploaded-media" in one.body)
    room = rooms(lease, stored)
    upload, said = room.upload(Media(sha256="0" * 64, type="image/gif", size=1))
    assert said == Accepted(201)
    asset = lease.document["asset"]["asset_id"]
    key = next(one["value"] for one in lease.document["args"]["fields"] if one["name"] == "key")
    assert upload == f"{asset} https:{lease.document['args']['action']}/{key}"


@pytest.mark.parametrize("one", PAGES, ids=name_of)
def test_what_reddit_tells_of_a_post_says_whether_it_is_there(
    rooms: Any,  # noqa: ANN401 (the fixture)
    one: Recorded,
) -> None:
    (thing,) = things(one)
    room = rooms(listing(thing, on="/api/info"))
    found = room.adapter.presence(PostRef(id=thing["name"]))
    gone = "delete" in one.name
    filtered = one.name.startswith("TestSubreddit.test_submit__url_selftext")
    assert found is (Presence.GONE if gone else Presence.VEILED if filtered else Presence.THERE)


@pytest.mark.parametrize("one", [one for one in PAGES if "submit" in one.name], ids=name_of)
def test_a_lost_post_is_found_in_the_list_of_our_own_by_what_it_says_and_shows(
    rooms: Any,  # noqa: ANN401 (the fixture)
    one: Recorded,
) -> None:
    (thing,) = things(one)
    room = rooms(listing({**thing, "subreddit": "test"}, on="/user/PyAPITestUser2/submitted"))
    body = thing["selftext"]
    if not thing["is_self"] and "reddit.com/gallery" not in thing["url"] and "i.redd.it" not in thing["url"]:
        body = thing["url"]
    items = (thing.get("gallery_data") or {}).get("items") or ([1] if "i.redd.it" in thing["url"] else [])
    media = tuple(picture(mark=f"{number:x}") for number in range(len(items)))
    if thing.get("is_video"):
        body, media = thing["selftext"], (Media(sha256="f" * 64, type="video/mp4", size=1), picture())
    part = Part(text=f"{thing['title']}\n{body}", visibility="r/test", media=media)
    since = round(thing["created_utc"] * 1000)
    ref = room.adapter.find(part, since=since, known=frozenset())
    assert ref == PostRef(id=thing["name"], url=room.account.base_url + thing["permalink"])


def test_the_rules_of_a_real_subreddit_are_read_and_the_word_that_it_refused_is_found() -> None:
    told = named("reddit/reading", "test_post_requirements.json#1")
    read = rules.read(None, Answer(status=told.status, body=told.body))
    assert read is not None
    place = words.Place("test", None)
    (problem,) = rules.problems(read, Part(text="Test Title\n\nA rewtwert here.", visibility="r/test"), place)
    assert problem.message == "r/test does not take 'rewtwert' in the body"
    assert not list(rules.problems(read, TEXT, place))
    link = Part(text="Test Title\nhttps://fakewebsite.com/x", visibility="r/test")
    assert [one.message for one in rules.problems(read, link, place)] == ["r/test takes no links to fakewebsite.com"]


def test_the_film_of_a_real_post_is_named() -> None:
    (thing,) = things(named("reddit/reading", "test_submit_video.json#6"))
    (film,) = answers_.files(listing(thing, on="/").body)
    assert film.type == "video"
    assert film.url.startswith("https://v.redd.it/")


def test_authors_and_pictures_are_read_from_what_was_recorded() -> None:
    told = {name_of(one): things(one)[0] for one in PAGES}
    bodies = {name: listing(thing, on="/").body for name, thing in told.items()}
    gallery = answers_.files(bodies["TestSubreddit.test_submit_gallery.json#10"])
    assert {one.type for one in gallery} == {"image"}
    assert sorted(one.alt or "" for one in gallery) == ["", "", "test.jpg", "test.png"]
    assert all(one.url.startswith(("https://preview.redd.it/", "https://i.redd.it/")) for one in gallery)
    unready = bodies["TestSubreddit.test_submit_gallery__selftext.json#10"]  # Reddit still worked on them
    assert answers_.files(unready) == ()
    (one,) = answers_.files(bodies["TestSubreddit.test_submit_image.json#4"])
    assert one.url == "https://i.redd.it/8xjguc40cnrb1.png"
    assert answers_.author(bodies["TestSubreddit.test_submit_image.json#4"]) == "t2_75u2lqkb"
    assert answers_.author(bodies["TestSubmission.test_delete.json#2"]) is None


def test_we_are_who_reddit_says_and_a_token_that_it_takes_no_more_is_renewed_once_and_then_told(
    rooms: Any,  # noqa: ANN401 (the fixture)
) -> None:
    me = named("reddit/reading", "test_me.json#1")
    found = rooms(me.on("/api/v1/me")).adapter.whoami()
    assert (found.id, found.handle) == ("t2_4cixf", "u/PyAPITestUser2")
    refused = named("reddit/reading", "test_implicit__with_invalid_token.json#0")
    assert rooms(refused, me).adapter.whoami() == found  # the first is over, the next is good
    room = rooms(refused)
    with pytest.raises(TokenRefused):
        room.adapter.whoami()


def test_we_say_in_the_same_fields_what_the_library_says_of_itself(double: RedditDouble, tmp_path: Path) -> None:
    account = account_at(double.url)
    room = Room(opened(tmp_path), double, account, adapter_at(account))
    room.publish(Part(text="Post 0\n\nText", visibility="r/test"))
    theirs = named("reddit/making", "test_add_post.json#1").form or ""
    newer = {"validate_on_submit"}
    assert set(double.creates[0].said) == set(parse_qs(theirs, keep_blank_values=True)) | newer
    gallery = (picture("x"), picture(mark="1"))
    room.publish(Part(text="Test Title", visibility="r/test", media=gallery), uploads=["a x", "b x"])
    said = json.loads(named("reddit/making", "test_submit_gallery.json#9").form or "{}")
    ours = double.creates[1].said
    assert set(ours) | {"resubmit"} == set(said)  # of a gallery the library as it is now does not say it, either
    assert set(ours["items"][0]) == set(said["items"][0])


def test_an_answer_of_another_status_than_200_says_nothing_of_a_post() -> None:
    (thing,) = things(named("reddit/reading", "test_submit__selftext.json#2"))
    body = listing(thing, on="/").body
    for status in (201, 204, 301, 401, 403, 404, 429, 500, 503):
        assert answers_.presence(Answer(status=status, body=body), thing["name"]) is Presence.UNKNOWN


def test_what_was_recorded_holds_nothing_that_opened_anything_and_names_its_licence() -> None:
    from tests.independent.recording_reddit import HERE

    assert "Bryce Boe" in (HERE / "LICENSE").read_text("utf-8")
    for file in HERE.glob("*.json"):
        text = file.read_text("utf-8")
        assert not re.search(r"bearer (?!<)\w|password=(?!<)\w|refresh_token=(?!<)\w", text)
        for name in ("x-amz-security-token", "X-Amz-Signature", "policy"):
            assert not re.search(rf'{name}\\", \\"value\\": \\"(?![*]+\\")', text, re.IGNORECASE)
