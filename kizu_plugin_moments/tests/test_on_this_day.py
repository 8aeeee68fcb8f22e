"""This week in earlier years: leap days, turns of the year, evenings, clocks and scans."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from kizu_core import MomentCandidate
from kizu_plugin_moments.on_this_day import build

pytest.importorskip("kizu_support.diary", reason="the repository's test support is not here")

from kizu_support.diary import BERLIN, PARIS, Diary, at, spot

NOW = at("2025-07-15 09:00")


def weeks(written: Diary, now: datetime = NOW) -> dict[str, MomentCandidate]:
    """Title -> moment."""
    return {one.title: one for one in build(None).propose(written.photos, now=now)}


def on(*days: str, count: int = 4) -> Diary:
    """Some photos at noon of each of the days."""
    written = Diary()
    for day in days:
        written.shoot(at(f"{day} 12:00"), BERLIN, count)
    return written


def test_each_year_with_enough_photos_has_a_moment() -> None:
    found = weeks(on("2024-07-15", "2023-07-12", "2023-07-18", "2020-07-11", "2020-07-19"))
    assert list(found) == ["This week, 1 year ago", "This week, 2 years ago"]
    assert len(found["This week, 2 years ago"].asset_ids) == 8, "three days before and after, and no further"
    assert found["This week, 2 years ago"].subtitle == "12 to 18 July 2023, Berlin"
    assert found["This week, 1 year ago"].key == "2024-07-15"


def test_two_shots_are_too_few_however_many_frames_they_have() -> None:
    written = on("2023-07-15", count=1)
    written.shoot(at("2023-07-15 15:00"), BERLIN, 9, minutes=0.01)
    written.shoot(at("2023-07-15 15:00"), BERLIN, 2, minutes=0)
    assert weeks(written) == {}


@pytest.mark.parametrize("today", ["2025-12-30", "2026-01-02"])
def test_new_year_is_one_week(today: str) -> None:
    (moment,) = weeks(on("2023-12-31", "2024-01-01"), at(f"{today} 08:00")).values()
    assert moment.title == "This week, 2 years ago"
    assert len(moment.asset_ids) == 8


def test_years_are_exact_across_the_turn_of_the_year() -> None:
    assert list(weeks(on("2025-01-02"), at("2024-12-31"))) == []
    assert list(weeks(on("2024-12-30"), at("2026-01-01"))) == ["This week, 1 year ago"]
    assert list(weeks(on("2024-12-30"), at("2025-12-29"))) == ["This week, 1 year ago"]


def test_on_29_february_a_common_year_is_asked_for_its_28th() -> None:
    leap = weeks(on("2027-02-24", "2027-02-25", "2027-03-04", "2024-02-29"), at("2028-02-29 10:00"))
    assert {title: len(one.asset_ids) for title, one in leap.items()} == {
        "This week, 1 year ago": 4,
        "This week, 4 years ago": 4,
    }
    assert leap["This week, 1 year ago"].key == "2027-02-28"


@pytest.mark.parametrize("today", ["2025-02-28", "2025-03-01", "2025-02-26"])
def test_photos_of_a_leap_day_return_in_common_years_too(today: str) -> None:
    (moment,) = weeks(on("2024-02-29"), at(today)).values()
    assert len(moment.asset_ids) == 4


def test_an_evening_belongs_to_its_own_day() -> None:
    """19:30 in a zone behind UTC is the next day in UTC; what the clock of the place showed counts."""
    written = Diary()
    written.shoot(at("2023-07-18 21:30"), spot(40.7, -74.0, "New York", "United States"), 4)
    assert list(weeks(written)) == ["This week, 2 years ago"]
    assert weeks(written, NOW - timedelta(days=1)) == {}


def test_wrong_clocks_and_dates_of_files_are_left_out_and_harm_nobody() -> None:
    written = on("2023-07-15")
    for year in ("0001", "1800", "9999"):
        written.shoot(at(f"{year}-07-15 12:00"), PARIS, 5)
    written.shoot(at("2022-07-15 12:00"), PARIS, 5, trusted=False)
    written.snap(None, PARIS)
    assert list(weeks(written)) == ["This week, 2 years ago"]
    never_set = on("1970-01-01", "1980-01-01", "1990-01-01")
    assert list(weeks(never_set, at("2025-01-01"))) == ["This week, 35 years ago"]


def test_scans_dated_on_one_day_are_left_out() -> None:
    written = on("2023-07-15")
    written.shoot(at("2022-07-15 12:00"), None, 500, minutes=0.1)
    written.shoot(at("2021-07-15 00:00"), None, 30, minutes=0)
    assert list(weeks(written)) == ["This week, 2 years ago"]
    assert "This week, 3 years ago" in weeks(on("2022-07-15", count=100)), "a busy day is none of that"


def test_today_and_tomorrow_are_no_memories() -> None:
    assert weeks(on("2025-07-15", "2025-07-14", "2026-07-15")) == {}


def test_the_first_year_of_the_calendar_does_no_harm() -> None:
    assert weeks(on("2023-07-15"), at("0001-01-02")) == {}
