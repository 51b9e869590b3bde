"""The tripwire: a changing HTTP request that goes around the gate raises, wherever in the process it comes from.

A library update may open a connection of its own; the standard library's client lies below them all, so that is where
the wire is stretched. The daemon stretches it at start, the tests stretch it for every test.
"""

from __future__ import annotations

import http.client
from typing import Any

from guardian.gate.connection import GatedConnection, GatedTLSConnection

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_original = http.client.HTTPConnection.putrequest


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


def slacken() -> None:
    """Take the wire away again (tests that play an outsider)."""
    http.client.HTTPConnection.putrequest = _original  # type: ignore[method-assign]
