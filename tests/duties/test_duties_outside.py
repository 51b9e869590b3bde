"""What a freeze does not reach: what the platform itself has scheduled, and what others publish meanwhile."""

from __future__ import annotations

import base64
import io
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from guardian.duties import timeline
from guardian.duties.freeze import Freezing
from guardian.duties.outside import Outside
from guardian.errors import Illegal
from guardian.fence.stopping import Order
from guardian.gate.accounts import emergency, makers
from guardian.rules import deferring
from guardian.store import incidents, sweeps, takedowns

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.gate.accounts import Emergency
    from guardian.model import Account
    from guardian.rehearsal import RehearsalPlatform
    from tests.duties.conftest import Scene

HOUR = 3600.0


def png() -> dict[str, object]:
    data = io.BytesIO()
    Image.new("RGB", (4, 4), "#123456").save(data, "PNG")
    return {"data": base64.b64encode(data.getvalue()).decode(), "type": "image/png", "description": "blue"}


def beside(name: str, work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, name=name)
    thread.start()
    return thread


@pytest.fixture
def outside(scene: Scene) -> Outside:
    def connect(account: Account) -> Emergency:
        return emergency(account, makers(), answer_within=3.0)

    directory = scene.database.path.parent / "natives"
    return Outside(
        database=scene.database, in_force=scene.in_force, connect=connect, begin=beside, directory=directory,
        clock=scene.clock,
    )  # fmt: skip


@pytest.fixture
def freeze(scene: Scene, outside: Outside) -> Callable[..., dict[str, Any]]:
    freezing = Freezing(scene.books, ring=scene.halt.set, outside=outside)

    def do(*scopes: str, native: str = "list", wait: float = 20.0) -> dict[str, Any]:
        order = Order(scopes or ("all",), "a bad joke", "ann")
        return freezing.freeze(order, wait=wait, told=False, native=native)

    return do


def facts(scene: Scene, kind: str) -> list[dict[str, Any]]:
    return [dict(entry.data) for entry in scene.journal(kind)]


def retracted(platform: RehearsalPlatform) -> list[tuple[str, str]]:
    """Every request so far that changes what the platform has scheduled."""
    return [
        (str(entry["method"]), str(entry["path"]).partition("?")[0].rpartition("/")[2])
        for entry in platform.log()
        if entry["method"] in ("PUT", "DELETE")
    ]


def test_what_the_platform_would_publish_by_itself_is_listed_with_the_freeze(
    scene: Scene, platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]]
) -> None:
    item = platform.schedule(account="acme", text="Buy now", seconds=HOUR)
    document = freeze()
    (native,) = document["native"]
    assert (native["account"], native["id"], native["state"], native["text"]) == ("acme", item, "listed", "Buy now")
    assert native["due"].endswith("+00:00")
    assert retracted(platform) == [], "a freeze without an order touched it"
    (found,) = facts(scene, "native found")
    assert (found["incident"], found["platform_id"]) == (document["incident"], item)
    freeze()
    assert len(facts(scene, "native found")) == 1, "one post was found twice"


def test_only_accounts_under_the_scopes_are_asked(
    platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]]
) -> None:
    platform.schedule(account="acme", text="ours", seconds=HOUR)
    platform.schedule(account="beta", text="another brand's", seconds=HOUR)
    assert [row["account"] for row in freeze("brand:acme")["native"]] == ["acme"]
    accounts = {entry["account"] for entry in platform.log() if "scheduled_statuses" in str(entry["path"])}
    assert accounts == {"acme"}


def test_what_is_held_is_put_off_and_still_there_with_its_words_and_files(
    scene: Scene, platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]], outside: Outside
) -> None:
    item = platform.schedule(account="acme", text="Buy now", seconds=HOUR, media=[png()])
    (native,) = freeze(native="hold")["native"]
    assert (native["state"], native["why"]) == ("deferred", "")
    (there,) = platform.scheduled()
    assert str(there["id"]) == item
    assert retracted(platform) == [("PUT", item)]
    kinds = [entry["kind"] for entry in _lines(scene) if str(entry["kind"]).startswith("native")]
    assert kinds == ["native found", "native acting", "native held"], "the act was not written down before"
    with scene.database.reading() as tx:
        assert len(takedowns.spent(tx, "acme", since=0)) == 1, "the platform's budget does not know of it"
    (kept,) = outside.directory.iterdir()
    assert kept.read_bytes()[:4] == b"\x89PNG"


def _lines(scene: Scene) -> list[dict[str, Any]]:
    from guardian.store import journal

    with scene.database.reading() as tx:
        return [{"kind": one.kind, **one.data} for one in journal.after(tx, 0)]


def test_what_is_due_within_five_minutes_is_deleted_because_putting_it_off_comes_too_late(
    scene: Scene, platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]]
) -> None:
    soon = platform.schedule(account="acme", text="in four minutes", seconds=240)
    later = platform.schedule(account="acme", text="tomorrow", seconds=24 * HOUR)
    rows = {row["id"]: row["state"] for row in freeze(native="hold")["native"]}
    assert rows == {soon: "deleted", later: "deferred"}
    assert retracted(platform) == [("DELETE", soon), ("PUT", later)], "the most urgent one comes first"
    (deleted,) = facts(scene, "native deleted")
    assert deleted["text"] == "in four minutes", "its words were not saved"


def test_what_is_to_be_deleted_is_saved_first(
    scene: Scene, platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]], outside: Outside
) -> None:
    platform.schedule(account="acme", text="Buy now", seconds=HOUR, media=[png()])
    (native,) = freeze(native="delete")["native"]
    assert (native["state"], platform.scheduled()) == ("deleted", [])
    order = [
        str(entry["method"]) for entry in platform.log() if "media" in str(entry["path"]) or entry["method"] == "DELETE"
    ]
    assert order[-1] == "DELETE"
    assert len(order) > 1, "nobody read its file before"
    assert len(list(outside.directory.iterdir())) == 1
    assert facts(scene, "native acting")[0]["saved"] is True


def test_what_cannot_be_saved_is_put_off_and_not_deleted(
    platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]], outside: Outside
) -> None:
    platform.schedule(account="acme", text="Buy now", seconds=HOUR, media=[png()])
    outside.directory.write_text("a file where the directory should be")
    (native,) = freeze(native="delete")["native"]
    assert (native["state"], native["why"]) == (
        "deferred",
        "put off, not deleted, because its files could not be saved",
    )
    assert len(platform.scheduled()) == 1


def test_a_yes_that_does_not_show_in_the_platforms_own_list_is_not_believed(
    scene: Scene, platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]]
) -> None:
    item = platform.schedule(account="acme", text="Buy now", seconds=HOUR)
    platform.fault("status", status=200, method="PUT", path=".*", times=1)
    (native,) = freeze(native="hold")["native"]
    assert native["state"] == "listed"
    assert facts(scene, "native left")[0]["platform_id"] == item
    assert freeze(native="hold")["native"][0]["state"] == "deferred", "a second order does not try again"


def test_a_platform_that_does_not_answer_is_named_and_nobody_waits_longer_than_was_said(
    platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]]
) -> None:
    platform.schedule(account="acme", text="Buy now", seconds=HOUR)
    platform.fault("delay_before", seconds=1.5, method="GET", path=".*", times=10)
    began = time.monotonic()
    document = freeze(wait=0.2)
    assert time.monotonic() - began < 1.4
    assert document["native"] is None
    assert "posts scheduled on the platform itself (acme): it did not say in time" in document["not_covered"]


def test_one_platform_that_fails_hides_nothing_of_another(
    platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]]
) -> None:
    platform.schedule(account="beta", text="ours", seconds=HOUR)
    platform.fault("status", status=503, method="GET", path=".*", account="acme", times=5)
    document = freeze()
    assert [row["account"] for row in document["native"]] == ["beta"]
    (named,) = [line for line in document["not_covered"] if "(acme)" in line]
    assert "503" in named
    assert any(line.startswith("mastodon: ") for line in document["not_covered"]), "what it never reaches is not said"


def test_the_budget_leaves_room_for_takedowns_and_what_has_to_wait_goes_on_later(
    scene: Scene, platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]], outside: Outside
) -> None:
    for nr in range(3):
        platform.schedule(account="acme", text=f"{nr}", seconds=HOUR + nr)
    with scene.database.transaction() as tx:
        for _ in range(19):
            takedowns.count(tx, "acme", None, now=scene.clock())
    states = [row["state"] for row in freeze(native="hold")["native"]]
    assert states == ["deferred", "listed", "listed"]
    outside.poll(scene.clock())
    assert len(retracted(platform)) == 1, "it asked before the platform takes more"
    scene.clock.off += 31 * 60_000
    outside.poll(scene.clock())
    assert len(retracted(platform)) == 3


def test_a_token_of_another_account_touches_nothing(
    platform: RehearsalPlatform, outside: Outside, freeze: Callable[..., dict[str, Any]],
    account_of: Callable[..., Account],
) -> None:  # fmt: skip
    platform.schedule(account="beta", text="not ours", seconds=HOUR)
    wrong = account_of("acme", token_of="beta")
    outside.connect = lambda _: emergency(wrong, makers(), answer_within=3.0)
    document = freeze("account:acme", native="delete")
    assert retracted(platform) == []
    assert "the token belongs to" in document["native"][0]["why"]


def test_a_crash_between_the_intent_and_the_answer_never_deletes_twice(
    scene: Scene, platform: RehearsalPlatform, outside: Outside, freeze: Callable[..., dict[str, Any]]
) -> None:
    platform.schedule(account="acme", text="Buy now", seconds=HOUR)
    platform.fault("lose", method="DELETE", path=".*", times=1)  # done, and nobody heard it
    (native,) = freeze(native="delete")["native"]
    assert platform.scheduled() == []
    assert native["state"] in ("unknown", "deleted")
    outside.poll(scene.clock())
    assert [method for method, _ in retracted(platform)] == ["DELETE"]


def test_a_deferral_is_taken_back_after_the_thaw_and_never_before(
    scene: Scene, platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]], outside: Outside
) -> None:
    platform.schedule(account="acme", text="Buy now", seconds=HOUR)
    before = platform.scheduled()[0]["scheduled_at"]
    (native,) = freeze(native="hold")["native"]
    assert platform.scheduled()[0]["scheduled_at"] != before
    with pytest.raises(Illegal, match="cannot take the deferral back"):
        outside.restore(native["native"], scene.house, by="ann")
    scene.books.thaw(["all"], reason="over", by="ann")
    assert outside.restore(native["native"], scene.house, by="ann")["state"] == "listed"
    assert platform.scheduled()[0]["scheduled_at"] == before
    with pytest.raises(Illegal, match="because it is listed"):
        outside.restore(native["native"], scene.house, by="ann")


def other_tool(platform: RehearsalPlatform, text: str) -> str:
    """A post that somebody scheduled at the platform itself, published this moment; its id."""
    platform.schedule(account="acme", text=text, seconds=0)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for post in platform.posts():
            if post["text"] == text:
                return post["id"]
        time.sleep(0.01)
    raise AssertionError("it was not published")


def test_a_post_that_the_guardian_did_not_send_is_found_45_seconds_after_the_freeze(
    scene: Scene, platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]], outside: Outside
) -> None:
    ours = scene.enter("ours")
    lane = scene.lane()
    scene.poll_until(lane, lambda: scene.post(ours).platform_id is not None)
    document = freeze()
    stranger = other_tool(platform, "somebody else")
    outside.poll(scene.clock())
    assert facts(scene, "not ours") == [], "it looked at once"
    scene.clock.off += 46_000
    outside.poll(scene.clock())
    (line,) = facts(scene, "not ours")
    assert (line["account"], line["platform_id"], line["incident"]) == ("acme", stranger, document["incident"])
    assert "somebody else" in line["text"]
    scene.clock.off += 6 * 60_000
    outside.poll(scene.clock())
    assert len(facts(scene, "not ours")) == 1, "one post was told twice"


def test_a_look_that_was_planned_is_made_after_a_restart(
    scene: Scene, platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]], outside: Outside
) -> None:
    freeze()
    outside.poll(scene.clock())
    again = Outside(
        database=scene.database, in_force=scene.in_force, connect=outside.connect, begin=beside,
        directory=outside.directory, clock=scene.clock,
    )  # fmt: skip
    stranger = other_tool(platform, "somebody else")
    scene.clock.off += 10 * 60_000
    again.poll(scene.clock())
    assert [line["platform_id"] for line in facts(scene, "not ours")] == [stranger]


def test_a_post_of_ours_that_is_not_answered_yet_is_not_called_a_strangers_at_once(
    scene: Scene, platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]], outside: Outside
) -> None:
    scene.enter("ours")
    platform.fault("lose")
    lane = scene.lane()
    lane._ask_who_we_are(scene.clock())
    lane._poll_sending(scene.clock())
    freeze("account:acme")
    for looks in range(1, timeline.MOST + 1):
        scene.clock.off += 61_000
        outside.poll(scene.clock())
        outside.poll(scene.clock())
        assert bool(facts(scene, "not ours")) is (looks == timeline.MOST)
    assert facts(scene, "not ours")[0]["why"] == timeline.IN_DOUBT


def test_a_timeline_that_nobody_can_read_is_looked_at_a_few_times_and_no_more(
    scene: Scene, platform: RehearsalPlatform, freeze: Callable[..., dict[str, Any]], outside: Outside
) -> None:
    freeze("account:acme")
    platform.fault("status", status=503, method="GET", path=".*", times=1000)
    for _ in range(10):
        scene.clock.off += 61_000
        outside.poll(scene.clock())
    with scene.database.reading() as tx:
        incident = incidents.current(tx)
        assert incident is not None
        rows = tx.execute("select * from sweeps").fetchall()
        assert sweeps.following(tx) is None
    assert len(rows) == timeline.MOST
    assert all("nobody could say" in row["why"] for row in rows)


def test_a_freeze_that_nobody_told_the_daemon_of_is_looked_at_as_well(
    scene: Scene, platform: RehearsalPlatform, outside: Outside
) -> None:
    scene.stop("all")
    item = platform.schedule(account="acme", text="Buy now", seconds=HOUR)
    scene.books.adopt()
    outside.poll(scene.clock())
    scene.clock.off += 46_000
    outside.poll(scene.clock())
    assert [row["id"] for row in outside.document(None)["natives"]] == [item]  # type: ignore[attr-defined]


def test_twenty_five_a_day_are_put_off_and_the_rest_to_the_next_day() -> None:
    now = 1_764_000_000_000
    others: list[int] = []
    for _ in range(60):
        others.append(deferring.until(now + 1000, others, now=now))
    days = [at // deferring.DAY for at in others]
    assert [days.count(day) for day in sorted(set(days))] == [25, 25, 10]
    assert all(deferring.is_far(at, now=now) for at in others)
    assert {at % deferring.DAY for at in others} == {(now + 1000) % deferring.DAY}
    assert deferring.must_go(now + 5 * 60_000, now=now)
    assert not deferring.must_go(now + 6 * 60_000, now=now)
