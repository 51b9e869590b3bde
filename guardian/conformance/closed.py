"""When the gate is closed nothing is published, whatever a library does at that moment; and nothing goes around it."""

from __future__ import annotations

import contextvars
import threading
import time
from typing import TYPE_CHECKING

from guardian.adapter import Kind
from guardian.conformance.case import Cases
from guardian.conformance.front import answer, says
from guardian.conformance.stage import expect
from guardian.errors import Doubt
from guardian.fence.passage import Stopped as FenceStopped
from guardian.gate import intents
from guardian.gate.intents import Intent, declare
from guardian.gate.verdicts import Accepted, NotFound, Stopped
from guardian.model import Decision

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.conformance.stage import Stage

CASES = Cases()
ASLEEP = 0.3  # seconds after which a library that has asked nothing is taken to sleep
NAP = 2  # seconds that the platform asks the library to wait
LONGEST = 60.0
LIMITS = ("X-RateLimit", "x-rate-limit", "RateLimit")  # as the platforms write it


@CASES.add(lambda able: able.media is not None)
def a_gate_that_closes_between_upload_and_post_lets_no_post_out(stage: Stage) -> None:
    data, media = stage.bench.picture()
    door = stage.door
    door.adapter.whoami()
    upload, intent = door.uploaded(data, media), door.intent()
    stage.freeze()
    sent = door.send(stage.part(media=(media,)), intent=intent, uploads=(upload,))
    expect(stage.creates() == 0, "a post left after the freeze was confirmed")
    expect(isinstance(sent.verdict, Stopped), f"what never left came to {sent.verdict}")


@CASES.add()
def a_gate_that_closes_while_the_library_waits_for_its_turn_lets_no_post_out(stage: Stage) -> None:
    stage.door.adapter.whoami()
    reset = str(int(time.time()) + NAP)
    spent = {f"{one}-Remaining": "0" for one in LIMITS} | {f"{one}-Reset": reset for one in LIMITS}
    stage.front.next(Kind.READ, says(answer(200, headers=spent)))
    try:
        stage.door.adapter.recent(since=stage.now())
    except Doubt as error:  # it was no list: the library has heard that it has asked too much
        stage.heard(error)
    _froze_meanwhile(stage)


@CASES.add()
def a_gate_that_closes_while_the_library_waits_to_try_again_lets_nothing_more_out(stage: Stage) -> None:
    stage.door.adapter.whoami()
    stage.front.next(Kind.PUBLISH, says(answer(429, headers={"Retry-After": str(NAP)})))
    _froze_meanwhile(stage)
    expect(stage.creates() == 1, f"{stage.creates()} requests would make a post, where one may")


def _froze_meanwhile(stage: Stage) -> None:
    """Publish in a thread, freeze as soon as it has asked something or seems to sleep; nothing may leave after that."""
    door, part, intent = stage.door, stage.part(), stage.door.intent()
    before = len(stage.front.arrived())
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(lambda: door.send(part, intent=intent),))
    thread.start()
    asleep = time.monotonic() + ASLEEP
    while time.monotonic() < asleep and stage.creates() == 0 and thread.is_alive():
        time.sleep(0.01)
    stage.freeze()
    closed = time.monotonic_ns()
    thread.join(LONGEST)
    expect(not thread.is_alive(), "the adapter still waits for its platform")
    expect(len(stage.front.arrived()) >= before, "requests were forgotten")
    late = [one for one in stage.front.arrived(Kind.PUBLISH) if one.at > closed]
    expect(not late, f"{len(late)} posts left after the freeze was confirmed")


@CASES.add()
def a_frozen_house_takes_down_and_publishes_nothing(stage: Stage) -> None:
    ref, intent = stage.published(), stage.door.intent()
    stage.freeze()
    sent = stage.door.send(stage.part(), intent=intent)
    expect(stage.creates() == 0 and isinstance(sent.verdict, Stopped), f"a frozen house published: {sent.verdict}")
    came = stage.door.take_down(ref)
    expect(isinstance(came, Accepted | NotFound), f"a frozen house cannot take down: {came}")
    expect(stage.held(ref) is None, "the post is still there")


@CASES.add(lambda able: able.media is not None)
def a_frozen_house_uploads_nothing(stage: Stage) -> None:
    data, media = stage.bench.picture()
    stage.door.adapter.whoami()
    intent = stage.door.intent(Kind.UPLOAD)
    stage.freeze()
    found, came = stage.door.upload(data, media, intent=intent)
    expect(found is None and isinstance(came, Stopped), f"a frozen house uploaded: {came}")
    expect(not stage.front.arrived(Kind.UPLOAD), "a file left after the freeze was confirmed")


@CASES.add()
def what_nobody_announced_never_leaves(stage: Stage) -> None:
    data, media = stage.bench.picture()
    ref, adapter = stage.published(), stage.door.adapter
    adapter.whoami()
    undoing = adapter.prepare(Decision.DELETE, ref, {})
    _raises(stage, "a post", lambda: adapter.publish(stage.part(), "0" * 32))
    _raises(stage, "an upload", lambda: adapter.upload(data, media))
    for kind in (Kind.PUBLISH, Kind.UPLOAD, Kind.RETRACT, Kind.MANAGE):
        expect(not stage.front.arrived(kind), f"{kind} left without an intent")
    _quietly(stage, lambda: adapter.retract(Decision.DELETE, ref, undoing))
    expect(not stage.front.arrived(Kind.RETRACT), "a deletion left without an intent")
    expect(stage.held(ref) is not None, "a post was deleted without an intent")


@CASES.add()
def an_intent_is_good_for_one_post(stage: Stage) -> None:
    intent = stage.door.intent()
    stage.door.send(stage.part(), intent=intent)
    stage.door.send(stage.part(), intent=intent)
    expect(stage.creates() == 1, f"{stage.creates()} posts left under one intent")


@CASES.add()
def an_intent_to_take_down_publishes_nothing(stage: Stage) -> None:
    ref = stage.published()
    stage.door.adapter.whoami()
    stage.door.send(stage.part(), intent=intents.retracting(stage.door.account, ref.id))
    expect(stage.creates() == 0, "a post left under the intent of a deletion")


@CASES.add()
def an_intent_to_publish_takes_nothing_down(stage: Stage) -> None:
    ref = stage.published()
    came = stage.door.take_down(ref, intent=stage.door.intent())
    expect(isinstance(came, Stopped), f"a deletion under the intent of a post came to {came}")
    expect(stage.held(ref) is not None, "a post was deleted under the intent of another")


@CASES.add()
def a_request_that_nobody_declared_never_leaves(stage: Stage) -> None:
    door = stage.door
    before = len(stage.front.arrived())
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for intent in (door.intent(), intents.retracting(door.account, "1")):
            _refused(stage, intent, method)
    expect(len(stage.front.arrived()) == before, "a request left that is in no table")


def _refused(stage: Stage, intent: Intent, method: str) -> None:
    with declare(intent):
        try:
            stage.door.session.request(method, f"{stage.front.url}/conformance")
        except FenceStopped as error:
            stage.heard(error)
        else:
            expect(False, "a request that is in no table was not refused")


def _raises(stage: Stage, what: str, ask: Callable[[], object]) -> None:
    try:
        ask()
    except Exception as error:  # noqa: BLE001 (libraries disguise it)
        stage.heard(error)
    else:
        expect(False, f"{what} without an intent is said to be done")


def _quietly(stage: Stage, ask: Callable[[], object]) -> None:
    try:
        ask()
    except Exception as error:  # noqa: BLE001 (the wire says what happened)
        stage.heard(error)
