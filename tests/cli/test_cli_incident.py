"""`guardian incident` as a person uses it at 3 a.m., with a real daemon: few words, no quotes, and nothing lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import Place

    Guardian = Callable[..., Any]


@pytest.fixture
def crisis(guardian: Guardian, place: Place) -> Iterator[str]:
    """An incident that a freeze has opened; closed again after the test."""
    place.freeze("a", "bad", "joke", "is", "live")
    found = guardian("incident", "show", "--json").json
    assert found["state"] == "open"
    yield str(found["incident"])
    guardian("incident", "close", "after the test")


def test_a_freeze_opens_an_incident_that_status_and_thaw_go_on_naming(guardian: Guardian, crisis: str) -> None:
    assert crisis in guardian("status").out
    assert guardian("status", "--json").json["incident"]["id"] == crisis
    thawed = guardian("thaw", "--yes", "--reason", "out")
    assert crisis in thawed.out
    assert "guardian incident close REASON" in thawed.out
    assert crisis in guardian("status").out, "a thaw closes no incident"
    closed = guardian("incident", "close", "all", "is", "well")
    assert closed.code == 0
    assert f"guardian incident report {crisis}" in closed.out
    assert crisis not in guardian("status").out
    assert guardian("status", "--json").json["incident"] is None


def test_everything_that_is_said_stands_in_the_record(guardian: Guardian, crisis: str) -> None:
    said = (
        ("note", "the", "client", "has", "called"),
        (
            "decide",
            "delete",
            "it",
            "--option",
            "leave it",
            "--option",
            "hide it",
            "--agreed",
            "anna",
            "--why",
            "it hurts",
        ),
        ("class", "brand", "--severity", "high"),
        ("class", "--severity", "critical"),
        ("role", "scribe", "Emil", "E."),
        ("action", "two", "people", "read", "it", "--owner", "anna", "--due", "2026-12-01"),
        ("statement", "https://acme.example/sorry"),
        ("statement", "we", "are", "sorry"),
    )
    for words in said:
        ran = guardian("incident", *words)
        assert ran.code == 0, ran.err
        assert crisis in ran.out
        assert "of the journal" in ran.out
    assert guardian("incident", "note", "-", stdin="from a pipe\nof two lines\n").code == 0
    found = guardian("incident", "show", crisis, "--json").json
    assert [one["text"] for one in found["notes"]] == ["the client has called", "from a pipe\nof two lines"]
    (decision,) = found["decisions"]
    assert (decision["decision"], decision["options"], decision["agreed"]) == (
        "delete it",
        ["leave it", "hide it"],
        ["anna"],
    )
    assert (found["class"]["value"], found["severity"]["value"]) == ("brand", "critical")
    assert len(found["severity"]["lines"]) == 2, "the first word stays in the record"
    assert (found["roles"][0]["role"], found["roles"][0]["person"]) == ("scribe", "Emil E.")
    assert found["actions"][0]["due"] == "2026-12-01"
    assert found["statement"]["url"] == "https://acme.example/sorry"
    shown = guardian("incident", "show").out
    for phrase in (
        "scribe: Emil E.",
        "two people read it (anna, due 2026-12-01)",
        "from a pipe ⏎ of two lines",
        "critical",
    ):
        assert phrase in shown, phrase


def test_the_report_is_the_same_twice_in_each_form_and_writes_nothing(
    guardian: Guardian, crisis: str, place: Place
) -> None:
    assert guardian("incident", "note", "<b>bold</b> | pipe").code == 0
    before = len(place.get("/v1/journal?limit=1000")["entries"])
    for words in (("--format", "markdown"), ("--format", "html"), ("--json",), ("--redact",), ("--language", "fr")):
        first, second = guardian("incident", "report", *words), guardian("incident", "report", *words)
        assert (first.code, first.err) == (0, "")
        assert first.out == second.out != ""
        assert "<b>bold" not in first.out or words == ("--json",)
    assert len(place.get("/v1/journal?limit=1000")["entries"]) == before
    assert guardian("incident", "report").out.startswith(f"# Incident report {crisis}\n")
    assert guardian("incident", "report", "--format", "json").json["incident"] == crisis
    assert guardian("incident", "report", "--json").json["measures"][0]["ms"] is not None


def test_after_the_end_show_and_report_mean_the_last_one_and_notes_need_its_name(
    guardian: Guardian, crisis: str
) -> None:
    assert guardian("incident", "close", "over").code == 0
    assert guardian("incident", "show", "--json").json["incident"] == crisis
    refused = guardian("incident", "note", "later")
    assert refused.code == 2
    assert "none is open" in refused.err
    assert guardian("incident", "note", "later", "--incident", "latest").code == 0
    assert "later" in guardian("incident", "report").out


def test_an_incident_can_be_opened_without_stopping_anything_and_is_joined(guardian: Guardian, place: Place) -> None:
    first = guardian("incident", "open", "a", "customer", "was", "insulted", "--json").json
    assert (first["new"], first["incident"]["reason"]) == (True, "a customer was insulted")
    again = guardian("incident", "open", "the", "same")
    assert "was open already" in again.out
    assert place.get("/v1/status")["state"] == "open"
    listed = guardian("incident", "list", "--limit", "1")
    assert first["incident"]["id"] in listed.out
    assert "--cursor" in listed.out or "more" not in listed.out
    place.freeze("and", "now")
    assert guardian("incident", "list", "--json").json["incidents"][0]["id"] == first["incident"]["id"]
    assert guardian("incident", "close", "over").code == 0


@pytest.mark.usefixtures("crisis")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("note",), "missing argument"),
        (("note", "-"), "nothing on stdin"),
        (("note", " "), "text"),
        (("class",), "no class and no severity"),
        (("class", "weather"), "weather"),
        (("action", "x", "--due", "soon"), "due"),
        (("statement", "p-nothing"), "p-nothing"),
        (("close", " "), "reason"),
        (("show", "i-nothing"), "there is none"),
        (("report", "../status"), "there is none"),
    ],
)
def test_wrong_use_says_why_and_writes_nothing(
    guardian: Guardian, place: Place, words: tuple[str, ...], why: str
) -> None:
    before = place.get("/v1/journal?limit=1000")["entries"]
    ran = guardian("incident", *words)
    assert ran.code == 2, ran.err
    assert why in ran.err
    assert "Traceback" not in ran.err
    assert place.get("/v1/journal?limit=1000")["entries"] == before


def test_a_note_that_is_too_long_for_a_line_is_refused_before_it_is_sent(guardian: Guardian, crisis: str) -> None:
    ran = guardian("incident", "note", "-", stdin="x" * 20_001)
    assert ran.code == 2
    assert "more than 20000 letters" in ran.err
    assert crisis


def test_a_freeze_names_its_incident_in_the_document(guardian: Guardian, place: Place, crisis: str) -> None:
    ran = place.program("freeze", "again", "--json")
    assert json.loads(ran.stdout)["incident"] == crisis
    assert guardian("incident", "show", "--json").json["freezes"][-1]["reason"] == "again"
