"""RapidOCR behind Kizu's `OcrModel`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidocr import RapidOCR

from kizu_core import ModelContext, Picture, Runtime, Session, TextSpan, open_session

# Fitted with benchmarks/ocr_phrases.py; a change here needs a new output_version in plugin.py.
_TUNING = {
    # Pictures arrive scaled to MAX_IMAGE_SIZE (2048): shrinking them once more, to 2000, loses small print.
    "Global.max_side_len": 4096,
    # The detector's short side: 736 misses small words, 1152 joins neighbouring lines.
    "Det.limit_side_len": 960,
    # Below this, lines that stand upright are turned upside down more often than turned ones are rescued.
    "Cls.cls_thresh": 0.99,
}

_FILES = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}
"""RapidOCR's name of a step -> its network."""

_NARROWEST = 2
"""Long side over short side, at most, of what the detector gets."""
_SHORTEST = 32
"""Pixels; RapidOCR refuses to work on less when the other side is long."""


class RapidOcrModel:
    """Reads one picture at a time: on a CPU, batches gain nothing and cost memory."""

    def __init__(self, engine: RapidOCR) -> None:
        self._engine: RapidOCR | None = engine

    def read_text(self, pictures: Sequence[Picture]) -> Sequence[Sequence[TextSpan]]:
        """Spans of each picture, lines from top to bottom, in a line from left to right."""
        return [self._read(picture) for picture in pictures]

    def close(self) -> None:
        self._engine = None

    def _read(self, picture: Picture) -> Sequence[TextSpan]:
        if self._engine is None:
            raise RuntimeError("read_text was called after close")
        found = self._engine(_bgr_without_strips(picture.pixels))
        if found.boxes is None or getattr(found, "txts", None) is None:
            return []  # what it gives when it sees no text
        height, width = picture.pixels.shape[:2]
        scale = np.array([width, height], np.float32)
        return [
            TextSpan(text=text, score=float(score), quad=_quad(corners / scale))
            for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        ]


def _bgr_without_strips(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture as RapidOCR wants it, black below or beside a strip.

    The detector enlarges until the *short* side is long enough: a strip of 2048 x 10 would become gigabytes.
    """
    height, width = pixels.shape[:2]
    shortest = max(_SHORTEST, -(-max(height, width) // _NARROWEST))
    framed = np.zeros((max(height, shortest), max(width, shortest), 3), np.uint8)
    framed[:height, :width] = pixels[..., ::-1]
    return framed


def _quad(corners: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in np.clip(corners, 0.0, 1.0))


def build(context: ModelContext) -> RapidOcrModel:
    """The factory named by the spec. Every model path is given, so RapidOCR has nothing to download."""
    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    engine = RapidOCR(
        params={
            "Global.log_level": "error",
            **{f"{step}.model_path": str(context.weights[file]) for step, file in _FILES.items()},
            "EngineConfig.onnxruntime.intra_op_num_threads": context.threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            **_TUNING,
        }
    )
    for step, file in _FILES.items():
        loaded = getattr(engine, f"_load_{step.lower()}_model")()  # now, not with the first picture
        if context.runtime not in (None, Runtime.ORT_FP32):
            loaded.session = _Network(open_session(context.weights[file], context.runtime, context.threads))
    return RapidOcrModel(engine)


class _Network:
    """Takes the place of a session of RapidOCR's, whose own way to OpenVINO knows neither precision nor threads."""

    def __init__(self, session: Session) -> None:
        self._session = session
        (self._input,) = session.inputs

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.generic]:
        return self._session.run({self._input: pixels})[0].copy()
