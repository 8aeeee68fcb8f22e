"""Outputs become rows of the right table, with user, asset and provenance, and nothing else decides them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from kizu_core.errors import ModelFailed
from kizu_core.pipeline.calling import Output
from kizu_core.pipeline.rows import result_of, rows_of
from kizu_core.plugins.specs import DetectorSpec, EmbedderSpec, FaceModelSpec, ModelSpec, OcrSpec, VlmSpec
from kizu_core.types import Box, Caption, Detection, Face, TextSpan

USER, ASSET = uuid4(), uuid4()
BASE: Any = {"name": "tiny", "summary": "for tests", "factory": "a:b", "output_version": "7"}
QUAD = ((0.1, 0.1), (0.5, 0.1), (0.5, 0.2), (0.1, 0.2))
VECTOR = np.full(4, 0.5, np.float32)
BOX = Box(0.1, 0.2, 0.3, 0.4)

CASES = [
    ("embedding", EmbedderSpec(**BASE, dim=4, space="s"), VECTOR, "image_embeddings", {"dim": 4, "space": "s"}),
    (
        "faces",
        FaceModelSpec(**BASE, dim=4, space="f"),
        [Face(box=BOX, score=0.9, keypoints=((0.1, 0.2),) * 5, vector=VECTOR)],
        "face_embeddings",
        {"bbox": BOX.as_dict(), "space": "f", "face_index": 0},
    ),
    (
        "objects",
        DetectorSpec(**BASE, labels=("cat",)),
        [Detection(label="cat", score=0.8, box=BOX)],
        "detected_objects",
        {"label": "cat", "bbox": {"left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4}},
    ),
    (
        "ocr",
        OcrSpec(**BASE, languages=("en",)),
        [TextSpan(text="EXIT", score=0.7, quad=QUAD)],
        "extracted_text",
        {"text": "EXIT", "line": 0, "quad": [list(corner) for corner in QUAD]},
    ),
    (
        "describe",
        VlmSpec(**BASE, tasks=("caption",)),
        Caption(text="A cat.", task="caption"),
        "image_descriptions",
        {"description": "A cat.", "task": "caption"},
    ),
]


@pytest.mark.parametrize(("operation", "spec", "value", "table", "expected"), CASES, ids=[case[0] for case in CASES])
def test_each_operation_fills_its_table(
    operation: str, spec: ModelSpec, value: object, table: str, expected: dict[str, object]
) -> None:
    output = Output(operation=operation, spec=spec, seconds=1.0, value=value)
    (row,) = rows_of(output, user_id=USER, asset_id=ASSET)
    assert (row.table, row.user_id, row.asset_id) == (table, USER, ASSET)
    assert row.values.items() >= {**expected, "model": "tiny", "output_version": "7"}.items()


def test_nothing_found_is_a_result_without_rows() -> None:
    output = Output(operation="ocr", spec=CASES[3][1], seconds=0.5, value=[])
    assert rows_of(output, user_id=USER, asset_id=ASSET) == ()
    result = result_of(output, 0)
    assert (result.operation, result.plugin, result.version) == ("ocr", "tiny", "7")
    assert (result.found, result.error) == (0, None)


def test_a_failure_is_recorded_against_the_plugin() -> None:
    output = Output(operation="ocr", spec=CASES[3][1], seconds=0.5, error=ModelFailed("tiny failed"))
    assert rows_of(output, user_id=USER, asset_id=ASSET) == ()
    error = result_of(output, 0).error
    assert error is not None
    assert (error["code"], error["retryable"]) == ("model_failed", False)
