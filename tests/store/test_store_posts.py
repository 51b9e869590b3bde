"""Entering, claiming and paging: what is known, who is next, and that nobody is handed the same post twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardian.errors import Mistake
from guardian.model import Event, Part, State
from guardian.store import attempts, freezes, posts
from guardian.store.posts import Draft, Entered, Known

if TYPE_CHECKING:
    from guardian.model import Post
    from guardian.store.database import Database
    from tests.store.conftest import Enter

LATE = 900_000
ON_ONE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def claim(database: Database, now: int, account: str = "acme-m") -> Post | None:
    with database.transaction() as tx:
        return posts.claim(tx, account, now=now, late_after=LATE)


def draft(ref: str | None, text: str = "hello", **more: Any) -> Draft:  # noqa: ANN401 (fields of a Part)
    return Draft(account="acme-m", at=1, at_text="now", zone=None, part=Part(text=text, **more), ref=ref)


def test_the_same_content_under_the_same_ref_is_known_and_not_entered_twice(database: Database) -> None:
    with database.transaction() as tx:
        first = posts.enter(tx, draft("r1"), now=1, who="a test")
        second = posts.enter(tx, draft("r1"), now=2, who="a test")
        count = tx.execute("select count(*) as n from posts").fetchone()["n"]
    assert isinstance(first, Entered)
    assert isinstance(second, Known)
    assert second.post == first.post
    assert count == 1


@pytest.mark.parametrize(
    "other",
    [
        draft("r1", "hello!"),
        draft("r1", warning="w"),
        draft("r1", language="sv"),
        draft("r1", visibility="unlisted"),
        Draft(account="acme-m", at=1, at_text="later", zone=None, part=Part(text="hello"), ref="r1"),
        Draft(account="acme-m", at=1, at_text="now", zone="UTC", part=Part(text="hello"), ref="r1"),
        Draft(account="acme-m", at=1, at_text="now", zone=None, part=Part(text="hello"), ref="r1", tags=("x",)),
    ],
)
def test_other_content_under_the_same_ref_is_an_error_not_a_second_post(database: Database, other: Draft) -> None:
    with database.transaction() as tx:
        posts.enter(tx, draft("r1"), now=1, who="a test")
    with pytest.raises(Mistake, match="other content"), database.transaction() as tx:
        posts.enter(tx, other, now=2, who="a test")


def test_two_accounts_may_use_the_same_ref(database: Database, enter: Enter) -> None:
    with database.transaction() as tx:
        enter("a", tx=tx, ref="r1")
        enter("b", tx=tx, ref="r1", account="beta-m")
        enter("c", tx=tx)
        enter("c", tx=tx)  # without a ref the same words may be meant twice


def test_a_refused_ref_is_not_answered_with_advice_that_does_not_help(database: Database) -> None:
    with database.transaction() as tx:
        first = posts.enter(tx, draft("r1"), now=1, who="a test")
        posts.move(tx, first.post.id, Event.CANCEL, now=2)
    with pytest.raises(Mistake) as said, database.transaction() as tx:
        posts.enter(tx, draft("r1", "other words"), now=3, who="a test")
    assert "cancel" not in str(said.value)


def test_posts_leave_in_the_order_of_their_time_and_then_of_their_entry(database: Database, enter: Enter) -> None:
    wanted = [enter("b", at=20), enter("c", at=20), enter("a", at=10)]
    enter("not due", at=100)
    enter("another account", at=5, account="beta-m")
    order = []
    while (post := claim(database, 50)) is not None:
        assert post.state is State.CLAIMED
        order.append(post.part.text)
    assert order == ["a", "b", "c"]
    assert len(wanted) == 3


def test_a_freeze_in_the_books_stops_every_claim_of_what_it_covers(database: Database, enter: Enter) -> None:
    enter(at=100, now=1)
    enter(at=100, now=1, account="beta-m")
    with database.transaction() as tx:
        freeze = freezes.record(tx, "brand:acme", reason="", by="", at=50, mark=None)
    assert claim(database, 100) is None
    assert claim(database, 100, "beta-m") is not None
    with database.transaction() as tx:
        freezes.lift(tx, [freeze], "brand:acme", reason="", by="", now=90)
    assert claim(database, 100) is not None


def test_a_freeze_and_a_claim_never_pass_each_other(database: Database, enter: Enter) -> None:
    """Threads claim while others freeze and thaw: no claim may begin under a freeze that is committed."""
    with database.transaction() as tx:
        for _ in range(200):
            enter(tx=tx, at=10**9, now=0)
    wrong: list[str] = []
    ended = threading.Event()

    def claimer() -> None:
        while not ended.is_set():
            with database.transaction() as tx:
                covered = bool(freezes.in_force(tx))
                got = posts.claim(tx, "acme-m", now=10**9, late_after=LATE)
                if got is not None and covered:
                    wrong.append(got.id)

    threads = [threading.Thread(target=claimer) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(15):
        with database.transaction() as tx:
            freeze = freezes.record(tx, "all", reason="", by="", at=turn, mark=None)
        with database.reading() as tx:
            before = tx.execute("select count(*) as n from posts where state = 'claimed'").fetchone()["n"]
        with database.transaction() as tx:
            after = tx.execute("select count(*) as n from posts where state = 'claimed'").fetchone()["n"]
            freezes.lift(tx, [freeze], "all", reason="", by="", now=turn)
        assert after == before, "something was claimed under a freeze"
    ended.set()
    for thread in threads:
        thread.join(10)
    assert wrong == []


def test_two_lanes_never_take_the_same_post(database: Database, enter: Enter) -> None:
    with database.transaction() as tx:
        wanted = {enter(tx=tx, at=1, now=0).id for _ in range(60)}
    taken: list[str] = []

    def lane() -> None:
        while (post := claim(database, 5)) is not None:
            taken.append(post.id)

    threads = [threading.Thread(target=lane) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(taken) == sorted(wanted)


def test_every_page_of_the_queue_follows_the_one_before_without_gap_or_doublet(
    database: Database, enter: Enter
) -> None:
    with database.transaction() as tx:
        wanted = [enter(tx=tx, at=place // 3, now=0).id for place in range(25)]
    seen: list[str] = []
    cursor: str | None = None
    with database.reading() as tx:
        for _ in range(20):
            rows, cursor = posts.page(tx, account=None, state=None, cursor=cursor, limit=4)
            seen += [row["id"] for row in rows]
            if cursor is None:
                break
    assert seen == wanted


@pytest.mark.parametrize("cursor", ["²3.1", "1.²", "9" * 30 + ".1", "1." + "9" * 5000])
def test_a_cursor_that_only_looks_like_numbers_is_refused_in_words(database: Database, cursor: str) -> None:
    with pytest.raises(Mistake), database.reading() as tx:
        posts.page(tx, account=None, state=None, cursor=cursor, limit=4)


@ON_ONE
@given(st.text(alphabet="0123456789.-+ _ax", max_size=30))
def test_any_cursor_gives_a_page_or_a_mistake(database: Database, cursor: str) -> None:
    with database.reading() as tx:
        try:
            posts.page(tx, account=None, state=None, cursor=cursor, limit=4)
        except Mistake as error:
            assert "no cursor" in str(error)  # noqa: PT017 (both ends are fine)


def test_a_held_post_names_the_freeze_that_holds_it(database: Database, enter: Enter) -> None:
    enter(at=100)
    enter(at=100, account="beta-m")
    with database.transaction() as tx:
        freeze = freezes.record(tx, "brand:acme", reason="", by="", at=1, mark=None)
        assert freezes.held(tx) == 1
    with database.reading() as tx:
        rows, _ = posts.page(tx, account=None, state=None, cursor=None, limit=9)
    assert [row["held_by"] for row in rows] == [freeze.id, None]


def test_the_key_stays_the_same_for_the_same_content_and_changes_with_any_other(enter: Enter) -> None:
    one, other = enter("hello"), enter("hello")
    assert posts.key_of(one) == posts.key_of(one)
    assert posts.key_of(one) != posts.key_of(other)  # two posts with the same words are two posts
    edited = {posts.key_of(replace(one, part=part)) for part in (Part(text="x"), Part(text="hello", warning="x"))}
    assert len({*edited, posts.key_of(one)}) == 3


def test_a_lost_attempt_is_listed_even_after_the_clock_went_back(database: Database, enter: Enter) -> None:
    """An earlier try that surely was not sent may carry a later time than the one that was lost."""
    post = enter(at=1)
    with database.transaction() as tx:
        for started, outcome, event in ((5_000_000, "unsent", Event.UNSENT), (1_400_000, "unknown", Event.LOSE)):
            posts.move(tx, post.id, Event.CLAIM, now=started)
            attempt = attempts.begin(tx, post, key="k", now=started)
            posts.move(tx, post.id, Event.INTEND, now=started)
            attempts.end(tx, attempt, outcome=outcome, detail=None, now=started)
            posts.move(tx, post.id, event, now=started)
        assert [row["post"] for row in attempts.unknown(tx, "acme-m")] == [post.id], "nobody will ever ask for it"
