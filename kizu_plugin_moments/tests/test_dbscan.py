"""DBSCAN on the sphere is DBSCAN: the same as the definition, and as scikit-learn where that can do it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kizu_plugin_moments.dbscan import dbscan
from kizu_plugin_moments.sphere import EARTH_KM, chord, far, points_of

KM, LEAST = 5.0, 4
Degrees = NDArray[np.float64]


def scattered(seed: int, count: int, towns: int, spread_km: float) -> tuple[Degrees, Degrees]:
    """Towns all over the earth, poles and date line among them, each a cloud; a tenth of the points are copies."""
    drawn = np.random.default_rng(seed)
    north = np.degrees(np.arcsin(drawn.uniform(-1, 1, towns)))
    east = drawn.uniform(-180, 180, towns)
    north[:4], east[:4] = (90, -90, -16.8, 69.6), (0, 12, 180, 19)
    town = drawn.integers(0, towns, count)
    shift = drawn.normal(0, spread_km / 111.195, (2, count))
    latitudes = north[town] + shift[0]
    longitudes = east[town] + shift[1] / np.maximum(0.01, np.cos(np.radians(north[town])))
    longitudes[np.abs(latitudes) > 90] += 180
    latitudes = np.where(np.abs(latitudes) > 90, np.sign(latitudes) * 180 - latitudes, latitudes)
    copies = drawn.integers(0, count, count // 10)
    latitudes[: len(copies)], longitudes[: len(copies)] = latitudes[copies], longitudes[copies]
    return latitudes, (longitudes + 180) % 360 - 180


def by_definition(points: NDArray[np.float64], km: float, least: int) -> NDArray[np.int64]:
    """From the definition, with the distance of all pairs."""
    near = np.linalg.norm(points[:, None] - points, axis=-1) <= chord(km)
    core = near.sum(axis=1) >= least
    labels = np.full(len(points), -1)
    for start in np.flatnonzero(core):
        if labels[start] >= 0:
            continue
        number, left = labels.max() + 1, [start]
        labels[start] = number
        while left:
            for other in np.flatnonzero(near[left.pop()] & (labels < 0)):
                labels[other] = number
                left += [other] if core[other] else []
    return labels


@pytest.mark.parametrize(
    ("seed", "count", "towns", "spread"), [(1, 3000, 60, 1), (2, 4000, 40, 12), (3, 4000, 8, 60), (4, 2000, 900, 3)]
)
def test_the_clusters_are_those_of_scikit_learn(seed: int, count: int, towns: int, spread: float) -> None:
    cluster = pytest.importorskip("sklearn.cluster", reason="scikit-learn is not installed")
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    latitudes, longitudes = scattered(seed, count, towns, spread)
    found = dbscan(points_of(latitudes, longitudes), KM, LEAST)
    theirs = cluster.DBSCAN(eps=KM / EARTH_KM, min_samples=LEAST, metric="haversine", algorithm="ball_tree")
    wanted = theirs.fit_predict(np.radians(np.stack([latitudes, longitudes], axis=1)))
    assert metrics.adjusted_rand_score(wanted, found) == 1.0
    assert np.array_equal(wanted, found), "even the numbers are the same"
    assert found.max() > 3


SPOTS = st.tuples(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
CORNERS = st.sampled_from([(0.0, 0.0), (90.0, 0.0), (-90.0, 7.0), (51.0, 180.0), (78.2, -179.9)])


@settings(max_examples=60)
@given(spots=st.lists(SPOTS, max_size=40), corner=CORNERS, least=st.integers(1, 6), copies=st.integers(1, 3))
@example(spots=[(0.0, 0.04 * n) for n in range(9)], corner=(0.0, 0.0), least=3, copies=1)
def test_the_clusters_are_those_of_the_definition(
    spots: list[tuple[float, float]], corner: tuple[float, float], least: int, copies: int
) -> None:
    shifts = np.array(spots * copies, np.float64).reshape(-1, 2)
    latitudes = np.clip(corner[0] + shifts[:, 0], -90, 90)
    points = points_of(latitudes, corner[1] + shifts[:, 1] * 3)
    assert dbscan(points, KM, least).tolist() == by_definition(points, KM, least).tolist()


@pytest.mark.parametrize("latitude", [0.0, 48.0, 69.65, 78.22, 89.99])
@pytest.mark.parametrize("longitude", [0.0, 180.0])
def test_a_town_is_one_cluster_wherever_it_lies(latitude: float, longitude: float) -> None:
    """Twelve photos along four kilometres of a street that runs east: the date line and the pole tear nothing apart."""
    steps = np.linspace(-2, 2, 12) / 111.195 / np.cos(np.radians(latitude))
    found = dbscan(points_of(np.full(12, latitude), (longitude + steps + 180) % 360 - 180), KM, LEAST)
    assert found.tolist() == [0] * 12


def test_kilometres_are_those_of_the_ground() -> None:
    berlin, paris, pole, other = points_of(np.array([52.52, 48.8566, 90, -90]), np.array([13.405, 2.3522, 0, 0]))
    assert far(berlin, paris) == pytest.approx(878, abs=2)
    assert far(pole, other) == pytest.approx(np.pi * EARTH_KM)


def test_five_kilometres_are_near_enough_and_a_metre_more_is_not() -> None:
    def chain(step_km: float) -> NDArray[np.int64]:
        return dbscan(points_of(np.arange(4) * np.degrees(step_km / EARTH_KM), np.zeros(4)), KM, 2)

    assert chain(5.0 - 1e-6).tolist() == [0, 0, 0, 0]
    assert chain(5.001).tolist() == [-1, -1, -1, -1]


def test_a_point_at_the_edge_of_two_clusters_belongs_to_the_first() -> None:
    north = np.array([0, 0.001, 0.002, 0.003, 0.04, 0.077, 0.078, 0.079, 0.08])
    assert all(there > here for here, there in pairwise(north))
    labels = dbscan(points_of(north, np.zeros(9)), KM, 6)
    assert labels.tolist() == by_definition(points_of(north, np.zeros(9)), KM, 6).tolist()


def test_no_points_are_no_clusters() -> None:
    assert len(dbscan(np.empty((0, 3)), KM, LEAST)) == 0
