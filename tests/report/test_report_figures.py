"""What a report says in figures, from lines of a real journal: each as it was, each with the lines that prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardian.duties import incident_facts
from guardian.report import figures, lines
from tests.report.story import NOON, URL, bad_joke

if TYPE_CHECKING:
    import pytest

    from tests.report.story import Story


def _kinds(record: dict[str, Any], numbers: list[int]) -> set[str]:
    """The kinds of the lines that a figure names, in the record itself."""
    return {one["kind"] for one in record["timeline"] if one["seq"] in numbers}


def _measure(record: dict[str, Any], key: str) -> dict[str, Any]:
    return next(one for one in record["measures"] if one["measure"] == key)


def test_a_post_was_visible_from_its_publication_to_its_confirmed_end(story: Story) -> None:
    bad_joke(story)
    first, second = story.record()["takedowns"]
    assert (first["state"], first["visible_ms"]) == ("gone", 241_600)
    assert first["published_line"] == 2, "the line from before the incident proves when it went live"
    assert {first["published_line"], first["ended_line"]} <= set(first["lines"])
    assert first["bundle"] == "/state/evidence/ev-11"
    assert (second["state"], second["visible_ms"]) == ("gone", None), "nobody knows when it was published"


def test_a_takedown_that_is_not_confirmed_is_never_measured_as_done(story: Story) -> None:
    bad_joke(story)
    facts = story.facts()
    facts["lines"] = [one for one in facts["lines"] if one["at"] < NOON + 80_000_000]  # before the look of the next day
    record = figures.record(lines.read(facts))
    assert [one["state"] for one in record["takedowns"]] == ["gone", "still_visible"]
    found = _measure(record, "taken_down")
    assert (found["ms"], found["done"], found["of"]) == (None, 1, 2)
    assert "still_visible" in [one["what"] for one in record["hindered"]]


def test_the_measures_begin_at_the_order_not_at_the_line_that_was_written_later(story: Story) -> None:
    bad_joke(story)
    record = story.record()
    confirmed = _measure(record, "confirmed")
    assert confirmed["ms"] == 400
    assert _kinds(record, confirmed["lines"]) == {"frozen", "freeze confirmed"}
    assert _measure(record, "stated")["ms"] == 1_500_200
    last = _measure(record, "taken_down")
    assert (last["ms"], last["done"], last["of"]) == (90_000_200, 2, 2)


def test_a_door_that_measured_the_stop_is_believed_more_than_the_time_of_its_line(story: Story) -> None:
    story.open(0)
    story.during("frozen", 3, scope="all", ordered_at=NOON)
    story.during("freeze confirmed", 3, ordered_at=NOON, elapsed_ms=7.4, scopes=["all"])
    assert _measure(story.record(), "confirmed")["ms"] == 7


def test_a_freeze_that_was_confirmed_only_at_the_second_try_counts_from_the_first_order(story: Story) -> None:
    story.open(0)
    why = [{"scope": "all", "pid": 7, "why": "a lane is stopped"}]
    refused = story.during("freeze not confirmed", 1, ordered_at=NOON, scopes=["all"], unconfirmed=why)
    story.during("freeze confirmed", 9, ordered_at=NOON + 8_000, elapsed_ms=5, scopes=["all"])
    record = story.record()
    found = _measure(record, "confirmed")
    assert found["ms"] == 9_000
    assert refused in found["lines"]
    (hindered,) = record["hindered"]
    assert (hindered["what"], hindered["why"]) == ("not_confirmed", "all: a lane is stopped")


def test_what_was_held_missed_and_landed_is_counted_with_its_lines(story: Story) -> None:
    bad_joke(story)
    record = story.record()
    counts = record["counts"]
    assert {key: counts[key]["value"] for key in ("held", "missed", "landed", "strangers")} == {
        "held": 12,
        "missed": 3,
        "landed": 1,
        "strangers": 1,
    }
    assert counts["unknown"] is None, "no line says anything about it"
    assert _kinds(record, counts["missed"]["lines"]) == {"missed"}
    (landed,) = record["landed"]
    assert (landed["url"], landed["at"]) == (f"{URL}13", "2026-11-25T12:00:00.250Z")


def test_what_hindered_names_the_gap_the_partial_proof_and_what_is_still_visible(story: Story) -> None:
    bad_joke(story)
    record = story.record()
    found = {one["what"]: one for one in record["hindered"]}
    assert set(found) == {"still_visible", "proof_incomplete", "anchor_gap"}
    assert all(one["lines"] for one in record["hindered"])


def test_a_target_without_an_outcome_is_under_way_and_hinders(story: Story) -> None:
    story.open(0)
    targets = [{"target": "t-1", "account": "acme", "platform_id": "5"}]
    line = story.during("takedown ordered", 1, decision="delete", targets=targets)
    record = story.record()
    assert record["takedowns"][0]["state"] == "under way"
    assert [(one["what"], one["lines"]) for one in record["hindered"]] == [("under_way", [line])]


def test_a_post_that_came_back_is_not_gone_and_says_so(story: Story) -> None:
    story.open(0)
    targets = [{"target": "t-1", "account": "acme", "platform_id": "5", "url": f"{URL}5"}]
    story.during("takedown ordered", 1, decision="delete", targets=targets)
    story.during("taken down", 2, target="t-1", state="gone")
    story.during("looked again", 60, target="t-1", presence="there")
    record = story.record()
    assert record["takedowns"][0]["state"] == "still_visible"
    assert record["takedowns"][0]["ended_at"] is None
    assert [one["what"] for one in record["hindered"]] == ["came_back"]
    story.during("looked again", 3600, target="t-1", presence="unknown")
    assert story.record()["takedowns"][0]["state"] == "still_visible", "what nobody could see is no news"


def test_a_post_that_was_to_be_kept_is_not_a_failure_when_it_is_there(story: Story) -> None:
    story.open(0)
    targets = [{"target": "t-1", "account": "acme", "platform_id": "5"}]
    story.during("takedown ordered", 1, decision="keep", targets=targets)
    story.during("taken down", 2, target="t-1", state="kept")
    story.during("looked again", 60, target="t-1", presence="there", decision="keep")
    record = story.record()
    assert record["takedowns"][0]["state"] == "kept"
    assert record["hindered"] == []
    assert _measure(record, "taken_down")["of"] == 0


def test_lines_that_say_less_than_they_should_break_nothing(story: Story) -> None:
    story.open(0)
    for kind in (
        *("frozen", "freeze confirmed", "freeze not confirmed", "thawed", "takedown ordered", "snapshot sealed"),
        *("takedown acting", "taken down", "looked again", "native found", "native held", "landed during freeze"),
        *("not ours", "custody", "note", "decision", "classed", "role", "action", "statement", "missed", "published"),
    ):
        story.tell(kind, 1)
        story.during(kind, 2, targets="none", options=7, agreed=None, count="many", durable="yes", due=[], held=True)
        story.during(kind, 3, targets=[3, {"target": None}], presence=4, state=None, ordered_at="noon", lifts=[{}])
    record = story.record()
    assert len(record["timeline"]) == 1 + 22 * 3


def test_what_belongs_to_a_closed_incident_comes_after_its_end_and_nothing_else_does(story: Story) -> None:
    bad_joke(story)
    story.tell("published", 91_000, post="p-next", account="acme", platform_id="77")
    record = story.record()
    after = [one for one in record["timeline"] if one["seq"] > record["closed"]["lines"][0]]
    assert [one["kind"] for one in after] == ["looked again", "note"]
    assert record["head"]["seq"] == after[-1]["seq"]
    assert [one["text"] for one in record["notes"]][-1] == "the platform took a day"


def test_the_statement_is_timed_by_its_post_where_it_is_one_of_ours(story: Story) -> None:
    story.open(0)
    live = story.tell("published", 300, post="p-sorry", account="acme", platform_id="8", url=f"{URL}8")
    said = story.during("statement", 900, "dora", post="p-sorry")
    found = story.record()["statement"]
    assert (found["at"], found["lines"]) == ("2026-11-25T12:05:00.000Z", [live, said])


def test_an_incident_longer_than_a_report_says_what_it_leaves_out(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_facts, "MOST_LINES", 7)
    monkeypatch.setattr(incident_facts, "PAGE", 3)
    story.open(0)
    for place in range(20):
        story.during("note", place, "anna", text=str(place))
    facts = story.facts()
    assert (len(facts["lines"]), facts["left_out"]) == (7, 14)
    assert [one["seq"] for one in facts["lines"]] == list(range(1, 8))


def test_reading_the_facts_page_by_page_leaves_out_no_line(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incident_facts, "PAGE", 2)
    bad_joke(story)
    numbers = [one["seq"] for one in story.facts()["lines"]]
    assert numbers == list(range(3, numbers[-1] + 1))


def test_a_veil_is_the_end_of_a_post_that_was_to_be_hidden_and_of_no_other(story: Story) -> None:
    story.open(0)
    for number, decision in enumerate(("hide", "delete")):
        targets = [{"target": f"t-{number}", "account": "acme", "platform_id": str(number)}]
        story.during("takedown ordered", 1, decision=decision, targets=targets)
        story.during("looked again", 2, target=f"t-{number}", presence="veiled")
    assert [one["state"] for one in story.record()["takedowns"]] == ["hidden", "still_visible"]


def test_what_was_shown_again_on_purpose_is_undone_and_hinders_nobody(story: Story) -> None:
    story.open(0)
    story.during(
        "takedown ordered", 1, decision="hide", targets=[{"target": "t-1", "account": "a", "platform_id": "5"}]
    )
    story.during("taken down", 2, target="t-1", state="hidden", bundle="ev-1", grade="complete")
    story.during("undone", 90, "ben", target="t-1", presence="there", reason="it was no joke")
    story.during("looked again", 100, target="t-1", presence="unknown")
    record = story.record()
    (one,) = record["takedowns"]
    assert (one["state"], one["why"], one["bundle"]) == ("undone", "it was no joke", "ev-1")
    assert _measure(record, "taken_down")["ms"] == 1_000, "it was hidden, until somebody showed it again"
    assert record["hindered"] == []


def test_what_is_gone_but_still_served_elsewhere_hinders(story: Story) -> None:
    story.open(0)
    line = story.during("looked again", 3, target="t-1", check=0, presence="gone", lingering=["media is still served"])
    assert [(one["what"], one["why"], one["lines"]) for one in story.record()["hindered"]] == [
        ("lingering", "media is still served", [line])
    ]
