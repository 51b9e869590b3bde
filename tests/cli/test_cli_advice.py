"""What a stuck post's story advises can be copied: every command that it names is one that the parser takes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest
import typer

from guardian.cli.app import app
from guardian.model import Freeze, Hold, Part, Post, State
from guardian.rules import advice
from guardian.rules.advice import Seen, advise

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_790_000_000_000
DAY = 86_400_000
FREEZE = Freeze(
    id="f-x", scope="brand:acme", reason="", by="ann", at=1, epoch=1, mark=None, lifted_at=None, lifted_by=None,
    lifted_reason=None,
)  # fmt: skip
HOLDS = (
    Hold(id="h-1", post="p-x", tag=None, reason="", by="ann", at=1),
    Hold(id="h-2", post=None, tag="it's$(x)", reason="later", by="ann", at=1),
)


def post(state: State, *, live: int = 0) -> Post:
    return Post(
        id="p-onrsxq3fnyzdcmru", account="acme", state=state, at=NOW - 3 * DAY, entered_at=0, part=Part(text="x"),
        tail=(Part(text="y"),), live=live, zone=None, tags=(), ref=None, why=None, platform_id=None, url=None,
        created_at=0, created_by="a test",
    )  # fmt: skip


def troubles(state: State) -> Iterator[Seen]:
    """A post in this state with everything that can be the matter, one thing at a time and all at once."""
    plain: dict[str, Any] = {"post": post(state), "since": NOW - DAY, "now": NOW}
    more: dict[str, Any] = {
        "freezes": (FREEZE,), "holds": HOLDS, "trouble": "the platform refuses the token", "doubt": "it jumped",
    }  # fmt: skip
    yield Seen(**plain)
    yield Seen(**{**plain, "post": post(state, live=1)})
    yield from (Seen(**plain, **{key: value}) for key, value in more.items())
    yield Seen(**plain, **more)


def parse(command: str) -> None:
    """Take a command line apart as the command would, without doing anything. Raises what the parser raises."""
    program, *words = shlex.split(command)
    assert program == "guardian"
    found: Any = typer.main.get_command(app)
    context = found.make_context("guardian", words)
    while hasattr(found, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        name, found, words = found.resolve_command(context, rest)
        context = found.make_context(name, words, parent=context)


@pytest.mark.parametrize("state", State)
def test_every_command_that_is_advised_is_one_that_there_is(state: State) -> None:
    for seen in troubles(state):
        for one in advise(seen):
            if one.command is not None:
                parse(one.command)


def test_the_parser_of_this_test_would_notice() -> None:
    for wrong in ("guardian queue relaese p-x", "guardian queue release --now p-x", "guardian thaw --scope all"):
        with pytest.raises(Exception, match=r"relaese|--now|reason"):
            parse(wrong)


STUCK = (State.UNKNOWN, State.BLOCKED, State.REFUSED, State.MISSED, State.CLAIMED, State.SENDING)


@pytest.mark.parametrize("state", STUCK)
def test_no_stuck_post_is_left_without_a_next_command(state: State) -> None:
    assert all(any(one.command for one in advise(seen)) for seen in troubles(state))


@pytest.mark.parametrize("state", advice.OVER)
def test_what_is_over_needs_no_advice(state: State) -> None:
    assert all(advise(seen) == [] for seen in troubles(state))


def test_a_post_that_only_waits_for_its_time_needs_no_advice() -> None:
    assert advise(Seen(post=post(State.QUEUED), since=NOW, now=NOW - 4 * DAY)) == []


def test_the_time_that_is_advised_lies_ahead_at_the_same_time_of_day() -> None:
    seen = Seen(post=post(State.MISSED), since=NOW, now=NOW + 1)
    (later,) = [one.command for one in advise(seen) if "--at" in str(one.command)]
    assert str(later).endswith("--at 2026-09-22T14:13:20Z")
    assert advice._next(NOW - 3 * DAY, NOW + 1) == advice._next(NOW + DAY, NOW)
    assert advice._next(NOW, NOW) == advice._next(NOW, NOW - 5)


def test_what_is_on_hold_is_not_advised_to_be_released() -> None:
    seen = Seen(post=post(State.MISSED), holds=HOLDS, since=NOW, now=NOW)
    words = [str(one.command) for one in advise(seen)]
    assert words[0] == "guardian queue unhold p-x"
    assert not any("release" in one for one in words)
