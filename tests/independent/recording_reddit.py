"""Makes `recorded/reddit/` anew: what matters of the real traffic that PRAW keeps in its source archive as cassettes.

`python -m tests.independent.recording_reddit [ARCHIVE]`; without ARCHIVE, pip downloads the release that is named here.
Kept are answers, byte for byte but for this: the length that their headers state is made true, cookies are left out,
and what opened the storage for an hour (of 2020) is blanked. Of requests only method, target and form are kept. PRAW
itself has put placeholders for names, tokens and passwords.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.independent.recording import SECRETS, Exchange, _headers, _read, _shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

RELEASE = "praw==8.0.3"
HERE = Path(__file__).parent / "recorded" / "reddit"
LARGEST = 9_000
BLANKED = re.compile(
    r'("name": "(?:x-amz-security-token|x-amz-signature|policy|X-Amz-Credential|X-Amz-Signature)", "value": ")([^"]+)'
    r"|([?&]m=)([\w-]+)",
    re.IGNORECASE,
)
MAKING = ("/api/submit/", "/api/comment/", "/api/submit_gallery_post.json")
CHANGING = ("del", "editusertext", "remove", "approve", "lock", "unlock", "spoiler", "unspoiler")
STORING = re.compile(r"/api/media/asset[.]json|/")
READING = frozenset(
    {
        "TestAuthImplicit.test_implicit__with_invalid_token.json#0",
        "TestComment.test_delete.json#2",
        "TestComment.test_refresh__deleted_comment.json#1",
        "TestSubmission.test_delete.json#2",
        "TestSubreddit.test_post_requirements.json#1",
        "TestSubreddit.test_submit__nsfw.json#2",
        "TestSubreddit.test_submit__selftext.json#2",
        "TestSubreddit.test_submit__spoiler.json#2",
        "TestSubreddit.test_submit__url.json#2",
        "TestSubreddit.test_submit__url_selftext.json#2",
        "TestSubreddit.test_submit_gallery.json#10",
        "TestSubreddit.test_submit_gallery__selftext.json#10",
        "TestSubreddit.test_submit_image.json#4",
        "TestSubreddit.test_submit_image__selftext.json#4",
        "TestSubreddit.test_submit_video.json#6",
        "TestSubreddit.test_submit_video_chat.json#6",
        "TestUser.test_me.json#1",
    }
)


def main(words: list[str]) -> int:
    """Write every file of `recorded/reddit/`."""
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(words[0]) if words else _download(Path(directory))
        with tarfile.open(archive) as tar:
            exchanges = list(_exchanges(tar))
    for name, chosen in (
        ("making", _one_of_each(exchanges, lambda one: one.path in MAKING and one.status == 200 and not _errors(one))),
        ("refusals", _one_of_each(exchanges, _refuses)),
        ("retracting", _one_of_each(exchanges, _retracts)),
        ("storing", _one_of_each(exchanges, lambda one: one.method == "POST" and bool(STORING.fullmatch(one.path)))),
        ("reading", [one for one in exchanges if one.name in READING and len(one.body) <= LARGEST]),
    ):
        text = json.dumps([_entry(one) for one in chosen], indent=1, ensure_ascii=False) + "\n"
        if SECRETS.search(text.replace("x-amz-security-token", "")):
            raise SystemExit(f"cannot write {name}.json, because it would hold what looks like a secret")
        (HERE / f"{name}.json").write_text(text, "utf-8")
        print(f"{name}.json: {len(chosen)} exchanges, {len(text.encode())} bytes")
    return 0


def _errors(one: Exchange) -> bool:
    return '"errors": [[' in one.body.decode("utf-8", "replace")


def _refuses(one: Exchange) -> bool:
    if one.method != "POST" or len(one.body) > LARGEST or "access_token" in one.path:
        return False
    return _errors(one) or (400 <= one.status < 500 and "html" not in one.body[:20].decode("latin-1"))


def _retracts(one: Exchange) -> bool:
    rich = "richtext_json" in (_form(one) or "")  # which we never send
    changes = one.method == "POST" and one.path.strip("/").removeprefix("api/") in CHANGING
    return changes and not rich and not _errors(one)


def _download(directory: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "praw", RELEASE]
    subprocess.run([*command, "-d", str(directory)], check=True)
    return next(directory.glob("*.tar.gz"))


def _exchanges(tar: tarfile.TarFile) -> Iterator[Exchange]:
    for member in sorted(tar, key=lambda one: one.name):
        if re.fullmatch(r"[^/]+/LICENSE[.]txt", member.name):
            (HERE / "LICENSE").write_bytes(_read(tar, member))
        if "/tests/integration/cassettes/" not in member.name or not member.name.endswith(".json"):
            continue
        for number, one in enumerate(json.loads(_read(tar, member))["interactions"]):
            if "string" in one["response"]["body"]:  # the others are packed
                yield Exchange(f"{Path(member.name).name}#{number}", one["request"], one["response"])


def _one_of_each(exchanges: Iterable[Exchange], wanted: Callable[[Exchange], bool]) -> list[Exchange]:
    """The first exchange of every kind: by host, method, path, status, and the shape or the code of the answer."""
    found: dict[tuple[object, ...], Exchange] = {}
    for one in exchanges:
        if wanted(one) and len(one.body) <= LARGEST:
            codes = re.findall(r'"errors": \[\["(\w+)"|"reason": "(\w+)"', one.body.decode("utf-8", "replace"))
            path = re.sub(r"/(r|live|friends)/[^/]+", "", one.path)
            found.setdefault((one.host, one.method, path, one.status, _shape_of(one), str(codes)), one)
    return list(found.values())


def _entry(one: Exchange) -> dict[str, Any]:
    body = BLANKED.sub(_blank, one.body.decode()).encode()
    return {
        "name": one.name,
        "method": one.method,
        "target": one.target,
        "host": one.host,
        "form": _form(one),
        "status": one.status,
        "reason": one.response["status"]["message"],
        "headers": _headers(one, len(body), packed=False),
        "body": body.decode(),
    }


def _form(one: Exchange) -> str | None:
    said = one.request.get("body")
    text = said.get("string") if isinstance(said, dict) else said
    kept = isinstance(text, str) and one.host != "reddit-uploaded-media.s3-accelerate.amazonaws.com"
    return text if kept and isinstance(text, str) and len(text) < 2000 else None


def _blank(match: re.Match[str]) -> str:
    return (match[1] or match[3]) + "*" * len(match[2] or match[4])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
