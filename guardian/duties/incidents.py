"""The incident's record while it is made: who says what, as lines of the journal. Called by API threads.

Whatever is said here is a line that nobody changes afterwards; what is wrong is corrected by a later line. Notes and
actions may come after the end: whoever writes the after-action report learns things then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.errors import Mistake, Unfound
from guardian.store import incidents, journal, posts

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.model import Entry, Incident
    from guardian.store.database import Database, Tx

CURRENT, LATEST = "current", "latest"
CLASSES = ("product", "service", "brand", "statement")
SEVERITIES = ("low", "medium", "high", "critical")


class Incidents:
    """Opens, tells, closes."""

    def __init__(self, *, database: Database, clock: Callable[[], int]) -> None:
        self.database = database
        self.clock = clock

    def open(self, reason: str, *, who: str) -> tuple[Incident, bool]:
        """Open one by hand, or join the open one; with it whether it is new. Nothing has to be frozen for it."""
        if not reason.strip():
            raise Mistake("cannot open an incident, because it has no reason", fix="say in a few words what happened")
        with self.database.transaction() as tx:
            return incidents.open_or_join(tx, reason=reason, by=who, cause="person", now=self.clock())

    def page(self, *, before: int | None, limit: int) -> list[Incident]:
        """Incidents, newest first; `before` is the first line of the last one of the page before."""
        with self.database.reading() as tx:
            return incidents.page(tx, before=before, limit=limit)

    def named(self, name: str) -> Incident:
        """One incident by its id, `current` or `latest`. Raises Unfound."""
        with self.database.reading() as tx:
            return find(tx, name)

    def tell(self, name: str, kind: str, *, who: str, **data: object) -> tuple[Incident, Entry]:
        """Add a line to an incident, open or closed; what is None is left out.

        Raises Unfound, also for a post that is named and that nobody has entered.
        """
        said = {key: value for key, value in data.items() if value is not None}
        with self.database.transaction() as tx:
            incident = find(tx, name)
            if "post" in said:
                posts.get(tx, str(said["post"]))
            return incident, journal.append(tx, kind, who=who, now=self.clock(), incident=incident.id, **said)

    def close(self, name: str, *, reason: str, who: str) -> Incident:
        """End it. Lifts no freeze. Raises Unfound, and Illegal when it is closed already."""
        with self.database.transaction() as tx:
            return incidents.close(tx, find(tx, name), reason=reason, by=who, now=self.clock())


def find(tx: Tx, name: str) -> Incident:
    """One incident by its id, `current` (the open one) or `latest` (open or closed). Raises Unfound."""
    if name not in (CURRENT, LATEST):
        return incidents.get(tx, name)
    found = incidents.current(tx) if name == CURRENT else incidents.latest(tx)
    if found is None:
        why = "none is open" if name == CURRENT else "there never was one"
        raise Unfound(f"cannot find the {name} incident, because {why}", fix="guardian incident open REASON")
    return found
