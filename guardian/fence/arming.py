"""Arming: writing a permit, which is the one dangerous thing here. Only the daemon and `guardian init` do it.

Three occasions, three rules (invariants I2, I8): a scope that is *new* may be armed; a scope *resumed* after a start
may be armed if its durable permit agrees with the store; a scope *thawed* may be armed if the marker is still the one
that the thaw was shown. Always under the exclusive lock, and never over a marker that nobody lifted.
"""

from __future__ import annotations

import os
import time

from guardian.fence import gates, marker, permits, scopes
from guardian.fence.light import TYPE_CHECKING, NamedTuple
from guardian.fence.permits import Permit

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.fence.house import House

    Write = Callable[[gates.Gate], "Armed | Kept"]

PATIENCE = 5.0
FIRST_EPOCH = 1


class Armed(NamedTuple):
    """The scope is armed: sends may pass."""

    scope: str
    epoch: int


class Kept(NamedTuple):
    """The scope stays as it is, and why."""

    scope: str
    why: str


def arm_new(house: House, scope: str) -> Armed | Kept:
    """Arm a scope that was never armed; one that is listed, or has a marker, is left alone."""
    scopes.make_private(house.permits)

    def write(gate: gates.Gate) -> Armed | Kept:
        if scope in scopes.listed(house):
            return Kept(scope, "it is not new")
        if marker.of(house, scope) is not None:
            return Kept(scope, "it is frozen")
        scopes.enlist(house, scope)
        permits.write_durable(house, scope, epoch=FIRST_EPOCH)
        permits.write_volatile(house, scope, epoch=FIRST_EPOCH, gate=gates.identify(gate.fd))
        return Armed(scope, FIRST_EPOCH)

    return _under_lock(house, scope, write)


def resume(house: House, scope: str, *, epoch: int) -> Armed | Kept:
    """Arm a scope after a start, if its durable permit is there and of the epoch that the store knows."""

    def write(gate: gates.Gate) -> Armed | Kept:
        number = _vouch(house, scope, gate)
        if marker.read(house.marker(scope)) is not None:
            return Kept(scope, "it is frozen")
        durable = permits.read_durable(house, scope)
        if not isinstance(durable, Permit):
            return Kept(scope, durable.why.replace("permit", "durable permit"))
        if durable.epoch != epoch:
            return Kept(scope, f"its durable permit is of epoch {durable.epoch}, the store says {epoch}")
        permits.write_volatile(house, scope, epoch=epoch, gate=number)
        return Armed(scope, epoch)

    return _under_lock(house, scope, write)


def keep_closed(house: House, scope: str) -> Armed | Kept:
    """A start that leaves a scope frozen: its gate is made ready, and nothing is armed."""

    def write(gate: gates.Gate) -> Armed | Kept:
        _vouch(house, scope, gate)
        return Kept(scope, "it is frozen")

    return _under_lock(house, scope, write)


def thaw(house: House, scope: str, *, epoch: int, mark: str | None) -> Armed | Kept:
    """Arm a scope that a person lifts. `mark` is the marker's that they saw; another one there means a newer freeze."""

    def write(gate: gates.Gate) -> Armed | Kept:
        found = marker.read(house.marker(scope))
        if found is not None and found.mark != mark:
            return Kept(scope, "it was frozen again meanwhile")
        scopes.enlist(house, scope)
        permits.remove(house.note(scope))
        permits.write_durable(house, scope, epoch=epoch)
        permits.remove(house.marker(scope))
        permits.write_volatile(house, scope, epoch=epoch, gate=gates.identify(gate.fd))
        return Armed(scope, epoch)

    return _under_lock(house, scope, write)


def _under_lock(house: House, scope: str, write: Write) -> Armed | Kept:
    try:
        gate = gates.open_exclusive(house, scope)
    except OSError as error:
        return Kept(scope, f"its gate cannot be opened ({error.strerror})")
    try:
        if not gates.wait_exclusive(gate.fd, time.monotonic() + PATIENCE, _nothing):
            return Kept(scope, "its gate is held by others")
        if not gates.same_file(gate.fd, house.gate(scope)):
            return Kept(scope, "its gate was replaced")
        permits.remove(house.reset(scope))  # left behind by a freeze that died: it would break every slow send
        return write(gate)
    except OSError as error:
        return Kept(scope, f"it cannot be written ({error.strerror})")
    finally:
        os.close(gate.fd)


def _vouch(house: House, scope: str, gate: gates.Gate) -> str:
    """The gate's number. Whoever starts is in no other gate, so this one vouches for it from now on.

    The marker of the freeze in force says so too: else the next freeze would take the gate for a replaced one, and end
    the daemon.
    """
    number = gates.identify(gate.fd)
    found = marker.read(house.marker(scope))
    if found is not None and found.gate and found.gate != number:
        marker.write(house.marker(scope), house.gates, found._replace(gate=number))
    return number


def _nothing() -> None:
    return
