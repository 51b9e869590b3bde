"""The tripwire: a changing HTTP request that goes around the gate raises, wherever in the process it comes from.

A library update may open a connection of its own; the standard library's client lies below most of them, and httpcore
below those that are built on httpx: there the wires are stretched. The daemon stretches the first at its start, and the
second as soon as an account needs httpx at all; the tests stretch both for every test.
"""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, Any

from guardian.gate.connection import GatedConnection, GatedTLSConnection

if TYPE_CHECKING:
    import httpcore

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_original = http.client.HTTPConnection.putrequest
_lower: dict[type, Any] = {}  # what httpcore's pools did before


class Bypass(Exception):
    """cannot send that, because it would go around the gate; this is a bug, report it"""


def _watched(self: http.client.HTTPConnection, method: str, url: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
    ours = isinstance(self, (GatedConnection, GatedTLSConnection)) or getattr(self, "never_leaves_this_host", False)
    if method.upper() not in SAFE and not ours:
        raise Bypass(f"{Bypass.__doc__} ({method} {self.host})")
    _original(self, method, url, *args, **kwargs)


def stretch() -> None:
    """From now on, in this process, nothing changes anything anywhere but through the gate."""
    http.client.HTTPConnection.putrequest = _watched  # type: ignore[method-assign]


def stretch_lower() -> None:
    """The same for whatever is built on httpcore. None of the gate's own requests comes by there."""
    import httpcore

    if not _lower:
        _lower[httpcore.ConnectionPool] = httpcore.ConnectionPool.handle_request
        _lower[httpcore.AsyncConnectionPool] = httpcore.AsyncConnectionPool.handle_async_request
    httpcore.ConnectionPool.handle_request = _watched_pool  # type: ignore[method-assign]
    httpcore.AsyncConnectionPool.handle_async_request = _watched_async_pool  # type: ignore[method-assign]


def slacken() -> None:
    """Take the wires away again (tests that play an outsider)."""
    http.client.HTTPConnection.putrequest = _original  # type: ignore[method-assign]
    for pool, before in _lower.items():
        setattr(pool, "handle_async_request" if pool.__name__.startswith("Async") else "handle_request", before)


def _watched_pool(self: httpcore.ConnectionPool, request: httpcore.Request) -> httpcore.Response:
    import httpcore

    _look(request)
    answer: httpcore.Response = _lower[httpcore.ConnectionPool](self, request)
    return answer


async def _watched_async_pool(self: httpcore.AsyncConnectionPool, request: httpcore.Request) -> httpcore.Response:
    import httpcore

    _look(request)
    answer: httpcore.Response = await _lower[httpcore.AsyncConnectionPool](self, request)
    return answer


def _look(request: httpcore.Request) -> None:
    method = request.method.decode("ascii", "replace")
    if method.upper() not in SAFE:
        raise Bypass(f"{Bypass.__doc__} ({method} {request.url.host.decode('ascii', 'replace')})")
