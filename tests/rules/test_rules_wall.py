"""From a person's wall time to the one instant that it means: gaps, overlaps, a skipped day, and rubbish."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.errors import Mistake
from guardian.rules import timing

if TYPE_CHECKING:
    from guardian.rules.timing import Instant

NOW = 1_763_000_000_123


def resolve(text: str, zone: str | None = None) -> Instant:
    return timing.resolve(text, zone, now=NOW, default_zone="Europe/Stockholm")


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2026-11-21T09:00:00+01:00", None, "2026-11-21T08:00:00"),
        ("2026-11-21T09:00:00Z", None, "2026-11-21T09:00:00"),
        ("2026-11-21T09:00:00-05:30", "Europe/Stockholm", "2026-11-21T14:30:00"),  # the offset wins over the zone
        ("2026-11-21T09:00:00", None, "2026-11-21T08:00:00"),
        ("2026-07-21T09:00:00", None, "2026-07-21T07:00:00"),
        ("2026-11-21T09:00:00", "Asia/Kolkata", "2026-11-21T03:30:00"),
        ("2026-11-21T09:00:00", "Asia/Kathmandu", "2026-11-21T03:15:00"),
        ("2026-11-21T09:00:00", "Pacific/Kiritimati", "2026-11-20T19:00:00"),
        ("2028-02-29T12:00:00", "UTC", "2028-02-29T12:00:00"),
        ("2000-02-29T12:00:00", "UTC", "2000-02-29T12:00:00"),
        ("2026-11-21T09:00:00.250", "UTC", "2026-11-21T09:00:00.250"),
    ],
)
def test_a_time_means_the_instant_that_its_offset_or_zone_says(text: str, zone: str | None, instant: str) -> None:
    found = resolve(text, zone)
    assert found.at == utc(instant)
    assert found.note is None


def test_now_is_the_moment_at_which_it_is_handed_in() -> None:
    assert resolve("now").at == NOW


@pytest.mark.parametrize(
    ("wall", "zone", "instant", "shown"),
    [
        ("2026-03-29T02:30:00", "Europe/Stockholm", "2026-03-29T01:00:00", "2026-03-29T03:00:00+02:00"),
        ("2026-03-08T02:00:00", "America/New_York", "2026-03-08T07:00:00", "2026-03-08T03:00:00-04:00"),
        ("2026-03-08T02:59:59.999", "America/New_York", "2026-03-08T07:00:00", "2026-03-08T03:00:00-04:00"),
        ("2026-10-04T02:15:00", "Australia/Lord_Howe", "2026-10-03T15:30:00", "2026-10-04T02:30:00+11:00"),
        ("2011-12-30T12:00:00", "Pacific/Apia", "2011-12-30T10:00:00", "2011-12-31T00:00:00+14:00"),
        ("2011-12-30T00:00:00", "Pacific/Apia", "2011-12-30T10:00:00", "2011-12-31T00:00:00+14:00"),
        ("2011-12-30T23:59:59", "Pacific/Apia", "2011-12-30T10:00:00", "2011-12-31T00:00:00+14:00"),
        ("2026-04-24T00:30:00", "Africa/Cairo", "2026-04-23T22:00:00", "2026-04-24T01:00:00+03:00"),
    ],
)
def test_a_wall_time_that_a_zone_skips_is_the_first_instant_after_the_gap(
    wall: str, zone: str, instant: str, shown: str
) -> None:
    found = resolve(wall, zone)
    assert found.at == utc(instant)
    assert found.note == f"{wall if '.' not in wall else wall + '000'} does not exist in {zone}; {shown} was taken"


@pytest.mark.parametrize(
    ("wall", "zone", "first"),
    [
        ("2026-10-25T02:30:00", "Europe/Stockholm", "2026-10-25T00:30:00"),
        ("2026-10-25T02:00:00", "Europe/Stockholm", "2026-10-25T00:00:00"),
        ("2026-11-01T01:30:00", "America/New_York", "2026-11-01T05:30:00"),
        ("2026-04-05T01:45:00", "Australia/Lord_Howe", "2026-04-04T14:45:00"),
    ],
)
def test_a_wall_time_that_happens_twice_is_the_first_of_the_two(wall: str, zone: str, first: str) -> None:
    found = resolve(wall, zone)
    assert found.at == utc(first)
    assert found.note == f"{wall} happens twice in {zone}; the first of the two was taken"


@pytest.mark.parametrize(
    ("wall", "zone"),
    [
        ("2026-03-29T01:59:59", "Europe/Stockholm"),
        ("2026-03-29T03:00:00", "Europe/Stockholm"),
        ("2026-10-25T03:00:00", "Europe/Stockholm"),
        ("2026-10-04T02:30:00", "Australia/Lord_Howe"),
        ("2026-04-05T01:29:59", "Australia/Lord_Howe"),
        ("2026-04-05T02:00:00", "Australia/Lord_Howe"),
        ("2011-12-29T23:59:59", "Pacific/Apia"),
        ("2011-12-31T00:00:00", "Pacific/Apia"),
    ],
)
def test_the_edges_of_a_gap_or_overlap_need_no_decision(wall: str, zone: str) -> None:
    assert resolve(wall, zone).note is None


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("tomorrow", None, "because it is not ISO 8601"),
        ("", None, "because it is not ISO 8601"),
        ("NOW", None, "because it is not ISO 8601"),
        ("2026-02-29T09:00:00", None, "because it is not ISO 8601"),  # no leap year
        ("2026-11-21T25:00:00", None, "because it is not ISO 8601"),
        ("1700000000", None, "because it is not ISO 8601"),
        ("2026-11-21T09:00:00+99:00", None, "because it is not ISO 8601"),
        ("1999-12-31T23:59:59Z", None, "because it is not in this century"),
        ("2100-01-01T00:00:01Z", None, "because it is not in this century"),
        ("0001-01-01T00:00:00+23:59", None, "because it is not in this century"),
        ("9999-12-31T23:59:59-23:59", None, "because it is not in this century"),
        ("0001-01-01T00:00:00", "Asia/Tokyo", "because it is not in this century"),
        ("9999-12-31T23:59:59", "America/New_York", "because it is not in this century"),
        ("2026-11-21T09:00:00", "Mars/Olympus", "because it is not an IANA zone"),
        ("2026-11-21T09:00:00", "Europe", "because it is not an IANA zone"),
        ("2026-11-21T09:00:00", "../../etc/passwd", "because it is not an IANA zone"),
        ("2026-11-21T09:00:00", "/etc/localtime", "because it is not an IANA zone"),
        ("2026-11-21T09:00:00", "a" * 5000, "because it is not an IANA zone"),
        ("2026-11-21T09:00:00", "Europe/Stock\0holm", "because it is not an IANA zone"),
    ],
)
def test_rubbish_is_refused_in_words_and_never_guessed(text: str, zone: str | None, words: str) -> None:
    with pytest.raises(Mistake) as said:
        resolve(text, zone)
    assert words in str(said.value)
    assert str(said.value).startswith("cannot use" if "ISO" not in words else "cannot read")
    assert ", do " in str(said.value)


@pytest.mark.parametrize("text", ["now", "2026-11-21T09:00:00+01:00"])
def test_a_zone_that_does_not_exist_is_refused_even_where_it_is_not_needed(text: str) -> None:
    with pytest.raises(Mistake, match="not an IANA zone"):
        resolve(text, "Mars/Olympus")


TIMES = st.builds(
    "{}{}{}".format, st.datetimes().map(datetime.isoformat), st.sampled_from(["", "Z", "+14:00", "-12:00"]), st.just("")
)
ZONES = st.none() | st.text(max_size=30) | st.sampled_from(["Europe/Stockholm", "Australia/Lord_Howe", "Pacific/Apia"])


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40) | TIMES, ZONES)
def test_any_text_gives_an_instant_or_a_mistake_and_never_a_crash(text: str, zone: str | None) -> None:
    try:
        found = resolve(text, zone)
    except Mistake:
        return
    assert utc("2000-01-01T00:00:00") <= found.at <= utc("2100-01-01T00:00:00")


YEARS = st.datetimes(datetime(2001, 1, 1), datetime(2037, 1, 1))  # noqa: DTZ001 (wall times have no zone: that is the point)


@settings(max_examples=150, deadline=None)
@given(YEARS, st.sampled_from(["Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]))
def test_an_instant_shown_on_its_own_wall_is_the_time_that_was_asked_for(wall: datetime, zone: str) -> None:
    wall = wall.replace(microsecond=0)
    found = resolve(wall.isoformat(), zone)
    shown = datetime.fromtimestamp(found.at / 1000, timing.zone_named(zone)).replace(tzinfo=None)
    if found.note and "does not exist" in found.note:
        assert shown > wall
    else:
        assert shown == wall


def test_a_day_without_a_time_is_not_taken_for_midnight() -> None:
    for text in ("2026-11-21", "20261121", "2026-W47-6"):
        with pytest.raises(Mistake, match="a day without a time"):
            timing.resolve(text, None, now=0, default_zone="UTC")
