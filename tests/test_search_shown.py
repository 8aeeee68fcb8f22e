"""`kizu search`: one box for colours (an embedder knows three), dates and places; and what is said where it can't."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import ExifTags, Image, ImageDraw

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
    assert "Understood as: Summer 2001 · words: red" in kizu("search", "red", "in", "summer", "2001").out
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


PLACED = {
    "nice.jpg": ((200, 9, 9), "2019:07:14 10:00:00", (43.7, 7.26)),
    "berlin.jpg": ((190, 9, 9), "2021:12:24 18:00:00", (52.52, 13.4)),
    "water.jpg": ((9, 9, 200), "2019:07:15 10:00:00", (43.7, 7.26)),
}


@pytest.fixture
def placed(kizu: Kizu, tmp_path: Path) -> Kizu:
    """The command on photos of which camera and satellites have told when and where."""
    folder = tmp_path / "placed"
    folder.mkdir()
    for name, (colour, taken, (latitude, longitude)) in PLACED.items():
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
        place = {1: "N", 2: (latitude, 0.0, 0.0), 3: "E", 4: (longitude, 0.0, 0.0)}
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(place)
        Image.new("RGB", (64, 48), colour).save(folder / name, exif=exif)
    run = kizu("run", folder)
    assert run.code == 0, run.err
    return kizu


def test_one_box(placed: Kizu) -> None:
    found = placed("search", "red", "photos", "from", "Nice", "in", "July", "2019").out.splitlines()
    assert found[0] == "July 2019 · Nice · looks like: red"
    assert found[1].endswith("nice.jpg  (2019-07-14)")
    assert "    looks like: red" in found
    assert "    taken 2019-07-14, in Nice" in found

    page = placed.json("search", "in:Nice", "2019")
    assert [hit["file_name"] for hit in page["hits"]] == ["water.jpg", "nice.jpg"], "without words: newest first"
    assert [part["kind"] for part in page["understood"]["parts"]] == ["place", "date"]
    assert (page["without"], page["next"]) == (None, None)

    first = placed.json("search", "before:2025", "--limit", "2")
    rest = placed.json("search", "before:2025", "--limit", "2", "--after", first["more"])
    names = [hit["file_name"] for hit in first["hits"] + rest["hits"]]
    assert names == ["berlin.jpg", "water.jpg", "nice.jpg"]

    paths = placed("search", "Weihnachten", "2021", "-0").out
    assert paths.endswith("berlin.jpg\0")


def test_an_empty_page_says_what_would_change_that(placed: Kizu) -> None:
    nothing = placed("search", "red in Nice before 2001").out
    assert "Understood as: before 2001 · Nice · looks like: red" in nothing
    assert "Without the date there is 1: nice.jpg" in nothing
    german = placed("search", "ein Hund, red, in Berlin").out
    assert "These words look German, which colours does not know. For German: No installed model" in german


def test_like_this_photo_and_how_it_came_about(placed: Kizu) -> None:
    like = placed("search", "--like", "nice.jpg").out
    assert "berlin.jpg" in like
    assert "nice.jpg  (" not in like
    told = placed("search", "--explain", "red", "in", "Nice").out
    assert "UNDERSTOOD" in told
    assert "Photos that pass the filters: 2" in told
    shown = placed("search", "red", "--open").out
    page = Path(shown.splitlines()[-1].partition(": ")[2])
    assert page.is_relative_to(placed.home / "sheets")
    assert page.read_text("utf-8").count("data:image/jpeg") >= 2
    assert placed("search", "red", "--limt", "3").code == 2
    assert placed("search").code == 2
    assert placed("search", "red", "--after", "nonsense").code == 1
    assert placed("search", "like:gone.jpg").code == 1


def test_the_model_that_a_search_leaves_loaded_is_shown_and_ends_with_the_database(kizu: Kizu, photos: Path) -> None:
    kizu("run", photos)
    kizu.variables["KIZU_SEARCH_KEEP"] = "5"
    try:
        assert "red0.png" in kizu("search", "red").out
        kept = kizu.json("status")["search_model"]
        assert kizu.json("search", "blue")["without"] is None
        assert kizu.json("status")["search_model"]["pid"] == kept["pid"]
        assert 0 < kept["seconds"] <= 300
        assert f"process {kept['pid']}" in kizu("doctor").out
    finally:
        kizu("db", "stop")
    assert kizu.json("status")["search_model"] is None
    assert not (kizu.home / "run" / "search.sock").exists()
