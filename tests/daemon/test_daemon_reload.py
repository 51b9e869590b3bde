"""A configuration written anew while the daemon runs: taken whole or not at all, and never a way past a freeze."""

from __future__ import annotations

import os
import pwd
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from guardian.fence import permits, reading
from tests.daemon.reloading import EVERY, Reloaded

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.outsider
NORTH = ("north-a", "north-b")
A_SECRET = "a-token-that-nobody-may-see"


@pytest.fixture
def house() -> Iterator[Reloaded]:
    """A daemon with two accounts of a configuration that has room for two more."""
    with Reloaded() as found:
        found.write(NORTH)
        found.start()
        yield found


def test_an_account_that_is_added_posts_without_a_restart(house: Reloaded) -> None:
    assert "error" in house.add("south-a", "too early")
    house.write((*NORTH, "south-a"))
    assert house.reload()["state"] == "in force"
    assert [one["name"] for one in house.status()["accounts"]] == [*NORTH, "south-a"]
    post = house.add("south-a", "from the new one")
    house.until(lambda: house.post(post["id"])["state"] == "published")
    line = house.lines("reloaded")[-1]
    assert (line["who"], line["data"]) == (pwd.getpwuid(os.getuid()).pw_name, {"added": ["south-a"]})
    assert house.status()["state"] == "open"


def test_a_wrong_configuration_is_refused_with_its_lines_and_the_old_one_stays_in_force(house: Reloaded) -> None:
    house.write(EVERY, more='[queue]\nzome = "UTC"\n[fence]\ndrain = "never"\n')
    found = house.reload()
    assert found["state"] == "refused"
    number = house.config.read_text().splitlines().index('zome = "UTC"') + 1
    assert f"line {number}: cannot use queue.zome, because no key has that name, do write zone" in found["why"]
    assert f"line {number + 2}: cannot use fence.drain" in found["why"]
    assert house.daemon is not None
    assert house.daemon.tail().count('"event": "reload refused"') == 2
    assert [one["name"] for one in house.status()["accounts"]] == list(NORTH)
    post = house.add("north-a", "as before")
    house.until(lambda: house.post(post["id"])["state"] == "published")
    assert found["why"] == house.lines("reload refused")[-1]["data"]["why"]
    house.write(NORTH)
    assert house.reload()["state"] == "in force"


def test_a_configuration_that_is_gone_or_no_text_ends_nothing(house: Reloaded) -> None:
    for content in (None, b"\xff\xfe", b"= [", b"x" * (2 << 20)):
        house.config.unlink()
        if content is not None:
            house.config.write_bytes(content)
        assert house.reload()["state"] == "refused"
        house.write(NORTH)
        assert house.reload()["state"] == "in force"
    assert house.status()["state"] == "open"


@pytest.mark.parametrize("key", ["state_dir", "runtime_dir"])
def test_a_house_does_not_move_while_somebody_lives_in_it(house: Reloaded, key: str) -> None:
    text = house.config.read_text().splitlines()
    place = next(number for number, line in enumerate(text) if line.startswith(key))
    text[place] = f'{key} = "{house.directory}/elsewhere"'
    house.config.write_text("\n".join(text))
    found = house.reload()
    assert found["state"] == "refused"
    assert f"cannot reload with another {key}, because the guardian that runs keeps the one it has" in found["why"]
    assert not (house.directory / "elsewhere").exists()


def test_the_posts_of_an_account_that_went_wait_and_say_why_and_go_out_when_it_returns(house: Reloaded) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=1.5)).isoformat()
    post = house.add("north-b", "of an account that comes and goes", at=soon)
    house.write(["north-a"])
    assert house.reload()["state"] == "in force"
    assert house.post(post["id"])["why"] == "no such account in the configuration"
    assert house.status()["without_account"] == [{"account": "north-b", "posts": 1}]
    assert "error" in house.add("north-b", "of nobody")
    time.sleep(2)
    assert house.client.get("/v1/posts")["posts"][0]["why"] == "no such account in the configuration"
    assert (house.post(post["id"])["state"], house.tried("of an account that comes and goes")) == ("queued", 0)
    house.write(NORTH)
    house.reload()
    house.until(lambda: house.post(post["id"])["state"] == "published")
    assert house.status()["without_account"] == []


def test_a_wide_freeze_covers_a_new_account_at_once_and_only_a_person_lifts_it(house: Reloaded) -> None:
    assert house.freeze().code == 0
    house.write(EVERY)
    assert house.reload()["state"] == "in force"
    assert house.account("south-a")["held_by"] == house.status()["freezes"][0]["id"]
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    post = house.add("south-a", "while all is frozen", at=soon)
    assert post["held_by"]
    time.sleep(0.3)
    house.thaw()
    house.until(lambda: house.post(post["id"])["state"] == "published")
    assert not house.judge()


def test_an_account_that_was_frozen_and_removed_comes_back_frozen(house: Reloaded) -> None:
    assert house.freeze("account:north-b").code == 0
    house.write(["north-a"])
    house.reload()
    house.write(NORTH)
    house.reload()
    assert reading.read_scope(house.house, "account:north-b").state == reading.FROZEN
    assert house.account("north-b")["held_by"]
    house.add("north-b", "not yet")
    time.sleep(0.5)
    assert house.tried("not yet") == 0


def test_a_freeze_of_an_account_that_is_not_configured_holds_when_it_returns(house: Reloaded) -> None:
    house.write(["north-a"])
    house.reload()
    assert house.freeze("account:north-b").code == 0
    house.write(NORTH)
    house.reload()
    house.until(lambda: house.account("north-b")["held_by"])
    assert reading.read_scope(house.house, "account:north-b").reason == "torture"


def test_a_scope_that_was_ever_listed_and_lost_its_permit_is_not_armed_by_a_reload(house: Reloaded) -> None:
    house.write(["north-a"])
    house.reload()
    for path in (house.house.permit("account:north-b"), house.house.durable("account:north-b")):
        permits.remove(path)
    house.write(NORTH)
    house.reload()
    assert reading.read_scope(house.house, "account:north-b").state == reading.FROZEN
    house.add("north-b", "never armed")
    time.sleep(0.5)
    assert house.tried("never armed") == 0


def test_an_account_that_comes_back_unfrozen_needs_nobody(house: Reloaded) -> None:
    for names in (["north-a"], NORTH, ["north-b"], NORTH):
        house.write(names)
        assert house.reload()["state"] == "in force"
    assert (house.status()["state"], house.status()["freezes"]) == ("open", [])


def test_what_is_being_sent_is_finished_by_its_own_lane_and_sent_once(house: Reloaded) -> None:
    house.witness.fault("delay", seconds=1.5, account="north-a")
    post = house.add("north-a", "on the wire")
    house.until(lambda: house.status()["in_flight"])
    second = house.add("north-a", "after the change")
    house.write(NORTH, more='[queue]\ngap = "1ms"\n')
    assert house.reload()["state"] == "in force"
    assert house.status()["in_flight"]  # the reload did not wait for it, and did not break it off
    house.until(lambda: house.post(second["id"])["state"] == "published")
    assert house.post(post["id"])["attempts"][0]["outcome"] == "landed"
    assert (house.sent("on the wire"), house.sent("after the change")) == (1, 1)
    assert house.lines("reloaded")[-1]["data"] == {"keys": ["queue.gap"]}


def test_an_account_that_is_removed_while_it_sends_sends_that_and_nothing_more(house: Reloaded) -> None:
    house.witness.fault("delay", seconds=1.0, account="north-b")
    first = house.add("north-b", "the last")
    house.until(lambda: house.status()["in_flight"])
    second = house.add("north-b", "one too many")
    house.write(["north-a"])
    house.reload()
    stop = house.freeze()
    assert stop.code == 0
    assert [one[0] if isinstance(one, tuple) else one["post"] for one in stop.in_flight or []] == [first["id"]]
    house.until(lambda: house.post(first["id"])["state"] == "published")
    assert (house.post(second["id"])["state"], house.tried("one too many")) == ("queued", 0)


def test_a_token_is_replaced_and_the_new_lane_asks_who_it_is_before_it_sends(house: Reloaded) -> None:
    wrong = house.directory / "other.token"
    wrong.touch(0o600)
    wrong.write_text("rehearsal-south-a\n")
    house.write(NORTH, changed={"north-a": {"token": f"file:{wrong}"}})
    house.reload()
    post = house.add("north-a", "by somebody else")
    house.until(lambda: "belongs to @south-a@" in (house.account("north-a")["trouble"] or ""))
    assert house.tried("by somebody else") == 0
    assert house.lines("reloaded")[-1]["data"] == {"changed": ["north-a"], "keys": ["accounts.north-a.secrets.token"]}
    house.write(NORTH)
    house.reload()
    house.until(lambda: house.post(post["id"])["state"] == "published")
    assert house.account("north-a")["trouble"] is None


def test_a_new_secret_is_told_to_no_log_and_no_journal(house: Reloaded) -> None:
    place = house.directory / "new.token"
    place.touch(0o600)
    place.write_text(A_SECRET)
    house.write(NORTH, changed={"north-a": {"token": f"file:{place}"}})
    house.reload()
    house.add("north-a", "refused")
    house.until(lambda: house.account("north-a")["trouble"] not in (None, "not asked yet"))
    assert house.daemon is not None
    assert A_SECRET not in house.daemon.log.read_text()
    assert A_SECRET not in str(house.client.get("/v1/journal", limit=1000))
    assert A_SECRET not in str(house.status())


def test_a_reload_does_not_send_before_the_time_that_the_platform_stated(house: Reloaded) -> None:
    house.witness.fault("429", retry_after=3, account="north-a")
    began = time.monotonic()
    post = house.add("north-a", "too many requests")
    house.until(lambda: house.tried("too many requests") == 1)
    house.write(NORTH, more='[queue]\ngap = "1ms"\n')
    house.reload()
    house.until(lambda: house.post(post["id"])["state"] == "published")
    assert time.monotonic() - began > 2.5
    assert house.tried("too many requests") == 2


def test_the_keys_of_the_tables_take_effect(house: Reloaded) -> None:
    at = "2031-07-01T09:00:00"
    assert house.add("north-a", "one", at=at)["at"] == "2031-07-01T09:00:00.000Z"
    more = '[queue]\nzone = "Asia/Tokyo"\nlate_after = "2h"\nrelease_gap = "7m"\n[fence]\ndrain = "1s"\n'
    house.write(NORTH, more=more)
    assert house.reload()["state"] == "in force"
    assert house.add("north-a", "two", at=at)["at"] == "2031-07-01T00:00:00.000Z"
    keys = ["queue.zone", "queue.late_after", "queue.release_gap", "fence.drain"]
    assert house.lines("reloaded")[-1]["data"] == {"keys": keys}


def test_a_shorter_limit_of_lateness_holds_for_what_waits_already(house: Reloaded) -> None:
    """The lane waits for the platform's stated time; when that has come, the post is late by the new limit."""
    house.witness.fault("429", retry_after=3, account="north-a")
    post = house.add("north-a", "late by the new limit")
    house.until(lambda: house.tried("late by the new limit") == 1)
    house.write(NORTH, more='[queue]\nlate_after = "1s"\n')
    assert house.reload()["state"] == "in force"
    house.until(lambda: house.post(post["id"])["state"] == "missed")
    assert house.tried("late by the new limit") == 1


def test_an_account_that_moves_to_another_brand_leaves_its_old_cover_behind(house: Reloaded) -> None:
    assert house.freeze("brand:north").code == 0
    house.until(lambda: house.account("north-a")["held_by"])
    missed = house.add("north-a", "under the freeze")
    house.write(NORTH, changed={"north-a": {"brand": "south"}})
    house.reload()
    house.until(lambda: house.account("north-a")["held_by"] is None)
    assert house.account("north-b")["held_by"]
    house.until(lambda: house.post(missed["id"])["state"] in ("missed", "published"))
    assert house.post(missed["id"])["state"] == "missed"  # its time had passed under the freeze of its old brand
    later = [house.add("north-a", "after the move")]

    def came() -> bool:
        state = house.post(later[-1]["id"])["state"]
        if state == "missed":  # it was entered before the lane of the old brand had ended
            later.append(house.add("north-a", "after the move"))
        return bool(state == "published")

    house.until(came)
    assert len(later) < 10


def test_reloads_that_are_asked_for_all_at_once_end_with_what_the_file_says_last(house: Reloaded) -> None:
    assert house.daemon is not None
    for turn in range(30):
        house.write(EVERY if turn % 2 else ["north-a"])
        house.daemon.send(signal.SIGHUP, signal.SIGHUP)
    house.until(lambda: [one["name"] for one in house.status()["accounts"]] == list(EVERY))
    assert house.reload()["state"] == "in force"
    posts = [house.add(name, f"by {name}") for name in EVERY]
    house.until(lambda: all(house.post(post["id"])["state"] == "published" for post in posts))


def test_reloads_and_freezes_at_the_same_time_let_nothing_late_lost_or_twice(house: Reloaded) -> None:
    house.write(EVERY)
    house.reload()
    house.feed(120, over=4.0)
    assert house.daemon is not None
    for turn in range(6):
        house.write(EVERY if turn % 2 else EVERY[:-1], more=f'[queue]\ngap = "{turn}ms"\n')
        house.daemon.send(signal.SIGHUP)
        assert house.freeze(*(("brand:south",) if turn % 3 else ())).code == 0
        house.daemon.send(signal.SIGHUP)
        house.thaw(*{one["scope"] for one in house.status()["freezes"]})
    house.write(EVERY)
    house.until(lambda: house.reload()["state"] == "in force")
    house.release()
    house.wait_all()
    assert not house.judge()


def test_a_hangup_in_the_first_moments_of_a_start_ends_nothing() -> None:
    with Reloaded() as house:
        daemon = house.start(ready=False)
        house.until(house.blocks_hangups)
        for _ in range(200):
            daemon.send(signal.SIGHUP)
            time.sleep(0.002)
        daemon.wait_ready()
        house.until(lambda: house.lines("reloaded"))
        assert house.status()["config"]["state"] == "in force"
        assert daemon.terminate() == 0


def test_a_daemon_that_ends_while_it_reloads_ends_cleanly(house: Reloaded) -> None:
    assert house.daemon is not None
    house.witness.fault("delay", seconds=1.0, account="north-b")
    house.add("north-b", "on the wire")
    house.until(lambda: house.status()["in_flight"])
    house.write(EVERY, more='[queue]\ngap = "1ms"\n')
    house.daemon.send(signal.SIGHUP, signal.SIGTERM)
    assert house.daemon.wait_dead() == 0
    house.start()
    assert house.sent("on the wire") == 1
    assert house.status()["counts"] == {"published": 1}
