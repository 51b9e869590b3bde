"""What a bundle's record says beside the platform's own bytes: who, when, with which tool, and what is missing.

Strings, whole numbers, lists and objects only, so that the record has one canonical form. Any thread may call.
"""

from __future__ import annotations

import json
import os
import platform as machine
import socket
import sys
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from guardian import __version__
from guardian.model import Grade

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardian.model import Exchange, Takedown, Target

RESOLUTION = 1000  # ms: a server's Date header has whole seconds


@dataclass(slots=True)
class Item:
    """One piece of the proof: whether it was had, and if not, why."""

    name: str
    essential: bool
    got: bool = False
    why: str = "not asked in time"
    file: str | None = None
    sha256: str | None = None


@dataclass(slots=True)
class Facts:
    """What was learned while a snapshot was taken."""

    order: Takedown
    target: Target
    given: dict[str, object]
    identity: str
    began_at: int
    began: int  # monotonic, ns
    synchronised: bool | None
    items: list[Item] = field(default_factory=list)
    dates: list[tuple[int, str]] = field(default_factory=list)  # our wall time, the server's Date
    notes: list[str] = field(default_factory=list)

    def heard(self, exchange: Exchange) -> None:
        """Note which time the server says it was."""
        date = next((value for name, value in exchange.response_headers if name.lower() == "date"), None)
        if date is not None and len(self.dates) < 20:  # noqa: PLR2004 (one would do; twenty show a drift)
            self.dates.append((exchange.began_at, date))

    def document(self, *, grade: str, phase: int, at: int, now: int) -> dict[str, object]:
        """The record of a phase. `now` is monotonic, ns; `at` is wall time, ms."""
        target, order = self.target, self.order
        return {
            "phase": phase,
            "grade": grade,
            "order": {
                "takedown": order.id,
                "incident": order.incident,
                "decision": order.decision,
                "capture": order.capture,
                "reason": order.reason,
                "by": order.by,
                "agreed": list(order.agreed),
                "at_ms": order.at,
                "given": self.given,
            },
            "post": {
                "account": target.account,
                "identity": self.identity,
                "platform_id": target.platform_id,
                "url": target.url,
                "post": target.post,
                "part": target.part,
            },
            "times": {
                "began_ms": self.began_at,
                "ended_ms": at,
                "began_monotonic_ns": str(self.began),
                "ended_monotonic_ns": str(now),
                "clock_synchronised": self.synchronised,
                "server": [_bounds(ours, date) for ours, date in self.dates],
            },
            "items": [
                {
                    "name": one.name,
                    "essential": one.essential,
                    "got": one.got,
                    "why": "" if one.got else one.why,
                    "file": one.file,
                    "sha256": one.sha256,
                }
                for one in self.items
            ],
            "notes": list(self.notes),
            "tool": tool(),
        }


def tool() -> dict[str, object]:
    """Which program this is, and on what it runs."""
    return {
        "name": "post-guardian",
        "version": __version__,
        "python": machine.python_version(),
        "system": f"{machine.system()} {machine.release()}",
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "uid": os.getuid(),
        "program": os.path.basename(sys.executable),  # noqa: PTH119 (a name, not a path)
    }


def missing(items: Iterable[Item]) -> list[str]:
    """The essential pieces that were not had, each with the reason."""
    return [f"{one.name}: {one.why}" for one in items if one.essential and not one.got]


def _bounds(ours: int, date: str) -> dict[str, object]:
    """Between which of its own times the server answered, by its header, beside ours."""
    try:
        theirs = round(parsedate_to_datetime(date).timestamp() * 1000)
    except (ValueError, TypeError, OverflowError):
        return {"our_ms": ours, "date": date[:100]}
    return {"our_ms": ours, "date": date[:100], "from_ms": theirs, "to_ms": theirs + RESOLUTION}


def grade(items: Iterable[Item], *, published: bool) -> Grade:
    """How much of the essential proof is there."""
    essential = [one for one in items if one.essential and one.name != "identity"]
    got = [one for one in essential if one.got]
    if essential and len(got) == len(essential):
        return Grade.COMPLETE
    if got:
        return Grade.PARTIAL
    return Grade.PUBLISH_COPY if published else Grade.NONE


def at_most(body: bytes, replies: int) -> tuple[bytes, bool]:
    """Lists of other people's posts, each cut to so many, with the counts of all; and whether anything was cut.

    What is no such list is left out.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return b"{}", True
    lists = found if isinstance(found, dict) else {"items": found}
    cut = {name: value[:replies] for name, value in lists.items() if isinstance(value, list)}
    counts = {name: len(value) for name, value in lists.items() if isinstance(value, list)}
    told = {"kept_at_most": replies, "counts": counts, **cut}
    raw = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
    return raw, any(count > replies for count in counts.values())
