"""What the doctor knows of proof and practice: the sealing key, the time authorities, the last drill and backup."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guardian.cli import render
from guardian.cli.findings import Finding, unchecked, warning, well, wrong
from guardian.fence.house import House
from guardian.rules.readiness import BACKUP_EVERY, DRILL_EVERY, Verdict, of_age

if TYPE_CHECKING:
    from guardian.config import Settings

LAST_DRILL, LAST_BACKUP = "last-drill.json", "last-backup.json"
MOST = 1 << 16
ENOUGH = 2  # authorities: one may be down, or gone in some years
KEY = "evidence/keys/sealing"

Document = dict[str, Any]


def proof(house: House, settings: "Settings | None") -> Iterator[Finding]:
    """Whether evidence can be sealed, and whether anybody else says when it was."""
    yield _key(f"{house.state_dir}/{KEY}")
    if settings is None:
        return
    named = len(settings.evidence.authorities)
    if named >= ENOUGH:
        yield well("authorities", f"{named} are named")
    else:
        why = "one alone is named" if named else "none is named: only this host says when something was sealed"
        yield warning("authorities", why, "name two of different operators: docs/evidence.md")


def _key(path: str) -> Finding:
    try:
        seen = os.lstat(path)
    except PermissionError:
        return unchecked("key", "its directory is closed to you", "run it as root or as the service user")
    except OSError:
        return wrong("key", "there is none: evidence could not be sealed before a takedown", "guardian init")
    if seen.st_mode & 0o077:
        mode = stat.S_IMODE(seen.st_mode)
        return wrong("key", f"others may read it (mode {mode:04o})", f"chmod 600 {path}; guardian evidence rotate-key")
    return well("key", "there")


def practice(house: House, *, now: int) -> Iterator[Finding]:
    """When somebody last drilled, and when a backup was last made."""
    yield _last(house, "drill", LAST_DRILL, every=DRILL_EVERY, now=now, fix="guardian drill")
    yield _last(house, "backup", LAST_BACKUP, every=BACKUP_EVERY, now=now, fix="guardian backup")


def _last(house: House, check: str, name: str, *, every: int, now: int, fix: str) -> Finding:
    path = Path(house.state_dir, name)
    try:
        found = read(path)
    except PermissionError:
        return unchecked(check, f"{path} is closed to you", "run it as root or as the service user")
    if found is None:
        return warning(check, f"none is known ({path} is not there)", fix)
    at = found.get("at")
    if not isinstance(at, int) or not isinstance(found.get("ok"), bool):
        return warning(check, f"{path} cannot be understood", fix)
    when = render.local(at)
    if not found["ok"]:
        why = f": {found['why']}" if found.get("why") else ""
        return wrong(check, f"the last one, of {when}, failed{why}", fix)
    verdict = of_age(at, now=now, every=every)
    days = max(now - at, 0) // 86_400_000
    words = f"the last one was {render.count(days, 'day')} ago ({when})"
    return well(check, words) if verdict is Verdict.WELL else warning(check, words, fix)


def read(path: Path) -> Document | None:
    """What such a file says; None where it is not there, an empty one where it is no such thing."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST)
    except FileNotFoundError:
        return None
    except PermissionError:
        raise
    except OSError:
        return {}
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
