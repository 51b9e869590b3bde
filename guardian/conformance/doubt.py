"""What leaves leaves once, what becomes of it is concluded from what was seen, and a lost post is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.adapter import Certainty, Kind
from guardian.conformance.case import Cases
from guardian.conformance.front import answer, drops, loses, says, slow
from guardian.conformance.stage import Broken, expect
from guardian.errors import Doubt
from guardian.gate.verdicts import Throttled, Uncertain

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.adapter import Abilities
    from guardian.conformance.front import Act
    from guardian.conformance.stage import Sent, Stage
    from guardian.model import PostRef

CASES = Cases()
HTML = answer(200, body=b"<html><title>Welcome to the hotel network</title></html>", media_type="text/html")
NOTHING = answer(200)
SORRY = {status: answer(status, body=b'{"error": "conformance"}') for status in (401, 403, 429, 500, 502, 503, 504)}
NO_ANSWERS: dict[str, Act] = {
    **{str(status): says(data) for status, data in SORRY.items()},
    "a page": says(HTML),
    "an empty object": says(NOTHING),
    "no answer": drops,
}
AFTER = 7.0


def _finds(*certainties: Certainty) -> Callable[[Abilities], bool]:
    return lambda able: able.finds is not None and able.finds.certainty in certainties


def _once_and_uncertain(stage: Stage, act: Act) -> Sent:
    stage.front.next(Kind.PUBLISH, act)
    sent = stage.door.send(stage.part())
    expect(stage.creates() == 1, f"{stage.creates()} requests would make a post, where one may")
    expect(isinstance(sent.verdict, Uncertain), f"it may have been made, and the verdict is {sent.verdict}")
    expect(sent.ref is None, "a post is named, and nobody answered")
    return sent


@CASES.add()
def a_slow_answer_is_waited_for_once_and_nothing_is_sent_again(stage: Stage) -> None:
    _once_and_uncertain(stage, slow)


@CASES.add()
def a_lost_answer_sends_nothing_again(stage: Stage) -> None:
    _once_and_uncertain(stage, loses)


@CASES.add()
def a_connection_that_is_reset_sends_nothing_again(stage: Stage) -> None:
    _once_and_uncertain(stage, drops)


@CASES.add()
def a_503_sends_nothing_again(stage: Stage) -> None:
    _once_and_uncertain(stage, says(SORRY[503], made=True))


@CASES.add()
def a_504_of_a_proxy_before_it_sends_nothing_again(stage: Stage) -> None:
    _once_and_uncertain(stage, says(answer(504, body=b"<html>504</html>", media_type="text/html"), made=True))


@CASES.add()
def a_page_for_people_names_no_post(stage: Stage) -> None:
    for data in (HTML, NOTHING):
        stage.front.next(Kind.PUBLISH, says(data))
        expect(stage.door.send(stage.part()).ref is None, f"a post is named by {data[-60:]!r}")


@CASES.add()
def a_429_made_nothing_and_says_when(stage: Stage) -> None:
    stage.front.next(
        Kind.PUBLISH, says(answer(429, body=b'{"error": "conformance"}', headers={"Retry-After": f"{AFTER:.0f}"}))
    )
    sent = stage.door.send(stage.part())
    expect(stage.creates() == 1, f"{stage.creates()} requests would make a post, where one may")
    if not isinstance(sent.verdict, Throttled):
        raise Broken(f"a 429 came to {sent.verdict}")
    expect(sent.verdict.after == AFTER, f"it is to be tried after {sent.verdict.after}, and the platform said {AFTER}")


@CASES.add(lambda able: able.finds is not None)
def a_lost_post_is_found(stage: Stage) -> None:
    since, part = stage.now(), stage.part()
    stage.front.next(Kind.PUBLISH, loses)
    sent = stage.door.send(part)
    stage.bench.settle()
    found = stage.door.adapter.find(part, since=since, known=frozenset(), key=sent.key)
    if found is None:
        raise Broken("it was made, its answer was lost, and find says that it is not there")
    expect(stage.held(found) is not None, "what was found is not there")
    expect(stage.creates() == 1, "looking for it made another")


@CASES.add(lambda able: able.finds is not None and bool(able.threads))
def a_lost_part_of_a_thread_is_found_below_its_parent(stage: Stage) -> None:
    parent, since, part = stage.published(), stage.now(), stage.part(follows=True)
    stage.front.next(Kind.PUBLISH, loses)
    sent = stage.door.send(part, reply_to=parent.id)
    stage.bench.settle()
    found = stage.door.adapter.find(part, since=since, known=frozenset({parent.id}), reply_to=parent.id, key=sent.key)
    expect(found is not None, "a part was made, its answer was lost, and find says that it is not there")


@CASES.add(_finds(Certainty.EXACT, Certainty.LISTED))
def a_post_that_never_arrived_is_said_not_to_be_there(stage: Stage) -> None:
    stage.published()
    since, part = stage.now(), stage.part()
    stage.front.next(Kind.PUBLISH, drops)
    sent = stage.door.send(part)
    found = stage.door.adapter.find(part, since=since, known=frozenset(stage.known), key=sent.key)
    expect(found is None, f"what never arrived is found as {found}")


@CASES.add(_finds(Certainty.ONE_SIDED))
def what_is_not_listed_is_left_to_a_person(stage: Stage) -> None:
    since, part = stage.now(), stage.part()
    stage.front.next(Kind.PUBLISH, drops)
    sent = stage.door.send(part)
    found, error = _asked(stage, lambda: stage.door.adapter.find(part, since=since, known=frozenset(), key=sent.key))
    expect(found is None, f"what never arrived is found as {found}")
    expect(error is None or isinstance(error, Doubt), f"what is not listed is no doubt, but {error!r}")
    expect(not stage.bench.maker.abilities.sure_of_absence, "the house would send it again")


@CASES.add(_finds(Certainty.LISTED, Certainty.ONE_SIDED))
def a_post_that_is_known_is_not_found_again_for_another(stage: Stage) -> None:
    since, part = stage.now(), stage.part()
    ref = stage.plain.made(part)
    found, _ = _asked(stage, lambda: stage.plain.adapter.find(part, since=since, known=frozenset({ref.id})))
    expect(found is None, "a post that was published before is taken for the lost one")


@CASES.add(lambda able: able.finds is not None)
def a_platform_that_cannot_be_asked_says_nothing_about_a_lost_post(stage: Stage) -> None:
    since, part = stage.now(), stage.part()
    stage.front.next(Kind.PUBLISH, loses)
    key = stage.door.send(part).key
    for name, act in NO_ANSWERS.items():
        with stage.front.always(act, frozenset({Kind.READ})):
            _, error = _asked(stage, lambda: stage.door.adapter.find(part, since=since, known=frozenset(), key=key))
        expect(error is not None, f"the platform answered {name}, and find believes to know something by it")


def _asked(stage: Stage, ask: Callable[[], PostRef | None]) -> tuple[PostRef | None, Exception | None]:
    try:
        return ask(), None
    except Exception as error:  # noqa: BLE001 (reconcile takes any for a doubt)
        return None, stage.heard(error)
