"""What the platform itself will publish: seen, put off and deleted where that is declared, and never guessed."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from guardian.adapter import Kind
from guardian.conformance.case import Cases
from guardian.conformance.doubt import NO_ANSWERS
from guardian.conformance.stage import Broken, expect
from guardian.errors import Refusal
from guardian.gate import intents
from guardian.gate.intents import declare
from guardian.gate.verdicts import Accepted, NotFound, verdict_of_retract

if TYPE_CHECKING:
    from guardian.conformance.stage import Stage
    from guardian.model import Native

CASES = Cases()
HOUR = 3_600_000


def _listed(stage: Stage, name: str) -> Native | None:
    found = stage.plain.adapter.natives()
    if found is None:
        raise Broken("its own queue is declared to be listed, and is not")
    return next((native for native in found if native.id == name), None)


def _seeded(stage: Stage) -> Native:
    words = f"Scheduled bread {uuid.uuid4().hex[:12]}"
    due = (stage.now() + 24 * HOUR) // 1000 * 1000
    found = _listed(stage, stage.bench.native(words, due))
    if found is None:
        raise Broken("what the platform will publish is not listed")
    expect(found.due == due, f"it is due at {found.due}, and not at {due}")
    expect(words in found.text, f"it says {found.text!r}")
    return found


@CASES.add(lambda able: able.lists_natives)
def what_the_platform_will_publish_is_listed_and_deleted(stage: Stage) -> None:
    native = _seeded(stage)
    for again in (False, True):
        with declare(intents.retracting(stage.door.account, native.id)) as receipt:
            try:
                stage.door.adapter.remove_native(native)
            except Exception as error:  # noqa: BLE001 (the receipt decides)
                stage.heard(error)
        came = verdict_of_retract(receipt)
        fine = isinstance(came, Accepted | NotFound) if again else isinstance(came, Accepted)
        expect(fine, f"deleting what is scheduled there came to {came}")
    expect(len(stage.front.arrived(Kind.RETRACT)) == len((False, True)), "it was sent more than once")
    expect(_listed(stage, native.id) is None, "it is still scheduled")


@CASES.add(lambda able: able.defers_natives)
def what_the_platform_will_publish_is_put_off_and_back(stage: Stage) -> None:
    native, adapter = _seeded(stage), stage.door.adapter
    until = native.due + 24 * HOUR
    undoing = adapter.deferral(native, until=until)
    with declare(intents.retracting(stage.door.account, native.id, undoing.says)) as receipt:
        adapter.defer_native(native, until=until)
    expect(isinstance(verdict_of_retract(receipt), Accepted), f"putting off came to {verdict_of_retract(receipt)}")
    moved = _listed(stage, native.id)
    expect(moved is not None and moved.due == until, f"it was put off until {until}, and is {moved}")
    expect(undoing.undo is not None, "nothing says how it is brought back")
    try:
        adapter.deferral(native, until=native.due - HOUR)
    except Refusal as error:
        stage.heard(error)
    else:
        expect(False, "to put it off until sooner is not refused: it would be published sooner")


@CASES.add(lambda able: able.lists_natives)
def a_queue_that_cannot_be_asked_for_is_not_called_empty(stage: Stage) -> None:
    for name, act in NO_ANSWERS.items():
        with stage.front.always(act, frozenset({Kind.READ})):
            try:
                found = stage.door.adapter.natives()
            except Exception as error:  # noqa: BLE001 (any is a doubt)
                stage.heard(error)
            else:
                expect(False, f"the platform answered {name}, and {found} is said to be scheduled there")


@CASES.add(lambda able: not able.lists_natives)
def a_queue_that_nobody_can_list_is_not_called_empty(stage: Stage) -> None:
    found = stage.plain.adapter.natives()
    expect(found is None, f"its own queue is declared not to be listed, and {found} is said to be in it")
