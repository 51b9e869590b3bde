"""The peers as carriers: each sends the posts that wait, four at a time, to the same sink; how many in a second.

A job is one bare request, without a platform's library. The jobs wait before the workers start, and what is counted is
the middle of them, so that neither the start nor the end of the workers is in the figure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench import peers
from bench.goals import PER_SECOND
from bench.peers import PROGRAMS, PYTHON
from bench.timing import Measured, Missing, missing, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.house import Sink
    from bench.timing import Sample

SIMPLE, FORKING = "RQ, 4 simple workers", "RQ, 4 forking workers"
CELERY, BULLMQ, PROCRASTINATE = "Celery, 4 processes", "BullMQ, concurrency 4", "procrastinate, concurrency 4"
ALL = (SIMPLE, FORKING, CELERY, BULLMQ, PROCRASTINATE)
AT_ONCE = 4
MIDDLE = 0.1, 0.9
WITHIN = 60.0
READY_WITHIN = 20.0
RQ_PRELOADED = "import peer_jobs, rq.cli; rq.cli.main()"  # else every fork would import the job first


class Carrier(NamedTuple):
    """A peer's own commands: how jobs get into it, what works on them, and how many such workers."""

    name: str
    feed: Sequence[str]
    work: Sequence[str]
    workers: int
    jobs: int


def carriers(stack: ExitStack, directory: Path, sink: Sink) -> list[Measured]:
    """All of them that can be had here."""
    found: list[Measured] = []
    place = {"BENCH_SINK": sink.url.removeprefix("http://")}
    try:
        address = peers.redis(stack, directory)
        peers.install_python()
    except (Missing, OSError, subprocess.SubprocessError) as error:
        found += [missing(name, str(error)) for name in (SIMPLE, FORKING, CELERY)]
    else:
        environment = peers.surroundings(address) | place
        plain = {key: value for key, value in environment.items() if key != "BENCH_BROKER"}  # RQ needs no Celery
        found += [_measured(one, plain, directory, sink) for one in _rq(address)]
        found.append(_measured(_celery(address), environment, directory, sink))
    try:
        peers.install_node()
        found.append(_measured(_bullmq(address), environment, directory, sink))
    except (Missing, OSError, subprocess.SubprocessError, NameError) as error:
        found.append(missing(BULLMQ, str(error)))
    try:
        address = postgres(stack)
        environment = {**os.environ, "BENCH_POSTGRES": address, "PYTHONPATH": str(PROGRAMS), **place}
        whole("schema", [str(PYTHON / "procrastinate"), "--app", "peer_jobs.queue", "schema", "--apply"],
              environment=environment)  # fmt: skip
        found.append(_measured(_procrastinate(address), environment, directory, sink))
    except (Missing, OSError, subprocess.SubprocessError) as error:
        found.append(missing(PROCRASTINATE, str(error)))
    return found


def _feed(which: str, address: str, count: int) -> list[str]:
    return [str(PYTHON / "python"), str(PROGRAMS / "peer_feed.py"), which, address, str(count)]


def _rq(address: str) -> tuple[Carrier, Carrier]:
    program = [str(PYTHON / "python"), "-c", RQ_PRELOADED]
    work = [*program, "worker", "--logging_level", "WARNING", "-u", f"unix://{address}"]
    simple = [*work, "--worker-class", "rq.worker.SimpleWorker", "bench"]
    return (
        Carrier(SIMPLE, _feed("rq", address, 2000), simple, AT_ONCE, 2000),
        Carrier(FORKING, _feed("rq", address, 400), [*work, "bench"], AT_ONCE, 400),
    )


def _celery(address: str) -> Carrier:
    words = [str(PYTHON / "celery"), "-A", "peer_jobs", "worker", "-Q", "bench", "-c", str(AT_ONCE)]
    return Carrier(
        CELERY, _feed("celery", address, 2000), [*words, "--without-gossip", "--without-mingle"], 1, 2000
    )  # fmt: skip


def _bullmq(address: str) -> Carrier:
    node = ["node", str(PROGRAMS / "bullmq.js"), address]
    return Carrier(BULLMQ, [*node, "feed", "4000"], [*node, "work"], 1, 4000)


def _procrastinate(address: str) -> Carrier:
    work = [str(PYTHON / "procrastinate"), "--app", "peer_jobs.queue", "worker", "-q", "bench", "-c", str(AT_ONCE)]
    return Carrier(PROCRASTINATE, _feed("procrastinate", address, 1000), work, 1, 1000)


def _measured(carrier: Carrier, environment: dict[str, str], directory: Path, sink: Sink) -> Measured:
    def take() -> Sample:
        sink.clear()
        whole(carrier.name, carrier.feed, environment=environment)
        with ExitStack() as stack:
            for _ in range(carrier.workers):
                peers.start(stack, carrier.work, environment, directory)
            try:
                sink.wait(carrier.jobs, WITHIN)
            except TimeoutError as error:
                raise Missing(str(error)) from None
        return {carrier.name + PER_SECOND: rate(sink.arrivals())}

    return Measured(carrier.name, take)


def rate(arrivals: Sequence[tuple[int, float, int]]) -> float:
    """Posts in a second, in the middle of what came."""
    times = sorted(one[0] for one in arrivals)
    first, last = (int(share * (len(times) - 1)) for share in MIDDLE)
    return (last - first) / ((times[last] - times[first]) / 1e9)


def postgres(stack: ExitStack) -> str:
    """A PostgreSQL of our own, as durable as it is by itself, that listens on no port: how to reach it.

    Raises Missing.
    """
    binaries = _postgres_binaries()
    directory = Path(tempfile.mkdtemp(prefix="bench-postgres-"))
    stack.callback(shutil.rmtree, directory, ignore_errors=True)
    who: dict[str, Any] = {}
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(directory, "postgres", "postgres")
        who = {"user": "postgres", "group": "postgres", "extra_groups": []}
    data = directory / "data"
    made = subprocess.run([binaries / "initdb", "-D", data, "-A", "trust", "-U", "postgres"],
                          capture_output=True, timeout=60, check=False, cwd=directory, **who)  # fmt: skip
    if made.returncode:
        raise Missing(f"initdb failed: {made.stderr.decode('utf-8', 'replace').strip().splitlines()[-1:]}")
    words = [str(binaries / "postgres"), "-D", str(data), "-k", str(directory), "-c", "listen_addresses="]
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, cwd=directory, **who)
    stack.callback(peers.end, process)
    until = time.monotonic() + READY_WITHIN
    while not (directory / ".s.PGSQL.5432").exists():
        if time.monotonic() > until or process.poll() is not None:
            raise Missing("PostgreSQL does not start")
        time.sleep(0.05)
    return f"host={directory} user=postgres dbname=postgres"


def _postgres_binaries() -> Path:
    if (found := shutil.which("initdb")) is not None:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not versions:
        raise Missing("there is no PostgreSQL (Debian: postgresql)")
    return versions[-1].parent
