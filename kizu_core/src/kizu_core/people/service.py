"""ClusteringService: all faces of one user, grouped anew (specification, "Clustering Service").

What the user said holds, whichever clusterer is chosen: it is enforced here, after the clusterer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import numpy as np

from kizu_core.errors import ModelFailed
from kizu_core.people.dealing import NOBODY, Dealing
from kizu_core.people.means import Numbers
from kizu_core.people.reviews import Review, reviews_of
from kizu_core.people.said import said_of
from kizu_core.plugins.protocols import FaceClusterer
from kizu_core.types import FaceTable

_NEW_PERSONS = UUID("5b0c6a5e-6f0e-4c1b-9f63-0c2d3f5a7e11")
"""Namespace of the ids of new persons, which follow from their faces: a job that is done again gives the same ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """`persons`: id -> rows of the face table, of everybody with at least two faces and of those kept with at least
    one. `reviews`: what to ask the user.
    """

    persons: Mapping[UUID, Sequence[int]]
    reviews: Sequence[Review]


class ClusteringService:
    """Groups faces with a clusterer."""

    def __init__(self, clusterer: FaceClusterer) -> None:
        self._clusterer = clusterer

    def group(
        self, table: FaceTable, people: Mapping[str, Any], progress: Callable[[int], None] = lambda percent: None
    ) -> Grouping:
        """`people`: what the user said, as `LibraryView.people` gives it. `progress`: percent of the work, 0 to 100.

        Raises `ModelFailed` for a clusterer that does not give a number, or None, for each face.
        """
        said = said_of(table, people)
        labels = self._labels(table)
        progress(85)
        dealing = Dealing(table, labels, said)
        persons = _persons(table, dealing)
        progress(95)
        return Grouping(persons=persons, reviews=reviews_of(table, persons, said))

    def _labels(self, table: FaceTable) -> Numbers:
        """(n,) from 0 on without gaps, `NOBODY` for faces that are alone or not usable."""
        labels = np.full(len(table.ids), NOBODY, np.int64)
        rows = np.flatnonzero(table.usable)
        vectors = table.vectors if len(rows) == len(labels) else table.vectors[rows]
        found = self._clusterer.cluster(vectors, table.assets[rows].tolist())
        if len(found) != len(rows) or any(one is not None and not isinstance(one, int) for one in found):
            raise ModelFailed("The clusterer did not give a number, or none, for each face.")
        names = {name: number for number, name in enumerate(dict.fromkeys(one for one in found if one is not None))}
        labels[rows] = [NOBODY if one is None else names[one] for one in found]
        return labels


def _persons(table: FaceTable, dealing: Dealing) -> dict[UUID, Sequence[int]]:
    """Owners become persons with ids: the kept have theirs, a group gets that of the person it is mostly made of."""
    owners = dealing.owners()
    order = np.argsort(owners, kind="stable")
    order = order[np.searchsorted(owners[order], 0) :]
    numbers, first = np.unique(owners[order], return_index=True)
    parts = dict(zip(numbers.tolist(), np.split(order, first[1:]) if len(order) else [], strict=True))
    kept = {dealing.persons[number]: faces.tolist() for number, faces in parts.items() if number < dealing.kept}
    groups = [faces for number, faces in parts.items() if number >= dealing.kept and len(faces) > 1]
    return kept | dict(zip(_ids(table, groups, dealing), (faces.tolist() for faces in groups), strict=True))


def _ids(table: FaceTable, groups: Sequence[Numbers], dealing: Dealing) -> list[UUID]:
    """An id for each group: of the person, not kept, who has most faces in it, each once, the largest overlap first."""
    overlaps = []
    for number, faces in enumerate(groups):
        persons, counts = np.unique(dealing.now[faces], return_counts=True)
        overlaps += [
            (-count, person, number)
            for person, count in zip(persons.tolist(), counts.tolist(), strict=True)
            if person >= dealing.kept
        ]
    given: dict[int, UUID] = {}
    gone: set[int] = set()
    for _, person, number in sorted(overlaps):
        if number not in given and person not in gone:
            given[number] = dealing.persons[person]
            gone.add(person)
    taken = set(dealing.persons)
    return [given.get(number) or _new_id(table, faces, taken) for number, faces in enumerate(groups)]


def _new_id(table: FaceTable, faces: Numbers, taken: set[UUID]) -> UUID:
    """An id that nobody has. Whoever grew out of these very faces may have it already: then the next one."""
    names = " ".join(sorted(str(table.ids[face]) for face in faces))
    found = uuid5(_NEW_PERSONS, names)
    while found in taken:
        found = uuid5(found, names)
    taken.add(found)
    return found
