"""Places as points of the unit sphere: no edge at the date line, no pole where degrees shrink."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

EARTH_KM = 6371.0088
"""Mean radius of the earth (IUGG)."""

Points = NDArray[np.float64]
"""(n, 3) unit vectors."""


def points_of(latitudes: NDArray[np.float64], longitudes: NDArray[np.float64]) -> Points:
    """The points of positions in degrees."""
    north, east = np.radians(latitudes), np.radians(longitudes)
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=-1)


def chord(km: float) -> float:
    """Straight distance of two points of the unit sphere that are `km` apart along the ground."""
    return 2 * math.sin(min(km / EARTH_KM, math.pi) / 2)


def far(points: Points, centre: Points) -> NDArray[np.float64]:
    """Kilometres along the ground from each point to one centre, or to the centre in the same row."""
    straight = np.linalg.norm(points - centre, axis=-1)
    return np.asarray(2 * EARTH_KM * np.arcsin(np.clip(straight / 2, 0, 1)))


def middle(points: Points) -> Points:
    """The point in the midst of some that lie on one side of the earth."""
    mean = np.asarray(points.mean(axis=0))
    length = float(np.linalg.norm(mean))
    return np.asarray(mean / length if length else points[0])
