"""Where somebody lives, which changes over the years, and which photos were taken there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from kizu_plugin_moments.dbscan import boxes_of
from kizu_plugin_moments.sphere import Points, chord, middle
from kizu_plugin_moments.table import Flags, Numbers, Table

HOME_KM = 30.0
"""Around a home is everyday life: work, grandparents in the next town, Sunday walks."""
HAUNT_KM = 10.0
"""The same around another place to which somebody keeps returning: a weekend cottage, parents, a partner."""
PLACE_KM = 5.0
QUARTER_DAYS = 91
HOME_WEEKS, HOME_SPAN_DAYS = 4, 42
"""Home has photos of so many weeks, that far apart, within nine months; a long journey hasn't."""
HAUNT_WEEKS = 8
STALE_SECONDS = 1.5 * 3600
"""A position is believed if most of those around it in time agree: receivers keep giving the last place they knew."""


@dataclass(frozen=True, slots=True)
class Homes:
    """Homes and haunts of one span of days [first, last): (k, 3) and (m, 3) unit vectors."""

    first: int
    last: int
    homes: Points
    haunts: Points


def at_home(table: Table, rows: Numbers) -> tuple[Flags, list[Homes]]:
    """Whether each of the located rows (rising, one a shot) was taken at a home of its time; and those homes."""
    if len(rows) == 0:
        return np.zeros(0, bool), []
    spans = homes_of(table, rows)
    days, points = table.days[rows], table.points[rows]
    home = np.zeros(len(rows), bool)
    for span in spans:
        start, end = np.searchsorted(days, [span.first, span.last])
        there = points[start:end]
        home[start:end] = _near(there, span.homes, HOME_KM) | _near(there, span.haunts, HAUNT_KM)
    return agreed(home, table.seconds[rows]), spans


def homes_of(table: Table, rows: Numbers) -> list[Homes]:
    """The homes of each quarter of a year, looked for in it and the quarters around it."""
    days, points = table.days[rows], table.points[rows]
    quarters = np.arange(days[0] // QUARTER_DAYS, days[-1] // QUARTER_DAYS + 1) * QUARTER_DAYS
    boxes = np.unique(boxes_of(points, PLACE_KM), return_inverse=True)[1]
    found = []
    for first in quarters:
        start, end = np.searchsorted(days, [first - QUARTER_DAYS, first + 2 * QUARTER_DAYS])
        found.append(_living(points[start:end], boxes[start:end], days[start:end]))
    whole = _living(points, boxes, days)
    homes = _filled([home for home, _ in found], whole[0])
    return [
        Homes(int(first), int(first) + QUARTER_DAYS, np.concatenate(homes[max(0, n - 1) : n + 2]), found[n][1])
        for n, first in enumerate(quarters)
    ]


def agreed(flags: Flags, seconds: NDArray[np.float64]) -> Flags:
    """Each flag as most of those within `STALE_SECONDS` say, itself among them; as it is if they are divided."""
    start = np.searchsorted(seconds, seconds - STALE_SECONDS, "left")
    end = np.searchsorted(seconds, seconds + STALE_SECONDS, "right")
    summed = np.concatenate([[0], np.cumsum(flags)])
    share = (summed[end] - summed[start]) / (end - start)
    return np.where(share == 0.5, flags, share > 0.5)


def _living(points: Points, boxes: Numbers, days: Numbers) -> tuple[Points, Points]:
    """The home, if there is one, and the haunts of some photos: the boxes with the most days and weeks."""
    if len(days) == 0:
        return np.empty((0, 3)), np.empty((0, 3))
    names, inverse = np.unique(boxes, return_inverse=True)
    active, weeks = (_distinct(inverse, times, len(names)) for times in (days, days // 7))
    best = int(np.argmax(active))
    there = days[inverse == best]
    lived = weeks[best] >= HOME_WEEKS and there[-1] - there[0] >= HOME_SPAN_DAYS
    homes = [middle(points[inverse == best])] if lived else []
    haunts = [middle(points[inverse == one]) for one in np.flatnonzero(weeks >= HAUNT_WEEKS)]
    return np.array(homes).reshape(-1, 3), np.array(haunts).reshape(-1, 3)


def _distinct(boxes: Numbers, times: Numbers, count: int) -> Numbers:
    """How many different times each of the boxes, numbered from 0, has."""
    pairs = np.unique(np.stack([boxes, times]), axis=1)
    return np.bincount(pairs[0], minlength=count)


def _filled(homes: list[Points], otherwise: Points) -> list[Points]:
    """A quarter that tells nothing has the home of the nearest one that does (the earlier), else that of all years."""
    told = [number for number, home in enumerate(homes) if len(home)]
    if not told:
        return [otherwise] * len(homes)
    steps = np.abs(np.subtract.outer(np.arange(len(homes)), told))
    return [homes[told[int(nearest)]] for nearest in steps.argmin(axis=1)]


def _near(points: Points, places: Points, km: float) -> Flags:
    if len(points) == 0 or len(places) == 0:
        return np.zeros(len(points), bool)
    return np.asarray(np.isfinite(cKDTree(places).query(points, distance_upper_bound=chord(km))[0]))
