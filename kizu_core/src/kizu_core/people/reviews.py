"""What only the user can know: which two people may be one, and who may be mixed up with a sibling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import numpy as np

from kizu_core.people.means import Numbers, Vectors, similar_pairs, sums_of, unit
from kizu_core.people.said import Said
from kizu_core.people.thresholds import MANY, MAY_BE_ONE, MAY_BE_TWINS, MOST_REVIEWS
from kizu_core.types import FaceTable


@dataclass(frozen=True, slots=True)
class Review:
    """A question about two persons: `merge`, may they be one; `twins`, may their faces be mixed up.

    `score`: how similar their mean faces are.
    """

    kind: Literal["merge", "twins"]
    a: UUID
    b: UUID
    score: float


def reviews_of(table: FaceTable, clusters: Mapping[UUID, Sequence[int]], said: Said) -> list[Review]:
    """Questions about persons with their faces (rows of `table`), the most similar first.

    Nothing is asked that was answered: two who have names are two, and so are those of whom the user said so.
    """
    asked = [
        one for one, faces in clusters.items() if one not in said.hidden and (len(faces) >= MANY or one in said.named)
    ]
    pairs, similarity = similar_pairs(_means(table, [clusters[one] for one in asked]), MAY_BE_ONE)
    photos: dict[UUID, set[int]] = {}
    found: list[Review] = []
    for (a, b), score in zip(_named(pairs, asked), similarity.tolist(), strict=True):
        if len(found) == MOST_REVIEWS:
            break
        if {a, b} <= said.named or frozenset((a, b)) in said.apart:
            continue
        for one in (a, b):
            photos.setdefault(one, set(table.assets[list(clusters[one])].tolist()))
        if photos[a].isdisjoint(photos[b]):
            found.append(Review("merge", a, b, score))
        elif score >= MAY_BE_TWINS:
            found.append(Review("twins", a, b, score))
    return found


def _means(table: FaceTable, faces: Sequence[Sequence[int]]) -> Vectors:
    labels = np.full(len(table.ids), -1, np.int64)
    for number, some in enumerate(faces):
        labels[list(some)] = number
    return unit(sums_of(table.vectors, labels, len(faces)))


def _named(pairs: Numbers, persons: Sequence[UUID]) -> Iterator[tuple[UUID, UUID]]:
    return ((persons[a], persons[b]) for a, b in pairs.tolist())
