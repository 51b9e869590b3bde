"""Moving posts in time: a day is a day of the wall, an hour is an hour, and the wall time kept is the one meant."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.errors import Mistake
from guardian.model import Part, Post, State
from guardian.rules import timing
from guardian.rules.shifting import By, To, moved, read_shift

STOCKHOLM = "Europe/Stockholm"
ZONES = (STOCKHOLM, "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu")
NOW = 1_790_000_000_000


def post(wall: str, zone: str | None = STOCKHOLM, *, kept: bool = True) -> Post:
    at = timing.resolve(wall, zone, now=NOW, default_zone=zone or "UTC").at
    return Post(
        id="p-x", account="a", state=State.QUEUED, at=at, entered_at=0, part=Part(text="x"), zone=zone,
        wall=wall if kept else None, tags=(), ref=None, why=None, platform_id=None, url=None, created_at=0,
        created_by="a test",
    )  # fmt: skip


def shown(at: int, zone: str = STOCKHOLM) -> str:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).isoformat()


@pytest.mark.parametrize(
    ("text", "days", "exact"),
    [
        ("+2h", 0, 7_200_000),
        ("-1d", -1, 0),
        ("+1d 2h", 1, 7_200_000),
        ("+1d2h30m", 1, 9_000_000),
        ("-1w 1d", -8, 0),
        ("+1d -2h", 1, -7_200_000),
        ("+90s", 0, 90_000),
    ],
)
def test_a_shift_means_what_it_says(text: str, days: int, exact: int) -> None:
    assert read_shift(text) == By(days, exact)


@pytest.mark.parametrize("text", ["", " ", "2h", "+", "+2", "h", "+2x", "++2h", "+1.5h", "+2h d", "1d +2h", "+²h"])
def test_a_shift_that_says_nothing_clear_is_refused(text: str) -> None:
    with pytest.raises(Mistake, match="shift"):
        read_shift(text)


@given(st.text(max_size=30))
def test_any_words_are_a_shift_or_a_mistake(text: str) -> None:
    try:
        read_shift(text)
    except Mistake as error:
        assert "shift" in str(error)  # noqa: PT017 (both ends are fine)


@pytest.mark.parametrize("kept", [True, False])
def test_nine_in_the_morning_stays_nine_over_both_changes_of_the_clocks(*, kept: bool) -> None:
    for before, after in (
        ("2027-03-27T09:00:00", "2027-03-28T09:00:00+02:00"),
        ("2027-10-30T09:00:00", "2027-10-31T09:00:00+01:00"),
    ):
        to = moved(post(before, kept=kept), read_shift("+1d"), now=NOW, default_zone="UTC")
        assert shown(to.at) == after
        assert to.note is None
        assert to.wall == (after[:19] if kept else None)
        assert to.zone == STOCKHOLM


def test_hours_are_exact_where_the_clocks_change_and_the_wall_time_kept_follows() -> None:
    to = moved(post("2027-03-27T09:00:00"), read_shift("+24h"), now=NOW, default_zone="UTC")
    assert shown(to.at) == "2027-03-28T10:00:00+02:00"
    assert to.wall == "2027-03-28T10:00:00"


def test_a_day_that_ends_in_the_gap_or_in_the_hour_that_comes_twice_is_said() -> None:
    to = moved(post("2027-03-27T02:30:00"), read_shift("+1d"), now=NOW, default_zone="UTC")
    assert shown(to.at) == "2027-03-28T03:00:00+02:00"
    assert "does not exist" in str(to.note)
    to = moved(post("2027-10-30T02:30:00"), read_shift("+1d"), now=NOW, default_zone="UTC")
    assert shown(to.at) == "2027-10-31T02:30:00+02:00"
    assert "happens twice" in str(to.note)


def test_a_day_after_the_gap_is_again_the_time_that_was_written() -> None:
    to = moved(post("2027-03-28T02:30:00"), read_shift("+1d"), now=NOW, default_zone="UTC")
    assert shown(to.at) == "2027-03-29T02:30:00+02:00"


def test_the_second_of_two_equal_hours_is_kept_as_a_moment_and_not_as_a_wall_time() -> None:
    to = moved(post("2027-10-31T02:30:00"), read_shift("+1h"), now=NOW, default_zone="UTC")
    assert shown(to.at) == "2027-10-31T02:30:00+01:00"
    assert to.wall is None, "read back, it would be an hour earlier"


def test_a_named_time_keeps_wall_and_zone_in_step() -> None:
    one = post("2027-01-04T09:00:00")
    to = moved(one, To("2027-02-04T10:00:00"), now=NOW, default_zone="UTC")
    assert (shown(to.at), to.wall, to.zone) == ("2027-02-04T10:00:00+01:00", "2027-02-04T10:00:00", STOCKHOLM)
    to = moved(one, To("2027-02-04T10:00:00", "Asia/Tokyo"), now=NOW, default_zone="UTC")
    assert (to.wall, to.zone) == ("2027-02-04T10:00:00", "Asia/Tokyo")
    for text in ("2027-02-04T10:00:00+01:00", "now"):
        assert moved(one, To(text), now=NOW, default_zone="UTC").wall is None


@pytest.mark.parametrize("text", ["+99999w", "-99999w", "+40000d", "-99999d 999999h"])
def test_a_shift_out_of_the_century_is_a_mistake_and_no_traceback(text: str) -> None:
    with pytest.raises(Mistake, match="century"):
        moved(post("2027-01-04T09:00:00"), read_shift(text), now=NOW, default_zone="UTC")


@given(
    st.datetimes(min_value=datetime.fromisoformat("2020-01-01"), max_value=datetime.fromisoformat("2035-01-01")),
    st.sampled_from(ZONES),
    st.integers(-400, 400),
    st.integers(-200_000, 200_000),
)
def test_the_wall_time_kept_is_always_read_back_as_the_moment_or_not_kept(
    wall: datetime, zone: str, days: int, seconds: int
) -> None:
    one = post(wall.replace(microsecond=0).isoformat(), zone)
    to = moved(one, By(days, seconds * 1000), now=NOW, default_zone="UTC")
    if to.wall is not None:
        assert timing.resolve(to.wall, to.zone, now=NOW, default_zone="UTC").at == to.at
    if not days:
        assert to.at - one.at == seconds * 1000
    elif not seconds and to.note is None:
        there = datetime.fromtimestamp(to.at / 1000, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert (there - wall.replace(microsecond=0)).total_seconds() == days * 86_400
