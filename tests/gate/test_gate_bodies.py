"""Where one path does many things, the body says which; one that can be read in two ways is in no table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from guardian.adapter import Kind, Route
from guardian.fence.passage import Stopped
from guardian.gate import intents
from guardian.gate.intents import Intent, declare
from guardian.gate.transport import guarded_session
from tests.torture import front as fronts
from tests.torture.mad_answers import answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from tests.gate.gate_door import Door
    from tests.torture.front import Front

PUT, DELETE = "/xrpc/putRecord", "/xrpc/deleteRecord"
POST, GATE = "feed.post", "feed.threadgate"
NAME = "at://{repo}/{collection}/{rkey}"
ROUTES = (
    Route(Kind.PUBLISH, "POST", PUT, where=(("collection", POST),)),
    Route(Kind.RETRACT, "POST", PUT, target=NAME, where=(("collection", GATE),)),
    Route(Kind.RETRACT, "POST", DELETE, target=NAME, where=(("collection", POST),)),
    Route(Kind.RETRACT, "PUT", "/(?P<target>[0-9]+)/hidden", where=(("hidden", "true"),)),
    Route(Kind.MANAGE, "PUT", "/[0-9]+/hidden", where=(("hidden", "false"),)),
)
TARGET = f"at://did/{POST}/one"
ONE = {"repo": "did", "collection": POST, "rkey": "one"}
TYPE = {"Content-Type": "application/json"}
AMBIGUOUS: dict[str, bytes | str] = {
    "another": '{"collection": "graph.block"}',
    "inside": '{"record": {"collection": "feed.post"}}',
    "listed": '{"collection": ["feed.post"]}',
    "in a list": '[{"collection": "feed.post"}]',
    "alone": '"feed.post"',
    "twice": '{"collection": "feed.threadgate", "collection": "feed.post"}',
    "twice inside": '{"collection": "feed.post", "record": {"a": 1, "a": 2}}',
    "no number": '{"collection": "feed.post", "record": NaN}',
    "cut": '{"collection": "feed.post"',
    "deep": "[" * 100_000,
    "nothing": "",
    "no text": b'{"collection": "feed.post", "record": "\xff"}',
    "utf-16": '{"collection": "feed.post"}'.encode("utf-16"),
    "long": '{"collection": "feed.post", "record": "' + "x" * 200_000 + '"}',
}
BESIDE: dict[str, dict[str, object]] = {
    "another": {**ONE, "rkey": "two"},
    "somebody's": {**ONE, "repo": "somebody"},
    "nobody's": {"collection": POST, "rkey": "one"},
    "twice": {**ONE, "more": {"repo": "did"}},
    "a list": {**ONE, "rkey": ["one", "two"]},
    "more": {**ONE, "swapRecord": "bafy"},
}


@pytest.fixture
def front(door: Door) -> Iterator[Front]:
    with fronts.Front(door.platform.url.partition("://")[2]) as found:
        found.acts.append(fronts.says(answer(200, b"{}")))
        yield found


@pytest.fixture
def session(door: Door, front: Front) -> requests.Session:
    from dataclasses import replace

    return guarded_session(replace(door.account, base_url=front.url), ROUTES, answer_within=2.0)


def ask(session: requests.Session, front: Front, path: str, body: bytes | str, **headers: str) -> None:
    session.post(front.url + path, data=body, headers={**TYPE, **headers})


def taking_down(door: Door, target: str = TARGET) -> Intent:
    return intents.retracting(door.account, target)


def test_the_body_tells_a_post_from_a_gate(door: Door, session: requests.Session, front: Front) -> None:
    with declare(door.intent()) as receipt:
        ask(session, front, PUT, json.dumps({"collection": POST, "record": {"collection": GATE}}))
    assert receipt.publishing is not None
    assert [one.kind for one in receipt.traces] == [Kind.PUBLISH]
    assert len(front.seen) == 1


def test_a_post_cannot_be_written_under_a_takedown(door: Door, session: requests.Session, front: Front) -> None:
    with declare(taking_down(door)), pytest.raises(Stopped, match="was not announced"):
        ask(session, front, PUT, json.dumps(ONE))
    assert front.seen == []


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_a_body_that_can_be_read_in_two_ways_or_in_none_leaves_for_nowhere(
    door: Door, session: requests.Session, front: Front, name: str
) -> None:
    with declare(door.intent()), pytest.raises(Stopped, match="nobody declared"):
        ask(session, front, PUT, AMBIGUOUS[name])
    assert front.seen == []


@pytest.mark.parametrize("said", ["text/plain", "application/json; charset=utf-16"])
def test_a_body_that_does_not_say_that_it_is_json_says_nothing(
    door: Door, session: requests.Session, front: Front, said: str
) -> None:
    with declare(door.intent()), pytest.raises(Stopped, match="nobody declared"):
        ask(session, front, PUT, json.dumps({"collection": POST}), **{"Content-Type": said})
    assert front.seen == []


def test_a_body_that_is_not_there_to_be_read_says_nothing(door: Door, session: requests.Session, front: Front) -> None:
    with declare(door.intent()), pytest.raises(Stopped, match="nobody declared"):
        session.post(front.url + PUT, data=iter([json.dumps({"collection": POST}).encode()]), headers=TYPE)
    assert front.seen == []


def test_a_takedown_whose_name_is_made_of_three_fields_passes(
    door: Door, session: requests.Session, front: Front
) -> None:
    with declare(taking_down(door)) as receipt:
        ask(session, front, DELETE, json.dumps(ONE))
    assert receipt.retracting is not None
    assert receipt.retracting.status == 200


@pytest.mark.parametrize("name", BESIDE)
def test_a_takedown_names_its_post_and_it_alone(door: Door, session: requests.Session, front: Front, name: str) -> None:
    with declare(taking_down(door)), pytest.raises(Stopped, match=r"does not name|say something"):
        ask(session, front, DELETE, json.dumps(BESIDE[name]))
    assert front.seen == []


def test_a_takedown_of_what_is_no_post_is_in_no_table(door: Door, session: requests.Session, front: Front) -> None:
    target = f"at://did/{GATE}/one"
    with declare(taking_down(door, target)), pytest.raises(Stopped, match="nobody declared"):
        ask(session, front, DELETE, json.dumps({**ONE, "collection": GATE}))
    assert front.seen == []


def test_a_yes_hides_and_a_no_shows_again_and_neither_passes_for_the_other(
    door: Door, session: requests.Session, front: Front
) -> None:
    hide, show = json.dumps({"hidden": True}), json.dumps({"hidden": False})
    with declare(taking_down(door, "110")), pytest.raises(Stopped, match="was not announced by an intent"):
        session.put(f"{front.url}/110/hidden", data=show, headers=TYPE)
    with declare(intents.managing(door.account, door.intent().ticket)), pytest.raises(Stopped, match="not announced"):  # type: ignore[arg-type]  # it has one
        session.put(f"{front.url}/110/hidden", data=hide, headers=TYPE)
    for odd in ('{"hidden": 1}', '{"hidden": null}', '{"hidden": true, "hidden": false}', '{"hidden": [true]}'):
        with declare(taking_down(door, "110")), pytest.raises(Stopped, match="nobody declared"):
            session.put(f"{front.url}/110/hidden", data=odd, headers=TYPE)
    assert front.seen == []
    with declare(taking_down(door, "110")) as receipt:
        session.put(f"{front.url}/110/hidden", data=hide, headers=TYPE)
    assert receipt.retracting is not None
    assert receipt.retracting.status == 200
