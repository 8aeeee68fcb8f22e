"""EasyOCR behind Kizu's `OcrModel`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizu_core import ModelContext, ModelUnavailable, Picture, TextSpan
from kizu_plugin_easyocr.reading import reading_order
from kizu_plugin_easyocr.settings import EasyOcrSettings

_CANVAS = 1280
"""Long side in pixels at which text is looked for; recognition sees the whole picture. EasyOCR's own 2560 finds no
more in the shared photos (benchmarks/ocr_phrases.py), for twice the time and three times the memory."""

_SHORTEST = 32
"""Pixels, at least, of each side of what EasyOCR gets."""


class EasyOcrModel:
    """Reads one picture at a time: on a CPU, batches gain nothing and cost memory."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def read_text(self, pictures: Sequence[Picture]) -> Sequence[Sequence[TextSpan]]:
        """Spans of each picture, lines from top to bottom, in a line from left to right."""
        return [self._read(picture) for picture in pictures]

    def close(self) -> None:
        self._reader = None

    def _read(self, picture: Picture) -> Sequence[TextSpan]:
        if self._reader is None:
            raise RuntimeError("read_text was called after close")
        # Only ever an array: a string would be taken for an address and fetched.
        bgr = _bgr_without_strips(picture.pixels)
        height, width = picture.pixels.shape[:2]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*pin_memory")  # it asks for a GPU's memory without one
            found = [one for one in self._reader.readtext(bgr, canvas_size=_CANVAS) if one[1].strip()]
        scale = np.array([width, height], np.float64)
        return [
            TextSpan(text=text, score=float(score), quad=_quad(np.asarray(corners) / scale))
            for corners, text, score in (found[index] for index in reading_order([one[0] for one in found]))
        ]


def _bgr_without_strips(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture as EasyOCR wants it, black below or beside a strip: scaled to the canvas, it would be empty."""
    height, width = pixels.shape[:2]
    framed = np.zeros((max(height, _SHORTEST), max(width, _SHORTEST), 3), np.uint8)
    framed[:height, :width] = pixels[..., ::-1]
    return framed


def _quad(corners: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in np.clip(corners, 0.0, 1.0))


def build(context: ModelContext) -> EasyOcrModel:
    """The factory named by the spec. Raises `ModelUnavailable` if a file for the languages is missing."""
    # EasyOCR loads its files as pickles, which can run code. Core has told torch to read tensors only.
    import easyocr
    import torch

    torch.set_num_threads(context.threads)
    settings = context.settings or EasyOcrSettings()
    folder = _gather(context.weights, context.cache_dir)
    before = list(sys.path)
    try:
        reader = easyocr.Reader(
            list(settings.languages),
            gpu=False,
            model_storage_directory=str(folder),
            user_network_directory=str(folder),
            download_enabled=False,
            verbose=False,
            quantize=False,
        )
    except (FileNotFoundError, ValueError) as error:
        raise ModelUnavailable(
            f"EasyOCR can't read {', '.join(settings.languages)}: {error}",
            hint=f"Put the recognition file of that script into {folder}, or change EASYOCR_LANGUAGES.",
        ) from error
    finally:
        sys.path[:] = before  # the reader adds its folder, from where anything could then be imported
    return EasyOcrModel(reader)


def _gather(weights: Mapping[str, Path], folder: Path) -> Path:
    """EasyOCR wants all its files in one folder: links to the checked ones, in the model's own."""
    for name, path in weights.items():
        link = folder / name
        if path != link and not (link.is_symlink() and link.readlink() == path):
            link.unlink(missing_ok=True)
            link.symlink_to(path)
    return folder
