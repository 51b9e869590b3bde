"""Addresses of posts, what the platform has scheduled, and what it shows of ours: against the rehearsal platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.errors import Doubt, Refusal
from guardian.fence.passage import Stopped
from guardian.gate.intents import declare, retracting
from guardian.gate.verdicts import Accepted, verdict_of_retract
from guardian.model import PostRef
from tests.adapters.taking import HOSTILE, PAGE, asked, behind, changes, front, now, published, seen_until_now, undo
from tests.gate.gate_door import door, house, platform
from tests.torture.front import says

if TYPE_CHECKING:
    from guardian.adapter import Adapter
    from tests.gate.gate_door import Door
    from tests.torture.front import Front

__all__ = ["behind", "door", "front", "house", "platform"]


def test_an_address_of_our_server_is_read_and_not_asked_for(door: Door) -> None:
    ref = published(door)
    before = seen_until_now(door.platform)
    assert door.adapter.resolve(f"{ref.url}?utm=1#x") == ref
    for path in (f"/users/acme/statuses/{ref.id}", f"/web/@acme/{ref.id}", f"/deck/@acme/{ref.id}/"):
        found = door.adapter.resolve(door.platform.url + path)
        assert found is not None
        assert found.id == ref.id
    assert door.adapter.resolve("not an address") is None
    assert seen_until_now(door.platform) == before


def test_an_address_elsewhere_is_looked_up_at_our_server_and_nowhere_else(
    door: Door, behind: Adapter, front: Front
) -> None:
    """The platform knows itself by another address than the front, as it knows a post from elsewhere."""
    ref = published(door)
    assert ref.url is not None
    assert behind.resolve(ref.url) == ref
    assert behind.resolve(f"{door.platform.url}/users/acme/statuses/{ref.id}") == ref
    assert behind.resolve("https://elsewhere.example/@acme/1") is None
    assert [one.line.partition("?")[0] for one in front.seen] == ["GET /api/v2/search"] * 3
    front.acts_for_reads.append(says(PAGE % b"200 OK"))
    with pytest.raises(Doubt):
        behind.resolve(ref.url)
    front.acts_for_reads.append(says(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"))
    with pytest.raises(Doubt):
        behind.resolve(ref.url)
    door.platform.stop()
    with pytest.raises(Doubt):
        door.adapter.resolve("https://elsewhere.example/@acme/1")


def test_every_page_of_what_the_platform_has_scheduled_is_turned(door: Door) -> None:
    made = [door.platform.schedule(text=f"n{number}", seconds=3600 + number) for number in range(95)]
    assert door.adapter.natives() is not None
    assert [native.id for native in door.adapter.natives() or ()] == made
    assert [native.text for native in door.adapter.natives() or ()][:2] == ["n0", "n1"]


def test_a_scheduled_post_is_shown_with_its_files_and_hostile_words(door: Door) -> None:
    file = {"data": "iVBORw==", "type": "image/png"}
    door.platform.schedule(text=HOSTILE, seconds=3600, media=[file, {**file, "description": "a loaf"}])
    (native,) = door.adapter.natives() or ()
    assert (native.text, [one.alt for one in native.files]) == (HOSTILE, [None, "a loaf"])
    assert abs(native.due - now() - 3_600_000) < 60_000
    assert native.raw["id"] == native.id


def test_a_scheduled_post_is_put_off_by_one_request_and_brought_back_under_the_fence(door: Door) -> None:
    door.platform.schedule(text="later", seconds=3600)
    (native,) = door.adapter.natives() or ()
    until, before = native.due + 86_400_000, seen_until_now(door.platform)
    deferral = door.adapter.deferral(native, until=until)
    with declare(retracting(door.account, native.id, deferral.says)) as receipt:
        door.adapter.defer_native(native, until=until)
    assert verdict_of_retract(receipt) == Accepted(200)
    path = f"/api/v1/scheduled_statuses/{native.id}"
    assert changes(door.platform, before) == [("PUT", path)]
    assert [one.due for one in door.adapter.natives() or ()] == [until]
    assert deferral.undo is not None
    with declare(retracting(door.account, native.id, deferral.says)), pytest.raises(Stopped):
        door.adapter.undo(PostRef(id=native.id), deferral.undo)
    undo(door.adapter, door.account, door.house, PostRef(id=native.id), deferral.undo)
    assert [one.due for one in door.adapter.natives() or ()] == [native.due]
    assert changes(door.platform, before) == [("PUT", path)] * 2


def test_a_scheduled_post_is_never_brought_forward_by_putting_it_off(door: Door) -> None:
    door.platform.schedule(text="later", seconds=3600)
    (native,) = door.adapter.natives() or ()
    for until in (native.due, native.due - 1, 0):
        with pytest.raises(Refusal, match="sooner"):
            door.adapter.defer_native(native, until=until)
    assert changes(door.platform) == []


def test_a_scheduled_post_is_deleted_by_one_request(door: Door) -> None:
    door.platform.schedule(text="later", seconds=3600)
    (native,) = door.adapter.natives() or ()
    with declare(retracting(door.account, native.id)) as receipt:
        door.adapter.remove_native(native)
    assert verdict_of_retract(receipt) == Accepted(200)
    assert changes(door.platform) == [("DELETE", f"/api/v1/scheduled_statuses/{native.id}")]
    assert door.adapter.natives() == []


def test_a_list_that_cannot_be_had_whole_is_a_doubt_and_no_empty_list(
    behind: Adapter, front: Front, door: Door
) -> None:
    for number in range(45):
        door.platform.schedule(text=f"n{number}", seconds=3600)
    second_fails = (lambda at: at.say((at.carry(),)), says(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"))
    second_missing = (lambda at: at.say((at.carry(),)), says(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"))
    for acts in (second_fails, second_missing, (says(PAGE % b"200 OK"),), (says(),)):
        front.acts_for_reads.extend(acts)
        with pytest.raises(Doubt):
            behind.natives()
    front.acts_for_reads.append(says(b'HTTP/1.1 404 No\r\nContent-Length: 21\r\n\r\n{"error":"Not Found"}'))
    assert behind.natives() is None
    assert len(behind.natives() or ()) == 45


@pytest.mark.outsider
def test_what_somebody_else_published_with_our_account_is_seen(door: Door) -> None:
    before = published(door, "before")
    since = now() - 60_000
    ours = published(door, "ours")
    theirs = asked(door, "POST", "/api/v1/statuses", {"status": f"by hand\n\n{HOSTILE}"})
    asked(door, "POST", f"/api/v1/statuses/{before.id}/reblog", {})
    seen = door.adapter.recent(since=since)
    assert [one.ref.id for one in seen] == [theirs["id"], ours.id, before.id]
    assert seen[0].text.startswith("by hand\n\n<script>alert(1)</script>")
    assert all(since <= one.at <= now() for one in seen)
    assert door.adapter.recent(since=now() + 60_000) == []
    door.platform.fault("status", status=503, method="GET", path="/api/v1/accounts/.*/statuses")
    with pytest.raises(Doubt):
        door.adapter.recent(since=since)
