"""A look at one picture keeps the limits that jobs have: time, memory, and a process that dies harms nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from kizu_core.errors import ChildCrashed, JobTimeout
from kizu_core.models.offers import Offer, offers
from kizu_core.models.selection import build_catalog
from kizu_core.plugins.catalog import Catalog
from kizu_core.settings import Settings, load_settings
from kizu_core.worker.look import Seen, look
from kizu_support.fake_distribution import fake_distribution, installed

PLUGIN = """
from kizu_core import DetectorSpec, OcrSpec, VlmSpec, hookimpl

@hookimpl
def kizu_ocr_models():
    return [OcrSpec(name="hanger", summary="hangs", factory="odd.model:Hanger", output_version="1", languages=("en",))]

@hookimpl
def kizu_detectors():
    return [DetectorSpec(name="sweller", summary="swells", factory="odd.model:Sweller", output_version="1",
                         labels=("cat",))]

@hookimpl
def kizu_vlms():
    return [VlmSpec(name="teller", summary="tells", factory="odd.model:Teller", output_version="1", tasks=("caption",))]
"""

MODEL = """
import time
from kizu_core import Caption

class Model:
    def __init__(self, context):
        pass

    def close(self):
        pass

class Hanger(Model):
    def read_text(self, pictures):
        while True:
            time.sleep(1)

class Sweller(Model):
    def detect(self, pictures):
        held = []
        while True:
            held.append(bytearray(20_000_000))
            time.sleep(0.02)

class Teller(Model):
    def describe(self, pictures, *, task=None):
        return [Caption(text="a red square", task="caption") for _ in pictures]
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings under which a child has little memory, with the plugin installed here and for children."""
    folder = tmp_path / "site"
    modules = {"odd.plugin": PLUGIN, "odd.model": MODEL}
    fake_distribution(folder, "fake-odd", modules=modules, entry_points={"odd": "odd.plugin"})
    monkeypatch.setenv("PYTHONPATH", str(folder))
    with installed(folder):
        yield load_settings({"home": tmp_path / "home", "load_plugins": ("odd",), "max_child_mb": 400}, environ={})


@pytest.fixture
def catalog(settings: Settings) -> Catalog:
    return build_catalog(settings)


def seen_by(offered: list[Offer], settings: Settings, catalog: Catalog, folder: Path) -> dict[str, Seen]:
    photo = folder / "red.png"
    Image.new("RGB", (32, 32), (200, 0, 0)).save(photo)
    return {seen.offer.plugin: seen for seen in look(photo, offered, settings, catalog)}


def test_what_hangs_or_swells_costs_no_other(settings: Settings, catalog: Catalog, tmp_path: Path) -> None:
    found = {offer.plugin: offer for offer in offers(catalog, settings)}
    hanger = replace(found["hanger"], handler=replace(found["hanger"].handler, step_timeout_s=1))
    seen = seen_by([hanger, found["sweller"], found["teller"]], settings, catalog, tmp_path)
    assert isinstance(seen["hanger"].error, JobTimeout)
    assert seen["hanger"].error.message == "It took longer than 1 s."
    assert isinstance(seen["sweller"].error, ChildCrashed)
    assert "needed more than 400 MB" in seen["sweller"].error.message
    assert seen["teller"].error is None
    assert seen["teller"].values[0]["description"] == "a red square"
    assert not settings.home.exists()
