"""A platform that answers at once: what the rehearsal platform says, recorded when it starts, said again to everybody.

`python -m bench.sink --account NAME...`, a process of its own, so that measuring a sender does not measure a server:
one thread, 0.03 ms for an answer. It notes when the first byte of each post arrived. Ends when its standard input does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, NamedTuple

from guardian.rehearsal.platform import RehearsalPlatform

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD_END, LONGEST_HEAD = b"\r\n\r\n", 64 * 1024
PLACE = re.compile(rb"post(?:\+|%20|\s)(\d+)")
HEAD = "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
POSTS = b"POST /api/v1/statuses "


class Said(NamedTuple):
    """What the platform says: of itself, to the owner of each token, and of a new post (with `{id}` for its id)."""

    instance: bytes
    owners: dict[bytes, bytes]
    made: bytes


def record(names: Sequence[str]) -> Said:
    """Ask a real rehearsal platform once."""
    with RehearsalPlatform(names) as platform:

        def asked(path: str, name: str, data: bytes | None = None) -> bytes:
            headers = {"Authorization": f"Bearer rehearsal-{name}"}
            request = urllib.request.Request(platform.url + path, data, headers)  # noqa: S310 (ourselves, on loopback)
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (as above)
                return bytes(answer.read())

        made = asked("/api/v1/statuses", names[0], b"status=post+0")
        name = json.loads(made)["id"].encode()
        owners = {f"rehearsal-{name}".encode(): asked("/api/v1/accounts/verify_credentials", name) for name in names}
        return Said(asked("/api/v2/instance", names[0]), owners, made.replace(name, b"{id}"))


class Arrivals:
    """When each post's first byte came (monotonic in ns, wall in ms), and which post it was."""

    def __init__(self) -> None:
        self.all: list[tuple[int, float, int]] = []
        self.made = 0


class Conversation(asyncio.Protocol):
    """One connection."""

    def __init__(self, said: Said, arrivals: Arrivals) -> None:
        self.said = said
        self.arrivals = arrivals
        self._buffer = b""
        self._began = (0, 0.0)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        if not self._buffer:
            self._began = time.monotonic_ns(), time.time() * 1000
        self._buffer += data
        while (end := self._buffer.find(HEAD_END)) >= 0:
            head = self._buffer[:end]
            found = re.search(rb"(?i)content-length: *(\d+)", head)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            self._answer(head, body)
        if len(self._buffer) > LONGEST_HEAD and self._transport is not None:
            self._transport.abort()

    def _answer(self, head: bytes, body: bytes) -> None:
        assert self._transport is not None
        status, content = 200, self._content(head, body)
        if content is None:
            status, content = 404, b'{"error": "the sink does not know that"}'
        self._transport.write(HEAD.format(status=f"{status} -", length=len(content)).encode() + content)
        if b"onnection: close" in head:
            self._transport.close()

    def _content(self, head: bytes, body: bytes) -> bytes | None:
        arrivals = self.arrivals
        if head.startswith(POSTS):
            found = PLACE.search(body)
            arrivals.all.append((*self._began, int(found[1]) if found else -1))
            arrivals.made += 1
            return self.said.made.replace(b"{id}", b"11%016d" % arrivals.made)
        if head.startswith(b"GET /api/v1/accounts/verify_credentials "):
            return next((said for token, said in self.said.owners.items() if token + b"\r" in head + b"\r"), None)
        if head.startswith((b"GET /api/v2/instance ", b"GET /api/v2/instance/ ")):
            return self.said.instance
        return self._of_the_bench(head)

    def _of_the_bench(self, head: bytes) -> bytes | None:
        if head.startswith(b"GET /bench/count "):
            return b"%d" % len(self.arrivals.all)
        if head.startswith(b"GET /bench/arrivals "):
            return json.dumps(self.arrivals.all).encode()
        if head.startswith(b"DELETE /bench/arrivals "):
            self.arrivals.all.clear()
            return b"{}"
        return None


async def serve(names: Sequence[str]) -> None:
    """Until standard input ends."""
    said = await asyncio.to_thread(record, names)
    arrivals, loop = Arrivals(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Conversation(said, arrivals), "127.0.0.1", 0, backlog=1024)
    host, port = server.sockets[0].getsockname()
    place = json.loads(said.instance)["domain"]
    print(json.dumps({"url": f"http://{host}:{port}", "place": place}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.sink", description=__doc__)
    parser.add_argument("--account", action="append", required=True)
    asyncio.run(serve(parser.parse_args().account))
