"""A time stamping authority of our own, made by openssl, for tests; over HTTP on loopback if need be."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = """
[tsa]
default_tsa = t
[t]
serial = {home}/serial
crypto_device = builtin
signer_cert = {home}/tsa.pem
certs = {home}/root.pem
signer_key = {home}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_chain = no
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[stamping]
basicConstraints = CA:false
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
[req]
distinguished_name = dn
[dn]
"""


class Authority:
    """Its keys lie in a directory of the test; `root` is what one has to trust."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(parents=True)
        self.config = home / "tsa.cnf"
        self.config.write_text(CONFIG.format(home=home))
        (home / "serial").write_text("01\n")
        key = [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "30",
            "-config",
            str(self.config),
        ]
        self._run(
            "req", "-x509", *key, "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Root", "-extensions", "ca"
        )
        self._run(
            "req", *key[:-4], "-config", str(self.config), "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=TSA"
        )
        signing = ["-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-extfile", "tsa.cnf"]
        self._run(
            "x509", "-req", "-in", "tsa.csr", *signing, "-extensions", "stamping", "-days", "30", "-out", "tsa.pem"
        )

    @property
    def root(self) -> bytes:
        return (self.home / "root.pem").read_bytes()

    def answer(self, query: bytes) -> bytes:
        """Its response to a query."""
        (self.home / "in.tsq").write_bytes(query)
        self._run("ts", "-reply", "-queryfile", "in.tsq", "-config", str(self.config), "-out", "out.tsr")
        return (self.home / "out.tsr").read_bytes()

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """Its address on loopback, while the block runs."""
        answer = self.answer

        class Desk(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                found = answer(self.rfile.read(min(int(self.headers["Content-Length"]), 1 << 16)))
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(found)))
                self.end_headers()
                self.wfile.write(found)

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.home, check=True, capture_output=True, timeout=20)
