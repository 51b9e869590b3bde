"""The routes that carry files, piece by piece: `POST /v1/media` and `/v1/imports` in, `GET /v1/media/SHA256` out.

Runs in the server's thread, which never touches the disk: every piece goes through a worker thread of the uploads' own,
so that a slow disk holds up nobody else. A file is never whole in memory, and few come in at a time.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from anyio import CancelScope, CapacityLimiter, to_thread
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from guardian.daemon import limits
from guardian.errors import Doubt, TooLarge
from guardian.rules.media import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader

    from fastapi import Request
    from starlette.types import Receive, Scope, Send

    from guardian.daemon import documents
    from guardian.daemon.answers import Answers
    from guardian.daemon.peers import Peer
    from guardian.store.incoming import Incoming

PIECE = 64 * 1024  # what Manners does not count against the allowance of large answers


class Streams:
    """What of the daemon's answers is bytes."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self._threads = CapacityLimiter(limits.UPLOADS)
        self._giving = CapacityLimiter(
            limits.DOWNLOADS
        )  # pictures that are looked at do not hold up those that are fetched
        self._coming: Counter[int | None] = Counter()

    async def take_in(
        self, request: Request, who: Peer, settle: Callable[[Incoming, Peer], documents.Document]
    ) -> Response:
        """Take the body in, then `settle` it.

        Raises TooLarge, Doubt when too many come in already, and whatever the spool raises.
        """
        said = request.headers.get("content-length", "")
        if said.isdigit() and int(said) > MOST_BYTES:
            raise TooLarge(
                f"cannot take in a file of {said} bytes, because the limit is {MOST_BYTES}", fix="make it smaller"
            )
        with self._place(who):
            incoming = await self._in_thread(self.answers.receiving)
            try:
                async for piece in request.stream():
                    await self._in_thread(incoming.write, piece)
                return JSONResponse(await self._in_thread(settle, incoming, who))
            except ClientDisconnect:
                return Response()  # nobody reads it
            finally:
                with CancelScope(shield=True):
                    await self._in_thread(_drop, incoming)

    async def give(self, sha256: str) -> Response:
        """The file. Raises Unfound, Rotten."""
        file = await to_thread.run_sync(self.answers.file, sha256, limiter=self._giving)
        return _Pieces(file, self._giving)

    async def hand_out(self, made: Callable[[], BufferedReader]) -> Response:
        """A file that is made for this one answer. Raises what making it raises."""
        return _Pieces(await to_thread.run_sync(made, limiter=self._giving), self._giving)

    @contextmanager
    def _place(self, who: Peer) -> Iterator[None]:
        if self._coming.total() >= limits.UPLOADS or self._coming[who.uid] >= limits.uploads_of_one(who):
            busy = Doubt("cannot take in the file now, because too many others come in", fix="try again in a minute")
            busy.code = "busy"
            raise busy
        self._coming[who.uid] += 1
        try:
            yield
        finally:
            self._coming[who.uid] -= 1

    async def _in_thread(self, work: Any, *given: Any) -> Any:  # noqa: ANN401 (any of ours)
        return await to_thread.run_sync(work, *given, limiter=self._threads)


class _Pieces(Response):
    """A file as an answer; closes it, whatever happens. One that is not read in time is broken off."""

    media_type = "application/octet-stream"

    def __init__(self, file: BufferedReader, threads: CapacityLimiter) -> None:
        self._file = file
        self._threads = threads
        self._size = os.fstat(file.fileno()).st_size
        super().__init__(headers={"content-length": str(self._size)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI)
        """Send it."""
        until = time.monotonic() + limits.upload_within(self._size)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            left = self._size
            while left and time.monotonic() < until:
                piece = await to_thread.run_sync(self._file.read, min(PIECE, left), limiter=self._threads)
                if not piece:
                    return  # cut off under our hands: the peer gets less than was announced, and knows
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
        finally:
            self._file.close()


def _drop(incoming: Incoming) -> None:
    incoming.__exit__()
