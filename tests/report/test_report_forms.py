"""The report on paper: the same bytes each time, a line for each figure, words for what is missing."""

from __future__ import annotations

import json
import os
import re
from string import Formatter
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from guardian.report import figures, lines, markdown, page, redacting
from guardian.report.harmless import in_html
from guardian.report.paper import Missing, Table, paper
from guardian.report.phrases import Phrases
from guardian.report.words import EN, LANGUAGES, Words
from tests.report.story import GOLDEN, bad_joke, hostile

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.report.paper import Paper
    from tests.report.story import Story

FORMS: dict[str, Callable[[Paper], str]] = {"md": markdown.written, "html": page.written}


def made(facts: dict[str, Any], *, language: str = "en", redact: bool = False) -> Paper:
    given = redacting.redacted(facts) if redact else facts
    return paper(figures.record(lines.read(given)), Words(language), redacted=redact)


def golden(name: str, text: str) -> None:
    """Compare with the file that somebody has looked at; GUARDIAN_GOLDEN=write makes it anew."""
    path = GOLDEN / name
    if os.environ.get("GUARDIAN_GOLDEN") == "write":
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8"), f"{name} reads differently: GUARDIAN_GOLDEN=write, then look at it"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("tell", "name"), [(bad_joke, "story"), (hostile, "hostile")])
def test_a_report_reads_as_it_was_looked_at(story: Story, tell: Callable[[Story], None], name: str, form: str) -> None:
    tell(story)
    golden(f"{name}.{form}", FORMS[form](made(story.facts())))


def test_a_report_in_french_and_one_without_names_read_as_they_were_looked_at(story: Story) -> None:
    bad_joke(story)
    golden("story.fr.md", markdown.written(made(story.facts(), language="fr")))
    golden("redacted.md", markdown.written(made(story.facts(), redact=True)))


@pytest.mark.parametrize("form", FORMS)
def test_the_same_journal_gives_the_same_bytes_and_reading_writes_no_line(story: Story, form: str) -> None:
    bad_joke(story)
    before = story.facts()
    first = FORMS[form](made(before))
    story.tell("entered", 100_000, "carla", post="p-other", account="acme")  # the house goes on
    assert FORMS[form](made(story.facts())) == first
    assert story.facts() == before


def test_every_row_of_every_table_names_its_lines(story: Story) -> None:
    bad_joke(story)
    found = made(story.facts())
    known = {one["seq"] for one in found.record["timeline"]} | {1, 2}
    checked = 0
    for section in found.sections:
        for block in section.blocks:
            if not isinstance(block, Table) or section.key == "timeline":
                continue
            for row in block.rows:
                if row[1] in (EN["missing"], ""):
                    continue
                numbers = [int(one) for one in re.findall(r"\d+", row[-1])]
                assert numbers, (section.key, row)
                assert set(numbers) <= known, (section.key, row)
                checked += 1
    assert checked > 20


def test_what_nobody_recorded_is_said_to_be_not_recorded(story: Story) -> None:
    story.open(0)
    found = made(story.facts())
    empty = {one.key for one in found.sections if any(isinstance(block, Missing) for block in one.blocks)}
    assert empty >= {"takedowns", "landed", "native", "hindered", "decisions", "statement", "roles", "actions", "notes"}
    assert "*not recorded*" in markdown.written(found)
    assert "<em>not recorded</em>" in page.written(found)


def test_the_page_asks_for_nothing_and_its_picture_is_well_formed(story: Story) -> None:
    bad_joke(story)
    text = page.written(made(story.facts()))
    assert f'content="{in_html(page.POLICY)}"' in text
    assert page.POLICY.startswith("default-src 'none'; style-src 'sha256-")
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert style == page.STYLE, "the policy allows exactly this style"
    assert not re.search(r"<(script|img|a|link|iframe|object|embed|form)\b| (src|href|style|on\w+)=", text)
    svg = text[text.index("<svg") : text.index("</svg>") + 6]
    bars = ET.fromstring(svg).findall(".//{http://www.w3.org/2000/svg}rect")  # noqa: S314 (our own picture)
    assert len(bars) == 3, "one freeze, two posts"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lacks_a_string_or_asks_for_something_else(language: str) -> None:
    words = LANGUAGES[language]
    assert set(words) == set(EN)
    for key, text in words.items():
        asked = sorted(f"{name}:{form}" for _, name, form, _ in Formatter().parse(text) if name)
        wanted = sorted(f"{name}:{form}" for _, name, form, _ in Formatter().parse(EN[key]) if name)
        assert asked == wanted, key
        assert text.strip() == text != "", key


def test_every_word_that_the_report_asks_for_is_in_the_catalogue_and_used(story: Story) -> None:
    asked: set[str] = set()

    class Listening(Words):
        def __call__(self, key: str, **values: object) -> str:
            asked.add(key)
            return super().__call__(key, **values)

        def among(self, group: str, name: object) -> str:
            asked.add(f"{group}_{name}")
            return super().among(group, name)

        def line(self, kind: str, values: dict[str, object]) -> str | None:
            asked.add(f"line.{kind}")
            return super().line(kind, values)

    bad_joke(story)
    words = Listening()
    paper(story.record(), words, redacted=True)
    assert {key for key in asked if key not in EN} <= {"outcome_None", "decision_delete it"}
    assert len(asked) > 100


def test_lengths_of_time_are_said_in_the_units_that_people_use() -> None:
    says = Phrases(Words())
    told = [says.length(ms) for ms in (0, 999, 1_000, 59_949, 60_000, 3_599_999, 3_600_000, 86_399_999, 612_000_000)]
    assert told == [
        "0 ms",
        "999 ms",
        "1.0 s",
        "59.9 s",
        "1 min 00 s",
        "59 min 59 s",
        "1 h 00 min",
        "23 h 59 min",
        "7 d 02 h",
    ]
    assert says.length(None) == "not recorded"


def test_a_long_row_of_lines_is_shortened_to_what_can_be_followed() -> None:
    says = Phrases(Words())
    assert says.lines([3, 1, 2, 2]) == "1, 2, 3"
    assert says.lines(list(range(1, 101))).endswith("11 \u2026 100 (100)")


def test_a_clause_that_a_line_says_nothing_about_is_left_out_of_the_timeline() -> None:
    says = Phrases(Words())
    assert says.told("statement", {"url": "https://x"}) == "public statement: https://x"
    assert says.told("action", {"text": "train"}) == "action: train"
    assert says.told("takedown ordered", {"decision": "hide"}) == "takedown ordered: hide, capture"
    assert says.told("note", {}) == "note: not recorded"
    assert says.told("of a kind that nobody knows", {"incident": "i-1", "a": 1, "b": [2, 3], "c": {"d": 4}}) == (
        "of a kind that nobody knows: a=1, b=2, 3, c={1}"
    )


def test_names_machines_and_places_of_proof_leave_a_redacted_report(story: Story) -> None:
    bad_joke(story)
    facts = redacting.redacted(story.facts())
    text = json.dumps(facts)
    for name in ("anna", "ben", "carla", "dora", "emil", "pr-desk", "pts/3", "/state/evidence", "posted by hand"):
        assert name not in text, name
    record = figures.record(lines.read(facts))
    assert record["roles"][0]["person"] == "person 3", "emil is the third who appears"
    assert record["notes"][0]["text"] == "person 2 has called the client"
    assert record["notes"][0]["who"] == "person 3"
    assert record["decisions"][0]["agreed"] == ["person 1", "person 2"]
    assert record["head"] == story.record()["head"]


def test_a_pseudonym_stays_when_the_story_goes_on(story: Story) -> None:
    bad_joke(story)
    before = redacting.redacted(story.facts())["lines"]
    story.during("note", 200_000, "zoe", text="anna asked emil")
    after = redacting.redacted(story.facts())["lines"]
    assert after[: len(before)] == before
    assert (after[-1]["who"], after[-1]["data"]["text"]) == ("person 5", "person 1 asked person 3")


def test_the_figures_of_a_redacted_report_are_those_of_the_other(story: Story) -> None:
    bad_joke(story)
    whole, without = story.record(), figures.record(lines.read(redacting.redacted(story.facts())))
    for key in ("counts", "measures", "head"):
        assert whole[key] == without[key]
    assert [one["visible_ms"] for one in whole["takedowns"]] == [one["visible_ms"] for one in without["takedowns"]]
