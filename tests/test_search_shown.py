"""`kizu search` by what photos show, with an embedder that knows three colours; and what is said where it can't."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from kizu_support.command import Kizu
from kizu_support.fake_distribution import fake_distribution

PLUGIN = """
from kizu_core import EmbedderSpec, WeightFile, hookimpl

FILE = WeightFile(name="w.bin", source="https://example.org/w.bin", bytes=3_000_000, licence="MIT")

@hookimpl
def kizu_embedders():
    return [
        EmbedderSpec(name="colours", summary="knows colours", factory="eye.model:Colours", output_version="1", dim=3,
                     space="colours", languages=("en",)),
        EmbedderSpec(name="heavy", summary="needs a file", factory="eye.model:Colours", output_version="1", dim=3,
                     space="heavy", languages=("en",), weights=(FILE,)),
        EmbedderSpec(name="mute", summary="pictures only", factory="eye.model:Colours", output_version="1", dim=3,
                     space="colours"),
    ]
"""

MODEL = """
import numpy as np

NAMES = ("red", "green", "blue")

class Colours:
    def __init__(self, context):
        pass

    def embed_images(self, pictures):
        means = np.array([picture.pixels.mean(axis=(0, 1)) for picture in pictures], dtype=np.float32).reshape(-1, 3)
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    def embed_texts(self, texts):
        if any("boom" in text for text in texts):
            raise ValueError("that word")
        seen = np.array([[name in text for name in NAMES] for text in texts], dtype=np.float32)
        return seen / np.linalg.norm(seen, axis=1, keepdims=True)

    def close(self):
        pass
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    modules = {"eye.plugin": PLUGIN, "eye.model": MODEL}
    fake_distribution(folder, "eye", modules=modules, entry_points={"eye": "eye.plugin"})
    return folder


@pytest.fixture
def kizu(kizu: Kizu, site: Path) -> Kizu:
    kizu.variables |= {"PYTHONPATH": str(site), "KIZU_LOAD_PLUGINS": "core,eye", "NO_COLOR": "1", "COLUMNS": "200"}
    return kizu


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, colour in (("red", (200, 9, 9)), ("green", (9, 200, 9)), ("blue", (9, 9, 200))):
        for number in range(2):
            picture = Image.new("RGB", (64, 48), colour)
            ImageDraw.Draw(picture).rectangle((0, 0, 5 + 5 * number, 9), fill="gray")
            picture.save(folder / f"{name}{number}.png")
    return folder


def test_what_it_shows_is_found_and_said(kizu: Kizu, photos: Path) -> None:
    run = kizu("run", photos)
    assert run.code == 0, run.err
    page = kizu.json("search", "something", "red")
    assert [Path(hit["path"]).name for hit in page["hits"]] == ["red0.png", "red1.png"]
    assert page["without"] is None
    [reason] = page["hits"][0]["reasons"]
    assert (reason["kind"], reason["how"], 0.9 < reason["score"] <= 1) == ("meaning", "looks", True)
    shown = kizu("search", "something blue", "--limit", "1")
    assert "blue0.png" in shown.out
    assert "    looks like: something blue" in shown.out
    assert "By words only" not in shown.out


def test_a_search_never_fails_for_want_of_a_model(kizu: Kizu, photos: Path) -> None:
    nothing = kizu("search", "red")
    assert (nothing.code, "By words only: colours has not seen these photos yet. kizu run FOLDER" in nothing.out) == (
        0,
        True,
    )
    kizu("models", "use", "embedder", "heavy")
    heavy = kizu("search", "red")
    assert (heavy.code, "By words only: heavy needs" in heavy.out, "kizu models pull heavy" in heavy.out) == (
        0,
        True,
        True,
    )
    kizu("models", "use", "embedder", "colours")
    kizu("run", photos)
    failing = kizu("search", "boom")
    assert (failing.code, "By words only: colours failed with ValueError: that word" in failing.out) == (0, True)
    kizu("models", "use", "embedder", "mute")
    mute = kizu("search", "red")
    assert (mute.code, "By words only: mute compares pictures and knows no words." in mute.out) == (0, True)
    kizu.variables["KIZU_LOAD_PLUGINS"] = "core"
    page = kizu.json("search", "red")
    assert (page["hits"], page["without"]["code"]) == ([], "no_such_model")


def test_quotes_and_minus_start_no_model(kizu: Kizu, photos: Path) -> None:
    kizu("run", photos)
    shutil.rmtree(kizu.home / "logs", ignore_errors=True)
    for query in ('"red"', "red -wine"):
        page = kizu.json("search", query)
        assert (page["hits"], page["without"]) == ([], None)
    assert not list(kizu.home.glob("logs/child-search*"))
