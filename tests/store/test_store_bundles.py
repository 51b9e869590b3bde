"""What the house knows of its evidence: nothing is lost from the list, from custody or from the stamps to be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.errors import Mistake, Unfound
from guardian.model import Grade
from guardian.rules.chain import Whole, verify
from guardian.store import bundles, journal, stamps

if TYPE_CHECKING:
    from guardian.store.database import Database, Tx

DAY = 86_400_000
NAMES = [f"ev-20261120T1145{number:02}Z-mastodon-{number}-abcd" for number in range(7)]


def record(tx: Tx, name: str, *, now: int = 0, keep: int | None = 10 * DAY, account: str = "acme-m") -> bundles.Kept:
    about = bundles.About(account, "1", url="https://mastodon.example/1")
    return bundles.record(tx, name, target=about, platform="mastodon", grade=Grade.NONE, now=now, keep=keep)


def test_every_page_of_the_list_goes_on_where_the_one_before_ended_even_at_the_same_moment(database: Database) -> None:
    with database.transaction() as tx:
        for number, name in enumerate(NAMES):
            record(tx, name, now=number // 3)
        found: list[str] = []
        cursor = None
        while True:
            page, cursor = bundles.page(tx, cursor=cursor, limit=2)
            found += [one.name for one in page]
            if cursor is None:
                break
    assert found == NAMES[::-1]


@pytest.mark.parametrize("cursor", ["", "x", "1", "1x.ev", "9" * 19 + ".ev", "-1.ev", "1." + "x" * 101])
def test_a_bad_cursor_is_refused(database: Database, cursor: str) -> None:
    with database.reading() as tx, pytest.raises(Mistake):
        bundles.page(tx, cursor=cursor, limit=2)


def test_the_list_is_of_one_account_or_of_what_is_on_hold_if_asked(database: Database) -> None:
    with database.transaction() as tx:
        record(tx, NAMES[0])
        record(tx, NAMES[1], account="beta-m")
        bundles.hold(tx, NAMES[0], reason="a lawyer asked", who="a test", now=1)
        assert [one.name for one in bundles.page(tx, limit=9, account="beta-m")[0]] == [NAMES[1]]
        assert [one.held for one in bundles.page(tx, limit=9, held=True)[0]] == ["a lawyer asked"]
        bundles.lift(tx, NAMES[0], reason="settled", who="a test", now=2)
        assert bundles.page(tx, limit=9, held=True)[0] == []


def test_whatever_is_done_with_a_bundle_is_found_in_the_journal_by_its_name(database: Database) -> None:
    with database.transaction() as tx:
        record(tx, NAMES[0])
        record(tx, NAMES[1])
        bundles.hold(tx, NAMES[0], reason="r", who="a test", now=1)
        journal.append(tx, bundles.SEALED, who="a test", now=2, bundle=NAMES[0], post=None, seal=1, sha256="aa")
        lines = bundles.lines(tx, NAMES[0])
        assert [(one.kind, one.data.get("event")) for one in lines] == [
            ("custody", "created"), ("custody", "hold set"), ("snapshot sealed", None)
        ]  # fmt: skip
        assert bundles.seals(tx, NAMES[0]) == {1: "aa"}
        assert bundles.seals(tx, NAMES[1]) == {}
        assert journal.of_post(tx, "None", limit=9) == ([], 0)
        assert isinstance(verify(journal.after(tx, 0)), Whole)


def test_an_older_seal_that_is_told_late_does_not_take_the_place_of_the_last_one(database: Database) -> None:
    with database.transaction() as tx:
        record(tx, NAMES[0])
        bundles.sealed(tx, NAMES[0], n=2, sha256="bb", grade=Grade.COMPLETE)
        bundles.sealed(tx, NAMES[0], n=1, sha256="aa", grade=Grade.PARTIAL)
        found = bundles.get(tx, NAMES[0])
    assert (found.seals, found.sha256, found.grade) == (2, "bb", "complete")


def test_what_is_on_hold_is_neither_purged_nor_erased_and_what_is_kept_for_ever_neither(database: Database) -> None:
    with database.transaction() as tx:
        for name in NAMES[:3]:
            record(tx, name)
        record(tx, NAMES[3], keep=None)
        bundles.hold(tx, NAMES[0], reason="r", who="a test", now=1)
        bundles.erased(tx, NAMES[1], now=1)
        assert bundles.to_purge(tx, now=10 * DAY - 1, limit=9) == []
        assert bundles.to_purge(tx, now=10 * DAY, limit=9) == NAMES[1:3]
        assert bundles.to_erase(tx, before=0, after=(-1, ""), limit=9) == [(0, NAMES[2]), (0, NAMES[3])]
        assert bundles.to_erase(tx, before=0, after=(0, NAMES[2]), limit=9) == [(0, NAMES[3])]


def test_a_bundle_that_is_gone_takes_its_stamps_along_and_leaves_its_lines(database: Database) -> None:
    with database.transaction() as tx:
        record(tx, NAMES[0])
        stamps.want(tx, NAMES[0], 1, ["https://tsa.example"], now=0)
        bundles.forget(tx, NAMES[0])
        assert stamps.next_due(tx) is None
        assert len(bundles.lines(tx, NAMES[0])) == 1
        with pytest.raises(Unfound):
            bundles.get(tx, NAMES[0])


def test_a_stamp_that_cannot_be_had_is_asked_for_again_and_later_each_time_and_never_given_up(
    database: Database,
) -> None:
    with database.transaction() as tx:
        record(tx, NAMES[0])
        for _ in range(2):  # wanting it twice is wanting it once
            stamps.want(tx, NAMES[0], 1, ["https://a.example", "https://b.example"], now=0)
        first, second = stamps.due(tx, now=0, limit=9)
        stamps.done(tx, second, now=1)
        waits, now = [], 0
        for _ in range(9):
            (wanted,) = stamps.due(tx, now=now, limit=9)
            again = stamps.failed(tx, wanted, why="it does not answer", now=now)
            assert stamps.due(tx, now=again - 1, limit=9) == []
            assert stamps.next_due(tx) == again
            waits.append(again - now)
            now = again
        assert waits == sorted(waits)
        assert (waits[0], waits[-1]) == (60_000, DAY)
        (one, other) = stamps.of_bundle(tx, NAMES[0])
        assert (one.authority, one.tries, one.why, one.done_at) == (first.authority, 9, "it does not answer", None)
        assert (other.done_at, other.why) == (1, None)
        stamps.forget(tx, one)
        assert stamps.next_due(tx) is None
