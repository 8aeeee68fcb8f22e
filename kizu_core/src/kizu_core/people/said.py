"""What a user said of people, as grouping needs it: it holds, whatever a clusterer finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from kizu_core.types import FaceTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """`named`, `hidden`: persons. `apart`: pairs who are two. `rejected`: (face, person) that is not. `pinned`: face ->
    the person that it is.
    """

    named: frozenset[UUID] = frozenset()
    hidden: frozenset[UUID] = frozenset()
    apart: frozenset[frozenset[UUID]] = frozenset()
    rejected: frozenset[tuple[UUID, UUID]] = frozenset()
    pinned: Mapping[UUID, UUID] = field(default_factory=dict)

    @property
    def kept(self) -> frozenset[UUID]:
        """Persons whom somebody named or corrected: each stays who it is, and no two of them are ever joined."""
        corrected = (person for _, person in self.rejected)
        return self.named | self.hidden | frozenset(self.pinned.values()) | frozenset(corrected).union(*self.apart)


def said_of(table: FaceTable, people: Mapping[str, Any]) -> Said:
    """From a user's faces and the answer of `LibraryView.people`. What is said twice is pinned as `fixed` has it."""
    pinned = {
        face: person
        for face, person, fixed in zip(table.ids, table.persons, table.fixed.tolist(), strict=True)
        if fixed and person is not None
    }
    return Said(
        named=frozenset(people["named"]),
        hidden=frozenset(people["hidden"]),
        apart=frozenset(map(frozenset, _pairs(people["apart"]))),
        rejected=frozenset(_pairs(people["rejected"])),
        pinned=pinned | dict(_pairs(people["fixed"])),
    )


def _pairs(given: Iterable[Any]) -> Iterable[tuple[UUID, UUID]]:
    return ((first, second) for first, second in given)
