"""Moments of places: the trips of a life."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kizu_core import MomentCandidate, Photo
from kizu_plugin_moments.home import HOME_KM
from kizu_plugin_moments.table import Table, table_of
from kizu_plugin_moments.titles import span, where
from kizu_plugin_moments.trips import OUTING_KM, PAUSE_DAYS, PLACE_KM, PLACE_SHOTS, Trip, trips_of
from kizu_plugin_moments.worth import freshness, worth

PLENTY = 400


class Location:
    """A trip is a moment: one of several stops too, and each of two trips to the same place. See `MomentStrategy`."""

    def propose(self, photos: Sequence[Photo], *, now: datetime) -> Sequence[MomentCandidate]:
        table = table_of(photos, now)
        return [_moment(table, trip, now) for trip in trips_of(table)]


def build(settings: object) -> Location:
    return Location()


def _moment(table: Table, trip: Trip, now: datetime) -> MomentCandidate:
    first, last = table.when(trip.located[0]), table.when(trip.located[-1])
    name = where(table.photos[int(row)] for row in trip.located)
    return MomentCandidate(
        title=f"Adventures in {name}" if name else f"A trip in {first:%B} {first.year}",
        subtitle=span(first, last),
        asset_ids=tuple(table.photos[int(row)].asset_id for row in trip.rows),
        key=f"{first:%Y-%m-%d} {name or ''}".strip(),
        score=worth(0.4, 0.75, len(trip.located), PLENTY) + round(0.2 * freshness(last, now), 4),
        criteria={
            "rule": "photos away from home, until a night at home or a long pause",
            "from": first.isoformat(),
            "to": last.isoformat(),
            "places": trip.places,
            "located_shots": len(trip.located),
            "farthest_from_home_km": None if trip.km is None else round(trip.km),
            "thresholds": {
                "place_km": PLACE_KM,
                "place_shots": PLACE_SHOTS,
                "home_km": HOME_KM,
                "pause_days": PAUSE_DAYS,
                "day_trip_km": OUTING_KM,
            },
        },
    )
