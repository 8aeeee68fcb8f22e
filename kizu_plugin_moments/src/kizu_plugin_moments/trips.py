"""Trips: what was photographed away from home between two nights at home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kizu_plugin_moments.dbscan import NOISE, dbscan
from kizu_plugin_moments.home import Homes, at_home
from kizu_plugin_moments.sphere import far
from kizu_plugin_moments.table import Flags, Numbers, Table

PLACE_KM = 5.0
PLACE_SHOTS = 4
PAUSE_DAYS = 2
"""With more than so many days without a photo in between, it is another trip."""
OUTING_KM = 60.0
"""A single day is a trip only if it led that far from home."""
RETURN_SHOTS = 2
"""One photo at home does not end a trip: its position may be an old one."""


@dataclass(frozen=True, slots=True)
class Trip:
    """Rows of a table, rising. `rows`: all that belong to it; `located`: those with a position, one a shot.

    `places`: how many different ones (DBSCAN) it led to; `km`: from home to its farthest point, None without a home.
    """

    rows: Numbers
    located: Numbers
    places: int
    km: float | None


def trips_of(table: Table) -> list[Trip]:
    """All trips, the earliest first."""
    shots = table.firsts(np.flatnonzero(table.located & ~table.bulk))
    home, spans = at_home(table, shots)
    away = shots[~home]
    place = dbscan(table.points[away], PLACE_KM, PLACE_SHOTS)
    left_out = table.bulk | np.isin(table.shot, table.shot[shots[home]])
    stretches = _stretches(table, away, shots[home])
    trips = (_trip(table, away[start:end], place[start:end], left_out, spans) for start, end in stretches)
    return [trip for trip in trips if trip is not None]


def _stretches(table: Table, away: Numbers, home: Numbers) -> Iterator[tuple[int, int]]:
    """Spans [start, end) of the shots away from home, parted by nights at home and by long pauses."""
    days = table.days[away]
    returns = np.diff(np.searchsorted(home, away)) >= RETURN_SHOTS
    parted = ((np.diff(days) >= 1) & returns) | (np.diff(days) > PAUSE_DAYS)
    cuts = [0, *(np.flatnonzero(parted) + 1), len(away)]
    yield from ((int(start), int(end)) for start, end in pairwise(cuts) if start < end)


def _trip(table: Table, shots: Numbers, place: Numbers, left_out: Flags, spans: list[Homes]) -> Trip | None:
    """The trip that these shots are of, with all that was taken meanwhile; None if it is too little to be one."""
    days = table.days[shots]
    km = _farthest(table, shots, spans)
    several = len(np.unique(days)) > 1
    if (place != NOISE).sum() < PLACE_SHOTS or not (several or km is None or km > OUTING_KM):
        return None
    last = np.searchsorted(table.shot, table.shot[shots[-1]], "right")
    rows = np.arange(shots[0], last)
    return Trip(rows[~left_out[rows]], shots, len(np.unique(place[place != NOISE])), km)


def _farthest(table: Table, shots: Numbers, spans: list[Homes]) -> float | None:
    """Kilometres from the nearest home of that time to the farthest shot."""
    day = table.days[shots[0]]
    homes = next((span.homes for span in spans if span.first <= day < span.last), np.empty((0, 3)))
    if len(homes) == 0:
        return None
    return float(min(far(table.points[shots], home).max() for home in homes))
