"""Taking down at servers that are not ours: `mastodon_mock`, and recorded answers of real ones, byte for byte.

`mastodon_mock` keeps files when a post is edited without them, gives the whole list of what is scheduled on every page,
and its search finds posts that only speak of an address: three things that a house must not be fooled by.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from adapters import mastodon_answers as answers
from guardian.adapter import Answer
from guardian.errors import Refusal
from guardian.fence import passage
from guardian.gate.intents import declare, managing, retracting
from guardian.gate.verdicts import Accepted, NotFound, verdict, verdict_of_retract
from guardian.model import Decision, Part, PostRef, Presence
from tests.adapters.taking import looked, take_down
from tests.independent.replay import MISSING, Recorded, Replay, named, recorded
from tests.independent.visit import now, picture_of, visit
from tests.torture.front import Front

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.fence.house import House
    from tests.independent.mastodon_mock_server import MastodonMockServer
    from tests.independent.visit import Visitor

outsider = pytest.mark.outsider  # the test's own eyes do not pass our gate
STATUSES = "/api/v1/statuses"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")
INCIDENT = [one for one in recorded("incident") if not one.body.startswith(b"\x1f\x8b")]
DELETIONS = [one for one in INCIDENT if one.method == "DELETE" and one.path.startswith(STATUSES) and one.status == 200]
TOLD = [one for one in DELETIONS if "id" in one.document]
EDITS = [one for one in INCIDENT if one.method == "PUT" and one.path.startswith(STATUSES)]
SCHEDULED = [one for one in INCIDENT if one.path == "/api/v1/scheduled_statuses" and one.document]


def name_of(one: object) -> str:
    return one.name.partition("/test_")[2] if isinstance(one, Recorded) else str(one)


def as_read(one: Recorded) -> Recorded:
    """What was told of a post on another occasion, as it would be told to who asks for it."""
    return one._replace(method="GET", target=one.path)


@pytest.fixture
def front(mock_server: MastodonMockServer) -> Iterator[Front]:
    """Between the house and the server, as a witness."""
    with Front(mock_server.place) as found:
        yield found
    assert not found.trouble


@pytest.fixture
def visitor(house: House, front: Front) -> Visitor:
    return visit(house, front.url)


def published(visitor: Visitor, text: str, *, pictures: int = 0) -> PostRef:
    media = tuple(picture_of(PNG, alt=None if number else "a loaf") for number in range(pictures))
    uploads = [visitor.upload(PNG, one)[0] for one in media]
    found = visitor.publish(Part(text=text, media=media, language="pl"), uploads=uploads)
    assert found.ref is not None
    return found.ref


def changing(front: Front, path: str) -> list[str]:
    """What reached the server under this path, by the witness."""
    lines = (one.line.rpartition(" ")[0] for one in front.seen if one.changes)
    return [line for line in lines if line.partition(" ")[2].partition("?")[0] == path]


@outsider
def test_a_deletion_is_one_request_and_the_post_is_gone(visitor: Visitor, front: Front) -> None:
    ref = published(visitor, "to be deleted", pictures=1)
    _, receipt = take_down(visitor.adapter, visitor.account, ref, Decision.DELETE)
    assert verdict_of_retract(receipt) == Accepted(200)
    assert changing(front, f"{STATUSES}/{ref.id}") == [f"DELETE {STATUSES}/{ref.id}?delete_media=true"]
    assert visitor.adapter.presence(ref) is Presence.GONE
    _, again = take_down(visitor.adapter, visitor.account, ref, Decision.DELETE)
    assert verdict_of_retract(again) == NotFound(404)


@outsider
def test_a_veil_and_its_undoing_are_one_request_each(
    visitor: Visitor, front: Front, house: House, mock_server: MastodonMockServer
) -> None:
    ref = published(visitor, "to be *veiled* & <shown> again")
    undoing, receipt = take_down(visitor.adapter, visitor.account, ref, Decision.HIDE)
    assert verdict_of_retract(receipt) == Accepted(200)
    assert visitor.adapter.presence(ref) is Presence.VEILED
    history = json.loads(looked(visitor.adapter, ref)["history"].body)
    assert "veiled" in history[0]["content"]  # the old words stay in public
    assert undoing.undo is not None
    with declare(managing(visitor.account, passage.look(house, visitor.account.scopes))) as undone:
        visitor.adapter.undo(ref, undoing.undo)
    assert verdict(undone) == Accepted(200)
    assert changing(front, f"{STATUSES}/{ref.id}") == [f"PUT {STATUSES}/{ref.id}"] * 2
    assert visitor.adapter.presence(ref) is Presence.THERE
    assert mock_server.ask("GET", f"{STATUSES}/{ref.id}/source")["text"] == "to be *veiled* & <shown> again"


@outsider
def test_a_veil_under_which_a_server_leaves_the_picture_is_no_veil(visitor: Visitor) -> None:
    ref = published(visitor, "a picture shows through", pictures=1)
    _, receipt = take_down(visitor.adapter, visitor.account, ref, Decision.HIDE)
    assert verdict_of_retract(receipt) == Accepted(200)
    assert visitor.adapter.presence(ref) is Presence.THERE


@outsider
def test_the_looks_name_the_author_and_the_pictures_with_their_words(visitor: Visitor) -> None:
    ref = published(visitor, "two pictures", pictures=2)
    found = looked(visitor.adapter, ref)
    assert {name: answer.status for name, answer in found.items() if name not in ("page", "activity")} == dict.fromkeys(
        ("status", "source", "history", "account", "context", "quotes"), 200
    )
    assert visitor.adapter.author(found["status"].body) == visitor.adapter.whoami().id
    assert [one.alt for one in visitor.adapter.files(found["status"].body)] == ["a loaf", None]


@outsider
def test_what_is_scheduled_is_listed_once_put_off_and_deleted(
    visitor: Visitor, front: Front, mock_server: MastodonMockServer
) -> None:
    """It gives the whole list again for the second page: that is the end, and no endless list."""
    at = datetime.now(UTC) + timedelta(hours=1)
    form = {"status": "later", "scheduled_at": at.isoformat(), "language": "pl"}
    made = [mock_server.ask("POST", STATUSES, form)["id"] for _ in range(3)]
    natives = visitor.adapter.natives() or ()
    assert sorted(one.id for one in natives) == sorted(made)
    assert {(one.text, abs(one.due - round(at.timestamp() * 1000)) <= 1) for one in natives} == {("later", True)}
    first, second, _ = natives
    until = first.due + 86_400_000
    with declare(retracting(visitor.account, first.id, visitor.adapter.deferral(first, until=until).says)) as deferred:
        visitor.adapter.defer_native(first, until=until)
    with declare(retracting(visitor.account, second.id)) as removed:
        visitor.adapter.remove_native(second)
    assert (verdict_of_retract(deferred), verdict_of_retract(removed)) == (Accepted(200), Accepted(200))
    assert changing(front, f"/api/v1/scheduled_statuses/{first.id}") == [f"PUT /api/v1/scheduled_statuses/{first.id}"]
    left = {one.id: one.due for one in visitor.adapter.natives() or ()}
    assert second.id not in left
    assert abs(left[first.id] - until) <= 1


@outsider
def test_a_post_that_only_speaks_of_an_address_is_not_taken_for_the_post_at_it(
    visitor: Visitor, mock_server: MastodonMockServer
) -> None:
    """Its search is one over words: with a careless reading, the wrong post would be taken down."""
    address = "https://elsewhere.example/@acme/1"
    ref = published(visitor, f"Look at {address}")
    found = mock_server.ask("GET", f"/api/v2/search?type=statuses&q={address}")["statuses"]
    assert [one["id"] for one in found] == [ref.id]
    assert visitor.adapter.resolve(address) is None


@outsider
def test_what_was_published_by_hand_is_among_the_recent_ones(visitor: Visitor, mock_server: MastodonMockServer) -> None:
    since = now() - 1000
    ours = published(visitor, "by the house")
    by_hand = mock_server.ask("POST", STATUSES, {"status": "by hand"})
    seen = visitor.adapter.recent(since=since)
    assert [one.ref.id for one in seen][:2] == [by_hand["id"], ours.id]
    assert [one.text for one in seen][:2] == ["by hand", "by the house"]


@pytest.mark.parametrize("one", DELETIONS, ids=name_of)
def test_every_deletion_that_really_happened_is_read_as_accepted_after_one_request(house: House, one: Recorded) -> None:
    ref = PostRef(id=one.path.rpartition("/")[2])
    with Replay([one]) as replay:
        visitor = visit(house, replay.url)
        _, receipt = take_down(visitor.adapter, visitor.account, ref, Decision.DELETE)
        assert replay.seen == [f"DELETE {one.path}?delete_media=true"]
        assert (
            visitor.adapter.presence(ref) is Presence.GONE
        )  # to what is gone, a real Mastodon says 404 with its words
    assert verdict_of_retract(receipt) == Accepted(200)


@pytest.mark.parametrize("one", [*TOLD, *EDITS], ids=name_of)
def test_every_post_that_really_was_is_there_with_its_author_and_its_files(house: House, one: Recorded) -> None:
    ref = PostRef(id=one.document["id"])
    with Replay([as_read(one)]) as replay:
        visitor = visit(house, replay.url)
        assert visitor.adapter.presence(ref) is Presence.THERE
        assert replay.seen == [f"GET {one.path}"]
    assert visitor.adapter.author(one.body) == one.document["account"]["id"]
    files = visitor.adapter.files(one.body)
    assert [(file.url, file.alt) for file in files] == [
        (file["url"], file["description"]) for file in one.document["media_attachments"] if file["url"]
    ]


@pytest.mark.parametrize("one", TOLD, ids=name_of)
def test_a_veil_is_prepared_for_every_post_but_those_that_it_would_spoil(house: House, one: Recorded) -> None:
    source = json.dumps({"id": one.document["id"], "text": one.document.get("text") or "", "spoiler_text": "w"})
    seen = {"status": Answer(status=200, body=one.body), "source": Answer(status=200, body=source.encode())}
    with Replay([]) as replay:
        adapter = visit(house, replay.url).adapter
        ref = PostRef(id=one.document["id"])
        if any(one.document.get(name) for name in ("poll", "quote", "reblog")):
            with pytest.raises(Refusal):
                adapter.prepare(Decision.HIDE, ref, seen)
        else:
            undo = adapter.prepare(Decision.HIDE, ref, seen).undo
            assert undo is not None
            assert undo["media_ids"] == [file["id"] for file in one.document["media_attachments"]]
        assert replay.seen == []


def test_polls_and_quotes_are_among_the_recorded_posts() -> None:
    """Else the test before would say less than it seems to."""
    found = {name for one in TOLD for name in ("poll", "quote", "media_attachments") if one.document.get(name)}
    assert found == {"poll", "quote", "media_attachments"}


def test_the_edit_of_a_real_post_is_undone_by_what_the_real_server_told_of_it(house: House) -> None:
    edited, source = (named("incident", f"/test_status_edit.yaml#{number}") for number in (2, 5))
    with Replay([as_read(edited), source]) as replay:
        visitor = visit(house, replay.url)
        ref = PostRef(id=edited.document["id"])
        undoing = visitor.adapter.prepare(Decision.HIDE, ref, looked(visitor.adapter, ref))
    assert undoing.undo is not None
    assert undoing.undo["status"] == source.document["text"]
    assert undoing.undo.get("language") == edited.document["language"]


@pytest.mark.parametrize("one", SCHEDULED, ids=name_of)
def test_every_list_of_what_was_really_scheduled_is_read(house: House, one: Recorded) -> None:
    with Replay([one, named("incident", "/test_scheduled_status.yaml#5")]) as replay:
        natives = visit(house, replay.url).adapter.natives() or ()
        assert len(replay.seen) == 2  # the second page is empty
    said = sorted(one.document, key=lambda item: str(item["scheduled_at"]))
    assert [(native.id, native.text) for native in natives] == [(item["id"], item["params"]["text"]) for item in said]
    dues = [datetime.fromisoformat(item["scheduled_at"]).timestamp() * 1000 for item in said]
    assert [native.due for native in natives] == dues


def test_what_a_real_server_says_of_nothing_is_gone_and_nothing_else_is() -> None:
    assert answers.presence(Answer(status=404, body=MISSING.body), "1") is Presence.GONE
    refusals = [one for one in recorded("refusals") if one.status != 404]
    assert refusals
    for one in refusals:
        assert answers.presence(Answer(status=one.status, body=one.body), "1") is Presence.UNKNOWN
