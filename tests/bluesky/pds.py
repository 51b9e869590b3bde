"""A real PDS on loopback, with a directory of DIDs beside it, and accounts in it. Nothing else of the network is there.

There is no AppView: what bsky.app would say of a post is not said. Everything that the adapter decides by is the PDS's.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import os
import selectors
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from guardian.model import Account, Secret
from tests import canaries
from tests.bluesky.installing import installed
from tests.bluesky.plc import Directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_WITHIN = 60.0
STOP_WITHIN = 20.0
MOST_OF_A_BLOB = 3_000_000  # bytes; the real ones take 50 MB and more
PASSWORD = "a long password of the brand itself"
ADMIN = "who runs the PDS"
JSON = {"Content-Type": "application/json"}


class _Line(http.client.HTTPConnection):
    never_leaves_this_host = True  # read by the gate's tripwire


@dataclass(frozen=True)
class Brand:
    """An account at the PDS, as its owner has it."""

    did: str
    handle: str
    token: str
    app_password: str


class Pds:
    """What a test asks of it, past the gate: as the people who own the accounts."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.url = f"http://{place}"
        self._numbers = itertools.count(1)

    def post(self, method: str, said: dict[str, Any] | None, token: str | None = None) -> Any:  # noqa: ANN401 (JSON)
        """One procedure; what it answers, which must be a yes."""
        return self._ask(
            "POST", f"/xrpc/{method}", None if said is None else json.dumps(said), f"Bearer {token}" if token else None
        )

    def get(self, method: str, **said: str) -> Any:  # noqa: ANN401 (JSON)
        """One query; None when it answers an error."""
        return self._ask("GET", f"/xrpc/{method}?{urlencode(said)}", None, None)

    def brand(self) -> Brand:
        """A new account with an app password."""
        handle = f"brand-{next(self._numbers)}.test"
        made = self.post(
            "com.atproto.server.createAccount",
            {"handle": handle, "email": f"{handle}@example.com", "password": PASSWORD},
        )
        token = str(made["accessJwt"])
        app = self.post("com.atproto.server.createAppPassword", {"name": "guardian"}, token)
        return Brand(made["did"], handle, token, canaries.note(app["password"]))

    def take_down(self, brand: Brand, *, applied: bool = True) -> None:
        """As who runs it: close the account, or open it again."""
        said = {
            "subject": {"$type": "com.atproto.admin.defs#repoRef", "did": brand.did},
            "takedown": {"applied": applied, **({"ref": "a test"} if applied else {})},
        }
        login = "Basic " + base64.b64encode(f"admin:{ADMIN}".encode()).decode()
        self._ask("POST", "/xrpc/com.atproto.admin.updateSubjectStatus", json.dumps(said), login)

    def posts(self, brand: Brand) -> list[dict[str, Any]]:
        """Every post in its repository."""
        found = self.get("com.atproto.repo.listRecords", repo=brand.did, collection="app.bsky.feed.post")
        return list(found["records"])

    def revision(self, brand: Brand) -> str:
        """What the repository is at now: another one after every commit."""
        return str(self.get("com.atproto.sync.getLatestCommit", did=brand.did)["rev"])

    def _ask(self, verb: str, path: str, body: str | None, login: str | None) -> Any:  # noqa: ANN401 (JSON)
        line = _Line(self.place, timeout=20)
        try:
            headers = {**JSON, **({"Authorization": login} if login else {})}
            line.request(verb, path, body, headers)
            answer = line.getresponse()
            content = answer.read()
            if answer.status == 200:
                return json.loads(content) if content else {}
            if verb == "GET":
                return None
            raise AssertionError(f"{path}: {answer.status} {content[:300]!r}")
        finally:
            line.close()


def account_of(pds_url: str, brand: Brand, name: str = "acme") -> Account:
    """The account as the house would have it configured."""
    return Account(
        name=name,
        platform="bluesky",
        brand="acme",
        base_url=pds_url,
        identity=f"@{brand.handle}",
        secrets={"app_password": Secret(brand.app_password)},
    )


@contextmanager
def running(folder: Path) -> Iterator[Pds]:
    """A PDS with its data in `folder`. Raises NotInstalled, and AssertionError when it does not start in time."""
    node, place = installed()
    port = _free_port()
    with Directory() as directory, (folder / "log").open("wb") as log:
        program = subprocess.Popen(
            [node.program, "serve.js"],
            cwd=place,
            env=_environment(folder, port, directory.url),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        try:
            assert _line_of(program) == b"ready\n", (folder / "log").read_text()[-2000:]
            yield Pds(f"127.0.0.1:{port}")
        finally:
            _end(program)


def _environment(folder: Path, port: int, directory: str) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "PDS_HOSTNAME": "localhost",
        "PDS_PORT": str(port),
        "PDS_DATA_DIRECTORY": str(folder),
        "PDS_BLOBSTORE_DISK_LOCATION": str(folder / "blobs"),
        "PDS_BLOB_UPLOAD_LIMIT": str(MOST_OF_A_BLOB),
        "PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX": "11" * 32,
        "PDS_JWT_SECRET": "a secret of this test",
        "PDS_ADMIN_PASSWORD": ADMIN,
        "PDS_DID_PLC_URL": directory,
        "PDS_INVITE_REQUIRED": "false",
        "PDS_DEV_MODE": "true",
        "PDS_ENABLE_DID_DOC_WITH_SESSION": "true",  # as at Bluesky
        "LOG_ENABLED": "false",
    }


def _line_of(program: subprocess.Popen[bytes]) -> bytes:
    """Its first line, if it comes in time."""
    assert program.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(program.stdout, selectors.EVENT_READ)
        return program.stdout.readline() if selector.select(START_WITHIN) else b""


def _end(program: subprocess.Popen[bytes]) -> None:
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.close()
    try:
        program.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()
    program.stdout.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
