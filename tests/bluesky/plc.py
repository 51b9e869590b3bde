"""A double of the directory of DIDs, on loopback: it takes what a PDS registers, and says it again.

The real one checks signatures and chains; here nobody forges anything, and the PDS under test is the only one who asks.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from typing import Self

MAX_BODY = 64 * 1024


class Directory:
    """Runs while the block runs; `url` is where."""

    def __init__(self) -> None:
        self._last: dict[str, dict[str, Any]] = {}
        directory = self

        class Desk(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = min(int(self.headers.get("Content-Length", 0)), MAX_BODY)
                directory._last[unquote(self.path.strip("/"))] = json.loads(self.rfile.read(length))
                self._say(200, {})

            def do_GET(self) -> None:
                did, _, wanted = unquote(self.path.strip("/")).partition("/")
                known = directory._last.get(did)
                if known is None:
                    self._say(404, {"message": f"DID not registered: {did}"})
                else:
                    self._say(200, {"data": _data, "log/last": _last}.get(wanted, _document)(did, known))

            def _say(self, status: int, document: object) -> None:
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing: the tests' own output is enough."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _last(_: str, operation: dict[str, Any]) -> dict[str, Any]:
    return operation


def _data(did: str, operation: dict[str, Any]) -> dict[str, Any]:
    kept = ("verificationMethods", "rotationKeys", "alsoKnownAs", "services")
    return {"did": did, **{name: operation[name] for name in kept}}


def _document(did: str, operation: dict[str, Any]) -> dict[str, Any]:
    key = str(operation["verificationMethods"]["atproto"]).removeprefix("did:key:")
    method = {"id": f"{did}#atproto", "type": "Multikey", "controller": did, "publicKeyMultibase": key}
    services = [
        {"id": f"#{name}", "type": one["type"], "serviceEndpoint": one["endpoint"]}
        for name, one in operation["services"].items()
    ]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "alsoKnownAs": operation["alsoKnownAs"],
        "verificationMethod": [method],
        "service": services,
    }
