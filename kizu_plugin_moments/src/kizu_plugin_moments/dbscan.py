"""Exact DBSCAN on the sphere, with memory that grows with the points and not with their pairs.

Space is cut into boxes so small that all points of one box lie within the distance of each other. A box with enough
points needs no counting: each of its points is a core. Clusters are then what boxes with cores join to, and whether
two boxes join needs one pair of cores that are near enough, not all pairs. Numbers are given as scikit-learn gives
them: clusters in the order of their first core, and a point at the edge of several goes to the first of them.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from kizu_plugin_moments.sphere import Points, chord

Numbers = NDArray[np.int64]

NOISE = -1
_BITS = 21
"""Boxes are numbered along three axes in one integer of 64 bits: a box may be as small as six metres."""
_SLACK = 1 - 1e-9
"""Keeps two corners of a box nearer than the distance in spite of rounding."""
_FEW, _AT_ONCE = 4096, 1_000_000
"""Pairs of points that are simply compared for two boxes, and for how many boxes together."""
_REACH: list[tuple[int, ...]] = sorted(
    (step for step in product(range(-2, 3), repeat=3) if step > (0, 0, 0)), key=lambda s: sum(map(abs, s))
)
"""Steps to the boxes that can hold a point near enough, each pair once, likely ones first."""


def dbscan(points: Points, km: float, least: int) -> Numbers:
    """(n,) cluster of each of (n, 3) unit vectors, from 0, or `NOISE`.

    A core has `least` points, itself included, at most `km` away; clusters are cores joined by steps of at most `km`,
    and the points that near to one of them. Ester, Kriegel, Sander, Xu (1996).
    """
    labels = np.full(len(points), NOISE, np.int64)
    if len(points) == 0:
        return labels
    reach = chord(km)
    boxes = boxes_of(points, km)
    _, box, sizes = np.unique(boxes, return_inverse=True, return_counts=True)
    loose = np.flatnonzero(sizes[box] < least)
    near = cKDTree(points).query(points[loose], k=list(range(1, least + 1)), distance_upper_bound=_inclusive(reach))[1]
    core = np.ones(len(points), bool)
    core[loose] = near[:, -1] < len(points)
    cores = np.flatnonzero(core)
    labels[cores] = _in_order(_joined(points[cores], boxes[cores], reach))
    edge = ~core[loose]
    labels[loose[edge]] = _first_cluster(near[edge], labels, core)
    return labels


def boxes_of(points: Points, km: float) -> Numbers:
    """The number of each point's box; points of one box are nearer to each other than `km`."""
    side = chord(km) / np.sqrt(3) * _SLACK
    steps = np.floor((points + 1) / side).astype(np.int64) + 2
    return np.asarray((steps[:, 0] << 2 * _BITS) | (steps[:, 1] << _BITS) | steps[:, 2])


def _joined(points: Points, boxes: Numbers, reach: float) -> Numbers:
    """For each core a number that it shares with those that it is joined to, directly or over others."""
    order = np.argsort(boxes, kind="stable")
    names, starts, box = np.unique(boxes[order], return_index=True, return_inverse=True)
    held = _Held(points[order], np.append(starts, len(points)), reach)
    group = np.arange(len(names))
    for step in _REACH:
        pairs = np.stack(_neighbours(names, step), axis=1)
        pairs = pairs[group[pairs[:, 0]] != group[pairs[:, 1]]]
        if len(pairs):  # for few points most steps lead nowhere, and a merger costs more than all the rest
            group = _merged(group, pairs[held.touching(pairs)])
    found = np.empty(len(points), np.int64)
    found[order] = group[box]
    return found


def _neighbours(names: Numbers, step: tuple[int, ...]) -> tuple[Numbers, Numbers]:
    """Positions in the sorted `names` of the boxes that have a neighbour at this step, and of that neighbour."""
    wanted = names + (step[0] << 2 * _BITS) + (step[1] << _BITS) + step[2]
    place = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    one = np.flatnonzero(names[place] == wanted)
    return one, place[one]


class _Held:
    """Points sorted by box: box n has those from `starts[n]` to before `starts[n + 1]`."""

    def __init__(self, points: Points, starts: Numbers, reach: float) -> None:
        self._points, self._starts, self._reach = points, starts, reach

    def touching(self, pairs: Numbers) -> NDArray[np.bool_]:
        """For each pair of boxes, (n, 2), whether a point of the one is near enough to one of the other."""
        sizes = np.diff(self._starts)[pairs]
        counts = sizes.prod(axis=1)
        found = np.zeros(len(pairs), bool)
        few = np.flatnonzero(counts <= _FEW)
        batches = np.cumsum(counts[few]) // _AT_ONCE
        for some in np.split(few, np.flatnonzero(np.diff(batches)) + 1):
            found[some] = self._compared(pairs[some], sizes[some], counts[some])
        for number in np.flatnonzero(counts > _FEW):
            found[number] = self._searched(*pairs[number])
        return found

    def _compared(self, pairs: Numbers, sizes: Numbers, counts: Numbers) -> NDArray[np.bool_]:
        """All points of small boxes with each other, all pairs of boxes at once."""
        pair = np.repeat(np.arange(len(pairs)), counts)
        turn = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
        one = self._starts[pairs[pair, 0]] + turn // sizes[pair, 1]
        other = self._starts[pairs[pair, 1]] + turn % sizes[pair, 1]
        apart = self._points[one] - self._points[other]
        near = np.einsum("ij,ij->i", apart, apart) <= self._reach**2
        return np.bincount(pair, near, len(pairs)) > 0

    def _searched(self, one: int, other: int) -> bool:
        """The points of a large box by a tree."""
        some, others = (self._points[self._starts[box] : self._starts[box + 1]] for box in (one, other))
        few, many = sorted((some, others), key=len)
        return bool(np.isfinite(cKDTree(many).query(few, distance_upper_bound=_inclusive(self._reach))[0]).any())


def _merged(group: Numbers, edges: Numbers) -> Numbers:
    """The groups after those at both ends of each edge became one."""
    ends = group[edges]
    links = coo_array((np.ones(len(ends), bool), (ends[:, 0], ends[:, 1])), shape=(len(group), len(group)))
    return np.asarray(connected_components(links, directed=False)[1][group], np.int64)


def _in_order(groups: Numbers) -> Numbers:
    """The same groups, numbered from 0 in the order in which they first appear."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], np.int64)


def _first_cluster(near: Numbers, labels: Numbers, core: NDArray[np.bool_]) -> Numbers:
    """For each row of neighbours (one past the last point for none), the lowest cluster of a core among them."""
    held = np.append(np.where(core, labels, len(labels)), len(labels))
    lowest = held[near].min(axis=1, initial=len(labels))
    return np.asarray(np.where(lowest < len(labels), lowest, NOISE))


def _inclusive(reach: float) -> float:
    """A tree leaves out what lies exactly at its bound; the distance itself still counts."""
    return float(np.nextafter(reach, 2))
