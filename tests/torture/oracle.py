"""The oracle: what the witness saw against what was ordered and answered. It shares no code with the accused."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.torture.history import Closed, History, Stop

STATES = frozenset(
    {"queued", "claimed", "sending", "published", "unknown", "missed", "blocked", "refused", "cancelled"}
)
UNDECIDED = frozenset({"claimed", "sending", "unknown"})
TITLE = 32
ANSWER_TRAVELS = 250_000_000  # ns from the platform's answer until the daemon must have written it down


@dataclass
class Findings:
    """Everything that should not be; empty when the promises were kept."""

    late: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    double: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.late or self.lost or self.double or self.mismatched)

    def add(self, other: Findings) -> None:
        """Take in what another trial found."""
        self.late += other.late
        self.lost += other.lost
        self.double += other.double
        self.mismatched += other.mismatched

    def words(self) -> str:
        """The first of each kind."""
        kinds = (self.late, self.lost, self.double, self.mismatched)
        return "; ".join(found[0] for found in kinds if found)


def find_late(
    creates: Iterable[Mapping[str, Any]], closed: Sequence[Closed], scopes_of: Mapping[str, frozenset[str]]
) -> list[str]:
    """Publishing requests of which a byte arrived while a freeze was CONFIRMED and not lifted."""
    found = []
    for entry in creates:
        scopes = scopes_of.get(entry["account"] or "")  # too little arrived to say whose it is: any freeze counts
        for stretch in closed:
            inside = entry["last_byte"] > stretch.start and entry["first_byte"] < stretch.end
            if inside and (scopes is None or stretch.scope in scopes):
                after = (entry["last_byte"] - stretch.start) / 1e6
                found.append(f"late: {(entry['text'] or 'a fragment')[:TITLE]} came {after:.3f} ms after CONFIRMED")
                break
    return found


def find_lost(imported: Mapping[str, str], rows: Sequence[Mapping[str, Any]], made: Mapping[str, int]) -> list[str]:
    """Imported posts (id to text) that are nowhere, twice, undecided, or not where the platform says."""
    times = Counter(row["id"] for row in rows)
    found = [f"lost: {post} is listed {times[post]} times" for post in imported if times[post] != 1]
    for row in rows:
        live, state = made.get(row["text"], 0), row["state"]
        if state not in STATES or state in UNDECIDED:
            found.append(f"lost: {row['id']} is {state}")
        elif (state == "published") != (live > 0):
            found.append(f"lost: {row['id']} is {state}, and the platform has {live}")
    return found


def find_double(made: Mapping[str, int]) -> list[str]:
    """Posts of which the platform has more than one."""
    return [f"double: {text[:TITLE]} was made {count} times" for text, count in made.items() if count > 1]


def find_mismatched(
    history: History,
    text_of: Mapping[str, str],
    creates: Sequence[Mapping[str, Any]],
    posts: Sequence[Mapping[str, Any]],
) -> list[str]:
    """What freezes said of posts in flight, against what the platform knows."""
    made = {post["text"]: int(post["created_ns"]) for post in posts}
    answers: dict[str, list[Mapping[str, Any]]] = {}
    for entry in creates:
        answers.setdefault(entry["text"] or "", []).append(entry)
    found = []
    for stop in history.stops:
        for post, state in stop.in_flight or ():
            text = text_of.get(post, "")
            why = _contradiction(state, stop, made.get(text), answers.get(text, []))
            if why:
                found.append(f"mismatch: {stop.door} said that {text[:TITLE]} is {state}, but {why}")
    return found


def _contradiction(state: str, stop: Stop, made: int | None, tries: Sequence[Mapping[str, Any]]) -> str:
    there = made is not None and made <= stop.returned
    if state == "published" and not there:
        return "the platform did not have it"
    if state in ("unsent", "refused") and there:
        return "the platform had it"
    if state in ("unknown", "awaiting"):
        in_time = [one for one in tries if one["answered"] and one["answered"] < stop.returned - ANSWER_TRAVELS]
        started = [one for one in in_time if one["last_byte"] > stop.began - 10**10]
        return "the platform had answered" if started and there else ""
    return ""
