"""Every model plugin with a torch library on tiny weights: the settings of one run with all of them."""

from __future__ import annotations

import pytest

from kizu_support.weights.clip import tiny_clip
from kizu_support.weights.faces import fake_face_pack
from kizu_support.weights.florence import tiny_florence
from kizu_support.weights.yolo import random_yolo

LIBRARIES = ("open_clip", "ultralytics", "insightface", "easyocr", "transformers")
PLUGINS = ("core", "clip", "yolo", "insightface", "easyocr", "florence")


def five_models() -> dict[str, str]:
    """Variables with which a command uses all five and no other plugin; skips where a library is missing."""
    for library in LIBRARIES:
        pytest.importorskip(library, reason=f"{library} is not installed")
    return {
        "KIZU_LOAD_PLUGINS": ",".join(PLUGINS),
        "KIZU_DESCRIBE": "on",
        "CLIP_MODEL": str(tiny_clip()),
        "YOLO_WEIGHTS": str(random_yolo()),
        "FACE_MODEL_NAME": str(fake_face_pack()),
        "FLORENCE_MODEL": str(tiny_florence()),
    }
