"""The control socket: uvicorn on a Unix socket, with the peer's credentials carried to every request.

One thread runs it.

A small protocol subclass reads the credentials when a connection is made; a thin ASGI layer around the application
makes good the contract's manners: bodies are JSON whatever `Content-Type` says, an empty body is `{}`, and none is
endless.
"""

from __future__ import annotations

import contextlib
import grp
import os
import socket
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from guardian.daemon.peers import NOBODY, peer_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, MutableMapping

    from guardian.daemon.peers import Peer

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

MAX_BODY = 256 * 1024  # a record with the longest text, whatever its script
MAX_IMPORT = 96 << 20
DRAINED = 1 << 20  # read beyond a limit, so that the refusal can be read by a client that is still sending
IMPORT_PATH = "/v1/posts/import"
BACKLOG = 64
MAX_CONNECTIONS = 64
STOP_WITHIN = 5


class TooLarge(Exception):
    """The body is larger than its route allows."""


class PeerProtocol(H11Protocol):
    """HTTP over a Unix socket that knows who is calling."""

    peer: Peer = NOBODY

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Ask the kernel who connected, before a byte is read."""
        sock = transport.get_extra_info("socket")
        self.peer = NOBODY if sock is None else peer_of(sock)
        inner = self.app

        async def with_peer(scope: Scope, receive: Receive, send: Send) -> None:
            scope["peer"] = self.peer
            await inner(scope, receive, send)

        self.app = with_peer
        super().connection_made(transport)


class Manners:
    """Around the application: every body is JSON, empty means `{}`, and there is a limit."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body here, within its limit, and hand it on as JSON."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            body = await _body(receive, MAX_IMPORT if scope["path"] == IMPORT_PATH else MAX_BODY)
        except TooLarge:
            await _too_large(send)
            return
        named = [(name, value) for name, value in scope["headers"] if name not in (b"content-type", b"content-length")]
        scope["headers"] = [*named, (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)


async def _body(receive: Receive, limit: int) -> bytes:
    found = bytearray()
    more = True
    while more:
        message = await receive()
        found += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
        if len(found) > limit + DRAINED:
            break  # whoever goes on and on is cut off
    if len(found) > limit:
        raise TooLarge
    return bytes(found) if found.strip() else b"{}"


async def _too_large(send: Send) -> None:
    text = (
        b'{"error": {"code": "too_large", "message": "cannot read the request, because it is too large",'
        b' "fix": "split it"}}'
    )
    length = b"%d" % len(text)
    headers = [(b"content-type", b"application/json"), (b"content-length", length), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": text})


def listen(path: str, group: str | None) -> socket.socket:
    """The socket file, 0660 and in the right group. A stale one is removed: the caller owns the daemon's lock."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108 (the fence speaks in plain paths)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old = os.umask(0o177)
    try:
        sock.bind(path)
    finally:
        os.umask(old)
    gid = _gid(group)
    if gid is not None:
        with contextlib.suppress(PermissionError):
            os.chown(path, -1, gid)
    os.chmod(path, 0o660)  # noqa: PTH101 (as above)
    sock.listen(BACKLOG)
    return sock


def server(app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> uvicorn.Server:
    """Uvicorn, silent, for `run(sockets=[...])` in a thread of its own."""
    config = uvicorn.Config(
        Manners(app),
        http=PeerProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=STOP_WITHIN,
    )
    return uvicorn.Server(config)


def _gid(group: str | None) -> int | None:
    if group is None:
        return None
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None
