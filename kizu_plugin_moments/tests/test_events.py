"""Events of the last months: where one ends, what it is called, and how many are proposed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kizu_core import MomentCandidate
from kizu_plugin_moments.events import build

pytest.importorskip("kizu_support.diary", reason="the repository's test support is not here")

from kizu_support.diary import BERLIN, PARIS, Diary, at, moved

NOW = at("2025-11-10 09:00")
PARK = {**moved(BERLIN, 3), "place": "Tiergarten"}


def events(written: Diary) -> list[MomentCandidate]:
    return list(build(None).propose(written.photos, now=NOW))


def titles(written: Diary) -> list[str]:
    return [one.title for one in events(written)]


def test_an_event_is_called_by_its_spot_else_by_its_city() -> None:
    written = Diary()
    written.shoot(at("2025-11-01 14:00"), PARK, 6)
    written.shoot(at("2025-11-02 19:00"), BERLIN, 6)
    written.shoot(at("2025-11-03 09:00"), None, 6)
    assert titles(written) == ["Saturday afternoon at Tiergarten", "Sunday evening in Berlin", "Monday morning"]


def test_four_hours_part_two_events_and_less_does_not() -> None:
    written = Diary()
    first = written.shoot(at("2025-11-01 08:00"), BERLIN, 4) + written.shoot(at("2025-11-01 12:29"), BERLIN, 4)
    second = written.shoot(at("2025-11-01 17:00"), BERLIN, 4)
    assert [one.asset_ids for one in events(written)] == [tuple(first), tuple(second)]


@pytest.mark.parametrize("night", ["2025-10-25", "2025-09-20"])
def test_a_night_over_midnight_is_one_event_also_when_the_clocks_change(night: str) -> None:
    """On 26 October 2025 the hour from 2 to 3 came twice: photos of it lie on each other, none is lost."""
    written = Diary()
    photos = written.shoot(at(f"{night} 23:00"), BERLIN, 10, minutes=25)
    (event,) = events(written)
    assert sorted(event.asset_ids) == sorted(photos)
    assert event.title == "Saturday night in Berlin"


def test_the_small_hours_belong_to_the_evening_before() -> None:
    written = Diary()
    written.shoot(at("2025-11-02 00:30"), BERLIN, 6)
    assert titles(written) == ["Saturday night in Berlin"]


def test_three_days_are_the_longest_event() -> None:
    written = Diary()
    photos = written.shoot(at("2025-11-01 08:00"), BERLIN, 60, minutes=120)
    found = events(written)
    for one in found:
        assert at(one.criteria["to"]) - at(one.criteria["from"]) <= timedelta(days=3)
    assert sorted(asset for one in found for asset in one.asset_ids) == photos
    assert found[0].title.startswith("Saturday to ")


def test_two_places_at_a_time_are_two_events_and_what_could_be_of_both_is_in_none() -> None:
    written = Diary()
    here = written.shoot(at("2025-11-01 14:00"), BERLIN, 8)
    there = written.shoot(at("2025-11-01 15:30"), PARK, 8)
    here += [written.snap(at("2025-11-01 14:15"))]
    between = written.snap(at("2025-11-01 15:20"))
    found = events(written)
    assert [set(one.asset_ids) for one in found] == [set(here), set(there)]
    assert all(between not in one.asset_ids for one in found)


def test_only_the_last_ninety_days_count_and_nothing_to_come() -> None:
    written = Diary()
    written.shoot(NOW - timedelta(days=91), BERLIN, 9)
    written.shoot(NOW + timedelta(days=2), BERLIN, 9)
    written.shoot(NOW - timedelta(days=2), None, 9, trusted=False)
    assert events(written) == []
    written.shoot(NOW - timedelta(days=89), BERLIN, 9)
    assert len(events(written)) == 1


def test_five_at_most_and_those_with_the_most_shots() -> None:
    written = Diary()
    for day in range(1, 9):
        written.shoot(at(f"2025-10-0{day} 12:00"), BERLIN, 4 + day, minutes=5)
    assert [len(one.asset_ids) for one in events(written)] == [8, 9, 10, 11, 12]


def test_bursts_and_copies_count_once() -> None:
    written = Diary()
    written.shoot(at("2025-11-01 12:00"), BERLIN, 10, minutes=0.01)
    written.shoot(at("2025-11-01 13:00"), BERLIN, 2, minutes=0)
    written.shoot(at("2025-11-01 13:30"), BERLIN, 1)
    assert events(written) == []
    written.shoot(at("2025-11-01 14:00"), BERLIN, 1)
    (event,) = events(written)
    assert len(event.asset_ids) == 14
    assert event.criteria["shots"] == 4


def test_an_afternoon_at_the_scanner_is_no_event() -> None:
    written = Diary()
    written.shoot(at("2025-11-01 12:00"), None, 600, minutes=0.1)
    assert events(written) == []


def test_two_events_alike_have_keys_of_their_own() -> None:
    written = Diary()
    written.shoot(at("2025-11-01 18:00"), BERLIN, 5)
    written.shoot(at("2025-11-01 18:33"), moved(BERLIN, 9), 5)
    written.shoot(at("2025-11-01 18:16"), PARIS, 5)
    keys = [one.key for one in events(written)]
    assert len(keys) == len(set(keys)) == 3
    assert "2025-11-01 Saturday evening in Berlin" in keys
