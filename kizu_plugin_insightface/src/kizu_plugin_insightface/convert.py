"""The pack as a bundle for workers without InsightFace. Its files are ONNX already."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from kizu_core import ModelContext
from kizu_plugin_insightface.routing import route

DETECTOR, RECOGNISER = "detector.onnx", "recogniser.onnx"


def convert(context: ModelContext, folder: Path) -> None:
    """Writes both networks into an empty folder. Raises `ModelUnavailable` as `route` does."""
    detector, recogniser = route(context.weights.values())
    _take(detector, folder / DETECTOR)
    _take(recogniser, folder / RECOGNISER)


def _take(source: Path, target: Path) -> None:
    """A second name for the same bytes where the disk can, else a copy."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
