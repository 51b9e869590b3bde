"""Other people's programs read our export: pywb replays it, byte for byte, and py-wacz calls it valid.

Both are installed from PyPI into an environment of their own (`.venv-replay`, 100 MB, once): they are no dependencies
of ours, and bring half a hundred packages along.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.evidence import Bundle, signing, wacz
from tests.evidence.building import NOW, exchange
from tests.torture.results import NotRunError, Result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.torture.results import Options

PLACE = Path(__file__).resolve().parents[2] / ".venv-replay"
PACKAGES = ("pywb==2.10.0", "wacz==0.6.0")
INSTALLING, STARTING, ASKING = 600, 40, 20  # seconds
KINDS = ("image/jpeg", "image/png", "video/mp4", "application/json")
STAMP = "20261118110640"


def replayed(options: Options) -> Result:
    """Each answer of a bundle, asked from pywb: the bytes are those that the platform sent."""
    tools = _tools()
    addresses = {f"https://cdn.m.example/Media/{n:02}.bin?size=Original&n={n}": n for n in range(options.times(12, 4))}
    answers = {url: _bytes(n) for url, n in addresses.items()}
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        home = Path(folder)
        out = _exported(home, answers)
        valid = _run(tools / "wacz", "validate", "-f", str(out), cwd=home)
        wrong = "" if valid.returncode == 0 else f"py-wacz: {valid.stdout.strip()[-200:]}"
        with _serving(tools, home, out) as address:
            lost = [url for url, data in answers.items() if _asked(f"{address}/{STAMP}id_/{url}") != data]
    return Result(
        name="replay",
        trials=len(answers),
        late=0,
        lost=len(lost),
        double=0,
        worst=0.0,
        holds=not lost and not wrong,
        note="; ".join(filter(None, (wrong, *lost[:3]))),
    )


def _tools() -> Path:
    """Where the programs are, installed if need be. Raises NotRunError without PyPI."""
    ready = PLACE / f".ready-{'-'.join(PACKAGES)}"
    if not ready.exists():
        pip = [str(PLACE / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
        try:
            for command in ([sys.executable, "-m", "venv", str(PLACE)], pip):
                subprocess.run(command, check=True, capture_output=True, timeout=INSTALLING)
        except (OSError, subprocess.SubprocessError) as error:
            raise NotRunError(f"pywb cannot be installed from PyPI: {str(error)[:200]}") from error
        ready.touch()
    return PLACE / "bin"


def _exported(home: Path, answers: dict[str, bytes]) -> Path:
    bundle = Bundle.create(home / "evidence", account="acme", platform="mastodon", platform_id="1145", at=NOW)
    bundle.exchange(exchange())
    for n, (url, data) in enumerate(answers.items()):
        headers = (("Content-Type", KINDS[n % len(KINDS)]), ("Content-Length", str(len(data))))
        chunked = (headers[0], ("Transfer-Encoding", "chunked"))
        answer = exchange(url=url, body=data, response_headers=chunked if n % 3 == 0 else headers)
        bundle.exchange(answer, others=n % 4 == 3)
    bundle.seal(signing.make(home / "key"), at=NOW + 500)
    wacz.export(bundle, home / "evidence.wacz", others=True)
    return home / "evidence.wacz"


@contextlib.contextmanager
def _serving(tools: Path, home: Path, out: Path) -> Iterator[str]:
    """The address of the collection, while pywb replays it."""
    for arguments in (("init", "coll"), ("add", "--unpack-wacz", "coll", str(out))):
        done = _run(tools / "wb-manager", *arguments, cwd=home)
        assert done.returncode == 0, done.stdout[-500:]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(tools / "wayback"), "-b", "127.0.0.1", "-p", str(port)]
    with (home / "log").open("wb") as log, subprocess.Popen(command, cwd=home, stdout=log, stderr=log) as server:
        try:
            _wait(port, server)
            yield f"http://127.0.0.1:{port}/coll"
        finally:
            server.kill()


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + STARTING
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise NotRunError(f"pywb did not start within {STARTING} s")


def _asked(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=ASKING) as answer:  # noqa: S310 (loopback)
            return bytes(answer.read(1 << 24))
    except urllib.error.URLError:
        return None


def _run(program: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [str(program), *arguments]
    return subprocess.run(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False
    )


def _bytes(n: int) -> bytes:
    """A file of its own for each n, with every byte in it; some are larger than any buffer."""
    return bytes(range(256)) * (4 + n * 40) + hashlib.sha256(bytes([n])).digest()
