"""A picture of the post through a browser, where one is installed: after the act, bounded in time, and never a proof.

Of a post that is kept the platform's own page is photographed, as anybody sees it (a *screenshot*). Of one that is gone
there is no page any more: then the card that we made is (a *rendering*, and called so). The finishing thread calls.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.evidence import canonical
from guardian.model import Decision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardian.config.in_force import InForce
    from guardian.duties.capturing import Snapshot

NAMES = ("chromium", "chromium-browser", "google-chrome")
WITHIN = 20.0
MOST = 16 << 20
SIZE = "900,1400"
SMALLEST = 4096  # bytes: a page with anything on it is larger


class Picturing:
    """Takes pictures."""

    def __init__(self, in_force: InForce) -> None:
        self.in_force = in_force

    def add(self, snapshot: Snapshot) -> None:
        """Add a picture and what it is of. Raises OSError, SubprocessError; does nothing without a browser."""
        settings = self.in_force.settings.evidence
        browser = settings.chromium or next((found for name in NAMES if (found := shutil.which(name))), None)
        if not settings.render or not browser:
            return
        wanted = snapshot.wanted
        live = wanted.order.decision is Decision.KEEP and wanted.target.url is not None
        url = wanted.target.url if live else (snapshot.bundle.path / "render" / "card.html").as_uri()
        with tempfile.TemporaryDirectory(prefix="guardian-picture-") as profile:
            picture = Path(profile) / "page.png"
            _run(_words(browser, profile, picture, str(url)))
            data = picture.read_bytes() if picture.exists() and picture.stat().st_size <= MOST else b""
        if not data:
            snapshot.facts.notes.append("the browser made no picture")
            return
        name = "page/screenshot.png" if live else "render/card.png"
        told = {
            "what": "screenshot" if live else "rendering", "url": wanted.target.url, "file": name,
            "at_ms": snapshot.facts.began_at, "vantage": "without credentials, a fresh profile",
            "blank": len(data) < SMALLEST,
        }  # fmt: skip
        with snapshot.lock:
            snapshot.bundle.add(name, data)
            snapshot.bundle.add(name.removesuffix(".png") + ".json", canonical.written(told))


def _words(browser: str, profile: str, picture: Path, url: str) -> list[str]:
    return [
        browser, "--headless", "--disable-gpu", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars",
        "--disable-extensions", "--disable-background-networking", "--disable-sync", "--no-first-run",
        "--no-default-browser-check", f"--user-data-dir={profile}", f"--window-size={SIZE}",
        "--virtual-time-budget=3000", f"--screenshot={picture}", url,
    ]  # fmt: skip


def _run(words: Sequence[str]) -> None:
    """The browser, for so many seconds; then it and all that it started are ended."""
    child = subprocess.Popen(  # noqa: S603 (the program that the operator named, or the system's own)
        list(words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    try:
        child.wait(WITHIN)
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """With its whole group: a browser has children."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
