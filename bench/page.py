"""docs/performance.md, written by the run that measured it: nobody copies figures by hand.

One page, one section for each benchmark; a run that measures only some replaces only theirs.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench import peers
from bench.goals import PER_SECOND
from tests.torture.daemon import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.goals import Line
    from bench.timing import Taken

PATH = ROOT / "docs" / "performance.md"
ORDER = ("stop", "growth", "dispatch", "lateness", "starting", "accounts", "intake", "takedown")
HEAD = """\
# Performance

Written by `make bench`; do not edit by hand. What stands in one section was measured in turn in one run: machines
differ and other work disturbs, so the ratios count, and the milliseconds are those of this machine under this load. One
section again: `make bench WHAT=dispatch`.

"""
SECTION = re.compile(r"<!-- (\w+) -->\n(.*?)<!-- end -->\n", re.DOTALL)
ROW = re.compile(r"^\| (.+) \| (.+) \| (.+) \| (.+) \| (reached|MISSED|not measured) \|$", re.MULTILINE)


class Section(NamedTuple):
    """A benchmark's part of the page. `about` says how it was measured; `peers`: their versions belong to it."""

    name: str
    title: str
    about: str
    peers: bool = False


def publish(
    section: Section,
    ratios: Sequence[Line],
    taken: Taken,
    absent: Sequence[str],
    before: tuple[float, float, float],
    *,
    path: Path = PATH,
) -> None:
    """Print what came out, and put it into the page."""
    print(f"\n{section.title}")
    for one in ratios:
        print("  " + "  ".join((f"{one.what:<45}", f"{one.ratio:>8} {one.beside:<46}", one.goal, one.verdict)))
    for name in taken.figures:
        print(f"    {name:<72} {taken.p50(name):10.1f} {_worst(taken, name):10.1f}")
    print("\n".join(f"  not measured: {one}" for one in absent), flush=True)
    text = "\n".join(
        (*_where(before, with_peers=section.peers), "", *_tables(ratios, taken, absent), "", section.about)
    )
    known = dict(SECTION.findall(path.read_text("utf-8"))) if path.exists() else {}
    known[section.name] = f"## {section.title}\n\n{text}"
    path.write_text(composed(known), "utf-8")


def composed(known: dict[str, str]) -> str:
    """The page of these sections, with what came of all goals first."""
    found = ROW.findall("".join(known.values()))
    told = [
        f"{sum(row[-1] == verdict for row in found)} {verdict}" for verdict in ("reached", "MISSED", "not measured")
    ]
    lines = [f"**{len(found)} goals: {', '.join(told)}.**", ""]
    lines += [f"* {row[-1]}: {row[0]} ({row[1]} {row[2]}, goal {row[3]})" for row in found if row[-1] != "reached"]
    names = [*ORDER, *(name for name in known if name not in ORDER)]
    parts = [f"<!-- {name} -->\n{known[name]}<!-- end -->\n" for name in names if name in known]
    return HEAD + "\n".join(lines).strip() + "\n\n" + "\n".join(parts)


def _tables(ratios: Sequence[Line], taken: Taken, absent: Sequence[str]) -> list[str]:
    rows = ["| what | ratio | to | goal | |", "|---|---|---|---|---|"]
    rows += [f"| {' | '.join(one)} |" for one in ratios]
    rows += ["", "| in ms, unless it says otherwise | p50 | p99 (of fewer than 100: worst) | n |", "|---|---|---|---|"]
    rows += [
        f"| {name} | {taken.p50(name):.1f} | {_worst(taken, name):.1f} | {len(found)} |"
        for name, found in taken.figures.items()
    ]
    return rows + [f"\nNot measured: {one}" for one in absent]


def _worst(taken: Taken, name: str) -> float | None:
    return min(taken.figures[name]) if name.endswith(PER_SECOND) else taken.p99(name)


def _where(before: tuple[float, float, float], *, with_peers: bool) -> list[str]:
    """Machine, versions, date, load."""
    now = os.getloadavg()
    facts = [
        ("date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_said('git', 'rev-parse', '--short', 'HEAD')}"),
        ("machine", f"{os.cpu_count()} x {_processor()}, Linux {platform.release()}"),
        ("load (1, 5 min)", f"{before[0]:.1f}, {before[1]:.1f} before; {now[0]:.1f}, {now[1]:.1f} after"),
        ("versions", f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"),
    ]
    if with_peers:
        servers = (_said("redis-server", "--version").partition(" sha")[0], _said("postgres", "--version"))
        facts.append(("peers", f"{peers.versions()}, {', '.join(servers)}, node {_said('node', '--version')}"))
    told = [f"* {name}: {value}" for name, value in facts]
    if before[0] > (os.cpu_count() or 1):
        told += ["", "The machine was busy with other work, so that the milliseconds are not those of an idle one."]
    return told


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _said(*words: str) -> str:
    """What a program says of itself; a dash where it is not there."""
    if shutil.which(words[0]) is None:
        return "-"
    return subprocess.run(words, capture_output=True, text=True, timeout=20, check=False).stdout.strip() or "-"
