"""Lists of posts: filtered, in the order of their time, page by page or as a stream.

Inside a caller's transaction. Each filter is read along the index that fits it best, and no further than is asked for.
"""

from __future__ import annotations

import difflib
import heapq
import itertools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardian.errors import Mistake
from guardian.model import State
from guardian.store import holds
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Mapping

    from guardian.store.database import Tx

HELD_STATES = (State.QUEUED, State.BLOCKED)
START = (-1, -1)
NEVER = 1 << 62
FEW = 10_000
MOST_NAMES = 1_000
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which posts; None or nothing is any. Times in ms: from `after` on, and before `before`.

    `held`: only what a freeze or a hold keeps back now. `own_hold`: only posts that are on hold themselves.
    """

    account: str | None = None
    brand: str | None = None
    states: tuple[State, ...] = ()
    tag: str | None = None
    campaign: str | None = None
    after: int | None = None
    before: int | None = None
    held: bool = False
    own_hold: bool = False

    @property
    def is_any(self) -> bool:
        """Whether it leaves nothing out."""
        return self == Filter()


def page(tx: Tx, wanted: Filter, *, cursor: str | None, limit: int) -> tuple[list[Row], str | None]:
    """A page of posts as rows with `held_by`, and the cursor of the next page. Raises Mistake for a bad cursor."""
    found = stream(tx, wanted, start=_cursor(cursor))
    rows = list(itertools.islice(found, limit + 1))
    found.close()
    more = rows[limit - 1 : limit] if len(rows) > limit else []
    shown = [{**row, "held_by": held_by(tx, row["id"])} for row in rows[:limit]]
    return shown, f"{more[0]['at']}.{more[0]['seq']}" if more else None


def stream(tx: Tx, wanted: Filter, *, start: tuple[int, int] = START) -> Generator[Row, None, None]:
    """Every post that fits, from a place on. Raises Mistake for an account, brand or campaign that there is not."""
    accounts = _accounts(tx, wanted)
    _must_be_a_campaign(tx, wanted.campaign)
    states = frozenset(wanted.states)
    for row in _source(tx, wanted, accounts, _Span(start, wanted)):
        if accounts is not None and row["account"] not in accounts:
            continue
        if states and row["state"] not in states:
            continue
        if wanted.tag is not None and wanted.tag not in json.loads(row["tags"]):
            continue
        if wanted.campaign not in (None, row["campaign"]):
            continue
        if wanted.held and held_by(tx, row["id"]) is None:
            continue
        yield row


def held_by(tx: Tx, post: str) -> str | None:
    """The freeze (f-...) or the hold (h-...) that keeps a waiting post back."""
    found = Q.held_by(tx, id=post)
    return None if found is None else str(found)


class _Span:
    """From a place in the order of time to a moment, as the queries want it."""

    def __init__(self, start: tuple[int, int], wanted: Filter) -> None:
        at, seq = start
        after = -1 if wanted.after is None else wanted.after
        place = (at, seq) if at >= after else (after, -1)
        before = NEVER if wanted.before is None else wanted.before
        self.facts = {"after_at": place[0], "after_seq": place[1], "before": before}


def _source(tx: Tx, wanted: Filter, accounts: Collection[str] | None, span: _Span) -> Iterator[Row]:
    """The shortest way to posts among which are all that fit.

    What few posts have in common is looked up and sorted; what many have is met soon enough on the way through time.
    """
    if wanted.own_hold:
        return Q.posts_on_hold(tx, tags=0, **span.facts)  # type: ignore[no-any-return]
    if wanted.campaign is not None:
        return Q.posts_of_campaign(tx, campaign=wanted.campaign, **span.facts)  # type: ignore[no-any-return]
    if wanted.tag is not None:
        tag = holds.written(wanted.tag)
        if _are_few(tx, [tag]):
            return Q.posts_tagged(tx, tag=tag, **span.facts)  # type: ignore[no-any-return]
        return _by_states(tx, accounts, wanted.states, {**span.facts, "tag": tag, "on_hold": 0})
    if not wanted.held:
        return _by_states(tx, accounts, wanted.states, {**span.facts, "tag": None, "on_hold": 0})
    frozen = {row["account"] for row in Q.frozen_accounts(tx)}
    if accounts is not None:
        frozen &= set(accounts)
    behind_freezes = _by_states(tx, frozen, HELD_STATES, {**span.facts, "tag": None, "on_hold": 0})
    on_hold = (row for row in _on_hold(tx, accounts, span) if row["account"] not in frozen)
    return _merged([behind_freezes, on_hold])


def _on_hold(tx: Tx, accounts: Collection[str] | None, span: _Span) -> Iterator[Row]:
    if _are_few(tx, [holds.written(hold.tag or "") for hold in holds.of_tags(tx)]):
        return Q.posts_on_hold(tx, tags=1, **span.facts)  # type: ignore[no-any-return]
    return _by_states(tx, accounts, HELD_STATES, {**span.facts, "tag": None, "on_hold": 1})


def _are_few(tx: Tx, tags: Collection[str]) -> bool:
    return sum(int(Q.tagged_at_most(tx, tag=tag, most=FEW + 1) or 0) for tag in tags) <= FEW


def _by_states(
    tx: Tx, accounts: Collection[str] | None, states: Collection[State], facts: Mapping[str, object]
) -> Iterator[Row]:
    """One stream for each account and state that has posts at all, or for each state, woven into one."""
    there = [
        (row["account"], row["state"]) for row in Q.accounts_and_states(tx) if not states or row["state"] in states
    ]
    if accounts is None:
        return _merged([Q.posts_in_state(tx, state=one, **facts) for one in sorted({state for _, state in there})])
    mine = [(account, state) for account, state in there if account in accounts]
    return _merged([Q.posts_of_account(tx, account=account, state=state, **facts) for account, state in mine])


def _merged(streams: list[Iterator[Row]]) -> Iterator[Row]:
    return heapq.merge(*streams, key=lambda row: (row["at"], row["seq"]))


def _accounts(tx: Tx, wanted: Filter) -> set[str] | None:
    """The accounts that are meant; None: all of them."""
    if wanted.account is None and wanted.brand is None:
        return None
    found = {row["account"] for row in Q.covered_accounts(tx, scope="all")}
    found |= {row["account"] for row in Q.accounts_and_states(tx)}
    if wanted.account is not None:
        _must_be_among("account", wanted.account, found)
        found = {wanted.account}
    if wanted.brand is not None:
        of_brand = {row["account"] for row in Q.covered_accounts(tx, scope=f"brand:{wanted.brand}")}
        if not of_brand:
            raise Mistake(
                f"cannot find the brand {wanted.brand!r}, because no account has it", fix="look it up: guardian status"
            )
        found &= of_brand
    return found


def _must_be_a_campaign(tx: Tx, name: str | None) -> None:
    """Whoever holds or cancels a campaign, and mistypes it, is not told that nothing was there to be held."""
    if name is None or Q.post_of_campaign(tx, campaign=name) is not None:
        return
    _must_be_among("campaign", name, [row["campaign"] for row in Q.campaigns(tx, limit=MOST_NAMES)])


def _must_be_among(noun: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        fix = f"use {near[0]!r}" if near else f"choose from: {', '.join(sorted(known)[:20]) or 'none yet'}"
        raise Mistake(f"cannot find the {noun} {name!r}, because there is none of that name", fix=fix)


def _cursor(text: str | None) -> tuple[int, int]:
    if text is None:
        return START
    at, _, seq = text.partition(".")
    if not re.fullmatch(r"[0-9]{1,18}\.[0-9]{1,18}", text):
        raise Mistake(f"cannot go on from {text!r}, because it is no cursor", fix="begin again without one")
    return int(at), int(seq)
