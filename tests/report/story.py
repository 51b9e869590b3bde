"""Incidents as tests tell them: lines in a real journal, at times of a calendar, and the facts that come out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guardian.duties import incident_facts
from guardian.report import figures, lines
from guardian.store import incidents, journal

if TYPE_CHECKING:
    from guardian.store.database import Database

GOLDEN = Path(__file__).parent / "golden"
NOON = int(datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp() * 1000)
URL = "https://mastodon.example/@acme/"


@dataclass
class Story:
    """One house's journal, written line by line; times are seconds after noon."""

    database: Database
    incident: str = ""

    def tell(self, kind: str, at: float, who: str = "guardian", **data: object) -> int:
        """A line; the number that it got."""
        with self.database.transaction() as tx:
            return journal.append(tx, kind, who=who, now=NOON + round(at * 1000), **data).seq

    def during(self, kind: str, at: float, who: str = "guardian", **data: object) -> int:
        """A line that names the incident."""
        return self.tell(kind, at, who, incident=self.incident, **data)

    def open(self, at: float, who: str = "anna", reason: str = "a bad joke is live", cause: str = "freeze") -> int:
        with self.database.transaction() as tx:
            found, _ = incidents.open_or_join(tx, reason=reason, by=who, cause=cause, now=NOON + round(at * 1000))
        self.incident = found.id
        return found.opened_seq

    def close(self, at: float, who: str = "ben", reason: str = "it is over") -> int:
        with self.database.transaction() as tx:
            found = incidents.get(tx, self.incident)
            return incidents.close(tx, found, reason=reason, by=who, now=NOON + round(at * 1000)).closed_seq or 0

    def facts(self) -> dict[str, Any]:
        """As the socket gives them, with a name and a hash that are the same in every run."""
        found = json.dumps(incident_facts.gather(self.database, self.incident))
        facts: dict[str, Any] = json.loads(found.replace(self.incident, "i-golden"))
        facts["head"]["hash"] = "f" * 64
        return facts

    def record(self) -> dict[str, Any]:
        return figures.record(lines.read(self.facts()))


def bad_joke(story: Story) -> None:
    """The whole story: published, frozen, one post gone, one not, one that landed, a statement, a week of looks."""
    story.tell("entered", -600, "carla", post="p-joke", account="acme")
    story.tell("published", -240, post="p-joke", account="acme", platform_id="11", url=f"{URL}11", found=False)
    story.open(0.1)
    ordered = NOON - 200
    facts = {"freeze": "f-1", "scope": "all", "reason": "a bad joke is live", "epoch": 2, "ordered_at": ordered}
    story.during("frozen", 0.1, "anna", **facts)
    told = {"scopes": ["all"], "door": "direct", "durable": True, "elapsed_ms": None, "held": 12, "unconfirmed": []}
    story.during("freeze confirmed", 0.2, "anna", ordered_at=ordered, **told)
    targets = [
        {"target": "t-1", "account": "acme", "platform_id": "11", "url": f"{URL}11", "post": "p-joke", "part": 0},
        {"target": "t-2", "account": "acme", "platform_id": "12", "url": f"{URL}12", "post": None, "part": None},
    ]
    how = {"decision": "delete", "capture": "best-effort", "reason": "it hurts people", "agreed": ["anna", "dora"]}
    who = {"uid": 1000, "login": "anna", "tty": "pts/3", "host": "pr-desk"}
    story.during("takedown ordered", 0.3, "anna", takedown="d-1", targets=targets, **how, **who)
    for target, number, grade in (("t-1", "11", "complete"), ("t-2", "12", "partial")):
        about = {"takedown": "d-1", "target": target, "account": "acme", "platform_id": number}
        seal: dict[str, Any] = {"bundle": f"/state/evidence/ev-{number}", "seal": 1, "sha256": "a" * 64, "grade": grade}
        story.during("snapshot sealed", 0.9, **about, **seal)
        story.during("takedown acting", 1.0, **about, act="delete", policy="best-effort")
    gone = {"takedown": "d-1", "target": "t-1", "account": "acme", "platform_id": "11", "url": f"{URL}11"}
    story.during("taken down", 1.6, **gone, post="p-joke", state="gone", why="")
    there = {"takedown": "d-1", "target": "t-2", "account": "acme", "platform_id": "12", "url": f"{URL}12"}
    story.during("taken down", 7, **there, post=None, state="still_visible", why="200, and it is still served")
    landed = {"post": "p-late", "account": "acme", "platform_id": "13", "url": f"{URL}13"}
    story.tell("published", 0.25, **landed, found=False)
    story.during("landed during freeze", 1.1, **landed, landed_at=NOON + 250)
    story.tell("missed", 900, count=3, posts=["p-a", "p-b", "p-c"])
    found: dict[str, Any] = {"account": "acme", "platform_id": "n-1", "due": NOON + 60_000, "text": "Happy Friday!"}
    story.during("native found", 2, **found)
    story.during("native deleted", 3, account="acme", platform_id="n-1", why="due within five minutes")
    story.during("not ours", 45, account="acme", platform_id="99", url=f"{URL}99", text="posted by hand")
    story.during("custody", 60, bundle="/state/evidence/ev-11", event="anchor gap", why="no authority answered")
    options: dict[str, Any] = {
        "options": ["leave it", "hide it", "delete it"],
        "agreed": ["anna", "dora"],
        "reason": "it hurts people",
    }
    story.during("decision", 30, "dora", decision="delete it", **options)
    story.during("classed", 31, "dora", **{"class": "brand"}, severity="high")
    story.during("role", 32, "dora", role="scribe", person="emil")
    story.during("note", 50, "emil", text="dora has called the client")
    story.during("statement", 1500, "dora", url="https://acme.example/sorry")
    story.during("looked again", 61, target="t-1", account="acme", platform_id="11", check=1, presence="gone")
    story.tell("thawed", 3600, "ben", scope="all", reason="the statement is out", lifts=["f-1"])
    story.during("action", 3700, "dora", text="two people read every post", owner="emil", due="2026-12-01")
    story.close(4000)
    story.during("looked again", 90_000, target="t-2", account="acme", platform_id="12", check=3, presence="gone")
    story.during("note", 90_100, "emil", text="the platform took a day")


NASTY = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\x1b[2J\x1b[31mred\x07 \x9b31m",
    "admin\u202egnp.exe\u2066 isolated \u2069",
    "zero\u200bwidth\u200djoiner\ufeff\u2060 soft\u00adhyphen",
    "| a | b |\n|---|---|\n| c | d |",
    "# heading\n\n[click](javascript:alert(1)) ![x](https://evil.example/p.png) `code` **bold** https://evil.example",
    "1. list\n- item\n> quote\n```\nfence\n```",
    "emoji \U0001f469\u200d\U0001f4bb\U0001f3fd \U0001f1f8\U0001f1ea \u2764\ufe0f",
    "\u0634\u0643\u0631\u0627 \u05e9\u05dc\u05d5\u05dd mixed with Latin | and pipe",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319algo",
    "invisible \u3164\u2800 filler",
    "{reason} {0} %s %(x)s ${x} $x$ &amp; &lt;b&gt; \\| \\",
    "--><!-- ]]> </style></svg></table>",
    "- [ ] task\n=====\n+ plus",
    "@everyone www.evil.example #1 ~~gone~~ <https://evil.example>",
)


def hostile(story: Story) -> None:
    """Everything that anybody may say says something nasty."""
    story.open(0, who=NASTY[0], reason=NASTY[5])
    story.during("frozen", 0, NASTY[1], freeze="f-1", scope=NASTY[2], reason=NASTY[3], epoch=1, ordered_at=NOON)
    targets = [{"target": "t-1", "account": NASTY[4], "platform_id": NASTY[0], "url": f"javascript:{NASTY[0]}"}]
    story.during(
        "takedown ordered", 1, NASTY[8], decision=NASTY[12], reason=NASTY[6], agreed=[NASTY[9]], targets=targets
    )
    seal = {"target": "t-1", "bundle": NASTY[12], "grade": NASTY[0], "sha256": NASTY[4]}
    story.during("snapshot sealed", 1, **seal)
    story.during("taken down", 2, target="t-1", state=NASTY[7], why=NASTY[11])
    story.during("not ours", 3, account=NASTY[2], url=NASTY[0], text=NASTY[5])
    story.during("role", 3, role=NASTY[13], person=NASTY[14])
    story.during("action", 3, text=NASTY[4], owner=NASTY[0], due=NASTY[1])
    story.during("decision", 4, decision=NASTY[5], options=list(NASTY), reason=NASTY[12])
    story.during(NASTY[0], 4, NASTY[2], **{NASTY[4]: NASTY[5], "list": list(NASTY)})
    for place, text in enumerate(NASTY):
        story.during("note", 5 + place, NASTY[-1 - place], text=text)
    story.during("note", 99, text="long " * 1000)
    story.during("statement", 100, text=NASTY[1], url=f"javascript:{NASTY[0]}")
