"""The control socket: where it is, and uvicorn behind it. One thread runs it.

What a connection may do is in `calls.py`, what a body may be in `manners.py`, all numbers in `limits.py`.
"""

from __future__ import annotations

import grp
import os
import socket
import stat
import threading
from typing import TYPE_CHECKING

import structlog
import uvicorn

from guardian.daemon import limits
from guardian.daemon.calls import Call
from guardian.daemon.manners import Manners
from guardian.errors import Taken

if TYPE_CHECKING:
    from guardian.daemon.manners import App

STOP_WITHIN = 5
log = structlog.get_logger()


class ControlServer(uvicorn.Server):
    """Takes in few connections at a time, and has the kernel keep many: asyncio knows one number for both."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        for sock in sockets or []:
            sock.listen(limits.QUEUE)
        self.listens.set()


def listen(path: str, group: str | None) -> socket.socket:
    """The socket file, 0660 and in the right group. Raises Taken where something else than a socket has its name.

    A stale one is removed: the caller owns the daemon's lock, so nobody listens there any more. A link is never
    followed, and a file or a directory is never removed: whoever laid it there meant something by it.
    """
    _clear(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old = os.umask(0o177)
    try:
        sock.bind(path)
    finally:
        os.umask(old)
    give_to_group(path, group)
    os.chmod(path, 0o660)  # noqa: PTH101 (the fence speaks in plain paths)
    sock.listen(limits.QUEUE)
    return sock


def give_to_group(path: str, group: str | None) -> None:
    """Who may open the socket file, besides its owner. Left as it is where there is no such group, or we may not."""
    gid = _gid(group)
    if gid is None or os.stat(path).st_gid == gid:  # noqa: PTH116 (the fence speaks in plain paths)
        return
    try:
        os.chown(path, -1, gid)
    except PermissionError:
        log.warning("the control socket keeps its group", wanted=group, fix="docs/running.md: SupplementaryGroups=")


def _clear(path: str) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise Taken(f"cannot listen on {path}, because something that is no socket has that name", fix="remove it")
    os.unlink(path)  # noqa: PTH108 (the fence speaks in plain paths)


def server(app: App) -> ControlServer:
    """Uvicorn, silent, for `run(sockets=[...])` in a thread of its own."""

    class Here(Call):
        places = limits.Places()
        heard_out: set[Call] = set()  # noqa: RUF012 (shared on purpose)
        standing: dict[Call, None] = {}  # noqa: RUF012 (shared on purpose)

    config = uvicorn.Config(
        Manners(app),
        http=Here,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="error",  # what a stranger sends is no news
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=limits.ACCEPTED_AT_ONCE,
        timeout_keep_alive=limits.IDLE_WITHIN,
        timeout_graceful_shutdown=STOP_WITHIN,
    )
    return ControlServer(config)


def _gid(group: str | None) -> int | None:
    if group is None:
        return None
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None
