"""What a server that is not ours would publish by itself: listed with the freeze, put off or deleted, its words kept.

`mastodon_mock` never shows the files of what it has scheduled, although it names them: they cannot be saved, and the
guardian must not say that they were. It publishes what is due only when somebody asks for the list, and it takes any
time: what a real server refuses, and when it publishes, it cannot show.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.independent.test_independent_daemon import desk, front

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.independent.mastodon_mock_server import MastodonMockServer
    from tests.independent.test_independent_daemon import Desk
    from tests.torture.front import Front

__all__ = ["desk", "front"]
pytestmark = pytest.mark.outsider  # the test's own eyes do not pass our gate
SCHEDULED = "/api/v1/scheduled_statuses"
YEAR = timedelta(days=300)
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")


@pytest.fixture
def clean(mock_server: MastodonMockServer) -> Iterator[MastodonMockServer]:
    """The server, with nothing scheduled afterwards."""
    yield mock_server
    for one in mock_server.ask("GET", SCHEDULED):
        mock_server.ask("DELETE", f"{SCHEDULED}/{one['id']}")


def schedule(server: MastodonMockServer, text: str, *, minutes: float = 60, **more: object) -> str:
    """What somebody scheduled in the server's own application; its id."""
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    form = {"status": text, "scheduled_at": at.isoformat(), "language": "pl", **more}
    return str(server.ask("POST", "/api/v1/statuses", form)["id"])


def upload(server: MastodonMockServer) -> str:
    """A file that lies at the server; its id."""
    edge = uuid.uuid4().hex
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    )
    body = head.encode() + PNG + f"\r\n--{edge}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={edge}", "Authorization": "Bearer rehearsal-acme"}
    request = urllib.request.Request(f"{server.url}/api/v2/media", body, headers)  # noqa: S310 (loopback)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (loopback)
        return str(json.load(answer)["id"])


def left(server: MastodonMockServer) -> dict[str, timedelta]:
    """What the server itself says is still scheduled, and in how long."""
    now = datetime.now(UTC)
    found = server.ask("GET", SCHEDULED)
    return {one["id"]: datetime.fromisoformat(one["scheduled_at"]) - now for one in found}


def kept(desk: Desk) -> dict[str, dict[str, Any]]:
    """What the house has kept of each, as the server had it."""
    with sqlite3.connect(f"file:{desk.base}/state/guardian.db?mode=ro", uri=True) as store:
        return {row[0]: json.loads(row[1]) for row in store.execute("select platform_id, raw from natives")}


def test_a_freeze_lists_what_the_server_would_publish_and_touches_nothing(
    desk: Desk, front: Front, clean: MastodonMockServer
) -> None:
    made = {schedule(clean, text) for text in ("first", "second")}
    stop = desk.run("freeze", "a", "test")
    assert {(one["id"], one["state"]) for one in stop["native"]} == {(one, "listed") for one in made}
    assert {one["text"] for one in stop["native"]} == {"first", "second"}
    assert set(left(clean)) == made
    assert [seen.line for seen in front.seen if seen.changes] == []


def test_what_is_held_is_put_off_by_a_year_and_its_words_are_kept(desk: Desk, clean: MastodonMockServer) -> None:
    """The server does not keep one that is due within five minutes: a little later is as near as it gets."""
    later = schedule(clean, "tomorrow", spoiler_text="a warning", visibility="unlisted")
    soon = schedule(clean, "in five minutes and a bit", minutes=5.2)
    stop = desk.run("freeze", "a", "test", "--native")
    assert {one["id"]: one["state"] for one in stop["native"]} == {later: "deferred", soon: "deleted"}
    there = left(clean)
    assert set(there) == {later}
    assert there[later] > YEAR
    assert {one: raw["params"]["text"] for one, raw in kept(desk).items()} == {
        later: "tomorrow", soon: "in five minutes and a bit",
    }  # fmt: skip
    assert kept(desk)[later]["params"]["spoiler_text"] == "a warning"


def test_what_is_deleted_is_gone_from_the_server_and_its_words_are_kept(desk: Desk, clean: MastodonMockServer) -> None:
    made = schedule(clean, "buy \U0001f469\u200d\U0001f373 now")
    stop = desk.run("freeze", "a", "test", "--native=delete")
    assert [(one["id"], one["state"]) for one in stop["native"]] == [(made, "deleted")]
    assert left(clean) == {}
    assert kept(desk)[made]["params"]["text"] == "buy \U0001f469\u200d\U0001f373 now"


def test_files_that_the_server_names_and_does_not_show_are_not_said_to_be_saved_and_their_post_is_only_put_off(
    desk: Desk, clean: MastodonMockServer
) -> None:
    made = schedule(clean, "with a picture", media_ids=[upload(clean)])
    assert clean.ask("GET", SCHEDULED)[0]["media_attachments"] == [], (
        "this server shows them after all: see the opening"
    )
    stop = desk.run("freeze", "a", "test", "--native=delete", code=14)  # it was not deleted
    (found,) = stop["native"]
    assert (found["id"], found["state"]) == (made, "deferred")
    assert "its files could not be saved" in found["why"]
    assert left(clean)[made] > YEAR


def test_a_server_that_takes_no_change_is_said_to_have_taken_none(desk: Desk, clean: MastodonMockServer) -> None:
    made = schedule(clean, "stays")
    clean.fault("status", path=f"{SCHEDULED}/{made}", methods=("PUT",), status=403)
    try:
        stop = desk.run("freeze", "a", "test", "--native", code=14)
    finally:
        clean.behave()
    (found,) = stop["native"]
    assert (found["id"], found["state"]) == (made, "listed")
    assert found["why"]
    assert left(clean)[made] < timedelta(hours=2)
