"""A slice of the fuzzing, over the real control socket of a real daemon process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from schemathesis import GenerationMode

from tests.fuzz.described import Described
from tests.fuzz.running import Run
from tests.fuzz.wire import FuzzedHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.outsider


@pytest.fixture
def house() -> Iterator[FuzzedHouse]:
    with FuzzedHouse() as found:
        yield found
        assert found.settle() == []


def test_any_bytes_on_the_socket_get_an_answer_in_the_one_form_and_break_nothing(house: FuzzedHouse) -> None:
    assert house.daemon is not None
    outcome = Run(house.target(), str(house.daemon.pid)).go(5000, 1)
    assert not outcome.accidents, outcome.accidents[0]
    assert outcome.errors < outcome.inputs  # some are right


def test_whatever_the_description_allows_is_answered_as_it_promises(house: FuzzedHouse) -> None:
    described = Described(house.house.socket, house.ids)
    for number, name in enumerate(described.operations()):
        described.ask_all(name, GenerationMode.POSITIVE, examples=30, number=number)
        described.ask_all(name, GenerationMode.NEGATIVE, examples=20, number=number)
    assert len(described.operations()) >= 12
    assert described.errors < described.asked


def test_stories_by_the_links_of_the_description_are_answered_as_it_promises(house: FuzzedHouse) -> None:
    described = Described(house.house.socket, house.ids)
    described.run_stories(examples=20, number=1)
    assert described.errors < described.asked


WORDS = {
    b"\xff": 0,
    b"\xed\xa0\x80": 0,
    b"\x1b[31m": 0,
    b"--drain=nan": 2,
    b"--\xff": 2,
    b"--scope=\xff": 2,
    b"--takedown=\xff": 14,
}


def test_a_freeze_with_letters_that_are_none_ends_with_one_of_its_codes(house: FuzzedHouse) -> None:
    for word, code in WORDS.items():
        for more in (b"", b"\n--json"):
            assert (house.judge_command(word + more) == "error") is (code != 0), word
