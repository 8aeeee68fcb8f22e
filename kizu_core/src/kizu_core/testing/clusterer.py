"""The suite of face clusterers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizu_core.plugins.specs import FaceClustererSpec
from kizu_core.testing.expect import expect, in_another_thread
from kizu_core.testing.model import LoadedModel
from kizu_core.types import ModelType

Vectors = NDArray[np.float32]


class FaceClustererConformance(LoadedModel[FaceClustererSpec]):
    """What Kizu asks of a face clusterer. See `kizu_core.FaceClusterer`.

    `dim` and `spread`: length of the drawn vectors, and how far the faces of one person lie apart (cosine distance).
    """

    kind: ModelType = ModelType.FACE_CLUSTERER
    dim: int = 512
    spread: float = 0.2

    def faces(self, people: int = 3, each: int = 8) -> tuple[Vectors, list[int]]:
        """Faces of some people that nobody could confuse, each in a photo of its own, in no order of persons."""
        noise = np.random.default_rng(3)
        centres = np.linalg.qr(noise.normal(size=(self.dim, people)))[0].T
        apart = noise.normal(size=(each, people, self.dim)) * np.sqrt(self.spread / self.dim)
        vectors = (centres[None] + apart).reshape(-1, self.dim)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors.astype(np.float32), list(range(len(vectors)))

    def test_there_is_a_cluster_number_or_none_for_each_face(self, loaded: Any) -> None:
        vectors, photos = self.faces()
        check_clusters(loaded.cluster(vectors, photos), len(vectors))

    def test_people_are_told_apart(self, loaded: Any) -> None:
        vectors, photos = self.faces()
        found = np.array(loaded.cluster(vectors, photos), object).reshape(-1, 3).T
        expect(
            all(len(set(person)) == 1 and None not in person for person in found),
            f"Faces that lie close together are one person: {found.tolist()}.",
        )
        expect(len({person[0] for person in found}) == 3, "People that lie far apart are different persons.")

    def test_no_faces_give_no_clusters(self, loaded: Any) -> None:
        expect(len(loaded.cluster(np.empty((0, self.dim), np.float32), [])) == 0, "No faces give an empty result.")

    def test_few_and_equal_faces_do_no_harm(self, loaded: Any) -> None:
        vectors, _ = self.faces()
        check_clusters(loaded.cluster(vectors[:1], [0]), 1)
        check_clusters(loaded.cluster(vectors[[0] * 5], [0, 0, 1, 2, 3]), 5)

    def test_the_same_faces_give_the_same_clusters(self, loaded: Any) -> None:
        first, second = (loaded.cluster(*self.faces()) for _ in range(2))
        expect(list(first) == list(second), "The same faces give the same clusters at every call.")

    def test_vectors_are_left_as_they_are(self, loaded: Any) -> None:
        vectors, photos = self.faces()
        before, numbers = vectors.copy(), list(photos)
        loaded.cluster(vectors, photos)
        expect(np.array_equal(vectors, before) and photos == numbers, "A clusterer never writes into what it is given.")

    def test_it_can_be_used_from_another_thread(self, loaded: Any) -> None:
        here = list(loaded.cluster(*self.faces()))
        there = list(in_another_thread(lambda: loaded.cluster(*self.faces())))
        expect(here == there, "A clusterer gives the same results in a thread that did not load it.")

    def test_closing_twice_does_no_harm(self, loaded: Any) -> None:
        loaded.close()
        loaded.close()


def check_clusters(found: Sequence[Any], count: int) -> None:
    """A plain number, or None for noise, per face."""
    expect(len(found) == count, f"{count} faces give {count} entries, not {len(found)}.")
    expect(
        all(one is None or type(one) is int for one in found),
        f"An entry is a plain Python int, or None for noise: {list(found)}.",
    )
