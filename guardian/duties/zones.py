"""Wall times: computed anew when the rules of their zone have changed. Called at start and, now and then, by the watch.

Governments change their clocks with weeks' notice, and a plan is a year long: a post for nine o'clock in the morning is
for nine o'clock by the rules of that day. Every difference stands in the journal.
"""

from __future__ import annotations

import hashlib
import zoneinfo
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from guardian.errors import Mistake
from guardian.rules import timing
from guardian.store import journal
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardian.store.database import Database, Tx

WHO = "guardian"
MOST_NAMED = 500  # in one line of the journal; there are as many lines as it takes
MOST_BYTES = 1 << 20
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Moved:
    """A post whose wall time is another moment by the new rules; both in milliseconds UTC."""

    post: str
    was: int
    now: int
    note: str | None


class Zones:
    """The zones that waiting posts are planned in. `rules` finds what tells a zone's rules from others."""

    def __init__(
        self, *, database: Database, clock: Callable[[], int], rules: Callable[[str], str] | None = None
    ) -> None:
        self.database = database
        self.clock = clock
        self.rules = rules or fingerprint

    def follow(self) -> list[Moved]:
        """Compute anew what was computed by other rules than those that this machine has now; what has moved."""
        with self.database.reading() as tx:
            changed = [(zone, self.rules(zone)) for zone in _in_use(tx)]
            changed = [(zone, now) for zone, now in changed if Q.zone_fingerprint(tx, zone=zone) != now]
        if changed:
            zoneinfo.ZoneInfo.clear_cache()
        return [moved for zone, rules in changed for moved in self._follow(zone, rules)]

    def _follow(self, zone: str, rules: str) -> list[Moved]:
        now = self.clock()
        with self.database.transaction() as tx:
            known = Q.zone_fingerprint(tx, zone=zone)
            moved = list(_moved(tx, zone, now))
            for one in moved:
                Q.retime_post(tx, id=one.post, at=one.now, now=now)
            Q.set_zone_fingerprint(tx, zone=zone, fingerprint=rules)
            for start in range(0, len(moved), MOST_NAMED):
                named = [[one.post, one.was, one.now, one.note] for one in moved[start : start + MOST_NAMED]]
                journal.append(tx, "retimed", who=WHO, now=now, zone=zone, count=len(moved), moved=named)
        if moved:
            log.warning("wall times moved", zone=zone, posts=len(moved), because="the rules of the zone have changed")
        elif known is not None:
            log.info("a zone has new rules", zone=zone, posts=0)
        return moved


def fingerprint(zone: str) -> str:
    """One hash over the rules that this machine has for a zone; empty when it has none any more."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder, zone)
        if path.is_file():
            with path.open("rb") as file:
                return hashlib.sha256(file.read(MOST_BYTES)).hexdigest()
    try:
        packed = resources.files("tzdata").joinpath("zoneinfo", *zone.split("/"))
        return hashlib.sha256(packed.read_bytes()).hexdigest()
    except (OSError, ModuleNotFoundError):
        return ""


def _in_use(tx: Tx) -> list[str]:
    return [row["zone"] for row in Q.zones_of_walls(tx)]


def _moved(tx: Tx, zone: str, now: int) -> Iterator[Moved]:
    """A zone that is not there any more moves nothing: the time that was computed once is the best there is."""
    for row in list(Q.posts_of_wall(tx, zone=zone)):
        try:
            found = timing.resolve(row["wall"], zone, now=now, default_zone=zone)
        except Mistake:
            log.exception("cannot compute a wall time", post=row["id"], zone=zone)
            continue
        if found.at != row["at"]:
            yield Moved(row["id"], row["at"], found.at, found.note)
