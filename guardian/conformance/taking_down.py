"""What is taken down is gone, once, and nothing is said in doing so that was not announced; what can come back does."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from guardian.adapter import Kind
from guardian.beyond import Overwriting
from guardian.conformance.case import Cases
from guardian.conformance.front import drops, loses, slow
from guardian.conformance.stage import Broken, expect
from guardian.errors import Refusal
from guardian.fence import passage
from guardian.gate import intents
from guardian.gate.verdicts import Accepted, NotFound, Stopped, Uncertain
from guardian.model import Decision, PostRef, Presence

if TYPE_CHECKING:
    from guardian.adapter import Abilities
    from guardian.conformance.stage import Stage

CASES = Cases()


def _hides(able: Abilities) -> bool:
    """Posts of our own: there is nobody else on this stage."""
    act = able.act(Decision.HIDE)
    return act is not None and not act.others


def _comes_back(able: Abilities) -> bool:
    act = able.act(Decision.HIDE)
    return act is not None and act.reversible and not act.others


@CASES.add()
def a_post_is_deleted_by_one_request_and_gone(stage: Stage) -> None:
    ref = stage.published()
    came = stage.door.take_down(ref)
    expect(isinstance(came, Accepted), f"an honest deletion came to {came}")
    expect(len(stage.front.arrived(Kind.RETRACT)) == 1, "it took more than one request")
    expect(stage.held(ref) is None, "it is still there")
    expect(stage.door.adapter.presence(ref) is Presence.GONE, "it is gone, and presence does not say so")


@CASES.add()
def to_delete_what_is_gone_is_no_error(stage: Stage) -> None:
    ref = stage.published()
    stage.door.take_down(ref)
    came = stage.door.take_down(ref)
    expect(isinstance(came, Accepted | NotFound), f"a second deletion came to {came}")
    expect(stage.door.adapter.presence(ref) is Presence.GONE, "it is gone, and presence does not say so")


@CASES.add()
def a_deletion_whose_answer_is_lost_is_not_sent_again(stage: Stage) -> None:
    for number, act in enumerate((slow, loses, drops), start=1):
        ref = stage.published()
        stage.door.adapter.whoami()
        stage.front.next(Kind.RETRACT, act)
        came = stage.door.take_down(ref)
        expect(isinstance(came, Uncertain), f"it may have been deleted, and the verdict is {came}")
        expect(len(stage.front.arrived(Kind.RETRACT)) == number, "it was sent again")


@CASES.add()
def to_keep_a_post_is_no_act(stage: Stage) -> None:
    ref = stage.published()
    undoing = stage.door.adapter.prepare(Decision.DELETE, ref, {})
    stage.door.take_down(ref, Decision.KEEP, undoing=undoing)
    expect(not stage.front.arrived(Kind.RETRACT), "something left for a post that is kept")
    expect(stage.held(ref) is not None, "a post that is kept is gone")


@CASES.add(lambda able: bool(able.overwrites))
def words_are_overwritten_by_one_request_and_deleted_by_another(stage: Stage) -> None:
    adapter, words = stage.door.adapter, f"Words {uuid.uuid4().hex[:12]}"
    ref = stage.plain.made(stage.bench.part(f"Fresh bread\n\n{words}"))
    if not isinstance(adapter, Overwriting):
        raise Broken("overwriting is declared, and the adapter has no `prepare_overwriting`")
    undoing = adapter.prepare_overwriting(ref, stage.plain.looked(ref))
    if undoing.ahead is None:
        raise Broken("overwriting is declared, and a post of words is not overwritten")
    bare = intents.retracting(stage.door.account, ref.id)
    expect(isinstance(stage.door.take_down(ref, undoing=undoing.ahead, intent=bare), Stopped), "unannounced words left")
    came = stage.door.take_down(ref, undoing=undoing.ahead)
    expect(isinstance(came, Accepted), f"an honest overwriting came to {came}")
    held = stage.held(ref)
    expect(held is not None and words not in held.words, "its words are still shown, or it is gone already")
    came = stage.door.take_down(ref, undoing=undoing)
    expect(isinstance(came, Accepted), f"the deletion after it came to {came}")
    expect(len(stage.front.arrived(Kind.RETRACT)) == 2, "it took another number of requests than two")  # noqa: PLR2004 (the two)
    expect(adapter.presence(ref) is Presence.GONE, "it is gone, and presence does not say so")


@CASES.add(_hides)
def a_hidden_post_shows_its_words_no_more(stage: Stage) -> None:
    part = stage.part()
    ref = stage.plain.made(part)
    came = stage.door.take_down(ref, Decision.HIDE)
    expect(isinstance(came, Accepted), f"an honest hide came to {came}")
    held = stage.held(ref)
    expect(held is None or part.text.strip().splitlines()[-1] not in held.words, "its words are still shown")
    expect(
        stage.door.adapter.presence(ref) in (Presence.VEILED, Presence.GONE),
        f"it is hidden, and presence says {stage.door.adapter.presence(ref)}",
    )


@CASES.add(_hides)
def what_an_act_says_is_what_was_announced(stage: Stage) -> None:
    ref = stage.published()
    undoing = stage.plain.prepared(ref, Decision.HIDE)
    came = stage.door.take_down(
        ref, Decision.HIDE, undoing=undoing, intent=intents.retracting(stage.door.account, ref.id)
    )
    if undoing.says:
        expect(isinstance(came, Stopped), f"words that were not announced came to {came}")
        expect(not stage.front.arrived(Kind.RETRACT), "words left that were not announced")


@CASES.add(lambda able: not _hides(able))
def what_is_not_offered_is_refused_before_anything_leaves(stage: Stage) -> None:
    ref = stage.published()
    answers = stage.plain.looked(ref)
    try:
        undoing = stage.door.adapter.prepare(Decision.HIDE, ref, answers)
    except Refusal as error:
        stage.heard(error)
        undoing = stage.door.adapter.prepare(Decision.DELETE, ref, answers)
    else:
        raise Broken("hiding is not declared, and is prepared")
    stage.door.take_down(ref, Decision.HIDE, undoing=undoing)
    expect(not stage.front.arrived(Kind.RETRACT), "something left for an act that is not declared")
    expect(stage.held(ref) is not None, "an act that is not declared took it down")


@CASES.add(_comes_back)
def a_hidden_post_comes_back_as_it_was(stage: Stage) -> None:
    part = stage.part()
    ref = stage.plain.made(part)
    undone = _hidden(stage, ref)
    came = stage.door.undo(ref, undone)
    expect(isinstance(came, Accepted), f"an honest undo came to {came}")
    held = stage.held(ref)
    expect(held is not None and part.text.strip().splitlines()[-1] in held.words, "its words did not come back")
    expect(stage.door.adapter.presence(ref) is Presence.THERE, "it is back, and presence does not say so")


@CASES.add(_comes_back)
def nothing_comes_back_while_frozen(stage: Stage) -> None:
    ref = stage.published()
    undone = _hidden(stage, ref)
    intent = intents.managing(stage.door.account, passage.look(stage.house, stage.door.account.scopes))
    stage.freeze()
    came = stage.door.undo(ref, undone, intent=intent)
    expect(isinstance(came, Stopped), f"an undo in a frozen house came to {came}")
    expect(stage.door.adapter.presence(ref) is not Presence.THERE, "it came back while frozen")


def _hidden(stage: Stage, ref: PostRef) -> dict[str, object]:
    undoing = stage.plain.prepared(ref, Decision.HIDE)
    came = stage.door.take_down(ref, Decision.HIDE, undoing=undoing)
    if undoing.undo is None or not isinstance(came, Accepted):
        raise Broken(f"hiding is declared reversible; it came to {came}, and {undoing.undo} would undo it")
    return dict(undoing.undo)
