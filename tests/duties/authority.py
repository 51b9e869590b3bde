"""A time authority on loopback: a root, a stamping certificate under it, and `openssl ts -reply` behind HTTP."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONFIG = """\
[tsa]
default_tsa = ours
[ours]
serial = {base}/serial
crypto_device = builtin
signer_cert = {base}/tsa.pem
certs = {base}/root.pem
signer_key = {base}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
"""
MAY_STAMP = "extendedKeyUsage=critical,timeStamping\nbasicConstraints=CA:FALSE\n"


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)


@dataclass
class Authority:
    """Its answers can be spoiled: `spoil` is given each answer, and what it returns is sent."""

    base: Path
    name: str = "ours"
    asked: int = 0
    down: bool = False
    spoil: Callable[[bytes], bytes] = field(default=lambda answer: answer)
    url: str = ""

    def make(self) -> None:
        """Keys and certificates; takes some tenths of a second."""
        base = self.base
        base.mkdir()
        (base / "serial").write_text("01\n")
        (base / "tsa.cnf").write_text(CONFIG.format(base=base))
        (base / "ext").write_text(MAY_STAMP)
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        root = ("-keyout", f"{base}/root.key", "-out", f"{base}/root.pem", "-days", "3650")
        openssl("req", "-x509", *key, *root, "-subj", f"/CN=root of {self.name}")
        openssl(
            "req", *key, "-keyout", f"{base}/tsa.key", "-out", f"{base}/tsa.csr", "-subj", f"/CN=time of {self.name}"
        )
        signed = ("-CA", f"{base}/root.pem", "-CAkey", f"{base}/root.key", "-CAcreateserial", "-days", "3650")
        openssl("x509", "-req", "-in", f"{base}/tsa.csr", *signed, "-extfile", f"{base}/ext", "-out", f"{base}/tsa.pem")

    @property
    def root(self) -> bytes:
        return (self.base / "root.pem").read_bytes()

    def answer(self, question: bytes) -> bytes:
        """What `openssl ts` says to a question."""
        self.asked += 1
        (self.base / "q").write_bytes(question)
        files = ("-queryfile", f"{self.base}/q", "-out", f"{self.base}/a")
        openssl("ts", "-reply", "-config", f"{self.base}/tsa.cnf", *files)
        return self.spoil((self.base / "a").read_bytes())

    def serve(self) -> Iterator[Authority]:
        """Be reachable on loopback."""
        authority = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = self.rfile.read(int(self.headers["Content-Length"]))
                if authority.down:
                    self.send_error(503)
                    return
                answer = authority.answer(question)
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:  # noqa: ANN401 (as the library has it)
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            self.url = f"http://127.0.0.1:{server.server_address[1]}/tsr"
            yield self
            server.shutdown()
            thread.join(10)
