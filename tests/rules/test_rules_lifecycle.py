"""The law against the design's own words, against the database that was filled from it, and against its drawing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.errors import Illegal
from guardian.model import Event, State
from guardian.rules import lifecycle
from guardian.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

LIFECYCLE_PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"

# design section 4, word by word, and one event more for the parts of a thread
DESIGN = """
claim: queued -> claimed
unclaim: claimed -> queued
block: claimed -> blocked
mend: blocked -> queued
intend: claimed -> sending
unsent: sending -> queued
landed: sending, unknown -> published
go on: sending, unknown -> queued
refuse: sending -> refused
lose: sending -> unknown
absent: unknown -> queued
miss: queued, blocked -> missed
release: missed -> queued
reschedule: missed, refused, blocked, queued -> queued
cancel: queued, blocked, missed, unknown -> cancelled
retract: published -> retracting
gone: retracting -> retracted
still there: retracting -> published
"""


def design() -> set[tuple[State, Event, State]]:
    rows = set()
    for line in DESIGN.strip().splitlines():
        event, _, way = line.partition(": ")
        sources, _, target = way.partition(" -> ")
        rows |= {(State(source), Event(event), State(target)) for source in sources.split(", ")}
    return rows


FEW = settings(max_examples=60, deadline=None)
EVENTS = st.lists(st.sampled_from(Event), max_size=40)


def walk(events: list[Event]) -> Iterator[tuple[State, Event, State]]:
    """Every step that the law allows of these events, from a post's entry on."""
    state = State.QUEUED
    for event in events:
        try:
            after = lifecycle.advance(state, event)
        except Illegal:
            continue
        yield state, event, after
        state = after


def test_the_law_is_the_design_and_nothing_beside_it() -> None:
    assert set(lifecycle.transitions()) == design()


def test_no_state_is_forgotten_by_the_law() -> None:
    assert set(lifecycle.TABLE) == set(State)
    assert {event for _, event, _ in lifecycle.transitions()} == set(Event)
    reached = {State.QUEUED} | {to for _, _, to in lifecycle.transitions()}
    assert reached == set(State)


@pytest.mark.parametrize("state", State)
def test_an_event_that_the_design_does_not_name_is_illegal_and_changes_nothing(state: State) -> None:
    legal = {what: to for was, what, to in design() if was is state}
    before = {was: dict(moves) for was, moves in lifecycle.TABLE.items()}
    for event in Event:
        if event in legal:
            assert lifecycle.advance(state, event) is legal[event]
            continue
        with pytest.raises(Illegal) as said:
            lifecycle.advance(state, event)
        assert f"cannot {event} a post, because it is {state}" in str(said.value)
    assert {was: dict(moves) for was, moves in lifecycle.TABLE.items()} == before


@FEW
@given(EVENTS)
def test_a_published_post_is_never_left_but_by_a_retraction(events: list[Event]) -> None:
    for was, event, now in walk(events):
        if was is State.PUBLISHED:
            assert (event, now) == (Event.RETRACT, State.RETRACTING)


@FEW
@given(EVENTS)
def test_nothing_is_on_the_wire_without_an_intent_and_a_claim(events: list[Event]) -> None:
    last: list[Event] = []
    for was, event, now in walk(events):
        last.append(event)
        if now is State.SENDING:
            assert was is State.CLAIMED
            assert last[-2:] == [Event.CLAIM, Event.INTEND]


@FEW
@given(EVENTS)
def test_a_post_that_may_be_live_is_never_sent_again_unasked(events: list[Event]) -> None:
    since_lost: list[Event] | None = None
    for _, event, now in walk(events):
        if since_lost is not None:
            since_lost.append(event)
        if event is Event.LOSE:
            since_lost = []
        if now is State.SENDING and since_lost is not None:
            asked = {Event.ABSENT, Event.GO_ON} & set(since_lost)
            assert asked, "sent again, and nobody asked the platform"
            assert since_lost[-2:] == [Event.CLAIM, Event.INTEND]
            since_lost = None
    assert set(lifecycle.TABLE[State.UNKNOWN]) == {Event.LANDED, Event.GO_ON, Event.ABSENT, Event.CANCEL}


@FEW
@given(EVENTS)
def test_what_is_over_stays_over(events: list[Event]) -> None:
    for was, _, _ in walk(events):
        assert was not in (State.CANCELLED, State.RETRACTED)


@FEW
@given(EVENTS)
def test_what_was_missed_is_never_sent_without_a_person(events: list[Event]) -> None:
    for was, event, _ in walk(events):
        if was is State.MISSED:
            assert event in (Event.RELEASE, Event.RESCHEDULE, Event.CANCEL)


def test_sources_name_every_state_that_an_event_may_leave() -> None:
    for event in Event:
        assert set(lifecycle.sources(event)) == {was for was, what, _ in design() if what is event}


def test_a_fresh_database_enforces_exactly_this_law(tmp_path: Path) -> None:
    database = Database(tmp_path / "guardian.db")
    try:
        with database.reading() as tx:
            rows = tx.execute("select was, event, is_now from transitions").fetchall()
            (schema,) = tx.execute("select sql from sqlite_master where name = 'posts'").fetchall()
    finally:
        database.close()
    assert {(row["was"], row["event"], row["is_now"]) for row in rows} == design()
    checked = re.search(r"check \(state in \(([^)]*)\)\)", schema["sql"])
    assert checked is not None
    assert {word.strip().strip("'") for word in checked[1].split(",")} == set(State)


@pytest.mark.skipif(not LIFECYCLE_PAGE.exists(), reason="docs/lifecycle.md is not written yet")
def test_the_drawing_on_the_page_is_the_law_in_force() -> None:
    drawn = re.search(r"```mermaid\n(.*?)```", LIFECYCLE_PAGE.read_text("utf-8"), re.DOTALL)
    assert drawn is not None
    assert drawn[1] == lifecycle.diagram()


def test_the_drawing_shows_every_move_once() -> None:
    lines = lifecycle.diagram().splitlines()
    assert lines[0] == "stateDiagram-v2"
    for was, event, now in design():
        assert lines.count(f"    {was} --> {now}: {event}") == 1
    assert {line.split()[0] for line in lines if line.endswith("--> [*]")} == {"cancelled", "retracted"}
