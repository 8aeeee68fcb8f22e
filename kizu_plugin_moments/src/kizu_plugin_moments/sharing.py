"""Whose pictures without a position are, where several places were photographed at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kizu_plugin_moments.table import Numbers

Shares = NDArray[np.float64]
"""(places, pictures): how likely each picture is of each place; a column sums to 1."""

NEAR_SECONDS = 900.0
"""A picture tells of its place for about so long: half as much after ten minutes, hardly anything after an hour."""
MOST_PLACES = 100
"""At more places than that without a gap of hours, nothing is known of pictures without a position."""
_ROUNDS = 8
"""Each takes what the one before found out; more of them change nothing that matters."""


def shares(times: NDArray[np.float64], place: Numbers, unplaced: NDArray[np.float64], places: int) -> Shares:
    """(places, m) how likely each of the m times is one of each place, by the n times (rising) whose `place` is known.

    A camera without a receiver stays with one of the places, and its pictures come as often where it is alone as where
    two places are photographed at a time: how many there are for each with a position is estimated for each place, so
    that what was taken is explained best (expectation maximisation). Times in seconds, at most three days apart.
    """
    if places > MOST_PLACES or len(unplaced) == 0:
        return np.full((places, len(unplaced)), 1 / max(1, places))
    often = np.stack([_density(times[place == one], unplaced) for one in range(places)])
    located = np.bincount(place, minlength=places)
    each = np.ones(places)
    found = _parted(often, each)
    for _ in range(_ROUNDS):
        each = (found.sum(axis=1) + 1) / (located + 1)
        found = _parted(often, each)
    return found


def _parted(often: Shares, each: NDArray[np.float64]) -> Shares:
    expected = often * each[:, None]
    return np.asarray(expected / expected.sum(axis=0))


def _density(known: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many of the known times (rising) are around each time, those farther off counting less and less.

    Its tails are long, so that between two places, near to neither, both remain likely.
    """
    known, times = ((some - known[0]) / NEAR_SECONDS for some in (known, times))
    before = np.searchsorted(known, times, "right")
    summed = np.concatenate([[0], np.cumsum(np.exp(known))])[before]
    rest = np.concatenate([np.cumsum(np.exp(-known)[::-1])[::-1], [0]])[before]
    return np.asarray(np.exp(-times) * summed + np.exp(times) * rest)
