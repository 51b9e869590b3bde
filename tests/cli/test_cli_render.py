"""How things look: tables that fit, and text that stays text."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.cli import render


@pytest.fixture(autouse=True)
def _page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@given(st.text(max_size=60))
def test_no_text_steers_the_terminal_or_breaks_its_line(text: str) -> None:
    assert render.one_line(text).isprintable()


@given(st.text(max_size=60).map(render.one_line), st.integers(1, 40))
def test_a_cut_text_fits(text: str, columns: int) -> None:
    assert render._columns(render.cut(text, columns)) <= columns


def test_a_document_stays_what_it_was_with_every_letter_that_steers_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"text": "a\x1b[2J\u202e\x9b\U000e0001 å 漢 \ud800"}
    render.document(found)
    said = capsys.readouterr().out
    assert json.loads(said) == found
    assert all(letter.isprintable() or letter == "\n" for letter in said)


def test_a_moment_is_the_same_in_both_forms() -> None:
    at = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    assert render.local("2026-11-21T08:00:00.000Z") == render.local(round(at.timestamp() * 1000))
    assert datetime.fromisoformat(render.local("2026-11-21T08:00:00.000Z")) == at
    assert render.local(None) == "-"


def test_a_long_field_goes_on_below_itself_and_a_path_stays_whole() -> None:
    path = "/" + "x" * 120
    lines = render.field("made", f"{path}, {'word ' * 40}").splitlines()
    assert any(path in line for line in lines)
    assert all(len(line) <= 100 for line in lines if path not in line)
    assert all(line.startswith(" " * 14) for line in lines[1:])
