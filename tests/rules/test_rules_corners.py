"""The corners of the law that no file and no queue of other tests comes by: each is an answer in words."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from guardian.errors import Mistake
from guardian.model import Freeze, Hold, Part, Post, State
from guardian.rules import advice, lines, places, shifting, table
from guardian.rules.advice import Seen, advise

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW, DAY = 1_790_000_000_000, 86_400_000
FREEZE = Freeze(
    id="f-x", scope="brand:acme", reason="", by="ann", at=1, epoch=1, mark=None, lifted_at=None, lifted_by=None,
    lifted_reason=None,
)  # fmt: skip
POST = Post(
    id="p-x", account="acme", state=State.QUEUED, at=NOW, entered_at=0, part=Part(text="x"), zone="UTC", tags=(),
    ref=None, why=None, platform_id=None, url=None, created_at=0, created_by="a test",
)  # fmt: skip


def advised(state: State, *, trouble: str | None = None) -> list[str | None]:
    seen = Seen(post=replace(POST, state=state), trouble=trouble, since=NOW, now=NOW)
    return [one.command for one in advise(seen)]


def test_a_post_of_an_account_that_is_gone_can_be_cancelled_where_the_law_allows_it() -> None:
    assert advised(State.QUEUED, trouble=advice.NO_ACCOUNT) == ["guardian queue cancel p-x"]
    assert "guardian config check" in advised(State.REFUSED, trouble=advice.NO_ACCOUNT)


@pytest.mark.parametrize("state", [State.QUEUED, State.CLAIMED, State.SENDING])
def test_what_is_under_way_for_a_moment_only_needs_no_advice(state: State) -> None:
    assert advised(state) == []


def test_a_file_in_utf_16_is_told_apart_and_not_read_as_rubbish() -> None:
    (only,) = lines.numbered(io.BytesIO("account\n".encode("utf-16")))
    assert only.flaw is not None
    assert "UTF-16" in only.flaw.message


@pytest.mark.parametrize(
    ("line", "path", "column"),
    [
        ('{"a": [1, {"b": 2}]}', ("a", 1, "b"), 12),
        ('{"a": 1}', ("a", "b"), 2),  # what should be an object is a number: its own place
        ('{"a": 1}', ("a", 0), 2),  # the same for a list
        ('{"a": [1]}', ("a", 5), 2),  # a list that is shorter
        ('{"a": [1 2]}', ("a", 1), 2),  # one that is broken
        ('{"a": ', ("a", "b"), 1),  # a line that ends too early
    ],
)
def test_a_fault_is_shown_where_it_stands_or_at_the_nearest_thing_above_it(
    line: str, path: Sequence[str | int], column: int
) -> None:
    assert places.column(line, tuple(path)) == column


def test_a_shift_beyond_what_a_calendar_holds_is_refused_in_words() -> None:
    far = replace(POST, wall="9999-12-31T00:00:00")
    with pytest.raises(Mistake, match="cannot move p-x so far"):
        shifting.moved(far, shifting.By(days=2, exact=0), now=NOW, default_zone="UTC")


def test_a_row_with_far_too_many_fields_is_one_fault_and_the_next_row_is_read() -> None:
    wide = ",".join(["x"] * (table.MOST_FIELDS + 1))
    found = list(table.Table(io.BytesIO(f"a,b\n{wide}\n1,2\n".encode())).rows())
    assert [type(one).__name__ for one in found] == ["Row", "Flaw", "Row"]


@pytest.mark.parametrize("state", State)
def test_whatever_is_the_matter_the_advice_says_why_and_names_a_command_of_ours(state: State) -> None:
    long_ago: dict[str, Any] = {"post": replace(POST, state=state, at=NOW - DAY), "since": NOW - DAY, "now": NOW}
    matters: list[dict[str, Any]] = [
        {},
        {"freezes": (FREEZE,)},
        {"holds": (Hold(id="h-1", post="p-x", tag=None, reason="", by="ann", at=1),)},
        {"holds": (Hold(id="h-2", post=None, tag="it's", reason="later", by="ann", at=1),)},
        {"trouble": "the platform refuses the token"},
        {"trouble": advice.NOT_YET},
        {"doubt": "it jumped"},
    ]
    found = [one for more in matters for one in advise(Seen(**long_ago, **more))]
    assert bool(found) is (state not in advice.OVER)
    for one in found:
        assert one.text
        assert one.command is None or one.command.startswith("guardian ")
