"""Somebody who says to every account, on all four platforms, who it is: all that a daemon asks at its start.

`python -m bench.answering`, a process of its own. The account's name stands in each of its secrets. Nothing is kept, no
signature is looked at; ends when its standard input does.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from guardian.rehearsal.platform import RehearsalPlatform

NAME = re.compile(r"(?:rehearsal|named)-(account[\w]+)")
LONGEST = 60.0


def told(path: str, name: str, instance: bytes) -> bytes | None:
    """What a request of this account is answered with; None where nobody knows it."""
    did = f"did:plc:{name.replace('_', '').replace('0', 'o').replace('1', 'l'):a<24}"
    session = {"did": did, "handle": f"{name.replace('_', '-')}.test", "active": True}
    known: dict[str, dict[str, Any]] = {
        "/api/v1/accounts/verify_credentials": {"id": "1", "username": name, "acct": name, "url": f"https://x/{name}"},
        "/2/users/me": {"data": {"id": "1", "name": name, "username": name}},
        "/api/v1/access_token": {
            "access_token": f"named-{name}",
            "token_type": "bearer",
            "expires_in": 86400,
            "scope": "*",
        },
        "/api/v1/me": {"id": "1", "name": name, "is_suspended": False},
        "/xrpc/com.atproto.server.createSession": {**session, "accessJwt": _token(name), "refreshJwt": _token(name)},
        "/xrpc/com.atproto.server.getSession": session,
    }
    if path.startswith("/api/v2/instance"):
        return instance
    return json.dumps(known[path]).encode() if path in known else None


def _token(name: str) -> str:
    """A token as Bluesky's library wants to read it."""
    parts = ({"alg": "none"}, {"sub": name, "exp": 1 << 32, "iat": 0, "scope": "com.atproto.appPass"})
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*coded, f"named-{name}"])


class Desk(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = LONGEST
    instance = b"{}"

    def do_GET(self) -> None:
        """Whatever is asked."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        said = f"{self.headers.get('Authorization', '')} {body} {dict(parse_qsl(body))}"
        found = NAME.search(said)
        content = told(self.path.partition("?")[0].rstrip("/"), found[1] if found else "nobody", self.instance)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content or b"{}")))
        self.end_headers()
        self.wfile.write(content or b"{}")

    do_POST = do_GET  # noqa: N815 (the name of the standard library)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def said_of_itself(url: str) -> bytes:
    """What the rehearsal platform says of itself."""
    with urllib.request.urlopen(f"{url}/api/v2/instance", timeout=10) as answer:  # noqa: S310 (on loopback)
        return bytes(answer.read())


class Server(ThreadingHTTPServer):
    """With room for thirty who knock at once."""

    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    """Until standard input ends."""
    with RehearsalPlatform(("account",)) as platform:
        Desk.instance = said_of_itself(platform.url)
    server = Server(("127.0.0.1", 0), Desk)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = json.loads(Desk.instance)["domain"]
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_address[1]}", "place": place}), flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
