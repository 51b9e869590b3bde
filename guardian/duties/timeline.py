"""A second look at an account's timeline after a freeze: is there a post that the guardian did not send?

The look is planned with the freeze and survives a restart; it is made some 45 s later, once more after five minutes if
the freeze still stands, and again where nobody could answer, never more than a few times. What of ours landed late is
told by `landing.py`; here is what our books do not know. One thread at a time for an account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from guardian.store import attempts, freezes, incidents, journal, sweeps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from guardian.adapter import Adapter
    from guardian.model import Account, Seen
    from guardian.store.database import Database, Tx
    from guardian.store.sweeps import Sweep

SKEW = 60_000  # their clock is not ours
FIRST, AGAIN, LATER = 45_000, 60_000, 5 * 60_000
MOST = 4  # looks for one freeze
OLD = 60 * 60_000  # a freeze that is older has had its looks, or will not profit from one
WHO, KIND = "guardian", "not ours"
WORDS = 500
MOST_STRANGERS = 100
IN_DOUBT = "a post of ours is not answered yet: it may be this one"
log = structlog.get_logger()


def wanting(tx: Tx, accounts: Iterable[Account], *, now: int) -> list[tuple[str, str, int, int]]:
    """Whose timeline a freeze in force wants looked at, and nobody planned it: incident, account, since, due."""
    incident = incidents.current(tx)
    if incident is None:
        return []
    return [
        (incident.id, account.name, freeze.at - SKEW, max(freeze.at + FIRST, now))
        for freeze in freezes.in_force(tx)
        if now - OLD <= freeze.at <= now
        for account in accounts
        if freeze.scope in account.scopes and not sweeps.how_many(tx, account=account.name, since=freeze.at - SKEW)
    ]


def plan(tx: Tx, accounts: Iterable[Account], *, now: int) -> None:
    """Plan the first look for every freeze in force that has none."""
    for incident, account, since, due in set(wanting(tx, accounts, now=now)):
        sweeps.plan(tx, incident=incident, account=account, since=since, due_at=due)


def look(sweep: Sweep, adapter: Adapter, database: Database, clock: Callable[[], int]) -> int:
    """Make one look, and write down what is not ours; how many. Plans the next one where it takes one."""
    try:
        seen: list[Seen] = list(adapter.recent(since=sweep.since))
    except Exception as error:  # noqa: BLE001 (libraries disguise: nobody could say what is there)
        log.warning("not looked at the timeline", account=sweep.account, said=type(error).__name__)
        with database.transaction() as tx:
            _finish(tx, sweep, now=clock(), why=f"nobody could say: {type(error).__name__}", again=AGAIN)
        return 0
    with database.reading() as tx:
        strangers = [one for one in seen if not attempts.is_known(tx, sweep.account, one.ref.id)][:MOST_STRANGERS]
        doubtful = bool(strangers) and attempts.are_open(tx, sweep.account)
        rest = sweeps.how_many(tx, account=sweep.account, since=sweep.since) < MOST
    now = clock()
    with database.transaction() as tx:
        if doubtful and rest:
            _finish(tx, sweep, now=now, why=IN_DOUBT, again=AGAIN)
            return 0
        found = _write_down(tx, sweep, strangers, now=now, why=IN_DOUBT if doubtful else "")
        _finish(tx, sweep, now=now, why="", again=LATER)
    return found


def _write_down(tx: Tx, sweep: Sweep, strangers: Iterable[Seen], *, now: int, why: str) -> int:
    known = {
        (line.data.get("account"), line.data.get("platform_id")) for line in journal.of_kind(tx, sweep.incident, KIND)
    }
    fresh = [one for one in strangers if (sweep.account, one.ref.id) not in known]
    for one in fresh:
        facts = {"account": sweep.account, "platform_id": one.ref.id, "url": one.ref.url, "text": one.text[:WORDS]}
        journal.append(tx, KIND, who=WHO, now=now, incident=sweep.incident, at=one.at, why=why, **facts)
        log.warning("a post that is not ours", account=sweep.account, url=one.ref.url)
    return len(fresh)


def _finish(tx: Tx, sweep: Sweep, *, now: int, why: str, again: int) -> None:
    """It was made; another one is planned, while the freeze stands and there were few."""
    sweeps.done(tx, sweep.id, now=now, why=why)
    made = sweeps.how_many(tx, account=sweep.account, since=sweep.since)
    standing = any(freeze.at - SKEW == sweep.since for freeze in freezes.in_force(tx))
    fine = not why
    if standing and made < MOST and not (fine and again == LATER and now >= sweep.since + SKEW + LATER):
        sweeps.plan(tx, incident=sweep.incident, account=sweep.account, since=sweep.since, due_at=now + again)
