"""What a line of the API's table is, and who calls it; for every file that has routes of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response  # noqa: TC002 (FastAPI reads the annotations when it runs)
from fastapi.responses import JSONResponse

from guardian.daemon.peers import NOBODY, Peer, Right

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_ID = 100


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table. One that streams reads or writes bytes as they come, in the server's own thread."""

    method: str
    path: str
    right: Right
    handler: Callable[..., Any]
    summary: str
    streams: bool = False
    waits: bool = False  # its answer may take a minute: it has threads of its own, so that nobody else waits for one
    answer: type[Response] = JSONResponse


async def peer(request: Request) -> Peer:
    """Who calls, as the server's protocol noted it."""
    found = request.scope.get("peer", NOBODY)
    return found if isinstance(found, Peer) else NOBODY
