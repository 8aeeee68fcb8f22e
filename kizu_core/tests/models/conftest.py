"""Tiny models whose weights are a few bytes, in a fake distribution."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_core.plugins.specs import OcrSpec, WeightFile
from kizu_core.settings import Settings, load_settings
from kizu_support.callables import MakeSpec
from kizu_support.fake_distribution import fake_distribution, installed

WEIGHTS = b"weights of a tiny model"
SOURCE = """
import time

LOADS = []
CLOSED = []

class Tiny:
    def __init__(self, context):
        self.context = context

    def read_text(self, pictures):
        return [[] for _ in pictures]

    def close(self):
        CLOSED.append(self)

def build(context):
    LOADS.append(context)
    time.sleep(0.05)
    return Tiny(context)

def build_broken(context):
    raise RuntimeError("the graph has no output")

def build_something(context):
    return 42
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"home": tmp_path / "home", "threads": 3}, environ={})


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """Where `tiny_model` and the package with its weights are installed."""
    folder = tmp_path / "site"
    modules = {"tiny_model": SOURCE, "tiny_weights.__init__": "raise ImportError('never to be imported')"}
    fake_distribution(folder, "tiny-model", modules=modules)
    (folder / "tiny_weights" / "models").mkdir()
    (folder / "tiny_weights" / "models" / "tiny.onnx").write_bytes(WEIGHTS)
    with installed(folder):
        yield folder


@pytest.fixture
def spec(site: Path) -> MakeSpec:
    """An OCR spec with one weight file; keyword arguments replace what it says."""

    def make(**changes: object) -> OcrSpec:
        weight = WeightFile(
            name="tiny.onnx",
            source="package:tiny_weights/models/tiny.onnx",
            bytes=len(WEIGHTS),
            licence="MIT",
            sha256=hashlib.sha256(WEIGHTS).hexdigest(),
            digest_source="computed",
        )
        usual = {
            "name": "tiny",
            "summary": "reads nothing",
            "factory": "tiny_model:build",
            "output_version": "1",
            "languages": ("en",),
            "requires": ("tiny_model",),
            "weights": (weight,),
        }
        return OcrSpec(**(usual | changes))  # type: ignore[arg-type]

    return make
