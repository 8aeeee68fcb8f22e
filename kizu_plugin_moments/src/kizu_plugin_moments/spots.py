"""The places of one outing: by distance, and by what nobody can do, which is to be at two of them at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from kizu_plugin_moments.dbscan import NOISE, dbscan
from kizu_plugin_moments.sphere import Points, far
from kizu_plugin_moments.table import Numbers

SPOT_KM, SPOT_SHOTS = 1.0, 3
"""What happens at one place: shots joined by steps of so many kilometres."""
FINER_KM = (0.5, 0.25)
"""Within one, these are tried: two events may be a short walk apart."""
WALK_KM_H = 7.0
RETURNS = 8
"""So often from one spot to another and back too fast for somebody on foot: two cameras were at work."""


def spots_of(points: Points, seconds: NDArray[np.float64]) -> Numbers:
    """(n,) the place of each of (n, 3) unit vectors taken at (n,) rising times, numbered from 0, or `NOISE`."""
    found = dbscan(points, SPOT_KM, SPOT_SHOTS)
    for km in FINER_KM:
        count = int(found.max(initial=NOISE)) + 1
        for number in range(count):
            here = np.flatnonzero(found == number)
            parts = _at_once(points[here], seconds[here], km)
            found[here] = np.where(parts == 0, number, parts + int(found.max()))
    return found


def _at_once(points: Points, seconds: NDArray[np.float64], km: float) -> Numbers:
    """(n,) the part, from 0, of each shot of one place: spots that were photographed at a time are two, others are one.

    A spot joins the nearest part with none of whose spots it alternates too fast; shots of no spot the nearest shot.
    """
    spot = dbscan(points, km, SPOT_SHOTS)
    known = np.flatnonzero(spot != NOISE)
    names, first = np.unique(spot[known], return_index=True)
    if len(names) < 2:
        return np.zeros(len(points), np.int64)
    jumps = _jumps(points[known], seconds[known], spot[known], len(names))
    part = np.full(len(names), NOISE)
    for name in sorted(names, key=lambda one: int(first[one])):
        free = [other for other in set(part[part != NOISE].tolist()) if (jumps[name, part == other] < RETURNS).all()]
        mine = cKDTree(points[spot == name])
        near = {one: mine.query(points[known][part[spot[known]] == one])[0].min() for one in free}
        part[name] = min(near, key=lambda one: (near[one], one)) if near else part.max() + 1
    nearest = cKDTree(points[known]).query(points)[1]
    return np.asarray(part[spot[known]][nearest])


def _jumps(points: Points, seconds: NDArray[np.float64], spot: Numbers, count: int) -> Numbers:
    """(count, count) how often one shot and the next were at the two spots, faster than on foot."""
    hours = np.diff(seconds) / 3600
    fast = far(points[1:], points[:-1]) > WALK_KM_H * hours
    found = np.zeros((count, count), np.int64)
    np.add.at(found, (spot[:-1][fast], spot[1:][fast]), 1)
    return found + found.T
