"""One result row as a line for people, the same wherever it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kizu_core.pipeline.pixels import is_box

Row = Mapping[str, Any]


def embedding_line(row: Row) -> str:
    return f"{row['dim']} numbers in the space {row['space']}"


def object_line(row: Row) -> str:
    return f"{_sure(row)}{row['label']}{_where(row)}"


def face_line(row: Row) -> str:
    return f"{_sure(row)}{row.get('name') or 'a face'}{_where(row)}"


def text_line(row: Row) -> str:
    return f"{_sure(row)}{row['text']}"


def caption_line(row: Row) -> str:
    return str(row["description"])


def _sure(row: Row) -> str:
    """` 87 %  `, or nothing where the model did not say."""
    return "" if row.get("score") is None else f"{100 * row['score']:3.0f} %  "


def _where(row: Row) -> str:
    """In percent of the picture's width and height: what they are in pixels depends on the version looked at."""
    if not is_box(box := row.get("bbox")):
        return ""
    left, top, right, bottom = (round(100 * box[side]) for side in ("left", "top", "right", "bottom"))
    return f", {left} to {right} % across and {top} to {bottom} % down"
