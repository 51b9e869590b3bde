"""The peers, each with its own way to stop, as a command: installed into bench/.peers/, with a worker that is busy.

From the start of the command until its prompt returns is its figure: none of them promises anything else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.timing import LONGEST, Measured, Missing, missing, whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack

    from bench.timing import Sample

PROGRAMS = Path(__file__).parent / "peer_programs"
HOME = Path(__file__).parent / ".peers"
PINS = PROGRAMS / "pins.toml"
PYTHON = HOME / "venv" / "bin"
RQ, CELERY, BULLMQ = "RQ: rq suspend", "Celery: control cancel_consumer", "BullMQ: queue.pause()"
ALL = (RQ, CELERY, BULLMQ)
JOBS = 400
RUNS_WITHIN = 30.0
INSTALL_WITHIN = 180
END_WITHIN = 10.0


class Peer(NamedTuple):
    """A peer's own commands. `waiting` counts the jobs that no worker has taken yet."""

    name: str
    work: Sequence[str]
    feed: Sequence[str]
    pause: Sequence[str]
    resume: Sequence[str]
    waiting: Sequence[str]


def peers(stack: ExitStack, directory: Path) -> list[Measured]:
    """All of them, on one Redis of our own; it and the workers end with the stack."""
    try:
        address = redis(stack, directory)
    except Missing as error:
        return [missing(name, str(error)) for name in ALL]
    environment = surroundings(address)
    found = []
    for install, known in ((install_python, (_rq(address), _celery(address))), (install_node, (_bullmq(address),))):
        try:
            install()
        except (Missing, OSError, subprocess.SubprocessError) as error:
            found += [missing(peer.name, f"cannot be installed ({error})") for peer in known]
        else:
            found += [_measured(stack, peer, environment, directory) for peer in known]
    return found


def redis(stack: ExitStack, directory: Path) -> str:
    """A Redis of our own that listens on no port and keeps nothing: its socket. Raises Missing."""
    if shutil.which("redis-server") is None or shutil.which("redis-cli") is None:
        raise Missing("there is no redis-server (Debian: redis-server)")
    address = str(directory / "redis.sock")
    quiet = ["--save", "", "--appendonly", "no", "--dir", str(directory)]
    start(stack, ["redis-server", "--port", "0", "--unixsocket", address, *quiet], dict(os.environ), directory)
    return address


def surroundings(address: str) -> dict[str, str]:
    """The environment in which a peer's programs run."""
    return {
        **os.environ,
        "BENCH_BROKER": f"redis+socket://{address}",
        "NODE_PATH": str(HOME / "node_modules"),
        "PYTHONPATH": str(PROGRAMS),
    }


def versions() -> str:
    """What is pinned, in one line."""
    return ", ".join(f"{name} {version}" for table in _pins().values() for name, version in table.items())


def _rq(address: str) -> Peer:
    rq, url = str(PYTHON / "rq"), ["-u", f"unix://{address}"]
    return Peer(
        RQ,
        [rq, "worker", "--worker-class", "rq.worker.SimpleWorker", *url, "bench"],
        [str(PYTHON / "python"), str(PROGRAMS / "peer_feed.py"), "rq", address, str(JOBS)],
        [rq, "suspend", *url],
        [rq, "resume", *url],
        ["redis-cli", "-s", address, "LLEN", "rq:queue:bench"],
    )


def _celery(address: str) -> Peer:
    celery = [str(PYTHON / "celery"), "-A", "peer_jobs"]
    return Peer(
        CELERY,
        [*celery, "worker", "-Q", "bench", "-c", "4", "--without-gossip", "--without-mingle"],
        [str(PYTHON / "python"), str(PROGRAMS / "peer_feed.py"), "celery", address, str(JOBS)],
        [*celery, "control", "cancel_consumer", "bench"],
        [*celery, "control", "add_consumer", "bench"],
        ["redis-cli", "-s", address, "LLEN", "bench"],
    )


def _bullmq(address: str) -> Peer:
    node = ["node", str(PROGRAMS / "bullmq.js"), address]
    return Peer(
        BULLMQ,
        [*node, "work"],
        [*node, "feed", str(JOBS)],
        [*node, "pause"],
        [*node, "resume"],
        ["redis-cli", "-s", address, "EVAL", "return redis.call('LLEN','bull:bench:wait')", "0"],
    )


def _measured(stack: ExitStack, peer: Peer, environment: dict[str, str], directory: Path) -> Measured:
    started = False

    def take() -> Sample:
        nonlocal started
        if not started:
            start(stack, peer.work, environment, directory)
            started = True
        else:
            whole(peer.name, peer.resume, environment=environment)
        _get_busy(peer, environment)
        return whole(peer.name, peer.pause, environment=environment)

    return Measured(peer.name, take)


def _get_busy(peer: Peer, environment: dict[str, str]) -> None:
    """Jobs wait, and a worker takes one after the other; left paused, it disturbs nobody else's turn."""
    if _waiting(peer) < JOBS // 2:
        whole(peer.name, peer.feed, environment=environment)
    before, until = _waiting(peer), time.monotonic() + RUNS_WITHIN
    while before <= _waiting(peer):
        if time.monotonic() > until:
            raise Missing("its worker takes no jobs")
        time.sleep(0.01)


def _waiting(peer: Peer) -> int:
    said = subprocess.run(peer.waiting, capture_output=True, check=True, timeout=LONGEST).stdout
    return int(said or 0)


def start(stack: ExitStack, words: Sequence[str], environment: dict[str, str], directory: Path) -> None:
    """A server or a worker, ended by its pid with the stack."""
    with (directory / f"{Path(words[0]).name}.log").open("ab") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, env=environment, cwd=directory)
    stack.callback(end, process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process of ours, by its pid."""
    process.terminate()
    try:
        process.wait(END_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(END_WITHIN)


def _pins() -> dict[str, dict[str, str]]:
    return tomllib.loads(PINS.read_text("utf-8"))


def install_python() -> None:
    """What is pinned, into a virtual environment. Raises Missing."""
    wanted = [f"{name}=={version}" for name, version in _pins()["python"].items()]
    _once("python", wanted, [
        [sys.executable, "-m", "venv", "--clear", str(HOME / "venv")],
        [str(PYTHON / "pip"), "install", "--quiet", "--disable-pip-version-check", *wanted],
    ])  # fmt: skip


def install_node() -> None:
    """What is pinned, into node_modules. Raises Missing."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise Missing("there is no node or no npm")
    wanted = [f"{name}@{version}" for name, version in _pins()["node"].items()]
    quiet = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--loglevel=error"]
    _once("node", wanted, [["npm", "install", *quiet, "--prefix", str(HOME), *wanted]])


def _once(which: str, wanted: list[str], steps: list[list[str]]) -> None:
    """Install, unless exactly this was installed before."""
    done = HOME / f"{which}.installed"
    if done.exists() and done.read_text("utf-8") == "\n".join(wanted):
        return
    HOME.mkdir(exist_ok=True)
    print(f"  installing {', '.join(wanted)} into {HOME}", flush=True)
    for words in steps:
        whole_of = subprocess.run(words, capture_output=True, timeout=INSTALL_WITHIN, check=False)
        if whole_of.returncode:
            raise Missing(whole_of.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or words[0])
    done.write_text("\n".join(wanted), "utf-8")
