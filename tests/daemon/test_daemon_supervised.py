"""A daemon under a supervisor: when it says that it is ready, how it stands, and what keeps its watchdog from food."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.daemon.feeding import Store, who_is_stuck
from guardian.daemon.loops import Loop
from guardian.daemon.notifying import LONGEST, Notifying, taken_from
from guardian.errors import Doubt, GuardianError
from guardian.store.database import Database
from tests.daemon.reloading import Reloaded
from tests.daemon.supervising import Supervisor
from tests.torture.intruder import Intruder

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.outsider
WATCHDOG = 1.5
COUNTS = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000) select max(i) from n"


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as found:
        yield found


@pytest.fixture
def house(supervisor: Supervisor) -> Iterator[Reloaded]:
    with Reloaded() as found:
        found._environment |= supervisor.environment(watchdog=WATCHDOG)
        yield found


def store_of(house: Reloaded) -> Path:
    return Path(house.house.state_dir) / "guardian.db"


def test_it_is_ready_only_when_it_can_be_asked_and_the_fence_is_open_and_its_children_cannot_say_so(
    house: Reloaded, supervisor: Supervisor
) -> None:
    daemon = house.start(ready=False)
    ready = supervisor.hears("READY")
    assert house.client.get("/v1/status")["state"] == "open"  # at once: nobody waits for the socket after READY
    assert ready["STATUS"].startswith("open")
    fed = supervisor.hears("WATCHDOG")
    assert fed["STATUS"] == "open; epoch 1; 0 in flight"
    house.freeze()
    frozen = supervisor.until(lambda said: said.get("STATUS", "").startswith("FROZEN; epoch 2"))
    assert frozen["WATCHDOG"] == "1"
    house.thaw()
    house.freeze("brand:north")
    assert supervisor.until(lambda said: "partly FROZEN (brand:north)" in said.get("STATUS", ""))
    daemon.send(signal.SIGTERM)
    assert supervisor.hears("STOPPING")["STATUS"].startswith("stopping; partly FROZEN")
    assert daemon.wait_dead() == 0


def test_a_store_that_another_process_keeps_locked_starves_the_watchdog_until_it_lets_go(
    house: Reloaded, supervisor: Supervisor
) -> None:
    house.start()
    supervisor.hears("WATCHDOG")
    with Intruder(store_of(house)):
        supervisor.empty()
        told = supervisor.until(lambda said: "NOT FED" in said.get("STATUS", ""))
        assert "locked by another process" in told["STATUS"]
        assert supervisor.silence("WATCHDOG", 2 * WATCHDOG)
        house.freeze()
        assert supervisor.until(lambda said: said.get("STATUS", "").startswith("FROZEN; THE WATCHDOG IS NOT FED"))
    assert supervisor.hears("WATCHDOG")["STATUS"].startswith("FROZEN")


def test_a_daemon_that_is_stopped_feeds_nobody(house: Reloaded, supervisor: Supervisor) -> None:
    daemon = house.start()
    supervisor.hears("WATCHDOG")
    daemon.send(signal.SIGSTOP)
    daemon.wait_stopped()
    supervisor.empty()
    assert supervisor.silence("WATCHDOG", WATCHDOG)
    daemon.resume()
    supervisor.hears("WATCHDOG")


def test_a_reload_is_announced_and_ended_and_a_refused_file_stands_in_the_status(
    house: Reloaded, supervisor: Supervisor
) -> None:
    house.start()
    supervisor.empty()
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    house.write(head="[nonsense]")
    house.reload()
    assert int(supervisor.hears("RELOADING")["MONOTONIC_USEC"]) >= before
    assert supervisor.hears("READY")["STATUS"].startswith("open; CONFIGURATION REFUSED, the one before is in force")
    house.write()
    house.reload()
    supervisor.hears("RELOADING")
    assert "REFUSED" not in supervisor.hears("READY")["STATUS"]


def test_a_store_that_breaks_while_it_runs_leaves_a_hold_that_is_supervised_as_before(
    house: Reloaded, supervisor: Supervisor
) -> None:
    house.start().terminate()  # now all of it is in the file
    daemon = house.start(ready=False)
    supervisor.hears("READY")
    with store_of(house).open("r+b") as file:
        for page in range(1, store_of(house).stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 64)
    with contextlib.suppress(GuardianError, OSError):  # somebody has to come upon it
        house.feed(1)
        house.client.get("/v1/posts")
    held = supervisor.until(lambda said: "READY" in said and "HOLD" in said["STATUS"])
    assert held["STATUS"] == "HOLD: the store is damaged, nothing is sent; FROZEN"
    assert "HOLD" in supervisor.hears("WATCHDOG")["STATUS"]
    house.write(head="[nonsense]")
    daemon.send(signal.SIGHUP)
    supervisor.hears("RELOADING")
    assert "CONFIGURATION REFUSED" in supervisor.hears("READY")["STATUS"]
    daemon.send(signal.SIGTERM)
    assert supervisor.hears("STOPPING")
    assert daemon.wait_dead() == 0


def test_what_cannot_start_says_why_and_is_never_ready(house: Reloaded, supervisor: Supervisor) -> None:
    house.write(head="[nonsense]")
    assert house.start(ready=False).wait_dead() == 2
    assert "nonsense" in supervisor.until(lambda said: "STATUS" in said)["STATUS"]
    assert not any("READY" in said for said in supervisor.said)


def test_a_writer_that_never_ends_its_change_starves_the_watchdog(tmp_path: Path) -> None:
    database = Database(tmp_path / "guardian.db")
    store = Store(database, stuck=str, watchdog=600_000)
    assert store.touch() == "; epoch 0; 0 in flight"
    begun, over = threading.Event(), threading.Event()

    def hold() -> None:
        with database.transaction():
            begun.set()
            over.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait(20)
    with pytest.raises(Doubt, match="another change takes too long"):
        store.touch()
    over.set()
    thread.join()
    assert store.touch()
    database.close()


class Falling:
    """Takes its thread with it."""

    def poll(self, _: int) -> int | None:
        raise SystemExit


class Hanging:
    """Never comes back by itself."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def poll(self, _: int) -> int | None:
        self.over.wait(20)
        return None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ended_by_itself_and_a_watch_that_hangs_are_named() -> None:
    hanging = Hanging()
    watch, lane = Loop("watch", hanging, lambda: 0), Loop("lane x", Falling(), lambda: 0)
    me = threading.current_thread()
    assert who_is_stuck([watch, lane], watch=watch, control=me) == ""
    lane.start()
    lane._thread.join(20)
    assert who_is_stuck([watch, lane], watch=watch, control=me) == "the thread 'lane x' has ended"
    watch.start()
    watch.began -= 1000
    assert who_is_stuck([watch], watch=watch, control=me) == "the watch hangs"
    assert "control socket" in who_is_stuck([], watch=watch, control=threading.Thread())
    watch.end()
    hanging.over.set()
    assert watch.join(20)
    assert who_is_stuck([watch], watch=watch, control=me) == ""  # it was asked to end


def test_the_environment_names_the_supervisor_no_more_and_another_process_is_not_watched() -> None:
    environ = {"NOTIFY_SOCKET": "@nobody", "WATCHDOG_USEC": "9000000", "WATCHDOG_PID": str(os.getpid()), "PATH": "/"}
    found = taken_from(environ)
    assert environ == {"PATH": "/"}
    assert found.watchdog == 9_000_000
    again: dict[str, str] = {}
    found.hand_on(again)
    assert set(again) == {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}
    for wrong in ({"WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "-5"}):
        assert taken_from(again | wrong).watchdog == 0
    for name in ("", "relative", "vsock:2:1"):
        assert not taken_from({"NOTIFY_SOCKET": name}).heard


def test_a_supervisor_that_is_gone_or_does_not_read_holds_nothing_up_and_no_status_speaks_for_itself(
    tmp_path: Path,
) -> None:
    Notifying(str(tmp_path / "nobody")).ready("open")
    Notifying("@" + "x" * 200).ready("open")
    with Supervisor(tmp_path / "notify") as supervisor:
        notifying = Notifying(supervisor.address)
        notifying.status("open\nWATCHDOG=1\x1b[2J" + "x" * 2 * LONGEST)
        said = supervisor.hears("STATUS")
        assert set(said) == {"STATUS"}
        assert said["STATUS"].startswith("open?WATCHDOG=1?[2Jxx")
        assert len(said["STATUS"]) == LONGEST
        for _ in range(600):  # more than its queue takes: each that finds no room is given up
            notifying.status("open")
            if notifying.missed:
                break
        assert notifying.missed


def test_a_long_start_asks_for_more_time_while_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardian.store.upgrading.STEPS", 100)  # the migrations of an empty store are short
    told: list[None] = []
    database = Database(tmp_path / "guardian.db", working=lambda: told.append(None))
    assert told
    told.clear()
    with database.transaction() as tx:
        assert tx.execute(COUNTS).fetchall()
    assert told  # recovery and the first sweep of a large store come before *ready*, too
    database.settle()
    told.clear()
    with database.transaction() as tx:
        assert tx.execute(COUNTS).fetchall()
    assert not told
    database.close()
    with Supervisor(tmp_path / "notify") as supervisor:
        notifying = Notifying(supervisor.address)
        notifying.working()
        assert supervisor.silence("EXTEND_TIMEOUT_USEC", 0.01)  # a short one does not
        notifying._extended_at -= 10
        notifying.working()
        notifying.working()
        assert int(supervisor.hears("EXTEND_TIMEOUT_USEC")["EXTEND_TIMEOUT_USEC"]) >= 60_000_000
        assert supervisor.silence("EXTEND_TIMEOUT_USEC", 0.01)
