"""Texts that want to do something: in Markdown, in HTML and on a terminal they are texts."""

from __future__ import annotations

import time
import unicodedata
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from guardian.cli.incident import show_lines
from guardian.report import markdown, page
from guardian.report.harmless import LONGEST, in_html, in_markdown, visible
from guardian.store import journal
from tests.report.story import NASTY, hostile
from tests.report.test_report_forms import golden, made

if TYPE_CHECKING:
    from tests.report.story import Story

OURS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "section", "dl", "dt", "dd", "table", "thead"),
    *("tbody", "tr", "th", "td", "p", "em", "ul", "li", "bdi", "svg", "text", "line", "rect", "circle"),
}
OF_MARKDOWN = {"h1", "h2", "p", "em", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}


class Tags(HTMLParser):
    """Which elements and attributes a browser would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.cells = 0
        self.per_row: list[int] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "tr":
            self.per_row.append(0)
        elif tag in ("td", "th"):
            self.per_row[-1] += 1

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _seen(text: str) -> Tags:
    found = Tags()
    found.feed(text)
    found.close()
    return found


def _steers(text: str) -> set[str]:
    """Characters that a person does not see, or that move what others see."""
    return {one for one in text if one != "\n" and unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")}


@pytest.fixture
def facts(story: Story) -> dict[str, object]:
    hostile(story)
    return story.facts()


def test_nothing_that_anybody_wrote_becomes_an_element_of_the_page(facts: dict[str, object]) -> None:
    text = page.written(made(facts))
    found = _seen(text)
    assert found.tags <= OURS, found.tags - OURS
    assert not {one for one in found.attributes if one.startswith("on") or one in ("src", "href", "style", "srcdoc")}
    assert not _steers(text)
    assert "alert(1)" in "".join(found.texts), "it is shown as what it is"


def test_nothing_that_anybody_wrote_becomes_markup_where_others_render_it(facts: dict[str, object]) -> None:
    text = markdown.written(made(facts))
    assert not _steers(text)
    rendered = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
    found = _seen(rendered)
    assert found.tags <= OF_MARKDOWN, found.tags - OF_MARKDOWN
    assert not {one for one in found.attributes if one != "style"}, "no address to click on"
    shown = "".join(found.texts)
    assert "<script>alert(1)</script>" in shown, "it is shown as what it is"
    assert "[click](javascript:alert(1))" in shown


def test_a_pipe_in_a_text_makes_no_new_cell(facts: dict[str, object]) -> None:
    for text in (
        page.written(made(facts)),
        MarkdownIt("commonmark").enable("table").render(markdown.written(made(facts))),
    ):
        rows = _seen(text).per_row
        assert rows
        assert set(rows) <= {2, 3, 4, 5, 6, 7, 9}
    lines = markdown.written(made(facts)).splitlines()
    tables = [line.replace("\\|", "").count("|") for line in lines if line.startswith("|")]
    assert set(tables) <= {4, 5, 6, 7, 8, 10}


def test_the_record_on_a_terminal_steers_nothing(
    facts: dict[str, object], story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert facts
    text = "\n".join(show_lines(story.record())) + "\n"
    assert not _steers(text)
    golden("hostile.txt", text)


def test_four_thousand_replies_are_four_thousand_rows_and_no_more(story: Story) -> None:
    story.open(0)
    with story.database.transaction() as tx:
        for place in range(4096):
            text = NASTY[place % len(NASTY)]
            journal.append(
                tx, "not ours", who="guardian", now=place, incident=story.incident, account="acme", text=text
            )
    found = _seen(page.written(made(story.facts())))
    assert found.tags <= OURS
    assert found.per_row.count(5) == 4097, "the strangers and their head"
    assert found.per_row.count(4) == 4098, "the timeline and its head"


@given(st.text())
def test_whatever_is_written_is_shown_as_letters(text: str) -> None:
    for words in (visible(text), in_markdown(text), in_html(text)):
        assert not _steers(words)
        assert "\n" not in words
    assert not set(in_html(text)) & set("<>\"'")


@given(st.text(alphabet=st.sampled_from(list("ab <>[]()!*_`|~#+-=.:/\\&$12\n@w\"'"))))
def test_whatever_is_written_into_markdown_comes_out_as_it_was(text: str) -> None:
    for line in (f"- {in_markdown(text)}x", f"| a |\n| --- |\n| {in_markdown(text)}x |"):
        found = _seen(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(line))
        assert found.tags <= {"ul", "li", "p", "table", "thead", "tbody", "tr", "th", "td"}, line
        shown = "".join(found.texts).replace("\n", "").strip()
        wanted = visible(text).strip() + "x"
        assert " ".join(shown.split()).endswith(" ".join(wanted.split())), line


def test_a_text_that_is_too_long_is_cut_and_says_by_how_much() -> None:
    assert visible("x" * (LONGEST + 7)) == "x" * LONGEST + "\u2026 (+7)"
    assert visible("x" * LONGEST) == "x" * LONGEST
