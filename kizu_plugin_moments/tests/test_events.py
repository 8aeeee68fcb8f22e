"""Events of the last months: where one ends, what it is called, and how many are proposed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def test_two_events_at_a_time_a_short_walk_apart_are_two() -> None:
    """Somebody photographs the wedding, somebody else the lake: nobody runs to and fro all afternoon."""
    written = Diary()
    here = written.shoot(at("2025-11-01 14:00"), BERLIN, 12)
    there = written.shoot(at("2025-11-01 14:04"), moved(BERLIN, 0.7), 12)
    assert {frozenset(one.asset_ids) for one in events(written)} == {frozenset(here), frozenset(there)}


def test_a_walk_from_the_one_to_the_other_stays_one_event() -> None:
    written = Diary()
    photos = written.shoot(at("2025-11-01 14:00"), BERLIN, 8, minutes=5)
    photos += written.shoot(at("2025-11-01 14:50"), moved(BERLIN, 0.7), 8, minutes=5)
    photos += written.shoot(at("2025-11-01 15:40"), BERLIN, 8, minutes=5)
    assert [one.asset_ids for one in events(written)] == [tuple(photos)]


def test_a_receiver_that_errs_now_and_then_makes_no_second_event() -> None:
    written = Diary()
    photos = []
    for number in range(30):
        astray = moved(BERLIN, 0.7) if number in (7, 19) else BERLIN
        photos += written.shoot(at("2025-11-01 14:00") + timedelta(minutes=4 * number), astray, 1)
    assert [one.asset_ids for one in events(written)] == [tuple(photos)]


def test_a_camera_without_positions_stays_with_those_whom_it_was_with_before() -> None:
    """At one place it is the telephone that takes photos, at the other mostly a camera that knows no positions."""
    written = Diary()
    here = written.shoot(at("2025-11-01 13:00"), BERLIN, 40, minutes=3)
    there = written.shoot(at("2025-11-01 14:01"), moved(BERLIN, 5), 12, minutes=15)
    unplaced = written.shoot(at("2025-11-01 14:02"), None, 60, minutes=3)
    found = sorted((set(one.asset_ids) for one in events(written)), key=min)
    assert set(here) <= found[0]
    assert len(found[0] & set(unplaced)) <= 0.2 * len(found[0])
    assert set(there) <= found[1]
    assert len(found[1] & set(unplaced)) >= 30


def test_what_two_cameras_without_positions_took_at_a_time_is_in_none() -> None:
    written = Diary()
    for start, place in (("14:00", BERLIN), ("14:01", moved(BERLIN, 5))):
        written.shoot(at(f"2025-11-01 {start}"), place, 10, minutes=12)
    unplaced = written.shoot(at("2025-11-01 14:03"), None, 30, minutes=4)
    assert not {asset for one in events(written) for asset in one.asset_ids} & set(unplaced[2:-2])


SHOT = st.tuples(st.integers(0, 300), st.none() | st.integers(0, 6))
"""Minute, and place in steps of 400 m or none."""


@settings(max_examples=50, deadline=None)
@given(st.lists(SHOT, min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_no_photo_is_of_two_events_and_the_order_does_not_matter(shots: list[tuple[int, int | None]], mix: Any) -> None:
    written = Diary()
    for minute, step in shots:
        spot = None if step is None else moved(BERLIN, 0.4 * step)
        written.snap(at("2025-11-01 12:00") + timedelta(minutes=minute), spot)
    found = events(written)
    held = [asset for one in found for asset in one.asset_ids]
    assert len(held) == len(set(held))
    assert len(found) <= 5
    mix.shuffle(written.photos)
    assert events(written) == found


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
