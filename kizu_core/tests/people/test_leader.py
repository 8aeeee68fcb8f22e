"""The leader method on made-up faces: good, the same in any order, and nobody twice in a photo."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import kizu_core.jobs.plugin
from kizu_core.people.leader import LeaderClusterer
from kizu_core.people.means import nearest, similar_pairs, sums_of, unit
from kizu_core.testing import FaceClustererConformance
from kizu_support.faces import Faces, b_cubed, broken_links, made_faces, pair_f1, rand_index

ORDERS, INCREMENTS = 20, 3


class TestLeader(FaceClustererConformance):
    plugin = kizu_core.jobs.plugin

    def test_plugin_names_a_range_of_core(self) -> None:
        """Core is the one plugin that needs no core."""


def grouped(faces: Faces, order: NDArray[Any] | None = None) -> list[int | None]:
    """Groups of the faces as they come in this order, in the order that they had."""
    order = np.arange(len(faces)) if order is None else order
    found = LeaderClusterer().cluster(faces.vectors[order], faces.photos[order].tolist())
    back: list[int | None] = [None] * len(faces)
    for place, group in zip(order, found, strict=True):
        back[place] = group
    return back


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_faces_of_a_family_are_grouped_well(seed: int) -> None:
    faces = made_faces(3000, seed)
    found = grouped(faces)
    assert b_cubed(faces.people, found) > 0.97
    assert pair_f1(faces.people, found) > 0.97
    assert broken_links(faces.photos, found) == 0


def test_the_order_of_the_faces_does_not_matter() -> None:
    faces, noise = made_faces(1000, 5), np.random.default_rng(5)
    first = grouped(faces)
    assert all(rand_index(first, grouped(faces, noise.permutation(1000))) == 1.0 for _ in range(ORDERS))


def test_what_comes_in_parts_is_grouped_as_what_comes_at_once() -> None:
    faces = made_faces(3000, 6)
    for part in range(1, INCREMENTS):
        count = part * len(faces) // INCREMENTS
        some = Faces(faces.vectors[:count], faces.people[:count], faces.photos[:count])
        assert rand_index(grouped(some), grouped(faces)[:count]) > 0.95


def test_faces_between_people_join_nobody_by_the_hundred() -> None:
    """50 people and 2000 faces that lie between two of them: no group mixes people."""
    noise = np.random.default_rng(7)
    centres = unit(noise.standard_normal((50, 512), np.float32))
    people = np.repeat(np.arange(50), 20)
    own = unit(centres[people] + 0.04 * noise.standard_normal((1000, 512), np.float32))
    pairs = noise.integers(0, 50, (2000, 2))
    between = unit(centres[pairs[:, 0]] + centres[pairs[:, 1]] + 0.06 * noise.standard_normal((2000, 512), np.float32))
    found = LeaderClusterer().cluster(np.concatenate([own, between]), list(range(3000)))[:1000]
    assert len(set(found)) == 50
    assert b_cubed(people, found) == 1.0


@pytest.mark.parametrize("count", [0, 1, 2, 119, 120, 121])
def test_there_is_no_number_of_faces_below_which_nothing_happens(count: int) -> None:
    noise = np.random.default_rng(8)
    people = np.arange(count) // 4
    centres = noise.standard_normal((count // 4 + 1, 512), np.float32)
    vectors = unit(centres[people] + 0.5 * noise.standard_normal((count, 512), np.float32))
    found = LeaderClusterer().cluster(vectors, list(range(count)))
    whole = count // 4 * 4
    assert None not in found[:whole]
    assert rand_index(found, people.tolist()) == 1.0 if count > 1 else len(found) == count


# ---- means -----------------------------------------------------------------------------------------------


def test_sums_and_nearest_means_are_those_of_plain_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kizu_core.people.means.BLOCK", 7)
    noise = np.random.default_rng(9)
    vectors, labels = unit(noise.standard_normal((50, 16), np.float32)), noise.integers(-1, 9, 50)
    sums = sums_of(vectors, labels, 9)
    assert np.allclose(sums, [vectors[labels == label].sum(axis=0) for label in range(9)], atol=1e-5)
    means = unit(sums)
    best, similarity = nearest(vectors, means)
    assert np.array_equal(best, (vectors @ means.T).argmax(axis=1))
    assert np.allclose(similarity, (vectors @ means.T).max(axis=1), atol=1e-6)
    pairs, values = similar_pairs(means, 0.1)
    wanted = np.argwhere(np.triu(means @ means.T >= 0.1, 1))
    assert {tuple(pair) for pair in pairs.tolist()} == {tuple(pair) for pair in wanted.tolist()}
    assert np.all(np.diff(values) <= 0)


def test_nobody_is_near_to_no_means() -> None:
    best, similarity = nearest(np.eye(4, dtype=np.float32), np.empty((0, 4), np.float32))
    assert best.tolist() == [-1] * 4
    assert similarity.tolist() == [-2.0] * 4
