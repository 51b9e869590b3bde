"""The life of a target: no way to *gone* but by a look, none from *acting* back to where another request is free."""

from __future__ import annotations

import pytest

from guardian.errors import Illegal
from guardian.model import Decision, Presence
from guardian.rules.takedown import COMPLETE, OPEN, TABLE, Step, TargetState, advance, found


def test_every_state_has_its_line_and_every_step_leads_to_one() -> None:
    assert set(TABLE) == set(TargetState)
    assert {to for moves in TABLE.values() for to in moves.values()} <= set(TargetState)
    assert set(OPEN) | set(COMPLETE) <= set(TargetState)


@pytest.mark.parametrize("state", list(TargetState))
def test_nothing_is_called_gone_but_by_a_look_that_found_it_gone(state: TargetState) -> None:
    assert {step for step, to in TABLE[state].items() if to is TargetState.GONE} <= {Step.FOUND_GONE}


def test_no_request_leaves_without_the_proof_having_been_dealt_with() -> None:
    assert {state for state, moves in TABLE.items() if Step.ACT in moves} == {TargetState.CAPTURED, TargetState.ACTING}


@pytest.mark.parametrize("state", list(TargetState))
@pytest.mark.parametrize("step", list(Step))
def test_an_illegal_step_raises_and_says_what_state_it_is_in(state: TargetState, step: Step) -> None:
    if step in TABLE[state]:
        assert advance(state, step) is TABLE[state][step]
        return
    with pytest.raises(Illegal, match=state.value):
        advance(state, step)


@pytest.mark.parametrize("decision", list(Decision))
def test_an_unclear_look_is_never_gone_whatever_was_decided(decision: Decision) -> None:
    assert found(Presence.UNKNOWN, decision) is Step.FOUND_NOTHING
    assert found(Presence.GONE, decision) is Step.FOUND_GONE
    assert found(Presence.THERE, decision) is (Step.FOUND_FREE if decision.is_limit else Step.FOUND_THERE)


def test_a_veil_is_what_was_wanted_only_if_hiding_was() -> None:
    assert found(Presence.VEILED, Decision.HIDE) is Step.FOUND_HIDDEN
    assert found(Presence.VEILED, Decision.DELETE) is Step.FOUND_THERE


@pytest.mark.parametrize("decision", [one for one in Decision if one.is_limit])
def test_a_limit_is_in_force_only_if_a_look_says_so_of_a_post_that_is_there(decision: Decision) -> None:
    assert found(Presence.LIMITED, decision) is Step.FOUND_LIMITED
    assert found(Presence.VEILED, decision) is Step.FOUND_FREE
    assert {moves[Step.FOUND_LIMITED] for moves in TABLE.values() if Step.FOUND_LIMITED in moves} == {TargetState.KEPT}


def test_a_post_that_is_only_kept_is_never_called_too_visible() -> None:
    assert found(Presence.THERE, Decision.KEEP) not in TABLE[TargetState.KEPT]
    assert found(Presence.THERE, Decision.LOCK) in TABLE[TargetState.KEPT]
