"""Fate: at the n-th edge from now something happens, in the middle of whatever the house does then.

An edge is a place where a real process may be killed, or where somebody outside may act: a failpoint, a connection, the
begin, the inside and the end of every transaction, and both sides of every file that the fence writes or removes.
`Died` derives from BaseException, so that nobody catches it: the daemon's objects are dropped where they stood.

What differs from a real death: `finally` and `with` still run on the way up. They close descriptors and roll back,
as the kernel and SQLite do for a dead process; nothing in them writes, but for the reset file that a stop removes.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any
from unittest import mock

from guardian.duties import publish
from guardian.fence import limited, marker, permits, scopes
from guardian.gate import connection, transport
from guardian.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardian.store.database import Tx


class Died(BaseException):
    """The process ended at this very place."""


class Fate:
    """One thing that is going to happen, at most."""

    def __init__(self) -> None:
        self.store_edges = 0
        self.happened = ""
        self._left = 0
        self._only = ""
        self._deed: Callable[[], bool] | None = None

    def plan(self, where: int | str, deed: Callable[[], bool]) -> None:
        """Do it at the n-th edge from now, or at the first of that name; where it says that it could not, at the next.

        Without the names, the few lines between a claim and its bytes would hardly ever be hit.
        """
        self._left, self._only = (where, "") if isinstance(where, int) else (1, where)
        self._deed, self.happened = deed, ""

    def forget(self) -> None:
        """What has not happened by now does not."""
        self._deed = None

    def edge(self, name: str) -> None:
        """Pass an edge."""
        self.store_edges += name.startswith("store")
        if self._deed is None or self._only not in ("", name):
            return
        self._only = ""
        self._left -= 1
        if self._left > 0:
            return
        deed, self._deed = self._deed, None  # its own edges do not count
        self.happened = name
        if not deed():
            self._deed, self.happened = deed, ""

    def around(self, name: str, action: Callable[..., Any]) -> Callable[..., Any]:
        """The action, with an edge on both sides."""

        @functools.wraps(action)
        def passing(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (whatever the action takes and gives)
            self.edge(f"{name} before")
            found = action(*args, **kwargs)
            self.edge(f"{name} after")
            return found

        return passing


def die() -> bool:
    """The deed that ends the process."""
    raise Died


@contextlib.contextmanager
def installed(fate: Fate) -> Iterator[None]:
    """Every edge of the house is one of this fate; the time limits for hanging disks, which need threads, are off."""
    transaction = Database.transaction

    @contextlib.contextmanager
    def with_edges(self: Database, **kwargs: Any) -> Iterator[Tx]:  # noqa: ANN401 (as the original's)
        fate.edge("store before")
        with transaction(self, **kwargs) as tx:
            yield tx
            fate.edge("store inside")
        fate.edge("store after")

    with contextlib.ExitStack() as stack:
        for module in (publish, connection, transport):
            stack.enter_context(mock.patch.object(module, "failpoint", fate.edge))
        for module, name in ((permits, "remove"), (permits, "_write"), (marker, "write"), (scopes, "enlist")):
            wrapped = fate.around(f"{module.__name__}.{name}", getattr(module, name))
            stack.enter_context(mock.patch.object(module, name, wrapped))
        stack.enter_context(mock.patch.object(Database, "transaction", with_edges))
        stack.enter_context(mock.patch.object(limited, "in_a_thread", lambda action, _: action()))
        yield
