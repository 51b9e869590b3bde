"""A limit hides nothing: it is laid in one request beside a post that stays, and lifted as if it had never been.

What a platform does not declare is not done under the name of something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.adapter import Kind, Undoing
from guardian.beyond import Limiting
from guardian.conformance.case import Cases
from guardian.conformance.stage import Broken, expect
from guardian.errors import Refusal
from guardian.fence import passage
from guardian.gate import intents
from guardian.gate.verdicts import Accepted, Stopped
from guardian.model import Decision, PostRef, Presence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.abilities import Abilities
    from guardian.conformance.stage import Stage

CASES = Cases()


def _limits(able: Abilities) -> bool:
    return any(act.decision.is_limit for act in able.acts)


def _declared(stage: Stage) -> Iterator[Decision]:
    return (act.decision for act in stage.bench.maker.abilities.acts if act.decision.is_limit)


def _shown(stage: Stage, decision: Decision, ref: PostRef) -> Presence:
    adapter = stage.door.adapter
    if not isinstance(adapter, Limiting):
        raise Broken(f"{decision} is declared, and the adapter has no `limited`")
    return adapter.limited(decision, ref)


@CASES.add(_limits)
def a_limit_is_laid_by_one_request_and_the_post_stays(stage: Stage) -> None:
    for count, decision in enumerate(_declared(stage), 1):
        ref = stage.published()
        before = stage.held(ref)
        expect(_shown(stage, decision, ref) is Presence.THERE, f"{decision} is called in force before it was laid")
        came = stage.door.take_down(ref, decision)
        expect(isinstance(came, Accepted), f"an honest {decision} came to {came}")
        expect(len(stage.front.arrived(Kind.RETRACT)) == count, f"{decision} took more than one request")
        expect(
            _shown(stage, decision, ref) is Presence.LIMITED, f"{decision} is in force, and `limited` does not say so"
        )
        expect(stage.held(ref) == before, f"{decision} has changed the post itself")
        expect(stage.door.adapter.presence(ref) is Presence.THERE, f"{decision} is taken for more than a limit")


@CASES.add(_limits)
def a_limit_is_lifted_as_if_it_had_never_been(stage: Stage) -> None:
    for decision in _declared(stage):
        ref = stage.published()
        before = stage.held(ref)
        came = stage.door.undo(ref, _laid(stage, decision, ref))
        expect(isinstance(came, Accepted), f"lifting {decision} came to {came}")
        expect(_shown(stage, decision, ref) is Presence.THERE, f"{decision} is lifted, and `limited` does not say so")
        expect(stage.held(ref) == before, f"the post is not as it was before {decision}")


@CASES.add(_limits)
def a_limit_is_laid_while_frozen_and_not_lifted(stage: Stage) -> None:
    scopes = stage.door.account.scopes
    laid = [(one, stage.published(), intents.managing(stage.door.account, passage.look(stage.house, scopes)))
            for one in _declared(stage)]  # fmt: skip
    stage.freeze()
    for decision, ref, intent in laid:
        undo = _laid(stage, decision, ref)
        came = stage.door.undo(ref, undo, intent=intent)
        expect(isinstance(came, Stopped), f"lifting {decision} in a frozen house came to {came}")
        expect(_shown(stage, decision, ref) is Presence.LIMITED, f"{decision} was lifted while frozen")


@CASES.add(_limits)
def of_a_post_that_is_gone_no_limit_is_in_force(stage: Stage) -> None:
    for decision in _declared(stage):
        ref = stage.published()
        _laid(stage, decision, ref)
        stage.door.take_down(ref)
        expect(_shown(stage, decision, ref) is Presence.GONE, f"the post is gone, and `limited` speaks of {decision}")


@CASES.add()
def a_limit_that_is_not_declared_is_not_laid(stage: Stage) -> None:
    declared = set(_declared(stage))
    ref = stage.published()
    before = stage.held(ref)
    for decision in (one for one in Decision if one.is_limit and one not in declared):
        try:
            undoing = stage.door.adapter.prepare(decision, ref, stage.plain.looked(ref))
        except Refusal as error:
            stage.heard(error)
            undoing = Undoing()
        stage.door.take_down(ref, decision, undoing=undoing)
    expect(not stage.front.arrived(Kind.RETRACT), "something left for a limit that is not declared")
    expect(stage.held(ref) == before, "a limit that is not declared has changed the post")


def _laid(stage: Stage, decision: Decision, ref: PostRef) -> dict[str, object]:
    undoing = stage.plain.prepared(ref, decision)
    came = stage.door.take_down(ref, decision, undoing=undoing)
    if undoing.undo is None or not isinstance(came, Accepted):
        raise Broken(f"every limit can be lifted; {decision} came to {came}, and {undoing.undo} would lift it")
    return dict(undoing.undo)
