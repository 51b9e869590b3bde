"""The doors to the stop: the real command (plain and JSON), the control socket, and the function itself.

Each returns a `Stop` whose `confirmed_at` is the first instant at which the caller could know of CONFIRMED.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from guardian.fence import limited, telling
from guardian.fence.stopping import Order, Stopping
from tests.torture.daemon import ROOT
from tests.torture.history import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from guardian.fence.house import House

    Door = Callable[..., Stop]

LONGEST = 60.0
WAIT = 3.0
ELAPSED = re.compile(r"  in ([0-9.]+) ms$", re.MULTILINE)
FLIGHT = re.compile(r"^    (p-\S+)  \S+  (awaiting|published|refused|unknown|unsent)\b", re.MULTILINE)


def _words(config: Path, scopes: Sequence[str], drain: float | None) -> list[str]:
    words = [sys.executable, "-m", "guardian", "freeze", "--config", str(config), "torture"]
    for scope in scopes:
        words += ["--scope", scope]
    return words if drain is None else [*words, "--drain", str(drain)]


def by_command(_: House, config: Path, scopes: Sequence[str], *, drain: float | None = None) -> Stop:
    """The command as a person types it: the first line of its output is the verdict, read as soon as it comes."""
    stop = Stop("command", tuple(scopes), time.monotonic_ns())
    with subprocess.Popen(
        _words(config, scopes, drain), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        heard = time.monotonic_ns()
        rest = process.stdout.read()
        stop.code = process.wait(LONGEST)
    stop.returned = time.monotonic_ns()
    stop.confirmed_at = heard if first.startswith(b"FROZEN  CONFIRMED") else None
    stop.said = (first + rest).decode("utf-8", "replace")
    stop.killed = "which did not let go" in stop.said
    found = ELAPSED.search(stop.said)
    stop.elapsed = float(found[1]) if found else None
    if "held        not known" not in stop.said:
        stop.in_flight = FLIGHT.findall(stop.said)
    return stop


def by_json(_: House, config: Path, scopes: Sequence[str], *, drain: float | None = None) -> Stop:
    """The command as a script calls it; its document comes when all is known."""
    stop = Stop("json", tuple(scopes), time.monotonic_ns())
    done = subprocess.run(
        [*_words(config, scopes, drain), "--json"], capture_output=True, timeout=LONGEST, check=False, cwd=ROOT
    )
    stop.code, stop.said = done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")
    return _documented(stop, json.loads(done.stdout) if done.stdout else {})


def by_socket(house: House, _: Path, scopes: Sequence[str], *, drain: float | None = None) -> Stop:
    """The daemon's own door."""
    stop = Stop("socket", tuple(scopes), time.monotonic_ns())
    body: dict[str, object] = {"scopes": list(scopes), "reason": "torture", "wait": WAIT}
    body |= {} if drain is None else {"drain": drain}
    try:
        stop.code, document = telling.ask(house.socket, "POST", "/v1/freeze", body, within=LONGEST)
    except OSError as error:
        stop.said, stop.returned = str(error), time.monotonic_ns()
        return stop
    stop.said = str(document)
    return _documented(stop, document if isinstance(document, dict) else {})


def by_agent(house: House, _: Path, scopes: Sequence[str], *, drain: float | None = None) -> Stop:
    """The fence agent, asked as its own socket is asked; then the daemon is told, as the command does."""
    stop = Stop("agent", tuple(scopes), time.monotonic_ns())
    body: dict[str, object] = {"scopes": list(scopes), "reason": "torture"}
    body |= {} if drain is None else {"drain": drain}
    try:
        stop.code, document = telling.ask(house.fence_socket, "POST", "/v1/freeze", body, within=LONGEST)
    except OSError as error:
        stop.said, stop.returned = str(error), time.monotonic_ns()
        return stop
    heard = time.monotonic_ns()
    found = document if isinstance(document, dict) else {}
    stop.said = str(document)
    if found.get("confirmed") and not found["daemon_killed"]:
        told = {"scopes": list(scopes), "reason": "torture", "by": "the torture", "told": True}
        found = {**found, "in_flight": (telling.tell_frozen(house.socket, told, wait=WAIT) or {}).get("in_flight")}
    _documented(stop, found)
    stop.confirmed_at = heard if found.get("confirmed") else None
    return stop


def in_process(house: House, _: Path, scopes: Sequence[str], *, drain: float | None = None) -> Stop:
    """The function itself, which gives the exact instant of CONFIRMED; then the daemon is told, as the command does."""
    began = time.monotonic_ns()
    order = Order(tuple(sorted(scopes)), "torture", "the torture", 5.0 if drain is None else drain)
    stop = Stop("inside", order.scopes, began)
    with Stopping(house, order) as stopping:
        if stopping.confirm():
            stop.confirmed_at = time.monotonic_ns()
        stopping.settle(limited.in_a_thread)
        stop.killed, stop.said = bool(stopping.killed), str(stopping.unconfirmed)
        stop.elapsed = stopping.elapsed * 1000
    told = {"scopes": list(order.scopes), "reason": order.reason, "by": order.by, "told": True}
    document = None if stop.killed else telling.tell_frozen(house.socket, told, wait=WAIT)
    stop.document = document or {}
    stop.in_flight = _flight(stop.document)
    stop.returned = time.monotonic_ns()
    return stop


def _documented(stop: Stop, document: dict[str, Any]) -> Stop:
    stop.returned = time.monotonic_ns()
    stop.document = document
    stop.confirmed_at = stop.returned if document.get("confirmed") else None
    stop.killed = bool(document.get("daemon_killed"))
    stop.elapsed = document.get("elapsed_ms")
    stop.in_flight = _flight(document)
    return stop


def _flight(document: dict[str, Any]) -> list[tuple[str, str]] | None:
    rows = document.get("in_flight")
    return None if rows is None else [(row["post"], row["state"]) for row in rows]
