"""What may be concluded from a receipt: for every receipt there is, and never more than it proves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies

from guardian.adapter import Kind, Meaning, Reading
from guardian.gate.intents import Fate, Receipt, Trace
from guardian.gate.verdicts import (
    Accepted,
    NotFound,
    NotSent,
    Rejected,
    Retraction,
    Shut,
    Stopped,
    Throttled,
    Uncertain,
    Verdict,
    verdict,
    verdict_of_retract,
    verdict_of_upload,
)

STATUS = strategies.none() | strategies.integers(-1, 1000)
TRACES = strategies.builds(
    Trace,
    kind=strategies.sampled_from(Kind),
    method=strategies.just("POST"),
    path=strategies.just("/"),
    fate=strategies.sampled_from(Fate),
    status=STATUS,
    retry_after=strategies.none() | strategies.floats(0, 900),
    why=strategies.text(max_size=20),
)


@given(strategies.lists(TRACES, max_size=4))
def test_a_post_is_sent_again_only_when_its_receipt_proves_that_it_was_not_made(traces: list[Trace]) -> None:
    receipt = Receipt(traces)
    found, trace = verdict(receipt), receipt.publishing
    if isinstance(found, Stopped | NotSent):
        assert trace is None or trace.fate in (Fate.STOPPED, Fate.UNSENT)
    elif isinstance(found, Throttled):
        assert trace is not None
        assert (trace.fate, trace.status) == (Fate.ANSWERED, 429)
        assert found.after == trace.retry_after
    elif trace is not None and trace.fate is Fate.MAYBE:
        assert isinstance(found, Uncertain)


@given(TRACES)
def test_a_post_is_refused_only_by_a_plain_no_and_published_only_by_a_plain_yes(trace: Trace) -> None:
    trace.kind, trace.fate = Kind.PUBLISH, Fate.ANSWERED
    found = verdict(Receipt([trace]))
    if isinstance(found, Rejected):
        assert trace.status in (301, 307, 308) or 400 <= found.status < 500
        assert trace.status not in (408, 409, 429)
    elif isinstance(found, Accepted):
        assert 200 <= found.status < 300
    elif not isinstance(found, Throttled):
        assert isinstance(found, Uncertain)


READ = {
    Meaning.REFUSED: Rejected,
    Meaning.UNCERTAIN: Uncertain,
    Meaning.SHUT: Shut,
    Meaning.LATER: Throttled,
}


@pytest.mark.parametrize("meaning", Meaning)
@pytest.mark.parametrize("status", [200, 201, 400, 402, 403, 404, 429])
def test_what_a_platform_says_in_words_counts_for_more_than_its_status(status: int, meaning: Meaning) -> None:
    """X refuses a twin with 403 though it was the lost post of ours; Reddit says its errors with 200."""
    for kind, read in ((Kind.PUBLISH, verdict), (Kind.UPLOAD, verdict_of_upload), (Kind.RETRACT, verdict_of_retract)):
        reading = Reading(meaning=meaning, why="in words", after=7)
        trace = Trace(kind, "POST", "/", fate=Fate.ANSWERED, status=status, type="application/json", reading=reading)
        found = read(Receipt([trace]))
        assert isinstance(found, READ[meaning])
        assert getattr(found, "why", "") == "in words"


@settings(max_examples=500)
@given(TRACES, strategies.sampled_from(Meaning))
def test_what_proves_nothing_stays_uncertain_whatever_an_adapter_reads_in_it(trace: Trace, meaning: Meaning) -> None:
    trace.kind, trace.reading = Kind.PUBLISH, Reading(meaning=meaning, why="in words", after=7)
    found = verdict(Receipt([trace]))
    if trace.fate is Fate.MAYBE or trace.status is None or trace.status >= 500 or trace.status in (408, 409, 302, 303):
        assert isinstance(found, Uncertain) or trace.fate in (Fate.STOPPED, Fate.UNSENT)


def test_of_several_uploads_the_last_one_counts() -> None:
    traces = [Trace(Kind.UPLOAD, "POST", "/", fate=Fate.ANSWERED, status=status) for status in (500, 202)]
    assert verdict_of_upload(Receipt(traces)) == Accepted(202)
    assert isinstance(verdict_of_upload(Receipt(traces[:1])), Uncertain)
    assert isinstance(verdict_of_upload(Receipt()), NotSent)


def test_without_any_request_nothing_was_sent() -> None:
    assert isinstance(verdict(Receipt()), NotSent)


@pytest.mark.parametrize(
    ("status", "why", "kind"),
    [
        (409, '{"error":"An identical request is still being processed"}', Uncertain),  # Pleroma
        (400, '{"error":"Duplicate idempotency key."}', Uncertain),  # Pixelfed
        (400, '{"error":"bad request: no status, no media"}', Rejected),
        (422, '{"error":"the idempotency of this is not enough"}', Rejected),
    ],
)
def test_what_is_said_of_an_earlier_request_with_the_same_key_refuses_no_post(
    status: int, why: str, kind: type[Verdict]
) -> None:
    trace = Trace(Kind.PUBLISH, "POST", "/", fate=Fate.ANSWERED, status=status, why=why)
    assert isinstance(verdict(Receipt([trace])), kind)


RETRACTED = (
    *((status, "application/json", Accepted) for status in (200, 202, 204)),
    (200, "", Accepted),
    (200, "text/html", Uncertain),
    *((status, "application/json", Uncertain) for status in (103, 301, 302, 303, 307, 308, 408, 409, 500, 502, 600)),
    (302, "text/html", Uncertain),
    *((status, "text/html", NotFound) for status in (404, 410)),
    (404, "application/json", NotFound),
    (429, "text/html", Throttled),
    *((status, "application/json", Rejected) for status in (400, 401, 403, 405, 422, 451)),
    (403, "text/html", Rejected),
)


@pytest.mark.parametrize(("status", "media_type", "kind"), RETRACTED)
def test_a_takedown_is_believed_only_where_the_platform_plainly_says_so(
    status: int, media_type: str, kind: type[Retraction]
) -> None:
    trace = Trace(Kind.RETRACT, "DELETE", "/", fate=Fate.ANSWERED, status=status, type=media_type, retry_after=7)
    found = verdict_of_retract(Receipt([trace]))
    assert isinstance(found, kind)
    if isinstance(found, Throttled):
        assert found.after == 7


@pytest.mark.parametrize(
    ("trace", "kind"),
    [
        (None, NotSent),
        (Trace(Kind.READ, "GET", "/", fate=Fate.ANSWERED, status=200), NotSent),
        (Trace(Kind.RETRACT, "DELETE", "/", fate=Fate.STOPPED), Stopped),
        (Trace(Kind.RETRACT, "DELETE", "/", fate=Fate.UNSENT), NotSent),
        (Trace(Kind.RETRACT, "DELETE", "/", fate=Fate.MAYBE), Uncertain),
        (Trace(Kind.RETRACT, "DELETE", "/", fate=Fate.MAYBE, status=200), Uncertain),
        (Trace(Kind.RETRACT, "DELETE", "/", fate=Fate.ANSWERED), Uncertain),
    ],
)
def test_a_takedown_without_a_whole_answer_is_not_believed(trace: Trace | None, kind: type[Retraction]) -> None:
    receipt = Receipt([trace] if trace else [])
    assert isinstance(verdict_of_retract(receipt), kind)
