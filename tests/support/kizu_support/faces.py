"""Made-up faces with known truth: vectors as an ArcFace model gives them, and how well a grouping fits the truth.

Distances follow what recognisers of that kind give for photos as people take them: two faces of one person have a
cosine similarity of about 0.6 (standard deviation 0.12), two strangers about 0.0 (0.07). What makes it hard is in it as
well: people who look alike, siblings, infants, children who grow, blurred faces that resemble each other, one large
circle of friends with a long tail of people who were met once. It is a model of faces, not faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIM = 512

Labels = NDArray[np.int64]
Vectors = NDArray[np.float32]

STRANGERS = 0.18
"""Share of faces that belong to people met once or twice."""

LOOKS = (0.30, 0.20, 0.12, 0.10, 0.08, 0.06, 0.05, 0.04, 0.03, 0.02)
"""How many people share one of ten general looks, each a direction that their faces lean to."""

POSES = 5
"""Ways in which one person looks different: pose, beard, glasses, age."""

NOISE, BLURRED = 0.60, 0.05
"""Length of what a single photo adds, beside a centre of length one; share of faces that are far worse."""

A_PHOTO = (1, 1, 1, 2, 2, 3, 4, 6)
"""Faces in a photo, each size as likely as the others."""


@dataclass(frozen=True)
class Faces:
    """`vectors`: (n, 512) float32, unit length. `people`: (n,) whose. `photos`: (n,) in which photo, nobody twice."""

    vectors: Vectors
    people: Labels
    photos: Labels

    def __len__(self) -> int:
        return len(self.people)


def made_faces(count: int, seed: int) -> Faces:
    """So many faces of one library, in no order."""
    noise = np.random.default_rng(seed)
    people = _people(count, noise)
    directions = _Directions(noise)
    centres = _centres(people.max() + 1, directions, noise)
    vectors = _seen(people, centres, directions, noise)
    return Faces(vectors, people, _photos(people, noise))


def b_cubed(truth: Sequence[int] | Labels, found: Sequence[int | None]) -> float:
    """B-cubed F1 (Bagga and Baldwin 1998). A face without a cluster stands alone."""
    shared, of_person, of_cluster, rows, columns = _overlaps(truth, found)
    precision = (shared**2 / of_cluster[columns]).sum() / len(truth)
    recall = (shared**2 / of_person[rows]).sum() / len(truth)
    return float(2 * precision * recall / (precision + recall))


def pair_f1(truth: Sequence[int] | Labels, found: Sequence[int | None]) -> float:
    """F1 over pairs of faces that are, or are said to be, one person."""
    shared, of_person, of_cluster, _, _ = _overlaps(truth, found)
    right, said, true = (float((sizes * (sizes - 1)).sum()) for sizes in (shared, of_cluster, of_person))
    return 2 * right / max(said + true, 1.0)


def rand_index(one: Sequence[int | None], other: Sequence[int | None]) -> float:
    """The adjusted Rand index of two groupings (Hubert and Arabie 1985): 1 for the same one, 0 by chance."""
    shared, of_person, of_cluster, _, _ = _overlaps(_alone(one), other)
    both, here, there = (float((sizes * (sizes - 1)).sum()) for sizes in (shared, of_person, of_cluster))
    chance = here * there / max(1, len(one) * (len(one) - 1))
    return 1.0 if here == there == both else (both - chance) / ((here + there) / 2 - chance)


def broken_links(photos: Labels, found: Sequence[int | None]) -> int:
    """How often a person is found twice in one photo."""
    pairs = np.column_stack([photos, _alone(found)])
    return int((np.unique(pairs, axis=0, return_counts=True)[1] - 1).sum())


class _Directions:
    """Directions in the space of faces: some matter more than others, as in spaces that were learned."""

    def __init__(self, noise: np.random.Generator) -> None:
        self._noise = noise
        weights = np.arange(1, DIM + 1, dtype=np.float32) ** -0.28
        turn = np.linalg.qr(noise.standard_normal((DIM, DIM), np.float32))[0]
        self._basis = (weights[:, None] * turn).astype(np.float32)

    def draw(self, *shape: int) -> Vectors:
        """(*shape, 512), unit length."""
        return _unit(self._noise.standard_normal((*shape, DIM), np.float32) @ self._basis)


def _people(count: int, noise: np.random.Generator) -> Labels:
    """Whose face each one is: a few people have most, and many were met once or twice."""
    strangers = int(count * STRANGERS)
    known = max(20, int((count - strangers) ** 0.5 * 0.9))
    share = 1 / np.arange(1, known + 1) ** 1.1
    regulars = noise.choice(known, count - strangers, p=share / share.sum())
    met = known + np.repeat(np.arange(strangers), noise.integers(1, 3, strangers))[:strangers]
    people = noise.permutation(np.concatenate([regulars, met]))
    return np.unique(people, return_inverse=True)[1].astype(np.int64)


def _centres(count: int, directions: _Directions, noise: np.random.Generator) -> Vectors:
    """(people, poses, 512): how each person looks in each pose. Siblings, infants and growing children among them."""
    looks = directions.draw(len(LOOKS))[noise.choice(len(LOOKS), count, p=LOOKS)]
    centres = _unit(0.30 * looks + 0.95 * directions.draw(count))
    siblings = noise.choice(count, max(2, count // 16) * 2, replace=False).reshape(-1, 2)
    centres[siblings[:, 1]] = _unit(0.45 * centres[siblings[:, 0]] + 0.89 * centres[siblings[:, 1]])
    infants = noise.random(count) < 0.06
    centres[infants] = _unit(0.62 * directions.draw(1) + 0.78 * centres[infants])
    poses = directions.draw(count, POSES)
    growing = noise.random(count) < 0.12
    poses[growing] = 0.6 * poses[growing] + np.cumsum(0.38 * directions.draw(int(growing.sum()), POSES), axis=1)
    return np.asarray(centres[:, None] + 0.40 * poses, np.float32)


def _seen(people: Labels, centres: Vectors, directions: _Directions, noise: np.random.Generator) -> Vectors:
    """Each person as seen in single photos."""
    count = len(people)
    pose = noise.integers(0, POSES, count)
    amount = noise.gamma(6, NOISE / 6, count) + 0.08
    blurred = noise.random(count) < BLURRED
    amount[blurred] += noise.uniform(0.6, 1.6, int(blurred.sum()))
    blur = directions.draw(1)[0]
    vectors = np.empty((count, DIM), np.float32)
    for start in range(0, count, 8192):
        some = slice(start, start + 8192)
        vectors[some] = centres[people[some], pose[some]]
        vectors[some] += amount[some, None].astype(np.float32) * directions.draw(len(vectors[some]))
    vectors[blurred] += (0.9 * noise.random((int(blurred.sum()), 1))).astype(np.float32) * blur
    return _unit(vectors)


def _photos(people: Labels, noise: np.random.Generator) -> Labels:
    """In which photo each face is; nobody is in a photo twice."""
    sizes = noise.choice(A_PHOTO, len(people))
    photos = np.repeat(np.arange(len(people)), sizes)[: len(people)]
    seen: set[tuple[int, int]] = set()
    following = int(photos[-1]) + 1
    for face, pair in enumerate(zip(photos.tolist(), people.tolist(), strict=True)):
        if pair in seen:
            photos[face], following = following, following + 1
        seen.add(pair)
    return photos.astype(np.int64)


def _overlaps(
    truth: Sequence[int] | Labels, found: Sequence[int | None]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], Labels, Labels]:
    """Sizes of what people and clusters share, of people, of clusters; person and cluster of each shared part."""
    rows, columns = (np.unique(one, return_inverse=True)[1] for one in (np.asarray(truth), _alone(found)))
    parts, shared = np.unique(rows * (columns.max() + 1) + columns, return_counts=True)
    sizes = (np.bincount(rows).astype(float), np.bincount(columns).astype(float))
    return shared.astype(float), *sizes, *np.divmod(parts, columns.max() + 1)


def _alone(found: Sequence[int | None]) -> Labels:
    """Cluster numbers in which faces without a cluster have one of their own."""
    return np.array([-1 - face if number is None else number for face, number in enumerate(found)], np.int64)


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)
