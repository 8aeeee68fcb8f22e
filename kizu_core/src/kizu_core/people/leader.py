"""The leader method: faces join the person whose mean face they are most like, thousands at a time.

Blocks of faces are compared with the mean faces so far, the most similar first; what fits nobody founds new groups
within its block. Then groups whose means agree are merged, and faces left over are assigned. Nobody is in a photo
twice, at any step. One matrix product a block: time grows with faces times people, memory with people.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kizu_core.people.means import Numbers, Vectors, nearest, similar_pairs, sums_of, unit
from kizu_core.people.thresholds import ASSIGN, JOIN, MANY, MERGE
from kizu_core.plugins.protocols import ModelContext

BLOCK = 2048
ROUNDS = 8
"""Merging ends by itself, mostly after three or four."""


class LeaderClusterer:
    """See `FaceClusterer`. Knows no names: what the user said is for the service to keep."""

    def cluster(self, vectors: Vectors, photos: Sequence[int]) -> Sequence[int | None]:
        """A group for each face, None for a face that stands alone. The order of the faces does not matter."""
        numbers = np.asarray(photos, np.int64)
        labels = _lead(vectors, numbers, _own_order(vectors))
        labels = _assign(vectors, _merge(vectors, labels, numbers), numbers)
        alone = np.bincount(labels, minlength=1)[labels] < 2
        return [None if single else number for number, single in zip(labels.tolist(), alone.tolist(), strict=True)]

    def close(self) -> None:
        """Nothing is kept."""


def build(context: ModelContext) -> LeaderClusterer:
    """The factory named by the spec."""
    return LeaderClusterer()


def _own_order(vectors: Vectors) -> Numbers:
    """An order that follows from the faces alone and has nothing to do with what they look like."""
    by_value = np.lexsort(vectors[:, :4].T) if len(vectors) else np.empty(0, np.int64)
    return by_value[np.random.default_rng(0).permutation(len(vectors))]


# ---- groups ----------------------------------------------------------------------------------------------


class _Groups:
    """Sums of groups and who is in which photo, while they grow."""

    def __init__(self, dim: int) -> None:
        self.count = 0
        self._sums = np.zeros((1024, dim), np.float32)
        self._means = np.zeros((1024, dim), np.float32)
        self._seen: set[tuple[int, int]] = set()

    @property
    def means(self) -> Vectors:
        """(count, dim), unit length."""
        return self._means[: self.count]

    def takes(self, group: int, photo: int) -> bool:
        """Notes that the group is in the photo; False, and nothing is noted, if it is already."""
        if (group, photo) in self._seen:
            return False
        self._seen.add((group, photo))
        return True

    def found(self, face: Vectors, photo: int) -> int:
        """A new group of one face."""
        if self.count == len(self._sums):
            self._sums, self._means = (np.concatenate([one, np.zeros_like(one)]) for one in (self._sums, self._means))
        self._sums[self.count] = self._means[self.count] = face
        self._seen.add((self.count, photo))
        self.count += 1
        return self.count - 1

    def add(self, vectors: Vectors, groups: Numbers) -> None:
        """Faces that joined groups move their means."""
        touched, labels = np.unique(groups, return_inverse=True)
        self._sums[touched] += sums_of(vectors, labels, len(touched))
        self._means[touched] = unit(self._sums[touched])


def _lead(vectors: Vectors, photos: Numbers, order: Numbers) -> Numbers:
    """A group for each face."""
    labels = np.full(len(vectors), -1, np.int64)
    groups = _Groups(vectors.shape[1])
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        best, similarity = nearest(vectors[block], groups.means)
        for place in np.argsort(-similarity, kind="stable"):
            if similarity[place] < JOIN:
                break
            if groups.takes(int(best[place]), int(photos[block[place]])):
                labels[block[place]] = best[place]
        joined = block[labels[block] >= 0]
        groups.add(vectors[joined], labels[joined])
        _found(vectors, photos, block[labels[block] < 0], groups, labels)
    return labels


def _found(vectors: Vectors, photos: Numbers, faces: Numbers, groups: _Groups, labels: Numbers) -> None:
    """New groups among the faces of a block that fit nobody, one face after the other."""
    first = groups.count
    for face in faces:
        similarity = groups.means[first:] @ vectors[face]
        for group in np.flatnonzero(similarity >= JOIN)[np.argsort(-similarity[similarity >= JOIN], kind="stable")]:
            if groups.takes(first + int(group), int(photos[face])):
                labels[face] = first + group
                groups.add(vectors[face : face + 1], labels[face : face + 1])
                break
        else:
            labels[face] = groups.found(vectors[face], int(photos[face]))


# ---- merging and assigning -------------------------------------------------------------------------------


def _merge(vectors: Vectors, labels: Numbers, photos: Numbers) -> Numbers:
    """Groups whose means agree become one, the most similar first, each once a round: then means are drawn anew."""
    for _ in range(ROUNDS):
        labels = np.unique(labels, return_inverse=True)[1]
        count = int(labels.max()) + 1 if len(labels) else 0
        large = np.flatnonzero(np.bincount(labels, minlength=count) > 1)
        means = unit(sums_of(vectors, labels, count)[large])
        pairs, _ = similar_pairs(means, MERGE)
        becomes = _joined(large[pairs], labels, photos, count)
        if becomes is None:
            break
        labels = becomes[labels]
    return labels


def _joined(pairs: Numbers, labels: Numbers, photos: Numbers, count: int) -> Numbers | None:
    """What becomes of each group; None if nothing changes. Two that are in one photo stay two."""
    members = _photos_of(labels, photos, np.unique(pairs))
    becomes = np.arange(count)
    busy: set[int] = set()
    for one, other in pairs.tolist():
        if one not in busy and other not in busy and members[one].isdisjoint(members[other]):
            becomes[other] = one
            busy |= {one, other}
    return becomes if busy else None


def _photos_of(labels: Numbers, photos: Numbers, groups: Numbers) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {int(group): set() for group in groups}
    for face in np.flatnonzero(np.isin(labels, groups)):
        found[int(labels[face])].add(int(photos[face]))
    return found


def _assign(vectors: Vectors, labels: Numbers, photos: Numbers) -> Numbers:
    """Faces of small groups join the person they are most like, the most similar first."""
    sizes = np.bincount(labels, minlength=1)
    large = np.flatnonzero(sizes >= MANY)
    left = np.flatnonzero(sizes[labels] < MANY)
    if not len(large) or not len(left):
        return labels
    taken = set(zip(labels.tolist(), photos.tolist(), strict=True))
    best, similarity = nearest(vectors[left], unit(sums_of(vectors, labels, len(sizes))[large]))
    labels = labels.copy()
    for place in np.argsort(-similarity, kind="stable"):
        if similarity[place] < ASSIGN:
            break
        pair = (int(large[best[place]]), int(photos[left[place]]))
        if pair not in taken:
            taken.add(pair)
            labels[left[place]] = pair[0]
    return labels
