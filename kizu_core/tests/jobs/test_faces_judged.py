"""Rows of faces say how sharp each is, and whether it is good enough; measured where the pixels are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from kizu_core.jobs.image_ai import build
from kizu_core.plugins.protocols import JobContext
from kizu_core.plugins.specs import FaceModelSpec
from kizu_core.settings import load_settings
from kizu_core.testing.handler import NoModels
from kizu_core.testing.library import GivenLibrary
from kizu_core.types import Box, Face, Job, JobOutcome, JobTable, ModelType, Picture

POINTS = ((0.42, 0.42), (0.58, 0.42), (0.5, 0.5), (0.44, 0.6), (0.56, 0.6))
CLEAR = Face(box=Box(0.3, 0.3, 0.7, 0.7), score=0.9, keypoints=POINTS, vector=np.full(4, 0.5, np.float32))
FOUND = [CLEAR, replace(CLEAR, score=0.51), replace(CLEAR, box=Box(0.5, 0.5, 0.52, 0.52))]


class Faces(NoModels):
    """An installation whose face model finds these faces in every picture."""

    def __init__(self, found: Any) -> None:
        self._found = found

    def get(self, kind: ModelType, name: str | None = None) -> Any:
        return self

    def spec(self, kind: ModelType, name: str | None = None) -> FaceModelSpec:
        return FaceModelSpec(name="fake", summary="", factory="a:b", output_version="1", dim=4, space="fake")

    def runtime(self, kind: ModelType, name: str | None = None) -> None:
        return None

    def is_loaded(self, kind: ModelType, name: str | None = None) -> bool:
        return True

    def find_faces(self, pictures: Sequence[Picture]) -> Any:
        return [self._found for _ in pictures]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    noise = np.random.default_rng(1).integers(0, 255, (400, 400, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def outcome(photo: Path, found: Any, entry: str = "faces") -> JobOutcome:
    job = Job(
        id=UUID(int=1),
        table=JobTable.AI,
        job_type="image_ai",
        user_id=UUID(int=2),
        asset_id=UUID(int=3),
        todo=(entry,),
    )
    context = JobContext(
        source=photo,
        workdir=photo.parent,
        models=Faces(found),
        progress=lambda percent, step: None,
        cancelled=lambda: False,
        library=GivenLibrary(),
    )
    (result,) = build(load_settings({"home": photo.parent / "home"}, environ={})).run([job], [context])
    assert isinstance(result, JobOutcome)
    return result


@pytest.mark.parametrize("entry", ["faces", "next-faces"])
def test_each_face_is_judged(photo: Path, entry: str) -> None:
    rows = [row.values for row in outcome(photo, FOUND, entry).rows]
    assert [row["usable"] for row in rows] == [True, False, False]
    assert all(row["sharpness"] > 100 for row in rows)
    assert [row["face_index"] for row in rows] == [0, 1, 2]


@pytest.mark.parametrize("found", [["no face"], [replace(CLEAR, keypoints=cast("Any", "abc"))], 7])
def test_a_model_that_gives_no_faces_has_failed_alone(photo: Path, found: Any) -> None:
    result = outcome(photo, found)
    assert result.rows == ()
    (operation,) = result.operations
    assert operation.error is not None
    assert operation.error["code"] == "model_failed"
