"""The Mastodon adapter against the rehearsal platform, through the real gate and the real client library."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Doubt
from guardian.gate.intents import declare
from guardian.model import Limits, Part
from tests.gate.gate_door import door, house, platform

if TYPE_CHECKING:
    from guardian.model import PostRef
    from tests.gate.gate_door import Door

__all__ = ["door", "house", "platform"]
NOBODY: frozenset[str] = frozenset()


def publish(door: Door, part: Part, key: str) -> PostRef:
    with declare(door.intent()):
        return door.adapter.publish(part, key)


def now() -> int:
    return time.time_ns() // 1_000_000


def test_the_identity_is_user_and_domain_as_a_person_would_write_it(door: Door) -> None:
    assert door.adapter.whoami().handle == door.platform.handle("acme")


def test_the_limit_is_the_one_that_the_server_states(door: Door) -> None:
    assert door.adapter.limits().characters == 500


@pytest.mark.parametrize(
    ("part", "problems"),
    [
        (Part(text="x" * 500), 0),
        (Part(text="x" * 501), 1),
        (Part(text="x" * 490, warning="y" * 11), 1),
        (Part(text="x" * 476 + " https://example.org/" + "long/" * 40), 0),  # a link counts 23
        (Part(text="x" * 493 + " @abcdef@example.org"), 1),
        (Part(text="x" * 492 + " @abcdef@example.org"), 0),  # a mention counts without its host
        (Part(text="\U0001f469\u200d\U0001f469\u200d\U0001f467" * 500), 0),  # a family is one character
        (Part(text="x", visibility="everybody"), 1),
        (Part(text="x", visibility="unlisted"), 0),
    ],
)
def test_a_post_is_counted_as_the_server_counts(door: Door, part: Part, problems: int) -> None:
    assert len(door.adapter.check(part, Limits(characters=500))) == problems


def test_a_lost_post_is_found_by_its_text_and_never_confused_with_a_known_twin(door: Door) -> None:
    part = Part(text="Good morning & <hello>", warning="w")
    since = now()
    twin = publish(door, part, "a")
    lost = publish(door, part, "b")
    assert {twin.id, lost.id} == {str(post["id"]) for post in door.platform.posts()}
    assert door.adapter.find(part, since=since, known=frozenset({twin.id})) == lost
    assert door.adapter.find(part, since=since, known=frozenset({twin.id, lost.id})) is None


def test_what_differs_in_text_or_warning_is_another_post(door: Door) -> None:
    since = now()
    publish(door, Part(text="hello", warning="w"), "a")
    for other in (Part(text="hello"), Part(text="hello!", warning="w"), Part(text="hello", warning="v")):
        assert door.adapter.find(other, since=since, known=NOBODY) is None


def test_what_the_server_trims_and_recomposes_is_still_found(door: Door) -> None:
    since = now()
    made = publish(door, Part(text="Caf\u00e9\nau lait"), "a")
    assert door.adapter.find(Part(text="  Cafe\u0301\r\nau lait \n"), since=since, known=NOBODY) == made


def test_an_old_post_with_the_same_words_is_not_taken_for_the_lost_one(door: Door) -> None:
    publish(door, Part(text="Happy new year"), "a")
    in_an_hour = now() + 3_600_000
    assert door.adapter.find(Part(text="Happy new year"), since=in_an_hour, known=NOBODY) is None


def test_a_post_beyond_the_first_page_is_found(door: Door) -> None:
    since = now()
    lost = publish(door, Part(text="the lost one"), "lost")
    for number in range(45):
        publish(door, Part(text=f"later {number}"), str(number))
    known = frozenset(str(post["id"]) for post in door.platform.posts()) - {lost.id}
    assert door.adapter.find(Part(text="the lost one"), since=since, known=known) == lost


def test_a_platform_that_cannot_be_asked_leaves_a_doubt_and_never_an_absence(door: Door) -> None:
    door.adapter.whoami()
    door.platform.fault("status", status=503, method="GET", path="/api/v1/accounts/.*/statuses")
    with pytest.raises(Doubt):
        door.adapter.find(Part(text="x"), since=now(), known=NOBODY)
    door.platform.stop()
    with pytest.raises(Doubt):
        door.adapter.find(Part(text="x"), since=now(), known=NOBODY)
