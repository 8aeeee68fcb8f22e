"""Moments with people, and the two that there are when nothing else is found."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kizu_core import MomentCandidate
from kizu_plugin_moments.fallbacks import build_common_location, build_recent
from kizu_plugin_moments.people import SHOWN, build

pytest.importorskip("kizu_support.diary", reason="the repository's test support is not here")

from kizu_support.diary import BERLIN, PARIS, Diary, at, spot

NOW = at("2025-11-10 09:00")


def people(written: Diary) -> dict[str, MomentCandidate]:
    """Title -> moment."""
    return {one.title: one for one in build(None).propose(written.photos, now=NOW)}


def test_four_photos_of_somebody_are_a_moment() -> None:
    written = Diary()
    with_john = written.shoot(at("2025-10-01 12:00"), BERLIN, 4, people=("John", "Anna"))
    written.shoot(at("2025-10-02 12:00"), BERLIN, 3, people=("Ben",))
    found = people(written)
    assert list(found) == ["Moments with Anna", "Moments with John"]
    assert found["Moments with John"].asset_ids == tuple(with_john)
    assert found["Moments with John"].criteria["person"] == "John"


def test_a_burst_and_its_copies_are_one_photo_of_somebody() -> None:
    written = Diary()
    written.shoot(at("2025-10-01 12:00"), BERLIN, 10, minutes=0.01, people=("John",))
    written.shoot(at("2025-10-01 13:00"), BERLIN, 2, minutes=0, people=("John",))
    written.shoot(at("2025-10-01 14:00"), BERLIN, 1, people=("John",))
    assert people(written) == {}


def test_of_thousands_the_latest_weeks_are_shown_evenly() -> None:
    written = Diary()
    photos = written.shoot(at("2020-01-01 12:00"), BERLIN, 2000, minutes=24 * 60, people=("John",))
    (moment,) = people(written).values()
    assert len(moment.asset_ids) == SHOWN
    assert {moment.asset_ids[0], moment.asset_ids[-1]} == {photos[-91], photos[-1]}
    assert moment.criteria["window_days"] == 90
    assert moment.criteria["shots_in_all"] == 2000


def test_somebody_seen_rarely_is_shown_over_all_years() -> None:
    written = Diary()
    photos = [written.snap(at(f"{year}-05-01"), BERLIN, people=("John",)) for year in range(2015, 2021)]
    (moment,) = people(written).values()
    assert moment.asset_ids == tuple(photos)
    assert moment.subtitle == "1 May 2015 to 1 May 2020"


def test_the_same_moment_keeps_its_key_and_its_photos_on_the_next_day() -> None:
    written = Diary()
    written.shoot(at("2025-08-01 12:00"), BERLIN, 100, minutes=24 * 60, people=("John",))
    today, tomorrow = (build(None).propose(written.photos, now=NOW + timedelta(days=n)) for n in range(2))
    assert [(one.key, one.asset_ids) for one in today] == [(one.key, one.asset_ids) for one in tomorrow]


def test_somebody_seen_lately_is_worth_more_than_somebody_of_long_ago() -> None:
    written = Diary()
    written.shoot(at("2025-10-01 12:00"), BERLIN, 20, people=("Anna",))
    written.shoot(at("2015-10-01 12:00"), BERLIN, 20, people=("Ben",))
    found = people(written)
    assert found["Moments with Anna"].score > found["Moments with Ben"].score


def test_the_place_with_most_photos_shows_its_latest() -> None:
    written = Diary()
    written.shoot(at("2025-10-01 12:00"), PARIS, 10)
    at_home = written.shoot(at("2025-09-01 12:00"), BERLIN, 30)
    (moment,) = build_common_location(None).propose(written.photos, now=NOW)
    assert moment.title == "Around Berlin"
    assert moment.asset_ids == tuple(at_home[-20:])


def test_a_receiver_without_a_fix_is_no_place() -> None:
    written = Diary()
    written.shoot(at("2025-10-01 12:00"), spot(0.0, 0.0, "", ""), 50)
    assert build_common_location(None).propose(written.photos, now=NOW) == []


def test_the_twenty_latest_photos_hold_no_copies_and_nothing_to_come() -> None:
    written = Diary()
    photos = written.shoot(at("2025-10-01 12:00"), BERLIN, 25)
    written.shoot(at("2025-10-01 16:10"), BERLIN, 3, minutes=0)
    written.shoot(at("2031-10-01 12:00"), BERLIN, 3)
    (moment,) = build_recent(None).propose(written.photos, now=NOW)
    assert len(moment.asset_ids) == 20
    assert moment.asset_ids[:19] == tuple(photos[-19:])
