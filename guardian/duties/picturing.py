"""A picture of the post through a browser, where one is installed: after the act, bounded in time, and never a proof.

Of a post that is kept the platform's own page is photographed, as anybody sees it (a *screenshot*). Of one that is gone
there is no page any more: then the card that we made is (a *rendering*, and called so). The finishing thread calls.

A browser is a large program that reads what strangers wrote: it knows nothing of ours (an environment and a profile of
its own, no token), finds no host but those of the page, for a rendering none at all, and is ended with its children.
The page's own address is what a platform said, too: it is looked at by the rules of the public reader, its name is
resolved by us, once, and the browser is told the address that was looked at.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.errors import GuardianError, Unfound
from guardian.evidence import canonical
from guardian.evidence.record import Status
from guardian.model import Decision
from guardian.rules.blankness import is_blank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from guardian.config.in_force import InForce
    from guardian.duties.snapshot import Snapshot
    from guardian.gate.public import PublicReader, Way

NAMES = ("chromium", "chromium-browser", "google-chrome")
WITHIN = 15.0  # an ending daemon waits for it, and systemd for the daemon
GONE_WITHIN = 3.0
MOST = 16 << 20
SIZE = "900,1400"
HOST_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._:[]")
SCREENSHOT = (
    "what a browser without an account showed at this address; where a server does not answer, or asks for a login, "
    "that is what it shows"
)
NO_SANDBOX = (
    "no picture: the browser ended with {code}, as it does where it may not make a sandbox of its own, under "
    "guardian.service for one; it is not run without (docs/running.md)"
)
RENDERING = "a RENDERING that our program made from the data, and no screenshot of the platform's page"


class Picturing:
    """Takes pictures."""

    def __init__(
        self,
        in_force: InForce,
        *,
        clock: Callable[[], int],
        public: Callable[[str], PublicReader | None],
        within: float = WITHIN,
    ) -> None:
        """`public` reads without a token for an account, by its name; a browser may run for `within` seconds."""
        self.in_force = in_force
        self.clock = clock
        self.public = public
        self.within = within

    def add(self, snapshot: Snapshot) -> None:
        """Add a picture and what it is of; does nothing without a browser.

        Raises OSError, SubprocessError, and GuardianError for a page that nobody could be shown.
        """
        settings = self.in_force.settings.evidence
        browser = settings.chromium or next((found for name in NAMES if (found := shutil.which(name))), None)
        if not settings.render or not browser:
            return
        wanted = snapshot.wanted
        if wanted.light:
            snapshot.facts.notes.append("no picture: it was one of many")
            return
        decision = wanted.order.decision
        live = (decision is Decision.KEEP or decision.is_limit) and wanted.target.url is not None
        url = wanted.target.url if live else (snapshot.bundle.path / "render" / "card.html").as_uri()
        at = self.clock()
        data, code = self._photograph(browser, str(url), self._ways(snapshot) if live else ())
        if not data:
            snapshot.facts.notes.append("the browser made no picture" if code == 0 else NO_SANDBOX.format(code=code))
            return
        name = "page/screenshot.png" if live else "render/card.png"
        told = {
            "what": "screenshot" if live else "rendering", "means": SCREENSHOT if live else RENDERING,
            "url": wanted.target.url, "file": name, "at_ms": at, "blank": is_blank(data),
            "vantage": "this computer, without credentials, a fresh profile" if live else "from the bundle's own files",
        }  # fmt: skip
        with snapshot.writing():
            snapshot.bundle.add(name, data)
            snapshot.bundle.add(name.removesuffix(".png") + ".json", canonical.written(told))

    def _ways(self, snapshot: Snapshot) -> list[Way]:
        """Where the page and its files come from: its own host, and those from which the snapshot has read a file."""
        target = snapshot.wanted.target
        public = self.public(target.account)
        if public is None:
            raise Unfound(f"cannot look at {target.url}, because {target.account} is not configured any more")
        found = [public.way(str(target.url))]
        read = {piece.what for piece in snapshot.facts.pieces if piece.status is Status.CAPTURED}
        for nr, shown in enumerate(snapshot.shown, 1):
            if f"file {nr}" in read:
                with suppress(GuardianError):  # then the page is photographed without it
                    found.append(public.way(shown.url))
        return [way for way in found if set(way.host) <= HOST_LETTERS]

    def _photograph(self, browser: str, url: str, ways: Iterable[Way]) -> tuple[bytes, int]:
        """What the browser shows of an address, empty when it showed nothing, or too much; and how it ended."""
        with tempfile.TemporaryDirectory(prefix="guardian-picture-", ignore_cleanup_errors=True) as own:
            picture = Path(own) / "page.png"
            code = _run(_words(browser, own, picture, url, ways), own, self.within)
            return picture.read_bytes() if picture.exists() and picture.stat().st_size <= MOST else b"", code


def _words(browser: str, own: str, picture: Path, url: str, ways: Iterable[Way]) -> list[str]:
    """`--no-sandbox` for root alone, where Chromium refuses to run otherwise; the daemon of an operator is not root.

    Of the rules for names the first that fits counts; they hold for addresses that are written out as well.
    """
    known = [f"MAP {_place(way.host, way.port)} {_place(way.address, way.port)}" for way in ways]
    rules = ", ".join([*dict.fromkeys(known), "MAP * ~NOTFOUND"])
    return [
        browser, "--headless", "--disable-gpu", *(("--no-sandbox",) if os.geteuid() == 0 else ()),
        "--disable-dev-shm-usage", "--hide-scrollbars", "--disable-extensions", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-breakpad", "--no-pings", "--no-proxy-server",
        "--no-first-run", "--no-default-browser-check", "--disable-features=DnsOverHttps,MediaRouter,Translate",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        f"--host-resolver-rules={rules}", f"--user-data-dir={own}/profile", f"--window-size={SIZE}",
        "--virtual-time-budget=3000", f"--screenshot={picture}", url,
    ]  # fmt: skip


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _run(words: Sequence[str], own: str, within: float) -> int:
    """The browser, for so many seconds; then it and all that it started are ended. How it ended by itself."""
    child = subprocess.Popen(  # noqa: S603 (the program that the operator named, or the system's own)
        list(words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=own,
        env={"PATH": os.defpath, "HOME": own, "TMPDIR": own, "XDG_RUNTIME_DIR": own, "LANG": "C.UTF-8"},
        process_group=0,
    )
    try:
        return child.wait(within)
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """With its whole group: a browser has children, which write into its directory as long as they live."""
    until = time.monotonic() + GONE_WITHIN
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    with suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < until:
            os.killpg(child.pid, signal.SIGKILL)
            time.sleep(0.02)
