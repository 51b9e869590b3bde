"""A slice of the fuzzing, inside of this process: any input gives success or one error with words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardian.daemon.bodies import FreezeBody, ReleaseBody
from tests.fuzz import running
from tests.fuzz.inside import OK, Accident, Room, Target
from tests.fuzz.running import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = [
    *(
        "configuration",
        "two paths",
        "permit",
        "marker",
        "list of scopes",
        "import",
        "table",
        "Buffer's table",
        "Hootsuite's table",
        "record",
        "freeze command",
    ),
    *("time", "duration", "nesting"),
]


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    with Room() as found:
        yield found


def target(room: Room, name: str) -> Target:
    return next(one for one in room.targets() if one.name == name)


def test_no_target_is_left_out_of_the_slice(room: Room) -> None:
    assert [one.name for one in room.targets()] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_is_nearly_right_is_an_error_in_words_and_no_traceback(room: Room, name: str) -> None:
    one = target(room, name)

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(one.strategy)
    def judged(given_: bytes) -> None:
        with running.limited(running.HANG):
            assert one.judge(given_) in ("ok", "error")

    judged()


@pytest.mark.parametrize("name", NAMES)
def test_what_was_right_and_was_damaged_is_an_error_in_words_and_no_traceback(room: Room, name: str) -> None:
    outcome = Run(target(room, name)).go(1500, 1)
    assert not outcome.accidents, outcome.accidents[0]
    assert outcome.inputs >= 1500


@pytest.mark.parametrize("name", NAMES)
def test_what_is_right_is_taken(room: Room, name: str) -> None:
    """A reader that refuses everything would pass all the rest."""
    one = target(room, name)
    if name != "configuration":  # its secret is not there
        assert [one.judge(seed) for seed in one.seeds if name != "record"] == [OK] * (
            len(one.seeds) - (name == "record")
        )


def test_a_reader_that_breaks_or_hangs_is_an_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(given_: bytes) -> str:
        if b"\x00" in given_:
            raise KeyError("planted")
        if b"\x01" in given_:
            time.sleep(5)
        if b"\x02" in given_:
            raise Accident("planted")
        return OK

    monkeypatch.setattr(running, "HANG", 0.05)
    planted = Target("planted", st.just(b"x"), (b"x",), 0, judge)
    for given_ in (b"a", b"\x00", b"\x01", b"\x02"):
        run = Run(planted)
        run.one(given_)
        assert bool(run.accidents) is (given_ != b"a")


@pytest.mark.parametrize("at", ["²", "٣", "9" * 5000, "1" * 20, "-1", ""])
def test_a_marker_whose_time_a_broken_disk_made_up_is_unreadable_and_breaks_nothing(room: Room, at: str) -> None:
    assert target(room, "marker").judge(f"mark=a\nby=b\nat={at}\nreason=c\n".encode()) == "error"


@pytest.mark.parametrize("body", [{"drain": True}, {"told": "yes"}, {"told": 1}, {"drain": "5"}, {"scopes": "all"}])
def test_a_freeze_is_not_guessed_from_a_value_of_another_kind(body: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Input should be"):
        FreezeBody.model_validate(body)
    with pytest.raises(ValueError, match="Input should be"):
        ReleaseBody.model_validate({"ids": "p-one"})
