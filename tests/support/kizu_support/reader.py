"""An OCR plugin for whole runs: it reads the same words in every photo, as slowly as wanted. And photos for it."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from kizu_support.fake_distribution import fake_distribution

_MODULE = """
import time
from kizu_core import OcrSpec, TextSpan, hookimpl

class Reader:
    def read_text(self, pictures):
        time.sleep({seconds})
        quad = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
        return [[TextSpan(text={text!r}, score=1.0, quad=quad)] for _ in pictures]

    def close(self):
        pass

def build(context):
    return Reader()

@hookimpl
def kizu_ocr_models():
    spec = {{"name": "reader", "summary": "reads", "factory": "reader_ocr:build", "output_version": "1"}}
    return [OcrSpec(**spec, languages=("en",))]
"""


def reader_plugin(site: Path, text: str, seconds: float = 0) -> dict[str, str]:
    """Installs the plugin `reader` into a folder; the variables with which a command uses it and no other."""
    modules = {"reader_ocr": _MODULE.format(text=text, seconds=seconds)}
    fake_distribution(site, "reader-ocr", modules=modules, entry_points={"reader": "reader_ocr"})
    return {"PYTHONPATH": str(site), "KIZU_LOAD_PLUGINS": "core,reader"}


def noisy_photos(folder: Path, count: int) -> Path:
    """`00.jpg`, `01.jpg`, ... of 320 x 240 pixels, no two alike."""
    folder.mkdir(parents=True)
    for number in range(count):
        Image.effect_noise((320, 240), 20 + number).convert("RGB").save(folder / f"{number:02}.jpg")
    return folder
