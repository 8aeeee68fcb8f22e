# ruff: noqa: E402 - without the libraries that make bundles, the skip must come before what needs them
"""Exported models see what the originals see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

for library in ("open_clip", "insightface", "ultralytics"):
    pytest.importorskip(library, reason="bundles are made by the plugins whose libraries are not all installed")
bundles = pytest.importorskip("kizu_support.weights.bundles", reason="the repository's test support is not here")

from kizu_core import ModelType
from kizu_core.models.selection import build_catalog
from kizu_core.settings import load_settings
from kizu_core.testing import picture_of
from kizu_support.models import loaded
from kizu_support.weights import CLASSES, caption, shape_photo
from kizu_support.weights.faces import face_picture, fake_face_pack
from kizu_support.weights.yolo import rectangles

SETTINGS = {
    "ONNX_CLIP": str(bundles.unpacked("clip")),
    "ONNX_YOLO": str(bundles.unpacked("yolo")),
    "ONNX_FACES": str(bundles.unpacked("insightface")),
    **bundles.sources(),
}
PAIRS = [
    (ModelType.EMBEDDER, "clip", "clip-onnx"),
    (ModelType.DETECTOR, "yolo", "yolo-onnx"),
    (ModelType.FACE_MODEL, "insightface", "faces-onnx"),
]


@pytest.fixture
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Any, Any]]:
    kind, *names = PAIRS[request.param]
    with ExitStack() as stack:
        yield tuple(stack.enter_context(loaded(kind, name, tmp_path, **SETTINGS)) for name in names)


@pytest.mark.parametrize(("kind", "original", "exported"), PAIRS)
def test_space_and_version_travel(kind: ModelType, original: str, exported: str, tmp_path: Path) -> None:
    catalog = build_catalog(load_settings({"home": tmp_path}, environ=SETTINGS))
    one, other = catalog.model(kind, original), catalog.model(kind, exported)
    for field in ("output_version", "space", "dim", "labels", "languages"):
        assert getattr(one, field, None) == getattr(other, field, None)


@pytest.mark.parametrize("pair", [0], indirect=True)
def test_clip(pair: tuple[Any, Any]) -> None:
    photos = [picture_of(np.asarray(shape_photo(*kind, 7))) for kind in CLASSES[:12]]
    texts = [caption(*kind) for kind in CLASSES]
    for call, given in (("embed_images", photos), ("embed_texts", texts)):
        one, other = (getattr(model, call)(given) for model in pair)
        assert (one * other).sum(axis=1).min() > 0.9999


@pytest.mark.parametrize("pair", [1], indirect=True)
def test_yolo(pair: tuple[Any, Any]) -> None:
    picture = rectangles((1280, 720), [("red", 100, 80, 300, 220), ("blue", 700, 300, 1200, 700)])
    one, other = (model.detect([picture])[0] for model in pair)
    assert [found.label for found in one] == [found.label for found in other]
    assert {found.label for found in one} == {"red", "blue"}
    for a, b in zip(one, other, strict=True):
        assert a.box.as_dict() == pytest.approx(b.box.as_dict(), abs=1e-6)


@pytest.mark.parametrize("pair", [2], indirect=True)
@pytest.mark.parametrize("size", [(640, 480), (1001, 640), (640, 1333)])
def test_faces(pair: tuple[Any, Any], size: tuple[int, int]) -> None:
    same_faces(pair, [face_picture([(100, 60, 120), (380, 200, 150)], size)], 2)


def same_faces(pair: tuple[Any, Any], pictures: list[Any], count: int) -> None:
    one, other = ([face for faces in model.find_faces(pictures) for face in faces] for model in pair)
    assert len(one) == len(other) == count
    for a, b in zip(one, other, strict=True):
        assert a.box.as_dict() == pytest.approx(b.box.as_dict(), abs=2e-3)
        assert float(a.vector @ b.vector) > 0.9999


@pytest.mark.parametrize("detector", ["scrfd_2.5g.onnx", "scrfd_500m_bnkps.onnx"])
def test_real_detectors_on_photos(detector: str, shared: Path, tmp_path: Path) -> None:
    from kizu_core.media.decode import decode, to_picture
    from kizu_core.models.exported import export_onnx
    from kizu_core.models.runtimes.convert import convert

    environ = {"FACE_MODEL_NAME": str(fake_face_pack(shared / "weights" / detector))}
    settings = load_settings({"home": tmp_path / "home", "threads": 1}, environ=environ)
    spec = build_catalog(settings).model(ModelType.FACE_MODEL, "insightface")
    export_onnx(spec, convert(spec, settings), tmp_path / "bundle")
    environ["ONNX_FACES"] = str(tmp_path / "bundle" / "face" / "faces-onnx")
    picture = to_picture(decode(shared / "photos" / "obama_biden_oval_office.jpg", max_side=2048))
    with ExitStack() as stack:
        original, exported = (
            stack.enter_context(loaded(ModelType.FACE_MODEL, name, tmp_path, **environ))
            for name in ("insightface", "faces-onnx")
        )
        same_faces((original, exported), [picture], 2)
