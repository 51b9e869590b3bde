"""Servers that speak Mastodon's language and are none: asked what they accept, counted as they count, never assumed."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from adapters import mastodon_server
from guardian.gate.accounts import connect, makers
from guardian.model import Media, Part
from tests.gate.gate_door import account_at

if TYPE_CHECKING:
    from collections.abc import Iterator

LINK = "https://example.com/" + "a" * 80  # a hundred code points
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # one sign of five code points
GOTOSOCIAL = {
    "domain": "tiny.example",
    "version": "0.19.1+git-1a2b3c4",
    "source_url": "https://codeberg.org/superseriousbusiness/gotosocial",
    "configuration": {
        "statuses": {"max_characters": 5000, "max_media_attachments": 6, "characters_reserved_per_url": 25},
        "media_attachments": {"image_size_limit": 41943040, "video_size_limit": 41943040, "description_limit": 1500},
    },
}
INJECTED = {**GOTOSOCIAL, "version": "4.3.0+0.19.1"}  # instance-inject-mastodon-version
PLEROMA = {
    "uri": "https://plum.example",
    "version": "2.7.2 (compatible; Pleroma 2.6.2)",
    "max_toot_chars": 5000,
    "upload_limit": 16_000_000,
    "description_limit": 5000,
}
AKKOMA = {**PLEROMA, "version": "2.7.2 (compatible; Akkoma 3.13.2-0-g123)", "max_media_attachments": 20}
PIXELFED = {
    "uri": "pix.example",
    "version": "3.5.3 (compatible; Pixelfed 0.12.4)",
    "configuration": {
        "statuses": {"max_characters": 500, "max_media_attachments": 10, "characters_reserved_per_url": 23},
        "media_attachments": {"supported_mime_types": ["image/jpeg", "image/png"], "image_size_limit": 15_000_000},
    },
}
SHARKEY = {**PIXELFED, "version": "3.0.0 (compatible; Sharkey 2024.9.4)"}
OLD = {"uri": "old.example", "version": "3.0.1"}
MASTODON = {
    "domain": "new.example",
    "version": "4.5.2",
    "configuration": {"statuses": {"max_characters": 500, "max_media_attachments": 4}},
}


class Relative:
    """A server of that kind on loopback: what it says of itself, to who is logged in alone."""

    def __init__(self, *, v2: dict[str, Any] | None = None, v1: dict[str, Any] | None = None) -> None:
        answers = {"/api/v2/instance": v2, "/api/v1/instance": v1}

        class Door(BaseHTTPRequestHandler):
            timeout: ClassVar[float] = 5

            def do_GET(self) -> None:
                found = answers.get(self.path.split("?")[0].rstrip("/"))
                status = 401 if "Authorization" not in self.headers else 200 if found is not None else 404
                body = json.dumps(found if status == 200 else {"error": "The access token is invalid"}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def at(request: pytest.FixtureRequest) -> Iterator[Relative]:
    relative = Relative(**request.param)
    yield relative
    relative.end()


def served(**documents: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("at", [documents], indirect=True)


@pytest.mark.parametrize(
    ("at", "name", "characters", "files"),
    [
        ({"v2": GOTOSOCIAL, "v1": GOTOSOCIAL}, "GoToSocial 0.19.1+git-1a2b3c4", 5000, 6),
        ({"v2": INJECTED, "v1": INJECTED}, "GoToSocial 4.3.0+0.19.1", 5000, 6),
        ({"v1": PLEROMA}, "Pleroma 2.6.2", 5000, 4),
        ({"v1": AKKOMA}, "Akkoma 3.13.2-0-g123", 5000, 20),
        ({"v1": PIXELFED}, "Pixelfed 0.12.4", 500, 10),
        ({"v2": MASTODON, "v1": MASTODON}, "Mastodon 4.5.2", 500, 4),
        ({"v1": OLD}, "Mastodon 3.0.1", 500, 4),
        ({"v1": {"uri": "nobody.example"}}, "Mastodon", 500, 4),
    ],
    indirect=["at"],
)
def test_a_server_is_asked_for_its_limits_where_it_keeps_them(
    at: Relative, name: str, characters: int, files: int
) -> None:
    found = connect(account_at(at.url), makers(), answer_within=5.0).limits()
    assert (found.server, found.characters, found.media.count) == (name, characters, files)


@served(v1=PLEROMA)
def test_the_size_that_a_pleroma_takes_is_that_of_any_file(at: Relative) -> None:
    media = connect(account_at(at.url), makers(), answer_within=5.0).limits().media
    assert (media.image_bytes, media.video_bytes, media.alt_characters) == (16_000_000, 16_000_000, 5000)


@pytest.mark.parametrize(
    ("at", "most_links", "most_families"),
    [  # of 5000 (500 at Pixelfed and Mastodon): links of a hundred code points, signs of five
        ({"v1": PLEROMA}, 50, 5000),  # String.length(status <> summary)
        ({"v2": GOTOSOCIAL}, 50, 1000),  # len([]rune(status)) + len([]rune(spoiler))
        ({"v1": PIXELFED}, 5, 100),  # mb_strlen
        ({"v1": SHARKEY}, 5, 100),
        ({"v2": MASTODON}, 20, 500),
        ({"v1": OLD}, 20, 500),
    ],
    indirect=["at"],
)
def test_a_post_is_counted_as_its_server_counts_and_no_link_is_cheaper_than_it_is(
    at: Relative, most_links: int, most_families: int
) -> None:
    adapter = connect(account_at(at.url), makers(), answer_within=5.0)
    limits = adapter.limits()
    spaces = most_links - 1
    full = " ".join([LINK] * most_links)[: len(LINK) * most_links + spaces]
    fits = full if mastodons(limits.server) else full.replace(" ", "")
    assert not adapter.check(Part(text=fits), limits)
    assert adapter.check(Part(text=f"{fits} {LINK}"), limits)
    assert not adapter.check(Part(text=FAMILY * most_families), limits)
    assert adapter.check(Part(text=FAMILY * (most_families + 1)), limits)
    assert adapter.check(Part(text=FAMILY * most_families, warning="w"), limits)


def mastodons(server: str) -> bool:
    return server.startswith("Mastodon")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (OLD, "hiding is refused"),
        ({"version": "4.2.1"}, "files of a deleted post"),
        (GOTOSOCIAL, "published at once"),
        (PIXELFED, "tells no source"),
        (AKKOMA, "read:media"),
        (SHARKEY, "nobody has tried"),
        (PLEROMA, "no idempotency key"),
    ],
)
def test_what_is_different_at_a_server_is_said_before_the_day_on_which_it_matters(
    document: dict[str, Any], words: str
) -> None:
    assert words in " ".join(mastodon_server.limits(Document(document)).remarks)


def test_of_a_new_mastodon_there_is_nothing_to_say() -> None:
    assert mastodon_server.limits(Document(MASTODON)).remarks == ()


@pytest.mark.parametrize(
    "version", [None, 7, "", "x" * 10_000, "\x1b[2J", "4", "(compatible; \u202eevil)", "v4.1.0rc1"]
)
def test_a_version_that_is_none_is_no_error_and_steers_nothing(version: object) -> None:
    name = mastodon_server.server(Document({"version": version})).name
    assert name.isprintable()
    assert len(name) < 100


@served(v1=PIXELFED)
def test_a_file_that_pixelfed_wants_otherwise_is_refused_before_it_is_uploaded(at: Relative) -> None:
    adapter = connect(account_at(at.url), makers(), answer_within=5.0)
    picture = Media(sha256="0" * 64, type="image/webp", size=1000, width=1, height=1, alt="Bread")
    [problem] = adapter.check(Part(text="Bread", media=(picture,)), adapter.limits())
    assert "image/webp" in problem.message


class Document:
    """An answer as the client library hands it on: fields as attributes."""

    def __init__(self, fields: dict[str, Any]) -> None:
        for name, value in fields.items():
            setattr(self, name, Document(value) if isinstance(value, dict) else value)
