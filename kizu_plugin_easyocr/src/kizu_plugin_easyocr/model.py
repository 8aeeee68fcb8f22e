"""EasyOCR behind Kizu's `OcrModel`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import cv2
import easyocr
import numpy as np
import torch
from easyocr.detection import get_textbox
from easyocr.utils import reformat_input
from numpy.typing import NDArray

from kizu_core import ModelContext, ModelUnavailable, Picture, TextSpan
from kizu_plugin_easyocr.detector import Network, load_detector
from kizu_plugin_easyocr.languages import readers
from kizu_plugin_easyocr.reading import reading_order
from kizu_plugin_easyocr.settings import EasyOcrSettings

_CANVAS = 1280
"""Long side in pixels at which text is looked for; recognition sees the whole picture. EasyOCR's own 2560 finds no
more in the shared photos (benchmarks/ocr_phrases.py), for twice the time and three times the memory."""

_SHORTEST = 32
"""Pixels, at least, of each side of what EasyOCR gets."""


class EasyOcrModel:
    """Reads one picture at a time: on a CPU, batches gain nothing and cost memory.

    `readers`: EasyOCR's, one for each script, which share one detector.
    """

    def __init__(self, readers: Sequence[Any]) -> None:
        self._readers = readers

    def read_text(self, pictures: Sequence[Picture]) -> Sequence[Sequence[TextSpan]]:
        """Spans of each picture, lines from top to bottom, in a line from left to right."""
        return [self._read(picture) for picture in pictures]

    def close(self) -> None:
        self._readers = ()

    def _read(self, picture: Picture) -> Sequence[TextSpan]:
        if not self._readers:
            raise RuntimeError("read_text was called after close")
        found = [one for one in self._best(_bgr_without_strips(picture.pixels)) if one[1].strip()]
        height, width = picture.pixels.shape[:2]
        scale = np.array([width, height], np.float64)
        return [
            TextSpan(text=text, score=float(score), quad=_quad(np.asarray(corners) / scale))
            for corners, text, score in (found[index] for index in reading_order([one[0] for one in found]))
        ]

    def _best(self, bgr: NDArray[np.uint8]) -> Sequence[tuple[Any, str, float]]:
        """Corners, text and score of each place: looked for once, read by all, and the surest reading kept."""
        # Only ever an array: a string would be taken for an address and fetched.
        pixels, grey = reformat_input(bgr)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*pin_memory")  # it asks for a GPU's memory without one
            level, slanted = self._readers[0].detect(pixels, canvas_size=_CANVAS, reformat=False)
            readings = [one.recognize(grey, level[0], slanted[0], reformat=False) for one in self._readers]
        return [max(place, key=lambda one: (bool(one[1].strip()), one[2])) for place in zip(*readings, strict=True)]


def _bgr_without_strips(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture as EasyOCR wants it, black below or beside a strip: scaled to the canvas, it would be empty."""
    height, width = pixels.shape[:2]
    framed = np.zeros((max(height, _SHORTEST), max(width, _SHORTEST), 3), np.uint8)
    framed[:height, :width] = pixels[..., ::-1]
    return framed


def _quad(corners: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in np.clip(corners, 0.0, 1.0))


def build(context: ModelContext) -> EasyOcrModel:
    """The factory named by the spec. Raises `ModelUnavailable` if a recogniser's file is not the right one."""
    torch.set_num_threads(context.threads)
    cv2.setNumThreads(context.threads)
    settings = context.settings or EasyOcrSettings()
    folder = _gather(context.weights, context.cache_dir)
    detector = load_detector(context)
    return EasyOcrModel([_reader(languages, folder, detector) for _, languages in readers(settings.languages)])


def _reader(languages: Sequence[str], folder: Path, detector: Network) -> Any:
    """EasyOCR's reader of one script. It loads its file as a pickle: core has told torch to read tensors only."""
    before = list(sys.path)
    try:
        reader = easyocr.Reader(
            list(languages),
            gpu=False,
            model_storage_directory=str(folder),
            user_network_directory=str(folder),
            download_enabled=False,
            detector=False,
            verbose=False,
            quantize=False,
        )
    except (FileNotFoundError, ValueError, UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise ModelUnavailable(
            f"EasyOCR can't read {', '.join(languages)}: {reason}",
            hint=f"Remove the recogniser's file from {folder} and get it again by `kizu models pull easyocr`.",
        ) from error
    finally:
        sys.path[:] = before  # the reader adds its folder, from where anything could then be imported
    reader.detector, reader.get_textbox = detector, get_textbox
    reader.recognizer.to(memory_format=torch.channels_last)  # a third faster, with the same results
    return reader


def _gather(weights: Mapping[str, Path], folder: Path) -> Path:
    """EasyOCR wants all its files in one folder: links to the checked ones, in the model's own."""
    for name, path in weights.items():
        link = folder / name
        if path != link and not (link.is_symlink() and link.readlink() == path):
            link.unlink(missing_ok=True)
            link.symlink_to(path)
    return folder
