"""Other people's servers: nothing of ours goes there, whatever an address, an answer or an id says."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from guardian.adapter import Kind, Look
from guardian.conformance.case import Cases
from guardian.conformance.front import answer, says
from guardian.conformance.stage import expect
from guardian.gate import intents
from guardian.gate.intents import declare
from guardian.model import Decision, PostRef, Presence

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.conformance.stage import Stage

CASES = Cases()
NO_ADDRESS = ("", "not an address", "javascript:alert(1)", "file:///etc/passwd", "https://", "https://[", "x" * 100_000)


def _tried(stage: Stage, ask: Callable[..., object], *given: object) -> object:
    try:
        return ask(*given)
    except Exception as error:  # noqa: BLE001 (a refusal is an answer here)
        return stage.heard(error)


def _expect_nothing_elsewhere(stage: Stage, what: str) -> None:
    arrived = stage.elsewhere.arrived()
    expect(not arrived, f"{what} made somebody else's server hear of {[one.path for one in arrived]}")


@CASES.add()
def the_address_of_a_post_names_it(stage: Stage) -> None:
    ref = stage.published()
    found = stage.plain.adapter.resolve(ref.url or "")
    expect(found is not None and found.id == ref.id, f"{ref.url} is resolved to {found}, and it is {ref.id}")


@CASES.add()
def what_is_no_address_of_a_post_names_none(stage: Stage) -> None:
    for url in NO_ADDRESS:
        found = _tried(stage, stage.plain.adapter.resolve, url)
        expect(not isinstance(found, PostRef), f"{url[:40]!r} is resolved to {found}")


@CASES.add()
def an_address_elsewhere_is_never_asked_with_our_token(stage: Stage) -> None:
    ref = stage.published()
    ours, there = urlsplit(ref.url or ""), urlsplit(stage.elsewhere.url)
    tail = f"{ours.path}{'?' if ours.query else ''}{ours.query}"
    tricks = (
        f"{stage.elsewhere.url}{tail}",
        f"http://{ours.netloc}@{there.netloc}{tail}",
        f"{stage.elsewhere.url}/s/x",
    )
    for url in tricks:
        _tried(stage, stage.plain.adapter.resolve, url)
        _expect_nothing_elsewhere(stage, f"resolving {url}")


@CASES.add()
def a_look_elsewhere_is_refused(stage: Stage) -> None:
    look = Look(name="status", url=f"{stage.elsewhere.url}/status")
    found = _tried(stage, stage.door.adapter.fetch, look)
    expect(isinstance(found, Exception), "a look at somebody else's server was made")
    _expect_nothing_elsewhere(stage, "a look")


@CASES.add()
def a_request_elsewhere_is_refused_below_the_library(stage: Stage) -> None:
    for intent in (stage.door.intent(), intents.retracting(stage.door.account, "1")):
        with declare(intent):
            for method in ("GET", "POST", "DELETE"):
                _tried(stage, stage.door.session.request, method, f"{stage.elsewhere.url}/")
    _expect_nothing_elsewhere(stage, "a request")


@CASES.add()
def an_answer_that_points_elsewhere_is_not_followed(stage: Stage) -> None:
    ref, door = stage.published(), stage.door
    for status in (301, 302, 303, 307, 308):
        with stage.front.always(says(answer(status, headers={"Location": f"{stage.elsewhere.url}/there"}))):
            _tried(stage, door.adapter.whoami)
            _tried(stage, lambda: door.adapter.recent(since=0))
            expect(door.adapter.presence(ref) is Presence.UNKNOWN, f"a {status} elsewhere says where the post is")
            door.send(stage.part())
            door.take_down(ref)
    _expect_nothing_elsewhere(stage, "an answer")


@CASES.add()
def a_hostile_id_reaches_no_other_post(stage: Stage) -> None:
    victim = stage.published()
    bare = victim.id
    hostile = [
        "", "..", "../..", f"x/../{bare}", f"{bare}/../{bare}", f"{bare}?x=1", f"{bare}#x", f"{bare}%00", f" {bare}",
        f"{bare}\r\nX-Evil: 1", f"{bare}\n", f"%2e%2e/{bare}", f"{bare}/", f"{bare}\u202e", f"{bare},{bare}",
        "x" * 10_000,
    ]  # fmt: skip
    for one in hostile:
        ref = PostRef(id=one)
        seen = _tried(stage, stage.door.adapter.presence, ref)
        expect(seen not in (Presence.THERE, Presence.VEILED), f"{one[:60]!r} is said to be there")
        _tried(stage, stage.door.take_down, ref)
        _tried(stage, stage.door.looked, ref)
        expect(stage.held(victim) is not None, f"taking down {one[:60]!r} took down {bare}")
    for arrival in stage.front.arrived():
        expect(b"\nX-Evil" not in arrival.letter.partition(b"\r\n\r\n")[0], "an id has become a header")
        expect(arrival.kinds, f"{arrival.method} {arrival.path[:80]} is in no table")


@CASES.add()
def a_takedown_is_bound_to_its_target(stage: Stage) -> None:
    meant, other = stage.published(), stage.published()
    undoing = stage.door.adapter.prepare(Decision.DELETE, other, {})
    stage.door.take_down(other, undoing=undoing, intent=intents.retracting(stage.door.account, meant.id, undoing.says))
    expect(not stage.front.arrived(Kind.RETRACT), "the deletion of another post left")
    expect(stage.held(other) is not None, "a post was deleted under the intent of another")
    expect(stage.held(meant) is not None, "a post was deleted, and its deletion was never asked for")
