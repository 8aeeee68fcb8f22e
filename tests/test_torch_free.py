# ruff: noqa: E402 - without the libraries that make bundles, the skip must come before what needs them
"""A machine without torch: exported models find there what the originals find here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

for library in ("open_clip", "insightface", "ultralytics", "rapidocr"):
    pytest.importorskip(library, reason="the plugins whose models are exported are not all installed")

from PIL import Image

from kizu_core import ModelType
from kizu_core.media.decode import decode, to_picture
from kizu_core.testing import sign
from kizu_support.distributions import ROOT
from kizu_support.environments import Environment, link_installed
from kizu_support.models import loaded
from kizu_support.retrieval import save_shape_photos
from kizu_support.weights import bundles
from kizu_support.weights.faces import face_picture
from kizu_support.weights.yolo import rectangles

EACH = 1
ARRIVED = {"bundle.json", "visual.onnx", "visual.int8.onnx", "text.onnx", "merges.txt.gz", "yolo.onnx"}
ARRIVED |= {"detector.onnx", "recogniser.onnx"}

SEARCH = """
import json, sys
from dataclasses import asdict
from kizu_core import open_library
from kizu_core.settings import load_settings
from kizu_support.retrieval import measure
with open_library(load_settings()) as library:
    print(json.dumps(asdict(measure(lambda query: library.search(query, limit=50), int(sys.argv[1])))))
assert "torch" not in sys.modules
"""

EMBED = """
import json, sys
from pathlib import Path
from kizu_core import ModelType
from kizu_core.media.decode import decode, to_picture
from kizu_core.models.loading import load_model
from kizu_core.models.selection import build_catalog
from kizu_core.settings import load_settings
settings = load_settings()
model = load_model(build_catalog(settings).model(ModelType.EMBEDDER, "clip-onnx"), settings)
pictures = [to_picture(decode(Path(one))) for one in sys.argv[1:]]
print(json.dumps(model.embed_images(pictures).tolist()))
"""


class TorchFree(Environment):
    """An environment whose commands run as modules: the scripts of the checkout belong to another interpreter."""

    def kizu(self, *arguments: str) -> str:
        code = "import sys; from kizu_core.cli.app import main; sys.exit(main())"
        return self.run([str(self.python), "-c", code, *arguments])

    def script(self, code: str, *arguments: str) -> Any:
        """The JSON that a program prints which may use the tests' support."""
        place = f"import sys; sys.path.append({str(ROOT / 'tests' / 'support')!r})\n"
        return json.loads(self.run([str(self.python), "-c", place + code, *arguments]))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 40 kinds of shapes, a picture with two faces, one with a red rectangle, a sign."""
    folder = save_shape_photos(tmp_path_factory.mktemp("photos"), EACH)
    drawn = {
        "faces.png": face_picture([(100, 60, 120), (380, 200, 150)]),
        "objects.png": rectangles((640, 480), [("red", 100, 80, 300, 220)]),
        "sign.png": sign("HARBOUR CAFE"),
    }
    for name, picture in drawn.items():
        Image.fromarray(picture.pixels).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> TorchFree:
    """Core, the runner of bundles and RapidOCR; the bundles imported; all photos done."""
    machine = TorchFree.create(tmp_path_factory.mktemp("machine"), with_pip=False)
    names = ("kizu-core", "kizu-plugin-onnx", "kizu-plugin-rapidocr", "opencv-python-headless")
    linked = link_installed(machine, *names)
    assert not linked & {"torch", "torchvision", "transformers", "open-clip-torch", "ultralytics", "insightface"}
    found = json.loads(
        machine.kizu(
            *("models", "import", "--no-bench", "--json"),
            *(str(bundles.bundle(name)) for name in ("clip", "yolo", "insightface")),
        )
    )
    assert {one["file"] for one in found["files"] if one["state"] == "fetched"} == ARRIVED
    machine.kizu("run", str(photos))
    return machine


def test_torch_is_not_there(machine: TorchFree) -> None:
    with pytest.raises(AssertionError, match="No module named 'torch'"):
        machine.run([str(machine.python), "-c", "import torch"])


def test_every_operation_is_done(machine: TorchFree, photos: Path) -> None:
    done = json.loads(machine.kizu("status", "--json"))["jobs"]
    count = len(list(photos.iterdir()))
    for operation in ("embedding", "objects", "faces", "ocr", "optimize"):
        assert (done[operation]["done"], done[operation]["failed"]) == (count, 0), operation


def test_words_find_the_40_kinds(machine: TorchFree) -> None:
    found = machine.script(SEARCH, str(EACH))
    assert found["first"] >= 0.95, found


def test_vectors_are_those_of_torch(machine: TorchFree, photos: Path, tmp_path: Path) -> None:
    paths = sorted(photos.glob("*-star-*.jpg"))
    here = np.array(machine.script(EMBED, *map(str, paths)))
    with loaded(ModelType.EMBEDDER, "clip", tmp_path, **bundles.sources()) as model:
        there = model.embed_images([to_picture(decode(path)) for path in paths])
    assert (here * there).sum(axis=1).min() > 0.999


def test_words_labels_and_faces_are_in_the_rows(machine: TorchFree, photos: Path) -> None:
    assert "sign.png" in machine.kizu("search", "HARBOUR", "--json")
    assert "objects.png" in machine.kizu("search", "red", "--json")
    seen = json.loads(machine.kizu("look", str(photos / "faces.png"), "--operations", "faces", "--json"))
    assert json.dumps(seen).count('"bbox"') == 2 or json.dumps(seen).count('"keypoints"') == 2
