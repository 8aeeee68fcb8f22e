# ruff: noqa: E402 - without the plugin, the skip must come before what needs it
"""A real detector on real photos: every face that a good one must find, and the same ones however the file lies."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("kizu_plugin_insightface.plugin", reason="the plugin is not installed")
pytest.importorskip("insightface", reason="insightface is not installed")
support = pytest.importorskip("kizu_support.weights.faces", reason="the repository's test support is not here")
turned = pytest.importorskip("kizu_support.turned", reason="the repository's test support is not here")

from kizu_core import Face, FaceModel, ModelContext, ModelType
from kizu_core.media.decode import decode, to_picture
from kizu_core.models.runtimes.gate import judge
from kizu_plugin_insightface.model import build

MAX_SIDE = 2048
UPRIGHT = 1
MOST_BEYOND = 8
"""Boxes in all photos together that are no face to a person looking at them."""


@pytest.fixture(scope="module")
def model(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaceModel]:
    pack = support.fake_face_pack(shared / "weights" / "scrfd_2.5g.onnx")
    weights = {path.name: path for path in pack.glob("*.onnx")}
    loaded = build(ModelContext(device="cpu", threads=1, weights=weights, cache_dir=tmp_path_factory.mktemp("cache")))
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def photos(shared: Path) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = json.loads((shared / "photos" / "manifest.json").read_text())["files"]
    return [file for file in files if file["kind"] == "image"]


@pytest.fixture(scope="module")
def found(model: FaceModel, photos: list[dict[str, Any]], shared: Path) -> dict[str, list[Face]]:
    return {file["file"]: faces_in(model, shared / "photos" / file["file"]) for file in photos}


def faces_in(model: FaceModel, path: Path) -> list[Face]:
    (faces,) = model.find_faces([to_picture(decode(path, max_side=MAX_SIDE))])
    return list(faces)


def test_every_clear_face_is_found(found: dict[str, list[Face]], photos: list[dict[str, Any]]) -> None:
    missed = {file["file"]: file["faces_min"] for file in photos if len(found[file["file"]]) < file["faces_min"]}
    assert missed == {}
    assert sum(file["faces_min"] for file in photos) == 17


def test_little_else_is_taken_for_a_face(found: dict[str, list[Face]], photos: list[dict[str, Any]]) -> None:
    beyond = {file["file"]: len(found[file["file"]]) - file["faces_max"] for file in photos}
    assert sum(max(0, number) for number in beyond.values()) <= MOST_BEYOND, beyond


def test_the_same_faces_are_found_however_the_file_lies(
    model: FaceModel, photos: list[dict[str, Any]], shared: Path, tmp_path: Path
) -> None:
    """Each photo with faces in another orientation, without loss, read by the real decoder."""
    others = itertools.cycle(turned.ORIENTATIONS[1:])
    for file, orientation in zip([file for file in photos if file["faces_min"]], others, strict=False):
        upright = decode(shared / "photos" / file["file"], max_side=1024).image
        wanted, faces = (
            faces_in(model, stored(upright, tmp_path / "photo.png", way)) for way in (UPRIGHT, orientation)
        )
        assert len(wanted) >= file["faces_min"], file["file"]
        assert judge(ModelType.FACE_MODEL, [wanted], [faces]).reason is None, (file["file"], orientation)


def stored(upright: Image.Image, path: Path, orientation: int) -> Path:
    turned.save_turned(upright, path, orientation, compress_level=1)
    return path
