"""Tell the daemon what was stopped, and ask what it knows: bookkeeping, after CONFIRMED, bounded in time.

The stop is complete before this file is imported; that the daemon is dead, hung or slow changes what can be said about
held posts and posts in flight, and nothing else.
"""

from __future__ import annotations

import http.client
import json
import socket
import time

MAX_ANSWER = 4 << 20
AGAIN_AFTER = 0.005


class LocalConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket, with one deadline over the whole exchange's every wait."""

    never_leaves_this_host = True  # read by the gate's tripwire, which guards what can reach a platform

    def __init__(self, path: str, *, within: float) -> None:
        super().__init__("guardian", timeout=within)
        self.path = path

    def connect(self) -> None:
        """Connect to the socket file in place of a host; where too many wait there already, again and again."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        until = time.monotonic() + (self.timeout or 0.0)
        while True:
            try:
                return self.sock.connect(self.path)
            except BlockingIOError:  # the kernel's queue is full: with a timeout it says so and does not wait
                if time.monotonic() > until:
                    raise
            time.sleep(AGAIN_AFTER)


def ask(
    path: str, method: str, target: str, body: object | None = None, *, within: float, most: int = MAX_ANSWER
) -> tuple[int, object]:
    """One request to the daemon: status and JSON document. Raises OSError when there is no whole answer in time.

    `most` is how many bytes of an answer are read.
    """
    connection = LocalConnection(path, within=within)
    try:
        raw = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        connection.request(method, target, raw, {"Content-Type": "application/json", "Connection": "close"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read(most) or b"null")
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(str(error) or type(error).__name__) from error
    finally:
        connection.close()


def tell_frozen(path: str, order: dict[str, object], *, wait: float, patience: float = 2.0) -> dict[str, object] | None:
    """Have the daemon write down a freeze that is already in force; its document, or None when it does not answer.

    `wait` is how long the daemon may wait for the answers to what was on the wire, in seconds.
    """
    until = time.monotonic() + wait + patience
    try:
        status, document = ask(path, "POST", "/v1/freeze", {**order, "wait": wait}, within=until - time.monotonic())
    except OSError:
        return None
    return document if status in (200, 504) and isinstance(document, dict) else None
