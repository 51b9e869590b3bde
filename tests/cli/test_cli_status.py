"""`guardian status`: the fence's own word, whatever has become of the daemon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from guardian.fence import permits, reading
from guardian.fence.house import House

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Place

CONTRACT = {"state", "daemon", "freezes", "counts", "in_flight", "next", "accounts"}


def test_an_open_house_says_so_with_what_waits(guardian: Callable[..., Any], place: Place) -> None:
    ran = guardian("status", "--json")
    assert ran.code == 0
    assert set(ran.json) >= CONTRACT
    assert (ran.json["state"], ran.json["daemon"], ran.json["freezes"]) == ("open", "running", [])
    assert ran.json["pid"] == (place.daemon.pid if place.daemon else None)
    assert guardian("status").out.startswith("OPEN  nothing is frozen\n")


def test_a_frozen_house_says_who_and_why_and_cannot_be_made_to_colour_it(
    guardian: Callable[..., Any], place: Place
) -> None:
    place.freeze("bad \x1b[2J\u202e post")
    ran = guardian("status")
    assert ran.code == 20
    assert ran.out.startswith("FROZEN  nothing can be sent\n")
    assert "bad" in ran.out
    assert not {"\x1b", "\u202e"} & set(ran.out)
    found = guardian("status", "--json")
    assert found.json["freezes"][0]["scope"] == "all"
    assert found.json["freezes"][0]["at"].endswith("Z")


def test_a_narrow_freeze_is_partly_and_not_hidden_by_the_rest(guardian: Callable[..., Any], place: Place) -> None:
    place.freeze("--scope", "brand:acme", "wrong account")
    ran = guardian("status")
    assert ran.code == 21
    assert ran.out.startswith("PARTLY  ")
    assert "brand:acme" in ran.out


def test_a_stopped_daemon_is_called_hung_and_never_waited_for(guardian: Callable[..., Any], place: Place) -> None:
    assert place.daemon is not None
    os.kill(place.daemon.pid, signal.SIGSTOP)
    try:
        place.wait(lambda: reading.daemon_state(place.house)[0] == "hung")
        place.freeze("while it hangs")
        began = time.monotonic()
        ran = guardian("status", "--json")
        assert time.monotonic() - began < 1
    finally:
        os.kill(place.daemon.pid, signal.SIGCONT)
    assert ran.code == 20
    assert (ran.json["daemon"], ran.json["counts"]) == ("hung", None)
    assert ran.json["freezes"][0]["reason"] == "while it hangs"
    place.wait(lambda: place.get("/v1/status")["freezes"])


def test_without_a_daemon_the_markers_say_who_and_why(guardian: Callable[..., Any], empty: Path) -> None:
    guardian("init", "--dir", empty)
    config = empty / "guardian.toml"
    ran = guardian("status", "--config", config, "--json")
    assert (ran.code, ran.json["daemon"], ran.json["in_flight"]) == (0, "absent", None)
    stop = [sys.executable, "-m", "guardian", "freeze", "--config", str(config), "night shift"]
    subprocess.run(stop, check=True, timeout=60)
    ran = guardian("status", "--config", config)
    assert ran.code == 20
    assert "night shift" in ran.out
    assert "not known without the daemon" in ran.out


def test_after_a_boot_it_is_not_called_frozen_but_told_that_sends_wait_for_the_daemon(
    guardian: Callable[..., Any], empty: Path
) -> None:
    guardian("init", "--dir", empty)
    permits.remove(House(f"{empty}/state", f"{empty}/run").permit("all"))
    ran = guardian("status", "--config", empty / "guardian.toml")
    assert ran.code == 0
    assert "nothing is sent before the daemon starts" in ran.out


def test_a_fence_that_cannot_be_read_is_never_called_open(guardian: Callable[..., Any], empty: Path) -> None:
    (empty / "guardian.toml").write_text(f'state_dir = "{empty}/state"\nruntime_dir = "{empty}/run"\n')
    ran = guardian("status", "--config", empty / "guardian.toml")
    assert ran.code == 22
    assert ran.out.startswith("UNKNOWN  the fence cannot be read")


@pytest.mark.usefixtures("place")
def test_who_may_not_read_the_fence_is_answered_by_the_daemon(
    guardian: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "read_fence", lambda _: reading.Reading(reading.UNKNOWN, (), "closed"))
    monkeypatch.setattr(reading, "daemon_state", lambda _: ("absent", None))  # its lock is hidden too
    ran = guardian("status", "--json")
    assert ran.code == 0
    assert (ran.json["state"], ran.json["daemon"]) == ("open", "running")
