"""How a send passes the gates: look, take every lock, look again.

Called by lane threads, one crossing per thread at a time.

The order is the whole point. Lock first and look second: whoever looks first and locks second can be stopped in
between, and resume after CONFIRMED (7 steps in the model of research/reliability 2.2). The look before the locks is
only a courtesy: without it busy senders starve the freeze (thread-fence, correction 3).
"""

from __future__ import annotations

import os

from guardian.fence import gates
from guardian.fence.light import TYPE_CHECKING, NamedTuple
from guardian.fence.permits import Flaw, Permit, read_volatile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from guardian.fence.house import House


class Stopped(Exception):
    """The fence is closed for this send. Derives from Exception alone: client libraries retry what looks like I/O."""


class Pass(NamedTuple):
    """What a look found: every scope of the send is armed, each in this epoch."""

    house: House
    epochs: tuple[tuple[str, int], ...]


def look(house: House, scopes: Iterable[str]) -> Pass:
    """Look at every permit without taking a lock. Raises Stopped when one is not exactly right."""
    return Pass(house, tuple((scope, _permit(house, scope).epoch) for scope in sorted(scopes)))


class Crossing:
    """All gates of one publishing request, held shared while its bytes can still leave, and only then."""

    def __init__(self, ticket: Pass) -> None:
        self.ticket = ticket
        self._held: list[int] = []

    def __enter__(self) -> Crossing:
        """Look, lock in sorted order without waiting, look again. Raises Stopped, holding nothing."""
        self.check()
        try:
            self.check([self._lock(scope) for scope, _ in self.ticket.epochs])
        except BaseException:
            self.leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go. By then nothing of the request may still leave: that is the caller's duty."""
        self.leave()

    def check(self, identities: list[str] | None = None) -> None:
        """Every permit must be right, of the epoch of the look, and (under the locks) of the gate that we locked."""
        house = self.ticket.house
        for place, (scope, epoch) in enumerate(self.ticket.epochs):
            permit = _permit(house, scope)
            if permit.epoch != epoch:
                raise Stopped(f"{scope} was frozen and thawed meanwhile")
            if identities is not None and permit.gate != identities[place]:
                raise Stopped(f"the gate of {scope} was replaced")

    def closing(self) -> bool:
        """Whether a freeze has begun: a permit is gone. Cheap; for whoever waits under the locks."""
        house = self.ticket.house
        return not all(os.path.exists(house.permit(scope)) for scope, _ in self.ticket.epochs)

    def reset_asked(self) -> bool:
        """Whether a freeze has run out of patience and asks to break the connection now."""
        house = self.ticket.house
        return any(os.path.exists(house.reset(scope)) for scope, _ in self.ticket.epochs)

    def leave(self) -> None:
        """Close every gate descriptor, which releases its lock."""
        while self._held:
            os.close(self._held.pop())

    def _lock(self, scope: str) -> str:
        """Hold one gate; its identity."""
        try:
            fd = gates.open_shared(self.ticket.house, scope)
        except OSError as error:
            raise Stopped(f"the gate of {scope} cannot be opened ({error.strerror})") from error
        self._held.append(fd)
        try:
            free = gates.try_shared(fd)
        except OSError as error:
            raise Stopped(f"the gate of {scope} cannot be locked ({error.strerror})") from error
        if not free:
            raise Stopped(f"{scope} is being frozen or armed")
        return gates.identity(fd)


def _permit(house: House, scope: str) -> Permit:
    if os.path.lexists(house.marker(scope)):
        raise Stopped(f"{scope} is frozen")
    try:
        found = read_volatile(house, scope)
    except OSError as error:
        raise Stopped(f"{scope} is stopped: its permit cannot be opened ({error.strerror})") from error
    if isinstance(found, Flaw):
        raise Stopped(f"{scope} is stopped: {found.why}")
    return found
