"""Lists have exactly what fits, in the order of time, whichever way through the indexes was the shortest."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardian.errors import Illegal, Mistake
from guardian.model import Event, State
from guardian.store import freezes, holds, listing, posts
from guardian.store.listing import Filter

if TYPE_CHECKING:
    from guardian.store.database import Database, Tx
    from tests.store.conftest import Enter

ACCOUNTS = ("acme-m", "beta-m")
TAGS = ("a", "b", "ab", "\u00e5")
ENTRIES = st.tuples(
    st.sampled_from(ACCOUNTS),
    st.integers(0, 6),
    st.lists(st.sampled_from(TAGS), max_size=2),
    st.sampled_from([None, Event.CANCEL, Event.MISS, Event.CLAIM]),
)
FILTERS = st.builds(
    Filter,
    account=st.sampled_from([None, *ACCOUNTS]),
    brand=st.sampled_from([None, "acme"]),
    states=st.lists(st.sampled_from([State.QUEUED, State.MISSED, State.CANCELLED]), max_size=2, unique=True).map(tuple),
    tag=st.sampled_from([None, *TAGS]),
    after=st.sampled_from([None, 2]),
    before=st.sampled_from([None, 5]),
    held=st.booleans(),
)


class _Undone(Exception):
    """Ends a transaction so that nothing of it stays."""


def fits(tx: Tx, row: Any, wanted: Filter) -> bool:  # noqa: ANN401 (a row of the database)
    """The filter, said once more and without any index."""
    post = posts.to_post(row)
    return (
        wanted.account in (None, post.account)
        and (wanted.brand is None or post.account == "acme-m")
        and (not wanted.states or post.state in wanted.states)
        and (wanted.tag is None or wanted.tag in post.tags)
        and (wanted.after is None or post.at >= wanted.after)
        and (wanted.before is None or post.at < wanted.before)
        and (not wanted.held or listing.held_by(tx, post.id) is not None)
    )


def pages(tx: Tx, wanted: Filter, limit: int) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    for _ in range(40):
        rows, cursor = listing.page(tx, wanted, cursor=cursor, limit=limit)
        found += [row["id"] for row in rows]
        if cursor is None:
            return found
    raise AssertionError("the pages never end")


@pytest.mark.parametrize("few", [0, 10_000])
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    entries=st.lists(ENTRIES, min_size=1, max_size=14),
    wanted=FILTERS,
    held_tag=st.sampled_from([None, *TAGS]),
    held_post=st.booleans(),
    frozen=st.booleans(),
    limit=st.integers(1, 5),
)
def test_every_way_through_the_indexes_finds_what_looking_at_every_post_would(
    database: Database,
    enter: Enter,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
    **more: Any,  # noqa: ANN401 (what hypothesis gives)
) -> None:
    monkeypatch.setattr(listing, "FEW", few)
    with contextlib.suppress(_Undone), database.transaction() as tx:
        for account, at, tags, event in more["entries"]:
            post = enter(tx=tx, at=at, account=account, tags=tuple(tags))
            if event is not None:
                posts.move(tx, post.id, event, now=1)
        if more["held_tag"] is not None:
            holds.place(tx, tag=more["held_tag"], reason="", by="ann", now=1)
        if more["held_post"]:
            holds.place(tx, post=post.id, reason="", by="ann", now=1)
        if more["frozen"]:
            freezes.record(tx, "brand:beta", reason="", by="ann", at=1, mark=None)
        every = tx.execute("select * from posts order by at, seq").fetchall()
        if more["wanted"].account is not None and more["wanted"].account not in {row["account"] for row in every}:
            assert more["wanted"].account in ACCOUNTS
        wanted = [row["id"] for row in every if fits(tx, row, more["wanted"])]
        assert pages(tx, more["wanted"], more["limit"]) == wanted
        raise _Undone


def test_a_page_goes_on_where_it_ended_while_posts_move(database: Database, enter: Enter) -> None:
    with database.transaction() as tx:
        found = [enter(tx=tx, at=10 * number, now=0).id for number in range(9)]
        rows, cursor = listing.page(tx, Filter(states=(State.QUEUED,)), cursor=None, limit=3)
        seen = [row["id"] for row in rows]
        posts.move(tx, found[1], Event.CANCEL, now=1)  # seen already
        posts.move(tx, found[4], Event.CANCEL, now=1)  # not yet: it does not fit any more
        with contextlib.suppress(Illegal):
            posts.re_enter(tx, found[8], Event.RESCHEDULE, at=5, zone=None, now=1)  # goes to where we have been
        while cursor is not None:
            rows, cursor = listing.page(tx, Filter(states=(State.QUEUED,)), cursor=cursor, limit=3)
            seen += [row["id"] for row in rows]
    assert seen == [*found[:4], *found[5:8]]


def test_an_account_or_a_brand_that_there_is_not_is_no_empty_list(database: Database) -> None:
    for wanted in (Filter(account="acme-n"), Filter(brand="acne")):
        with pytest.raises(Mistake, match="cannot find"), database.reading() as tx:
            list(listing.stream(tx, wanted))
