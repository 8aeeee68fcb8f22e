"""The gate for faces on real photos, with a real detector: every clear face passes, the faintest do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kizu_plugin_insightface.plugin", reason="the plugin is not installed")
pytest.importorskip("insightface", reason="insightface is not installed")

from kizu_core import FaceModel, ModelContext
from kizu_core.media.decode import decode, to_picture
from kizu_core.people.quality import is_usable
from kizu_core.pipeline.sharpness import sharpness_of
from kizu_plugin_insightface.model import build
from kizu_support.weights.faces import fake_face_pack

MAX_SIDE = 2048


@pytest.fixture(scope="module")
def model(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> FaceModel:
    pack = fake_face_pack(shared / "weights" / "scrfd_2.5g.onnx")
    weights = {path.name: path for path in pack.glob("*.onnx")}
    return build(ModelContext(device="cpu", threads=1, weights=weights, cache_dir=tmp_path_factory.mktemp("cache")))


def test_clear_faces_pass_and_faint_ones_do_not(model: FaceModel, shared: Path) -> None:
    files: list[dict[str, Any]] = json.loads((shared / "photos" / "manifest.json").read_text())["files"]
    usable, found = {}, 0
    for file in [file for file in files if file["kind"] == "image" and file["faces_min"]]:
        picture = to_picture(decode(shared / "photos" / file["file"], max_side=MAX_SIDE))
        height, width = picture.pixels.shape[:2]
        (faces,) = model.find_faces([picture])
        found += len(faces)
        usable[file["file"]] = sum(is_usable(one, sharpness_of(picture.pixels, one), (width, height)) for one in faces)
    assert {file["file"] for file in files if usable.get(file["file"], 99) < file["faces_min"]} == set()
    assert 0.5 * found < sum(usable.values()) < 0.9 * found
