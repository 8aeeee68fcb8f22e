"""`kizu look`: plugins that work, raise, crash and leak, each shown for what it is; hostile files; nothing is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kizu_support.command import Kizu
from kizu_support.fake_distribution import fake_distribution

PLUGIN = """
from kizu_core import DetectorSpec, EmbedderSpec, FaceModelSpec, OcrSpec, VlmSpec, WeightFile, hookimpl

@hookimpl
def kizu_ocr_models():
    return [OcrSpec(name="reader", summary="reads", factory="eyes.model:Reader", output_version="7", languages=("en",))]

@hookimpl
def kizu_embedders():
    return [EmbedderSpec(name="leaker", summary="calls home", factory="eyes.model:Leaker", output_version="1",
                         dim=4, space="leaky")]

@hookimpl
def kizu_face_models():
    return [FaceModelSpec(name="crasher", summary="crashes", factory="eyes.model:Crasher", output_version="1",
                          dim=4, space="none")]

@hookimpl
def kizu_detectors():
    return [DetectorSpec(name="raiser", summary="raises", factory="eyes.model:Raiser", output_version="1",
                         labels=("cat",))]

@hookimpl
def kizu_vlms():
    weight = WeightFile(name="w.bin", source="https://example.org/w.bin", bytes=3, licence="MIT")
    return [VlmSpec(name="teller", summary="tells", factory="eyes.model:Reader", output_version="1",
                    tasks=("caption",), weights=(weight,))]
"""

MODEL = """
import os, socket, time
import numpy as np
from kizu_core import TextSpan

class Model:
    def __init__(self, context):
        time.sleep(0.2)

    def close(self):
        pass

class Reader(Model):
    def read_text(self, pictures):
        corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
        text = f"{pictures[0].width_px} wide\\x1b[2J"
        return [[TextSpan(text=text, score=0.75, quad=corners)] for _ in pictures]

class Leaker(Model):
    def embed_images(self, pictures):
        try:
            socket.create_connection(("127.0.0.1", 9), timeout=1)
        except OSError:
            pass  # and says nothing
        return np.array([[0.0, 0.6, 0.8, 0.0] for _ in pictures], dtype=np.float32)

    def embed_texts(self, texts):
        raise NotImplementedError

class Crasher(Model):
    def find_faces(self, pictures):
        os._exit(9)

class Raiser(Model):
    def detect(self, pictures):
        raise ValueError("the graph has no output")
"""


@pytest.fixture
def kizu(tmp_path: Path) -> Kizu:
    modules = {"eyes.plugin": PLUGIN, "eyes.model": MODEL}
    fake_distribution(tmp_path / "site", "fake-eyes", modules=modules, entry_points={"eyes": "eyes.plugin"})
    return Kizu(tmp_path / "home", {"PYTHONPATH": str(tmp_path / "site"), "KIZU_LOAD_PLUGINS": "eyes"})


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photos" / "a picture.jpg"
    path.parent.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x0132] = "2019:05:12 14:03:00"
    Image.new("RGB", (64, 48), (200, 30, 90)).save(path, exif=exif)
    return path


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["operation"]: one for one in document["operations"]}


def test_each_plugin_is_shown_for_what_it_is(kizu: Kizu, photo: Path) -> None:
    shown = kizu("look", photo, "--json")
    assert shown.code == 3, shown.err
    document = json.loads(shown.out)
    assert (document["facts"]["width"], document["facts"]["orientation"]) == (48, 6)
    assert document["facts"]["taken_local"] == "2019-05-12T14:03:00"
    seen = operations(document)
    assert seen["ocr"]["results"][0]["text"].startswith("48 wide")
    assert seen["ocr"]["results"][0]["quad"][2] == [1.0, 1.0]
    assert seen["ocr"]["results"][0]["quad_px"][2] == [48.0, 64.0]
    assert (seen["ocr"]["model"], seen["ocr"]["version"], seen["ocr"]["error"]) == ("reader", "7", None)
    assert seen["ocr"]["load_seconds"] >= 0.2 > seen["ocr"]["seconds"]
    assert "ended with status 9" in seen["faces"]["error"]["message"]
    assert "raiser failed on this picture: ValueError" in seen["objects"]["error"]["message"]
    assert seen["embedding"]["results"] == [{"dim": 4, "space": "leaky", "norm": 1.0}]
    [refusal] = seen["embedding"]["refusals"]
    assert (refusal["caller"], refusal["target"]) == ("fake-eyes", "127.0.0.1:9")
    [gap] = document["missing"]
    assert (gap["operation"], "teller needs the weights w.bin" in gap["reason"]) == ("describe", True)
    assert not (kizu.home / "database").exists()
    assert not (kizu.home / "scratch").exists()


def test_people_read_it_too(kizu: Kizu, photo: Path) -> None:
    shown = kizu("look", photo, "--operations", "ocr")
    assert shown.code == 0, shown.err
    for part in ("48 x 64 pixels, turned (orientation 6)", "taken   2019-05-12 14:03:00", "reader 7, loaded in 0."):
        assert part in shown.out
    assert " 75 %  48 wide" in shown.out
    assert "\x1b" not in shown.out
    assert "faces" not in shown.out


def test_asked_for_and_not_there(kizu: Kizu, photo: Path) -> None:
    missing = kizu("look", photo, "--operations", "describe")
    assert missing.code == 3
    assert "captions (describe): not available here." in missing.out
    assert "kizu models pull teller" in missing.out
    unknown = kizu("look", photo, "--operations", "smell")
    assert (unknown.code, "Operations are: embedding" in unknown.err) == (1, True)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.jpg", b"", "empty.jpg: The file is empty"),
        ("page.jpg", b"<html>not found</html>", "page.jpg: "),
        ("cut.jpg", None, "cut.jpg: "),
        ("film.mp4", b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "film.mp4 is a video"),
    ],
)
def test_what_cannot_be_read(name: str, content: bytes | None, sentence: str, kizu: Kizu, photo: Path) -> None:
    bad = photo.with_name(name)
    bad.write_bytes(photo.read_bytes()[:-300] if content is None else content)
    shown = kizu("look", bad, "--operations", "ocr")
    assert shown.code == 1
    assert shown.err.startswith(f"kizu: {sentence}")
    assert "Traceback" not in shown.err


def test_what_is_no_file(kizu: Kizu, photo: Path) -> None:
    assert "There is no file" in kizu("look", photo.with_name("no such.jpg")).err
    folder = kizu("look", photo.parent)
    assert (folder.code, "`kizu run` a folder" in folder.err) == (1, True)
