"""Photos wait for a model whose weights are missing: nothing is fetched for them, and they go on once it is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from kizu_support.command import Kizu
from kizu_support.fake_distribution import fake_distribution
from kizu_support.hub import Hub, running_hub

WEIGHTS = b"the word that it finds is lighthouse"

PLUGIN = """
from kizu_core import OcrSpec, WeightFile, hookimpl

@hookimpl
def kizu_ocr_models():
    weight = WeightFile(name="w.bin", source="{url}/w.bin", bytes={size}, licence="CC0-1.0")
    return [OcrSpec(name="finder", summary="finds a word", factory="finder.model:build", output_version="1",
                    languages=("en",), weights=(weight,))]
"""

MODEL = """
from kizu_core import TextSpan

class Finder:
    def __init__(self, context):
        self.word = context.weights["w.bin"].read_text().split()[-1]

    def read_text(self, pictures):
        corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
        return [[TextSpan(text=self.word, score=0.9, quad=corners)] for _ in pictures]

    def close(self):
        pass

def build(context):
    return Finder(context)
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        hub.put("/w.bin", WEIGHTS)
        yield hub


@pytest.fixture
def finder(kizu: Kizu, hub: Hub, tmp_path: Path) -> Kizu:
    """The command with a plugin whose weights lie on the hub."""
    modules = {"finder.plugin": PLUGIN.format(url=hub.url, size=len(WEIGHTS)), "finder.model": MODEL}
    fake_distribution(tmp_path / "site", "fake-finder", modules=modules, entry_points={"finder": "finder.plugin"})
    kizu.variables |= {"PYTHONPATH": str(tmp_path / "site"), "KIZU_LOAD_PLUGINS": "finder"}
    return kizu


def test_nothing_is_fetched_until_somebody_says_so(finder: Kizu, hub: Hub, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for shade in (10, 90):
        Image.new("RGB", (64, 48), (shade, 0, 0)).save(photos / f"{shade}.png")
    waiting = finder("run", photos)
    assert waiting.code == 0, waiting.err
    assert "finder needs the weights w.bin" in waiting.out
    assert "kizu models pull finder" in waiting.out
    assert hub.requests == []

    assert finder("models", "pull", "--missing", "--yes").code == 0
    assert hub.requests == [("/w.bin", None)]
    assert finder("run", photos).code == 0
    found = finder("search", "lighthouse")
    assert ("10.png" in found.out, "90.png" in found.out) == (True, True)
    assert len(hub.requests) == 1
