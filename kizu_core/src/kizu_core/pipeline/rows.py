"""Outputs + (user, asset) -> result rows: the only place where they meet. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from kizu_core.pipeline.calling import Output
from kizu_core.plugins.specs import ModelSpec
from kizu_core.types import Caption, Detection, Face, OperationResult, ResultRow, TextSpan

Values = list[dict[str, Any]]


def _embedding(vector: Any, spec: Any) -> Values:
    return [{"embedding": vector, "dim": len(vector), "space": spec.space}]


def _faces(faces: Sequence[Face], spec: Any) -> Values:
    return [
        {
            "embedding": face.vector,
            "dim": len(face.vector),
            "space": spec.space,
            "bbox": face.box.as_dict(),
            "keypoints": [list(point) for point in face.keypoints],
            "score": face.score,
            "face_index": index,
        }
        for index, face in enumerate(faces)
    ]


def _objects(detections: Sequence[Detection], spec: ModelSpec) -> Values:
    return [{"label": found.label, "score": found.score, "bbox": found.box.as_dict()} for found in detections]


def _text(spans: Sequence[TextSpan], spec: ModelSpec) -> Values:
    return [
        {"text": span.text, "score": span.score, "quad": [list(corner) for corner in span.quad], "line": line}
        for line, span in enumerate(spans)
    ]


def _caption(caption: Caption, spec: ModelSpec) -> Values:
    return [{"description": caption.text, "task": caption.task, "score": caption.score}]


_TABLES: Mapping[str, tuple[str, Callable[[Any, Any], Values]]] = {
    "embedding": ("image_embeddings", _embedding),
    "faces": ("face_embeddings", _faces),
    "objects": ("detected_objects", _objects),
    "ocr": ("extracted_text", _text),
    "describe": ("image_descriptions", _caption),
}


def rows_of(output: Output, *, user_id: UUID, asset_id: UUID) -> tuple[ResultRow, ...]:
    """Rows of one output; none if it failed or found nothing. Each says which model made it, and what computed that."""
    if output.error is not None:
        return ()
    table, convert = _TABLES[output.operation]
    stamp = {"model": output.spec.name, "output_version": output.spec.output_version, "runtime": output.runtime}
    return tuple(
        ResultRow(table=table, user_id=user_id, asset_id=asset_id, values={**values, **stamp})
        for values in convert(output.value, output.spec)
    )


def result_of(output: Output, found: int) -> OperationResult:
    """The line of the ledger that says this operation was done, even if it found nothing."""
    return OperationResult(
        operation=output.operation,
        plugin=output.spec.name,
        version=output.spec.output_version,
        space=getattr(output.spec, "space", None),
        runtime=output.runtime,
        found=found,
        seconds=output.seconds,
        error=output.error.as_dict() if output.error else None,
    )
