"""Moments of places: what is a trip, which photos belong to it, and what it is called."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from kizu_core import MomentCandidate
from kizu_plugin_moments.location import build

diary = pytest.importorskip("kizu_support.diary", reason="the repository's test support is not here")

from kizu_support.diary import (  # noqa: E402
    APIA,
    BERLIN,
    LONGYEARBYEN,
    LYON,
    NADI,
    PARIS,
    TAVEUNI,
    TAVEUNI_EAST,
    TROMSO,
    Diary,
    Spot,
    at,
    moved,
    spot,
)

NOW = at("2025-01-10 09:00")


def life(*journeys: tuple[str, Iterable[tuple[Spot, int]]], home: Spot = BERLIN) -> tuple[Diary, list[list[UUID]]]:
    """Everyday life in 2024, but for some journeys; and the photos of each of those."""
    written = Diary()
    found, day = [], at("2024-01-01")
    for start, stops in journeys:
        known = list(stops)
        written.live(home, day, at(start) - timedelta(days=1))
        found.append(written.travel(at(start), known))
        day = at(start) + timedelta(days=sum(days for _, days in known))
    written.live(home, day, at("2024-12-31"))
    return written, found


def trips(written: Diary, now: datetime = NOW) -> list[MomentCandidate]:
    return list(build(None).propose(written.photos, now=now))


def titles(written: Diary) -> list[str]:
    return [one.title for one in trips(written)]


def test_a_trip_is_found_whole_and_home_is_none() -> None:
    written, (photos,) = life(("2024-05-04", [(PARIS, 4)]))
    (trip,) = trips(written)
    assert trip.title == "Adventures in Paris"
    assert trip.subtitle == "4 to 7 May 2024"
    assert trip.asset_ids == tuple(photos)
    assert trip.key == "2024-05-04 Paris"
    assert trip.criteria["farthest_from_home_km"] == pytest.approx(878, abs=5)


def test_several_stops_are_one_trip() -> None:
    written, (photos,) = life(("2024-05-04", [(PARIS, 3), (LYON, 3)]))
    (trip,) = trips(written)
    assert trip.title == "Adventures in Paris and Lyon"
    assert trip.asset_ids == tuple(photos)


def test_two_trips_to_the_same_place_are_two() -> None:
    written, photos = life(("2024-05-04", [(PARIS, 3)]), ("2024-05-10", [(PARIS, 3)]))
    assert [one.asset_ids for one in trips(written)] == [tuple(one) for one in photos]


def test_across_the_date_line_is_one_trip_with_both_countries() -> None:
    written, (photos,) = life(("2024-07-04", [(NADI, 4), (TAVEUNI, 1), (TAVEUNI_EAST, 2), (APIA, 4)]))
    (trip,) = trips(written)
    assert trip.title == "Adventures in Fiji and Samoa"
    assert trip.asset_ids == tuple(photos)
    assert trip.criteria["places"] == 3, "the two shores of the 180th meridian are one place"


def test_far_north() -> None:
    written, (photos,) = life(("2024-02-04", [(TROMSO, 3), (LONGYEARBYEN, 3)]))
    (trip,) = trips(written)
    assert trip.title == "Adventures in Tromsø and Longyearbyen"
    assert trip.asset_ids == tuple(photos)


def test_a_home_in_the_far_north_is_home() -> None:
    written, _ = life(("2024-05-04", [(moved(TROMSO, 20), 3), (PARIS, 2)]), home=TROMSO)
    assert titles(written) == ["Adventures in Paris"], "and its surroundings are everyday life"


def test_a_home_that_moved_is_home_at_both_places() -> None:
    written = Diary()
    written.live(BERLIN, at("2023-01-01"), at("2023-12-20"))
    written.live(PARIS, at("2023-12-24"), at("2024-08-01"))
    written.travel(at("2024-08-02"), [(BERLIN, 3)])
    written.live(PARIS, at("2024-08-05"), at("2024-12-31"))
    (trip,) = trips(written)
    assert trip.key == "2024-08-02 Berlin", "once moved away, the old home is a place to travel to"


def test_one_home_does_not_swallow_the_towns_around_it() -> None:
    """Photos every four kilometres from home to a town 48 km away: all one cluster, and the town still a trip."""
    written, (photos,) = life(("2024-05-04", [(moved(BERLIN, 48, city="Templin"), 2)]))
    for step in range(12):
        written.shoot(at("2024-03-01 11:00") + timedelta(days=step), moved(BERLIN, 4 * step), 4)
    (trip,) = [one for one in trips(written) if one.key.startswith("2024-05")]
    assert trip.asset_ids == tuple(photos)
    assert trip.title == "Adventures in Templin"


def test_a_day_near_home_is_no_trip_and_one_far_away_is() -> None:
    written, _ = life()
    written.shoot(at("2024-06-01 11:00"), moved(BERLIN, 40), 8)
    far_away = written.shoot(at("2024-07-06 11:00"), moved(BERLIN, 120, city="Rostock"), 8)
    (trip,) = trips(written)
    assert trip.asset_ids == tuple(far_away)


def test_old_positions_and_none_do_not_break_a_trip() -> None:
    written, (photos,) = life(("2024-05-04", [(PARIS, 3)]))
    start = at("2024-05-04 10:00")
    stale = written.snap(start + timedelta(hours=1, minutes=20), BERLIN)
    zero = written.snap(start + timedelta(hours=2), spot(0.0, 0.0, "", ""))
    none = written.shoot(start + timedelta(days=1, hours=3), None, 5)
    after = written.snap(at("2024-05-09 12:00"))
    (trip,) = trips(written)
    assert set(trip.asset_ids) == {*photos, stale, zero, *none}
    assert after not in trip.asset_ids


def test_the_last_position_of_a_trip_does_not_prolong_it() -> None:
    written, (photos,) = life(("2024-05-04", [(PARIS, 3)]))
    at_home = written.shoot(at("2024-05-08 18:00"), BERLIN, 6, minutes=5)
    stale = written.snap(at("2024-05-08 18:12"), PARIS)
    (trip,) = trips(written)
    assert trip.asset_ids == tuple(photos)
    assert stale not in trip.asset_ids
    assert not {*at_home} & {*trip.asset_ids}


def test_a_burst_and_its_copies_are_one_shot() -> None:
    written, _ = life()
    frames = written.shoot(at("2024-05-04 10:00"), PARIS, 9, minutes=0.01)
    written.shoot(at("2024-05-04 11:00"), PARIS, 2, minutes=0)
    assert trips(written) == [], "that were two moments of pressing the button"
    written.shoot(at("2024-05-05 11:00"), PARIS, 2)
    (trip,) = trips(written)
    assert set(frames) < set(trip.asset_ids), "but all frames are in it"


def test_wrong_clocks_make_no_trips() -> None:
    written, _ = life()
    written.travel(at("0001-01-01"), [(PARIS, 3)])
    written.travel(at("1970-01-01"), [(PARIS, 1)])
    written.travel(at("2031-01-01"), [(PARIS, 3)])
    for taken in (None, at("2024-05-04")):
        written.shoot(taken or at("2024-05-04"), PARIS, 9, trusted=False)
    assert trips(written) == []


def test_without_any_home_a_journey_is_still_one() -> None:
    written = Diary()
    photos = written.travel(at("2024-05-04"), [(PARIS, 5)])
    (trip,) = trips(written)
    assert trip.asset_ids == tuple(photos)
    assert trip.criteria["farthest_from_home_km"] is None


def test_imported_later_it_is_found_the_same() -> None:
    """Nothing but the photos and `now` counts: not when they came into the library, nor in which order."""
    written, _ = life(("2024-05-04", [(PARIS, 3)]), ("2024-08-04", [(LYON, 3)]))
    late = Diary()
    late.photos = written.photos[::-1]
    assert trips(late) == trips(written)
