"""The incident's frame: one at a time, from a line of the journal to a line of the journal."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Illegal, Unfound
from guardian.store import incidents, journal

if TYPE_CHECKING:
    from guardian.model import Incident
    from guardian.store.database import Database, Tx


def _open(tx: Tx, reason: str = "bad joke", *, by: str = "anna", now: int = 5) -> tuple[Incident, bool]:
    return incidents.open_or_join(tx, reason=reason, by=by, cause="freeze", now=now)


def test_a_second_order_joins_the_open_incident_and_writes_no_second_line(database: Database) -> None:
    with database.transaction() as tx:
        first, new = _open(tx)
        second, again = _open(tx, "another reason", by="ben", now=9)
        lines = journal.after(tx, 0)
    assert (new, again) == (True, False)
    assert second == first
    assert [(one.seq, one.kind, one.who) for one in lines] == [(first.opened_seq, "incident opened", "anna")]
    assert lines[0].data == {"incident": first.id, "reason": "bad joke", "cause": "freeze"}


def test_two_orders_at_once_open_one_incident(database: Database) -> None:
    found: list[str] = []
    ready = threading.Barrier(8)

    def order() -> None:
        ready.wait(10)
        with database.transaction() as tx:
            found.append(_open(tx)[0].id)

    threads = [threading.Thread(target=order) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 8
    assert len(set(found)) == 1


def test_after_its_end_the_next_order_opens_another_and_both_are_listed_newest_first(database: Database) -> None:
    with database.transaction() as tx:
        first, _ = _open(tx)
        journal.append(tx, "note", who="anna", now=6, incident=first.id, text="x")
        closed = incidents.close(tx, first, reason="over", by="ben", now=7)
        assert incidents.current(tx) is None
        second, new = _open(tx, now=8)
        assert new
        assert incidents.latest(tx) == second
        assert incidents.current(tx) == second
        assert [one.id for one in incidents.page(tx, limit=10)] == [second.id, first.id]
        assert [one.id for one in incidents.page(tx, before=second.opened_seq, limit=1)] == [first.id]
    assert (closed.closed_at, closed.closed_by, closed.closed_seq) == (7, "ben", first.opened_seq + 2)


def test_what_is_closed_is_not_closed_again_and_what_is_not_there_is_said(database: Database) -> None:
    with database.transaction() as tx:
        first, _ = _open(tx)
        incidents.close(tx, first, reason="over", by="ben", now=7)
        with pytest.raises(Illegal, match="closed already"):
            incidents.close(tx, first, reason="again", by="ben", now=8)
        with pytest.raises(Unfound, match="there is none"):
            incidents.get(tx, "i-nothing")
        assert len(journal.after(tx, 0)) == 2
