"""Pictures of posts: the page while it stands, our card when it is gone, by a browser that reaches nothing else."""

from __future__ import annotations

import dataclasses
import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.config.in_force import InForce
from guardian.config.tables import Evidence
from guardian.duties.facts import Facts, Piece
from guardian.duties.picturing import NAMES, NO_SANDBOX, Picturing
from guardian.duties.shelf import Shelf
from guardian.duties.snapshot import Snapshot, Wanted
from guardian.evidence import card
from guardian.evidence.bundle import Bundle
from guardian.gate.addresses import NotPublic
from guardian.gate.public import PublicReader, Unreadable
from guardian.model import Capture, Decision, Shown, Takedown, Target
from tests.duties.conftest import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardian.fence.house import House
    from guardian.store.database import Database

NOW = 1_795_000_000_000
WIDE, HIGH = 900, 1400
with_browser = pytest.mark.skipif(not any(map(shutil.which, NAMES)), reason="no Chromium here (.ci/packages)")


@pytest.fixture(autouse=True)
def nothing_is_left(
    tmp_path: Path,  # noqa: ARG001 (pytest's own, made before the place for such directories is another one)
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """Whatever a browser writes lies in a directory that goes away, and so do its processes.

    The directory has a short name: Chromium makes a socket in it.
    """
    place = Path(tempfile.mkdtemp(prefix="g-"))
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield
    until = time.monotonic() + 5
    while _processes_of(place) and time.monotonic() < until:
        time.sleep(0.05)
    assert _processes_of(place) == []
    left = [file.name for file in place.iterdir()]
    shutil.rmtree(place)
    assert left == []


def _processes_of(place: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(place).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().decode())
        except OSError:
            continue
    return found


@pytest.fixture
def snapshot(tmp_path: Path, database: Database) -> Callable[..., Snapshot]:
    """The snapshot of one post, with its card: `snapshot(decision, url)`."""

    def make(decision: Decision, url: str, *, text: str = "hello") -> Snapshot:
        bundle = Bundle.create(tmp_path / "evidence", account="acme", platform="mastodon", platform_id="1145", at=NOW)
        order = Takedown(
            id="t-1", incident=None, decision=decision, capture=Capture.BEST_EFFORT, severity=1, reason="", by="kim",
            agreed=(), at=NOW,
        )  # fmt: skip
        target = Target(
            id="g-1", takedown="t-1", nr=1, account="acme", platform_id="1145", url=url, post=None, part=None,
            state="kept", why="", evidence=bundle.name, grade=None, undo=None, acts=0, acted_at=None, ended_at=None,
            due_at=None,
        )  # fmt: skip
        wanted = Wanted(order=order, target=target, given={}, publication=None, media=(), until=0.0)
        facts = Facts(
            order=order, target=target, platform="mastodon", given={}, began_at=NOW, began=0, synchronised=True,
            config_sha256="",
        )  # fmt: skip
        said = card.Said(author="Acme", handle="@acme", text=text, at="yesterday")
        bundle.add("render/card.html", card.card(said, captured="today").encode())
        shelf = Shelf(state_dir=tmp_path, database=database, clock=lambda: NOW)
        return Snapshot(wanted=wanted, shelf=shelf, bundle=bundle, facts=facts)

    return make


@pytest.fixture
def site() -> Iterator[Callable[[str], Site]]:
    """A server that answers everything with one page: `site(html)`."""
    running: list[Site] = []

    def start(html: str) -> Site:
        running.append(Site(html))
        return running[-1]

    yield start
    for one in running:
        one.close()


class Site:
    """A web site on this machine, and what it was asked for."""

    def __init__(self, html: str) -> None:
        self.asked: list[tuple[str, str | None]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.path, self.headers.get("Authorization")))
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(html.encode())

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def picturing(
    house: House, *, within: float = 20.0, trusted: tuple[str, ...] = ("127.0.0.1", "localhost"),
    **evidence: Any,  # noqa: ANN401 (keys of a table)
) -> Picturing:  # fmt: skip
    settings = dataclasses.replace(settings_of(house, ()), evidence=Evidence(**evidence))
    public = PublicReader(answer_within=5.0, trusted_hosts=trusted)
    return Picturing(InForce(settings), clock=lambda: NOW + 5, public=lambda _: public, within=within)


def told(snapshot: Snapshot, name: str) -> dict[str, Any]:
    found = json.loads((snapshot.bundle.path / f"{name}.json").read_text())
    assert isinstance(found, dict)
    return found


def size_of(png: Path) -> tuple[int, int]:
    head = png.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


@with_browser
def test_the_card_of_a_post_that_is_gone_is_drawn_and_called_a_rendering(
    house: House, snapshot: Callable[..., Snapshot]
) -> None:
    found = snapshot(Decision.DELETE, "https://m.example/@acme/1145", text="שלום 😀 \u202e مرحبا <script>x</script>")
    picturing(house).add(found)
    assert size_of(found.bundle.path / "render/card.png") == (WIDE, HIGH)
    label = told(found, "render/card")
    assert (label["what"], label["blank"], label["at_ms"]) == ("rendering", False, NOW + 5)
    assert "no screenshot" in label["means"]
    assert not (found.bundle.path / "page").exists()


@with_browser
def test_a_rendering_reaches_no_network_whatever_its_page_names(
    house: House, snapshot: Callable[..., Snapshot]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        found = snapshot(Decision.DELETE, "https://m.example/@acme/1145")
        here = f"127.0.0.1:{listener.getsockname()[1]}"
        hostile = f'<h1>hello</h1><img src="http://{here}/a.png"><iframe src="http://localhost:{here[10:]}/"></iframe>'
        (found.bundle.path / "render/card.html").write_text(hostile)  # as if the card's own law had failed
        picturing(house).add(found)
        with pytest.raises(TimeoutError):
            listener.accept()
    assert told(found, "render/card")["blank"] is False


@with_browser
def test_the_page_of_a_post_that_is_kept_is_photographed_as_anybody_sees_it(
    house: House, snapshot: Callable[..., Snapshot], site: Callable[[str], Site]
) -> None:
    far = site("far")
    page = site(f'<h1>A post</h1><img src="http://127.0.0.2:{far.port}/x.png"><img src="/near.png">')
    found = snapshot(Decision.KEEP, f"http://127.0.0.1:{page.port}/@acme/1145")
    picturing(house).add(found)
    assert size_of(found.bundle.path / "page/screenshot.png") == (WIDE, HIGH)
    label = told(found, "page/screenshot")
    assert (label["what"], label["blank"]) == ("screenshot", False)
    assert label["url"] == found.wanted.target.url
    assert ("/@acme/1145", None) in page.asked
    assert ("/near.png", None) in page.asked
    assert far.asked == []  # a host that is none of the page's is not found


@with_browser
def test_files_of_the_post_are_seen_on_the_host_from_which_the_snapshot_has_read_them(
    house: House, snapshot: Callable[..., Snapshot], site: Callable[[str], Site]
) -> None:
    far = site("far")
    address = f"http://localhost:{far.port}/x.png"
    page = site(f'<h1>A post</h1><img src="{address}">')
    found = snapshot(Decision.KEEP, f"http://127.0.0.1:{page.port}/@acme/1145")
    found.shown = [Shown(url=address, alt=None, type="image/png")]
    piece = Piece("file 1", essential=True)
    piece.captured("media/01.png", "0" * 64)
    found.facts.pieces.append(piece)
    picturing(house).add(found)
    assert ("/x.png", None) in far.asked


@with_browser
def test_a_browser_goes_where_we_have_looked_whatever_a_name_server_tells_it_later(
    house: House, snapshot: Callable[..., Snapshot], site: Callable[[str], Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two servers at one port the first is what the name meant when it was looked at."""
    page = site('<h1>A post</h1><img src="/near.png">')
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", page.port))]
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
        found = snapshot(Decision.KEEP, f"http://nobody.invalid:{page.port}/@acme/1145")
        picturing(house, trusted=("nobody.invalid",)).add(found)
    assert ("/near.png", None) in page.asked
    assert told(found, "page/screenshot")["blank"] is False


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", Unreadable),
        ("http://127.0.0.1/", NotPublic),
        ("http://localhost/", NotPublic),
        ("http://169.254.169.254/latest/meta-data/", NotPublic),
        ("http://[::1]/", NotPublic),
        ("http://[64:ff9b::7f00:1]/", NotPublic),
        ("http://93.184.216.34:6379/", Unreadable),
        ("http://me:word@93.184.216.34/", Unreadable),
        ("javascript:alert(1)", Unreadable),
        ("chrome://version", Unreadable),
    ],
)
def test_no_browser_is_started_for_a_page_in_our_own_network_or_house(
    house: House, snapshot: Callable[..., Snapshot], tmp_path: Path, url: str, why: type[Exception]
) -> None:
    """The address of a post is what its platform said: it may name a file of ours, or what listens only to us."""
    program = tmp_path / "browser"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    with pytest.raises(why):
        picturing(house, trusted=(), chromium=str(program)).add(snapshot(Decision.KEEP, url))
    assert not (tmp_path / "started").exists()


@with_browser
def test_a_page_that_shows_nothing_is_called_blank(
    house: House, snapshot: Callable[..., Snapshot], site: Callable[[str], Site]
) -> None:
    page = site("<!doctype html><body></body>")
    found = snapshot(Decision.KEEP, f"http://127.0.0.1:{page.port}/@acme/1145")
    picturing(house).add(found)
    assert told(found, "page/screenshot")["blank"] is True


def test_a_browser_that_hangs_is_ended_with_all_that_it_started(
    house: House, snapshot: Callable[..., Snapshot], tmp_path: Path
) -> None:
    program = tmp_path / "browser"
    program.write_text("#!/bin/sh\nsleep 60 &\nsleep 60 &\nwait\n")
    program.chmod(0o755)
    with pytest.raises(subprocess.TimeoutExpired):
        picturing(house, within=0.3, chromium=str(program)).add(snapshot(Decision.DELETE, "https://m.example/1"))


def test_a_browser_that_makes_no_picture_is_a_note_and_nothing_else(
    house: House, snapshot: Callable[..., Snapshot], tmp_path: Path
) -> None:
    program = tmp_path / "browser"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    found = snapshot(Decision.DELETE, "https://m.example/1")
    picturing(house, chromium=str(program)).add(found)
    assert found.facts.notes == [NO_SANDBOX.format(code=1)]
    program.write_text("#!/bin/sh\nexit 0\n")
    picturing(house, chromium=str(program)).add(found)
    assert found.facts.notes[1:] == ["the browser made no picture"]
    assert [file.name for file in (found.bundle.path / "render").iterdir()] == ["card.html"]


def test_a_browser_is_told_nothing_of_ours(
    house: House, snapshot: Callable[..., Snapshot], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/guardian")
    program = tmp_path / "browser"
    program.write_text(f"#!/bin/sh\nenv > {tmp_path}/environment\n")
    program.chmod(0o755)
    picturing(house, chromium=str(program)).add(snapshot(Decision.DELETE, "https://m.example/1"))
    names = {line.partition("=")[0] for line in (tmp_path / "environment").read_text().splitlines()}
    assert names <= {"PATH", "HOME", "TMPDIR", "XDG_RUNTIME_DIR", "LANG", "PWD", "OLDPWD", "SHLVL", "_"}


def test_without_a_wish_for_pictures_no_browser_is_started(
    house: House, snapshot: Callable[..., Snapshot], tmp_path: Path
) -> None:
    program = tmp_path / "browser"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    picturing(house, chromium=str(program), render=False).add(snapshot(Decision.DELETE, "https://m.example/1"))
    assert not (tmp_path / "started").exists()
