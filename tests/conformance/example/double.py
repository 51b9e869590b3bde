"""A double of Tidings on loopback: thirty lines of what it would do, and its books."""

from __future__ import annotations

import itertools
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

NAMES = {"Bearer tidings-token-of-acme": "acme", "Bearer tidings-token-of-beta": "beta"}


class TidingsDouble:
    """Runs while the block runs; `notes` are its books."""

    def __init__(self) -> None:
        self.notes: dict[str, dict[str, Any]] = {}
        self.files: dict[str, dict[str, str]] = {}
        self.numbers = itertools.count(1)
        handler = type("Desk", (_Desk,), {"double": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, url: str, body: bytes, name: str) -> tuple[int, object]:
        """What it says to a request of that account."""
        parts = urlsplit(url)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if (method, parts.path) == ("GET", "/me"):
            return 200, {"id": f"u-{name}", "name": name}
        if (method, parts.path) == ("POST", "/files"):
            number = str(next(self.numbers))
            self.files[number] = {"url": f"{self.url}/files/{number}", "alt": query.get("alt", "")}
            return 201, {"id": number}
        if (method, parts.path) == ("POST", "/notes"):
            return 201, self._made(json.loads(body), name)
        if (method, parts.path) == ("GET", "/notes"):
            return 200, [one for one in self.notes.values() if one["at"] >= int(query["since"])]
        note = self.notes.get(parts.path.removeprefix("/notes/"))
        if note is None:
            return 404, {"error": "no such note"}
        if method == "DELETE":
            del self.notes[note["id"]]
        return 200, note

    def _made(self, said: dict[str, Any], name: str) -> dict[str, Any]:
        number = str(next(self.numbers))
        files = [self.files[one] for one in said["files"]]
        note = {"id": number, "url": f"{self.url}/notes/{number}", "by": f"u-{name}", "at": time.time_ns() // 1_000_000}
        self.notes[number] = {**note, "text": said["text"], "below": said["below"], "files": files}
        return self.notes[number]


class _Desk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    double: TidingsDouble

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = NAMES.get(self.headers.get("Authorization", ""))
        known = (
            (401, {"error": "who are you?"})
            if name is None
            else self.double.answer(self.command, self.path, body, name)
        )
        data = json.dumps(known[1]).encode()
        try:
            self.send_response(known[0])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:  # the adapter did not wait
            self.close_connection = True

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_DELETE = do_GET  # noqa: N815 (the library's names)
