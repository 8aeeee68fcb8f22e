"""A library that shows what it was given, for tests of handlers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from kizu_core.types import FaceTable, Photo

if TYPE_CHECKING:
    from kizu_core.types import Vector


def face_table(
    ids: Sequence[UUID],
    assets: Sequence[int],
    vectors: Sequence[Vector],
    *,
    usable: Sequence[bool] | None = None,
    scores: Sequence[float] | None = None,
    persons: Mapping[UUID, UUID] | None = None,
    fixed: Sequence[UUID] = (),
    space: str = "fake-faces",
) -> FaceTable:
    """A `FaceTable` from plain lists: every face usable, sure and nobody's unless said otherwise."""
    count = len(ids)
    pinned, whose = set(fixed), persons or {}
    return FaceTable(
        ids=list(ids),
        assets=np.asarray(assets, np.int32),
        vectors=np.asarray(vectors, np.float32).reshape(count, -1 if count else 0),
        usable=np.ones(count, np.bool_) if usable is None else np.asarray(usable, np.bool_),
        scores=np.ones(count, np.float32) if scores is None else np.asarray(scores, np.float32),
        persons=[whose.get(one) for one in ids],
        fixed=np.asarray([one in pinned for one in ids], np.bool_),
        space=space,
    )


@dataclass
class GivenLibrary:
    """A `LibraryView` of these photos, faces and so on. Without any, each asset asked for is a small photo.

    `said`: what `people` answers; `known`: what `facts` knows of a photo; `made`: what `moments` answers.
    """

    shown: Sequence[Photo] = ()
    table: FaceTable = field(default_factory=lambda: face_table([], [], []))
    said: Mapping[str, Any] = field(default_factory=dict)
    embedded: Mapping[UUID, Vector] = field(default_factory=dict)
    known: Mapping[UUID, Mapping[str, Any]] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict)

    def asset(self, asset_id: UUID) -> Mapping[str, Any]:
        return {"id": str(asset_id), "width": 240, "height": 180}

    def photos(self) -> Sequence[Photo]:
        return self.shown

    def faces(self) -> FaceTable:
        return self.table

    def people(self) -> Mapping[str, Any]:
        nothing: dict[str, Any] = {"named": [], "hidden": [], "apart": [], "rejected": [], "fixed": []}
        return nothing | dict(self.said)

    def vectors(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, Vector]:
        return {one: self.embedded[one] for one in asset_ids if one in self.embedded}

    def facts(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
        return {one: self.known[one] for one in asset_ids if one in self.known}

    def moments(self) -> Mapping[str, Any]:
        return self.made
