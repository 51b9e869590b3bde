"""Every query has a name, one sentence and a user; and the SQL counts and judges exactly as the law does."""

from __future__ import annotations

import contextlib
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import guardian
from guardian.errors import Illegal
from guardian.model import Account, Event, State
from guardian.rules import coverage, timing
from guardian.store import freezes, listing, posts
from guardian.store.listing import Filter
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.store.database import Database, Tx
    from tests.store.conftest import Enter

SOURCES = Path(guardian.__file__).parent
TEXT = files("guardian.store").joinpath("queries.sql").read_text("utf-8")
LATE = 1_000
ACME = Account(name="acme-m", platform="mastodon", brand="acme", base_url="", identity="")
ON_ONE = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MOMENTS = st.integers(0, 5_000)
SCOPES = st.sampled_from(["all", "platform:mastodon", "brand:acme", "brand:beta", "account:acme-m", "account:beta-m"])


class _Undone(Exception):
    """Ends a transaction so that nothing of it stays."""


@contextlib.contextmanager
def undone(database: Database) -> Iterator[Tx]:
    """A transaction for one example."""
    with contextlib.suppress(_Undone), database.transaction() as tx:
        yield tx
        raise _Undone


def test_every_query_says_in_one_sentence_what_it_is_for() -> None:
    blocks = TEXT.split("-- name: ")[1:]
    assert len(blocks) > 30
    for block in blocks:
        name, sentence = block.splitlines()[:2]
        assert re.fullmatch(r"[a-z_]+([!^$]|\*!)?", name), name
        assert re.fullmatch(r"-- [A-Z].*[.]", sentence), name


def test_no_query_lies_about_unused() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in SOURCES.rglob("*.py"))
    named = {re.sub(r"\W", "", line.removeprefix("-- name: ")) for line in TEXT.splitlines() if "-- name:" in line}
    used = set(re.findall(r"\bQ\.([a-z_]+)", sources))
    assert named == used


STEPS = st.one_of(
    st.tuples(st.just("enter"), MOMENTS, st.sampled_from(["acme-m", "beta-m"])),
    st.tuples(st.just("claim"), MOMENTS, st.sampled_from(["acme-m", "beta-m"])),
    st.tuples(st.just("miss"), MOMENTS, st.sampled_from(["acme-m", "beta-m"])),
    st.tuples(st.just("move"), st.integers(0, 20), st.sampled_from(Event)),
    st.tuples(st.just("freeze"), MOMENTS, SCOPES),
    st.tuples(st.just("lift"), MOMENTS, SCOPES),
)


def _step(tx: Tx, enter: Enter, known: list[str], step: tuple[str, int, str]) -> None:
    what, number, name = step
    if what == "enter":
        known.append(enter(tx=tx, at=number, now=number // 2, account=name).id)
    elif what == "claim":
        posts.claim(tx, name, now=number, late_after=LATE)
    elif what == "miss":
        posts.miss(tx, name, now=number, late_after=LATE)
    elif what == "freeze":
        freezes.record(tx, name, reason="", by="", at=number, mark=None)
    elif what == "lift":
        mine = [freeze for freeze in freezes.in_force(tx) if freeze.scope == name]
        freezes.lift(tx, mine, name, reason="", by="", now=number)
    elif known:
        _move(tx, known[number % len(known)], Event(name))


def _move(tx: Tx, post: str, event: Event) -> None:
    with contextlib.suppress(Illegal):
        if event is Event.LANDED:
            posts.land(tx, post, platform_id="1", url=None, now=1)
        elif event in (Event.RELEASE, Event.RESCHEDULE):
            posts.re_enter(tx, post, event, at=1, zone=None, now=1)
        elif event is not Event.STILL_THERE:
            posts.move(tx, post, event, now=1)


@ON_ONE
@given(st.lists(STEPS, max_size=40))
def test_the_counts_are_always_what_counting_would_say(
    database: Database, enter: Enter, steps: list[tuple[str, int, str]]
) -> None:
    with undone(database) as tx:
        known: list[str] = []
        for step in steps:
            _step(tx, enter, known, step)
        counted = tx.execute("select state, count(*) as n from posts group by state").fetchall()
        assert {row["state"]: row["n"] for row in Q.counts_by_state(tx)} == {row["state"]: row["n"] for row in counted}
        held = sum(1 for post in _all(tx) if post["held"])
        assert freezes.held(tx) == held


def _all(tx: Tx) -> list[dict[str, object]]:
    rows, _ = listing.page(tx, Filter(), cursor=None, limit=1000)
    return [{**row, "held": row["held_by"] is not None} for row in rows]


POSTS = st.lists(st.tuples(MOMENTS, MOMENTS), min_size=1, max_size=8)
# scope, when it began, how long it lasted (None: still in force)
FREEZES = st.lists(st.tuples(SCOPES, st.integers(0, 4_000), st.none() | st.integers(0, 900)), max_size=5)


@ON_ONE
@given(POSTS, FREEZES, st.integers(3_000, 5_000))
def test_the_database_misses_claims_and_waits_exactly_as_the_law_says(
    database: Database,
    enter: Enter,
    wanted: list[tuple[int, int]],
    stops: list[tuple[str, int, int | None]],
    now: int,
) -> None:
    account = ACME
    with undone(database) as tx:
        for at, entered_at in wanted:
            enter(tx=tx, at=at, now=min(entered_at, now))
        _carry_out(tx, stops, now)
        history = freezes.history(tx)
        until = coverage.frozen_until(account, history, now)
        assert posts.frozen_until(tx, account.name, now=now) == until

        def why(post: dict[str, object]) -> str | None:
            at, entered_at = int(str(post["at"])), int(str(post["entered_at"]))
            return timing.missed_why(at=at, entered_at=entered_at, now=now, late_after=LATE, frozen_until=until)

        lost = {post["id"] for post in _all(tx) if why(post)}
        free = [post for post in _all(tx) if not why(post)]
        assert posts.next_due(tx, account.name, now=now, late_after=LATE) == min(
            (int(str(post["at"])) for post in free), default=None
        )
        claimed = posts.claim(tx, account.name, now=now, late_after=LATE)
        due = [post["id"] for post in free if timing.is_due(int(str(post["at"])), now)]
        if coverage.covered(account, history) or not due:
            assert claimed is None
        else:
            assert claimed is not None
            assert claimed.id == due[0]
        assert set(posts.miss(tx, account.name, now=now, late_after=LATE)) == lost
        assert {post["id"] for post in _all(tx) if post["state"] == State.MISSED} == lost


def _carry_out(tx: Tx, stops: list[tuple[str, int, int | None]], now: int) -> None:
    """Freezes and lifts in the order in which they happened: a lift comes when the clock says it, never later."""
    acts: list[tuple[int, int, str]] = []
    for scope, began, lasted in stops:
        acts.append((min(began, now), 0, scope))
        if lasted is not None:
            acts.append((min(began + lasted, now), 1, scope))
    for at, lifting, scope in sorted(acts):
        if not lifting:
            freezes.record(tx, scope, reason="", by="", at=at, mark=None)
            continue
        mine = [freeze for freeze in freezes.in_force(tx) if freeze.scope == scope]
        freezes.lift(tx, mine, scope, reason="", by="", now=at)


def test_the_next_posts_are_shown_in_the_order_in_which_they_leave(database: Database, enter: Enter) -> None:
    wanted = [enter("first", at=5).id, enter("second", at=5).id, enter("third", at=5).id]
    with database.reading() as tx:
        assert [row["id"] for row in Q.next_posts(tx, limit=2)] == wanted[:2]
    assert "order by at, seq" in TEXT.split("-- name: next_posts")[1].split("-- name:")[0], "only luck sorts them"


def test_epochs_never_go_back(database: Database) -> None:
    with database.transaction() as tx:
        freezes.note_epoch(tx, "all", 7)
        freezes.note_epoch(tx, "all", 3)
        assert freezes.epoch(tx, "all") == 7
        freeze = freezes.record(tx, "all", reason="", by="", at=1, mark=None)
        assert freeze.epoch == 8
        assert freezes.lift(tx, [freeze], "all", reason="", by="", now=2) == 9
        assert freezes.lift(tx, [], "all", reason="", by="", now=3) == 10


def test_what_every_send_asks_passes_neither_the_backlog_nor_the_plan(database: Database) -> None:
    plans = {
        name: plan(database, name) for name in ("claim_due", "started_post", "next_due", "last_sent", "next_posts")
    }
    assert not [step for steps in plans.values() for step in steps if re.match(r"SCAN (?!h |c |s )", step)], plans
    assert any("posts_half_sent" in step for step in plans["claim_due"])
    assert any("posts_half_sent" in step for step in plans["started_post"])
    assert any(re.search(r"posts_due .*at>\? AND at<\?", step) for step in plans["next_due"])
    assert not any("TEMP B-TREE" in step for steps in plans.values() for step in steps), plans


def test_what_an_open_incident_asks_every_second_does_not_read_all_that_was_ever_sent(database: Database) -> None:
    steps = plan(database, "landed_under_freeze")
    assert not [step for step in steps if step.startswith("SCAN") and step != "SCAN f"], steps
    assert any(re.search(r"attempts_of_account .*started_at>\? AND started_at<\?", step) for step in steps), steps


def plan(database: Database, name: str) -> list[str]:
    """By which indexes SQLite answers a query."""
    words = getattr(Q, name).sql
    given = dict.fromkeys(re.findall(r":([a-z_]+)", words), 1)
    with database.reading() as tx:
        return [str(row["detail"]) for row in tx.execute(f"explain query plan {words}", given)]
