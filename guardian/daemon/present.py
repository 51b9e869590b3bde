"""What is true now, looked up at the moment of a scrape: the fence in its own files, the store by a census, the lanes.

Nothing here waits for a lock that a freeze or a lane holds; what cannot be known in time is left out, and a metric says
so. Called by whichever thread answers a scrape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from guardian.duties.lane import NOT_ASKED
from guardian.fence import marker, permits
from guardian.fence.permits import Permit
from guardian.model import State
from guardian.rules.takedown import TargetState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from guardian.daemon.census import Census, Count
    from guardian.daemon.loops import Loop
    from guardian.duties.books import Books
    from guardian.duties.lane import Lane
    from guardian.fence.house import House

KINDS = ("post", "tag")
UNCONFIGURED = "(unconfigured)"  # no account or scope can have this name


class Fence:
    """Each scope by its volatile permit and its marker: both in memory, so that a disk that hangs keeps nobody."""

    def __init__(self, house: House, scopes: Callable[[], Iterable[str]]) -> None:
        self.house = house
        self.scopes = scopes

    def collect(self) -> Iterator[Metric]:
        """Which scopes are frozen, and since when."""
        frozen = GaugeMetricFamily(
            "guardian_frozen", "1: nothing of this scope can be sent, by the fence's own word", labels=("scope",)
        )
        since = GaugeMetricFamily(
            "guardian_frozen_since_timestamp_seconds", "When a scope that is frozen was frozen", labels=("scope",)
        )
        for scope in self.scopes():
            mark = marker.read(self.house.marker(scope))
            opened = mark is None and isinstance(permits.read_volatile(self.house, scope), Permit)
            frozen.add_metric((scope,), 0 if opened else 1)
            if mark is not None and mark.at:
                since.add_metric((scope,), mark.at / 1000)
        yield frozen
        yield since


class AtWork:
    """A daemon with a whole store: its books, its lanes, its loops, and what the store counts."""

    def __init__(
        self,
        *,
        books: Books,
        census: Census,
        lanes: Callable[[], Sequence[Lane]],
        loops: Callable[[], Sequence[Loop]],
    ) -> None:
        self.books = books
        self.census = census
        self.lanes = lanes
        self.loops = loops

    def collect(self) -> Iterator[Metric]:
        """Everything that is known now."""
        count = self.census.take()
        yield from _health(up=True, readable=count is not None, damaged=False)
        yield _flag("guardian_journal_broken", "1: its chain is broken", self.books.database.audit.torn is not None)
        timekeeping = self.books.timekeeping
        doubted = timekeeping is not None and bool(timekeeping.why())
        yield _flag("guardian_clock_in_doubt", "1: the wall clock is not believed; nothing is sent or missed", doubted)
        yield from self._of_lanes()
        yield from self._of_loops()
        if count is not None:
            yield from self._of_the_store(count)

    def _of_lanes(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "guardian_account_in_trouble", "1: the account sends nothing until its trouble is over", labels=("account",)
        )
        for lane in self.lanes():
            family.add_metric((lane.account.name,), 0 if lane.trouble in (None, NOT_ASKED) else 1)
        yield family

    def _of_loops(self) -> Iterator[Metric]:
        failures = CounterMetricFamily("guardian_loop_failures", "How often a loop has failed", labels=("loop",))
        polled = GaugeMetricFamily(
            "guardian_loop_last_poll_timestamp_seconds", "When a loop last began to do its work", labels=("loop",)
        )
        for loop in self.loops():
            failures.add_metric((loop.name,), loop.failures)
            polled.add_metric((loop.name,), loop.polled_at / 1000)
        yield failures
        yield polled

    def _of_the_store(self, count: Count) -> Iterator[Metric]:
        names = [account.name for account in self.books.accounts]
        family = GaugeMetricFamily(
            "guardian_posts", "How many posts of an account are in which state", labels=("account", "state")
        )
        for (account, state), number in _by_name(count.posts, names).items():
            family.add_metric((account, state), number)
        yield family
        yield _one("guardian_posts_held", "How many posts that wait are held by a freeze", count.held)
        holds = GaugeMetricFamily("guardian_holds", "How many holds of posts, and of tags, stand", labels=("kind",))
        for kind in KINDS:
            holds.add_metric((kind,), count.holds.get(kind, 0))
        yield holds
        halves = GaugeMetricFamily(
            "guardian_threads_half_live", "How many threads are live in part and not to their end", labels=("account",)
        )
        for name in names:
            halves.add_metric((name,), count.halves.get(name, 0))
        yield halves
        overdue = GaugeMetricFamily(
            "guardian_oldest_due_post_seconds",
            "For how long the oldest post that may be sent has been due, and was not; 0 when there is none",
            labels=("account",),
        )
        yield from _of_incidents(count)
        now = self.books.clock()
        for name in names:
            overdue.add_metric((name,), max(now - count.due.get(name, now), 0) / 1000)
        yield overdue


class OnHold:
    """A daemon whose store is damaged."""

    def collect(self) -> Iterator[Metric]:
        """That it is so: the store itself is not touched."""
        return _health(up=False, readable=False, damaged=True)


def info(name: str, words: str, facts: dict[str, str]) -> Metric:
    """A family that says something in its labels."""
    return InfoMetricFamily(name, words, value=facts)


def _health(*, up: bool, readable: bool, damaged: bool) -> Iterator[Metric]:
    yield _flag(
        "guardian_up", "1: the daemon is at work; 0: it is in hold, where it answers, freezes and sends nothing", up
    )
    yield _flag("guardian_store_readable", "1: the store could be counted in time for this scrape", readable)
    yield _flag("guardian_store_damaged", "1: the store is damaged, and the daemon in hold", damaged)


def _of_incidents(count: Count) -> Iterator[Metric]:
    """What of the open incident's posts is where, and since when one is open."""
    targets = GaugeMetricFamily(
        "guardian_takedown_posts",
        "Posts that the open incident takes or took down, or whose takedown is not over, by what became of them",
        labels=("state",),
    )
    for state in TargetState:
        targets.add_metric((state,), count.targets.get(state, 0))
    yield targets
    yield _flag(
        "guardian_incident_open", "1: an incident is open, until a person closes it", count.incident is not None
    )


def _by_name(found: Mapping[tuple[str, str], int], names: Sequence[str]) -> dict[tuple[str, str], int]:
    """Every state of every account of the configuration, and of all others together where they have any."""
    counted = {(name, str(state)): 0 for name in names for state in State}
    for (account, state), number in found.items():
        key = (account if account in names else UNCONFIGURED, state)
        counted[key] = counted.get(key, 0) + number
    return counted


def _flag(name: str, words: str, value: bool) -> Metric:  # noqa: FBT001 (it is the value)
    return _one(name, words, int(value))


def _one(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)
