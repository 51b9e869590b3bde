"""Makes `recorded/` anew: what matters of the real traffic that Mastodon.py keeps in its source archive as cassettes.

`python -m tests.independent.recording [ARCHIVE]`; without ARCHIVE, pip downloads the release that is named here. Kept
are answers, byte for byte but for this: where the recorder has unpacked a body, the length that its headers state is
made true; cookies are left out, and two long headers that nobody reads. Of requests only method, target and a short
form are kept: no header, no token, no file. Of mastodon.social only what it says of itself (with the contact that it
names) and how it refuses a sign-up. Cassettes are read by the safe loader of PyYAML, which comes with schemathesis.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import yaml  # type: ignore[import-untyped, unused-ignore]  # its types are a package of their own, for one script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

RELEASE = "Mastodon.py==2.3.3"
HERE = Path(__file__).parent / "recorded"
SECRETS = re.compile(r"access_token|client_secret|refresh_token|\"password\"|__MASTODON_PY_TEST", re.IGNORECASE)
LEFT_OUT = ("set-cookie", "connection", "keep-alive", "content-length", "content-security-policy", "server-timing")
OWN = "localhost:3000"  # the recorder's own server
SHORT = 200
LARGEST = 30_000
NUMBER = re.compile(r"/(?:\d+|[0-9A-Za-z]{16,})(?=/|$)")


class Exchange(NamedTuple):
    """One request and its answer, as a cassette has them."""

    name: str
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def path(self) -> str:
        """Without host and query."""
        return urlsplit(str(self.request["uri"])).path

    @property
    def target(self) -> str:
        """Path and query."""
        parts = urlsplit(str(self.request["uri"]))
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def host(self) -> str:
        """Of the server that was recorded."""
        return urlsplit(str(self.request["uri"])).netloc

    @property
    def method(self) -> str:
        """Of HTTP."""
        return str(self.request["method"])

    @property
    def status(self) -> int:
        """Of the answer."""
        return int(self.response["status"]["code"])

    @property
    def body(self) -> bytes:
        """Of the answer."""
        found = self.response["body"].get("string") or b""
        return found if isinstance(found, bytes) else found.encode()


def main(words: list[str]) -> int:
    """Write every file of `recorded/`."""
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(words[0]) if words else _download(Path(directory))
        with tarfile.open(archive) as tar:
            licence = next(member for member in tar if member.name.endswith("/LICENSE"))
            (HERE / "LICENSE").write_bytes(_read(tar, licence))
            exchanges = list(_exchanges(tar))
    for name, chosen in (
        ("publishing", _one_of_each_shape(exchanges, _publishes)),
        ("refusals", _one_of_each_shape(exchanges, _refuses)),
        ("media", _one_of_each_shape(exchanges, lambda one: "/media" in one.path and one.host == OWN)),
        ("reading", _one_of_each_shape(exchanges, _reads)),
        ("incident", _one_of_each_shape(exchanges, _takes_down_or_looks)),
        (
            "pages",
            [one for one in exchanges if _pages(one) and "min_id" not in one.target and "since_id" not in one.target],
        ),
    ):
        entries = [_entry(one) for one in chosen]
        text = json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
        if SECRETS.search(text):
            raise SystemExit(f"cannot write {name}.json, because it would hold what looks like a secret")
        (HERE / f"{name}.json").write_text(text, "utf-8")
        print(f"{name}.json: {len(entries)} exchanges, {len(text.encode())} bytes")
    return 0


def _publishes(one: Exchange) -> bool:
    return (one.method, one.path) == ("POST", "/api/v1/statuses")


def _refuses(one: Exchange) -> bool:
    return one.method not in ("GET", "HEAD") and one.status >= 400 and not one.path.startswith("/oauth/")


def _reads(one: Exchange) -> bool:
    if re.fullmatch(r"/api/v[12]/instance/?", one.path):
        return True
    wanted = r".*/accounts/verify_credentials|/api/v1/statuses/\w+(/source)?"
    return one.method == "GET" and one.host == OWN and re.fullmatch(wanted, one.path) is not None


def _takes_down_or_looks(one: Exchange) -> bool:
    """Deletions and edits; what was asked of a post before and after; what the server has scheduled."""
    if one.host != OWN:
        return False
    if one.method in ("DELETE", "PUT"):
        return re.fullmatch(r"/api/v1/(scheduled_)?statuses/[^/]+", one.path) is not None
    looks = r"/api/v1/(statuses/[^/]+/(context|history|source|quotes)|scheduled_statuses(/[^/]+)?)|/api/v2/search"
    return one.method == "GET" and re.fullmatch(looks, one.path) is not None


def _pages(one: Exchange) -> bool:
    wanted = "cassettes(_old_pagination)?/test_fetch_next_previous[.]yaml#.*"
    return re.fullmatch(wanted, one.name) is not None and one.path.endswith("/statuses") and one.method == "GET"


def _download(directory: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", RELEASE]
    subprocess.run([*command, "-d", str(directory)], check=True)
    return next(directory.glob("*.tar.gz"))


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = tar.extractfile(member)
    assert opened is not None
    return opened.read()


def _exchanges(tar: tarfile.TarFile) -> Iterator[Exchange]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    members = (one for one in tar if re.search(r"/tests/cassettes[^/]*/[^/]*(?<!\.ws)\.yaml$", one.name))
    for member in sorted(members, key=lambda one: one.name):
        name = "/".join(Path(member.name).parts[-2:])
        cassette = yaml.load(_read(tar, member), loader)  # noqa: S506 (both are the safe loader)
        for number, one in enumerate(cassette.get("interactions", [])):
            yield Exchange(f"{name}#{number}", one["request"], one["response"])


def _one_of_each_shape(exchanges: Iterable[Exchange], wanted: Callable[[Exchange], bool]) -> list[Exchange]:
    """The first exchange of every kind: by method, path, status, and which fields of which types the answer has."""
    found: dict[tuple[object, ...], Exchange] = {}
    for one in exchanges:
        if not wanted(one) or len(one.body) > LARGEST:
            continue
        era = one.name.partition("/")[0]
        kind = (one.method, NUMBER.sub("/:id", one.path), one.host, era, one.status, _shape_of(one))
        found.setdefault(kind, one)
    return list(found.values())


def _shape_of(one: Exchange) -> str:
    try:
        return _shape(json.loads(one.body))
    except ValueError:
        return repr(one.body[:2])


def _shape(thing: object) -> str:
    if isinstance(thing, dict):
        return "{" + ",".join(f"{key}:{_shape(value)}" for key, value in sorted(thing.items())) + "}"
    if isinstance(thing, list):
        return "[" + "|".join(sorted({_shape(one) for one in thing})) + "]"
    return type(thing).__name__


def _entry(one: Exchange) -> dict[str, Any]:
    form = one.request.get("body")
    body = one.body
    packed = body[:2] == b"\x1f\x8b"
    return {
        "name": one.name,
        "method": one.method,
        "target": one.target,
        "host": one.host,
        "form": form if isinstance(form, str) and _publishes(one) and len(form) < SHORT else None,
        "status": one.status,
        "reason": one.response["status"]["message"],
        "headers": _headers(one, len(body), packed=packed),
        **({"base64": base64.b64encode(body).decode()} if packed else {"body": body.decode()}),
    }


def _headers(one: Exchange, length: int, *, packed: bool) -> list[str]:
    left_out = LEFT_OUT if packed else (*LEFT_OUT, "content-encoding")
    kept = [
        f"{name}: {value}"
        for name, values in one.response["headers"].items()
        for value in (values if isinstance(values, list) else [values])
        if name.lower() not in left_out
    ]
    chunked = any(line.lower().startswith("transfer-encoding:") for line in kept)
    return kept if chunked else [*kept, f"content-length: {length}"]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
