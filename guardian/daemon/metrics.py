"""The metrics: one registry of this daemon's own, the counters that the duties feed, and the text of a scrape.

Any thread may count and any thread may scrape; neither ever waits for the other, the store's writer or a lane. Labels
are the accounts and scopes of the configuration and words of ours: no text of a post, no reason, no name of a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from guardian import __version__
from guardian.daemon.present import UNCONFIGURED, info
from guardian.duties.publish import Again, Held, Settled, Waiting
from guardian.model import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prometheus_client.metrics_core import Metric
    from prometheus_client.registry import Collector

    from guardian.duties.publish import Outcome
    from guardian.model import Post

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LATE = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
STOP = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
OUTCOMES = ("published", "part", "unknown", "refused", "blocked", "held", "waiting", "again", "token_refused")
LOOKS = ("found", "absent", "failed")
DOORS = ("control", "direct")
LANDED = frozenset({State.PUBLISHED, State.QUEUED})
log = structlog.get_logger()


class Metrics:
    """What this daemon counts (it is the duties' `Tally`), and everything that a scrape shows."""

    def __init__(self) -> None:
        # twice as many lines, for what the start of the process says already
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types
        self.registry = CollectorRegistry()
        self._sends = Counter(
            "guardian_sends",
            "Tries to send the next post of an account, by what came of them",
            ("account", "outcome"),
            registry=self.registry,
        )
        self._lateness = Histogram(
            "guardian_send_lateness_seconds",
            "How long after its time a post that left began to be sent",
            ("account",),
            buckets=LATE,
            registry=self.registry,
        )
        self._refusals = Counter(
            "guardian_gate_refusals",
            "Requests to a platform that the gate refused",
            ("account",),
            registry=self.registry,
        )
        self._looks = Counter(
            "guardian_reconcile_looks",
            "Questions to a platform whether it has a post whose outcome is unknown",
            ("account", "result"),
            registry=self.registry,
        )
        self._missed = Counter("guardian_posts_missed", "Posts that were missed", registry=self.registry)
        self._freezes = Counter(
            "guardian_freezes", "Freezes written into the books, by whichever door", ("scope",), registry=self.registry
        )
        self._asked = Counter(
            "guardian_freeze_requests",
            "Freezes that were asked for at the control socket, or (direct) that it was told of afterwards",
            ("door", "confirmed"),
            registry=self.registry,
        )
        self._stops = Histogram(
            "guardian_freeze_seconds",
            "How long a freeze at the control socket took until it was confirmed, or given up",
            ("confirmed",),
            buckets=STOP,
            registry=self.registry,
        )
        for confirmed in ("true", "false"):
            self._stops.labels(confirmed)
            for door in DOORS:
                self._asked.labels(door, confirmed)
        self._scopes: frozenset[str] = frozenset()
        ProcessCollector(namespace="guardian", registry=self.registry)
        self.show(_Build())

    def know(self, accounts: Iterable[str], scopes: Iterable[str]) -> None:
        """Begin at zero for these accounts and scopes, so that the first event of each is an increase."""
        self._scopes |= frozenset(scopes)
        for account in accounts:
            self._lateness.labels(account)
            self._refusals.labels(account)
            for outcome in OUTCOMES:
                self._sends.labels(account, outcome)
            for result in LOOKS:
                self._looks.labels(account, result)
        for scope in (*self._scopes, UNCONFIGURED):
            self._freezes.labels(scope)

    def show(self, collector: Collector) -> None:
        """Show what this collector finds at each scrape; where it fails, the rest is shown all the same."""
        self.registry.register(_Sturdy(collector))

    def text(self) -> bytes:
        """One scrape, in Prometheus's text format."""
        return generate_latest(self.registry)

    def sent(self, account: str, outcome: Outcome, *, began: int) -> None:
        """A lane has tried to send its next post, beginning at `began` (ms), and this came of it."""
        word = _word(outcome)
        if word:
            self._sends.labels(account, word).inc()
        if isinstance(outcome, Settled) and _has_begun(outcome.post):
            self._lateness.labels(account).observe(max(began - outcome.post.at, 0) / 1000)

    def refused(self, account: str) -> None:
        """The gate has refused a request of this account."""
        self._refusals.labels(account).inc()

    def looked(self, account: str, *, result: str) -> None:
        """The platform was asked for a lost post."""
        self._looks.labels(account, result).inc()

    def missed(self, count: int) -> None:
        """So many posts were missed."""
        self._missed.inc(count)

    def froze(self, document: Mapping[str, object]) -> None:
        """A freeze was asked for at this daemon."""
        confirmed, elapsed = "true" if document["confirmed"] else "false", document["elapsed_ms"]
        self._asked.labels(str(document["door"]), confirmed).inc()
        if isinstance(elapsed, int | float):
            self._stops.labels(confirmed).observe(elapsed / 1000)

    def booked(self, scope: str) -> None:
        """A freeze was written into the books."""
        self._freezes.labels(scope if scope in self._scopes else UNCONFIGURED).inc()


def _word(outcome: Outcome) -> str:
    """The outcome as a label; empty when nothing was tried."""
    if isinstance(outcome, Settled):
        return "part" if outcome.post.state is State.QUEUED else str(outcome.post.state)
    if isinstance(outcome, Again):
        return "token_refused" if outcome.token_refused else "again"
    if isinstance(outcome, Waiting):
        return "waiting"
    return "held" if isinstance(outcome, Held) else ""


def _has_begun(post: Post) -> bool:
    """Whether what left was its first part: the others of a thread follow when they can, and are not late."""
    return post.state is not State.BLOCKED and post.live == (1 if post.state in LANDED else 0)


class _Build:
    """Which version this is."""

    def collect(self) -> Iterable[Metric]:
        """One family."""
        return [info("guardian_build", "The version that runs", {"version": __version__})]


class _Sturdy:
    """A collector whose failure costs its own families and no others."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def collect(self) -> Iterable[Metric]:
        """What it finds; nothing when it fails."""
        try:
            return list(self._collector.collect())
        except Exception as error:
            log.exception("not shown", error=type(error).__name__)
            return []
