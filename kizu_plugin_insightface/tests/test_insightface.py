# ruff: noqa: E402 - without the plugin, the skip must come before what needs it
"""Faces where they are, whatever the picture's shape, and vectors that tell them apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytest_mock import MockerFixture

pytest.importorskip("kizu_plugin_insightface.plugin", reason="the plugin is not installed")
pytest.importorskip("insightface", reason="insightface is not installed")
support = pytest.importorskip("kizu_support.weights.faces", reason="the repository's test support is not here")

from kizu_core import FaceModel, ModelContext, ModelUnavailable, Picture, Runtime
from kizu_plugin_insightface.convert import convert
from kizu_plugin_insightface.model import build


def context(folder: Path, cache: Path, runtime: Runtime = Runtime.ORT_FP32) -> ModelContext:
    weights = {path.name: path for path in folder.glob("*.onnx")}
    return ModelContext(device="cpu", threads=1, weights=weights, cache_dir=cache, runtime=runtime)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaceModel]:
    loaded = build(context(support.fake_face_pack(), tmp_path_factory.mktemp("cache")))
    yield loaded
    loaded.close()


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1600, 1200), (900, 700)])
def test_a_face_is_where_it_was_drawn(size: tuple[int, int], model: FaceModel) -> None:
    width, height = size
    left, top, across = width // 4, height // 5, width // 5
    ((face,),) = model.find_faces([support.face_picture([(left, top, across)], size)])
    down = 1.2 * across
    wanted = [left / width, top / height, (left + across) / width, (top + down) / height]
    cell = 4 / 640  # of the drawn detector
    assert list(face.box.as_dict().values()) == pytest.approx(wanted, abs=1.5 * cell * max(size) / min(size))
    for (x, y), (share_x, share_y) in zip(face.keypoints, support.KEYPOINTS, strict=True):
        assert x == pytest.approx((left + share_x * across) / width, abs=0.02)
        assert y == pytest.approx((top + share_y * down) / height, abs=0.02)


def test_a_face_at_the_edge_is_cut_off_there(model: FaceModel) -> None:
    ((face,),) = model.find_faces([support.face_picture([(-40, 100, 160)])])
    assert face.box.left == 0


def test_all_faces_of_a_picture_are_embedded_at_once(model: FaceModel, mocker: MockerFixture) -> None:
    embedding = mocker.spy(model._recogniser, "get_feat")  # type: ignore[attr-defined]
    (found,) = model.find_faces([support.face_picture([(40 + 190 * number, 80, 120) for number in range(3)])])
    (call,) = embedding.call_args_list
    alone = np.concatenate([model._recogniser.get_feat([crop]) for crop in call.args[0]])  # type: ignore[attr-defined]
    alone /= np.linalg.norm(alone, axis=1, keepdims=True)
    assert np.stack([one.vector for one in found]) == pytest.approx(alone, abs=1e-5)
    assert len(found) == 3


@pytest.mark.parametrize("size", [(1, 1), (30_000, 10), (10, 30_000), (2, 5)])
def test_strips_and_dots_do_no_harm(size: tuple[int, int], model: FaceModel) -> None:
    pixels = np.full((size[1], size[0], 3), 200, np.uint8)
    assert model.find_faces([Picture(pixels=pixels, width_px=size[0], height_px=size[1])]) == [[]]


def test_openvino_finds_the_same_faces(tmp_path: Path, model: FaceModel) -> None:
    pytest.importorskip("openvino", reason="openvino is not installed")
    picture = support.face_picture([(100, 60, 120), (380, 200, 150)])
    other = build(context(support.fake_face_pack(), tmp_path, Runtime.OPENVINO_FP32))
    ((ours,), (theirs,)) = model.find_faces([picture]), other.find_faces([picture])
    assert [one.box for one in ours] == [one.box for one in theirs]
    assert all(float(a.vector @ b.vector) > 0.9999 for a, b in zip(ours, theirs, strict=True))


def test_our_faces_are_those_of_the_library(tmp_path: Path, model: FaceModel) -> None:
    from insightface.app import FaceAnalysis

    app = FaceAnalysis(
        name=str(support.fake_face_pack()),
        allowed_modules=["detection", "recognition"],
        providers=["CPUExecutionProvider"],
    )
    app.prepare(ctx_id=-1, det_size=(640, 640))
    picture = support.face_picture([(100, 60, 120), (380, 200, 150)])
    with pytest.warns(FutureWarning, match="estimate"):  # of skimage, which we do without
        theirs = app.get(np.ascontiguousarray(picture.pixels[..., ::-1]))
    (ours,) = model.find_faces([picture])
    size = np.array([picture.width_px, picture.height_px] * 2)
    for face, one in zip(ours, theirs, strict=True):
        assert np.array([*face.box.as_dict().values()]) * size == pytest.approx(one.bbox, abs=0.01)
        assert float(face.vector @ one.normed_embedding) > 0.999


def test_a_pack_is_told_by_shape_not_by_name(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    for name, path in (("a.onnx", support.RECOGNISER), ("b.onnx", support.DETECTOR)):
        (pack / name).symlink_to(support.fake_face_pack() / path)
    ((face,),) = build(context(pack, tmp_path)).find_faces([support.face_picture([(100, 60, 120)])])
    assert face.vector.shape == (512,)


@pytest.mark.parametrize(("left_out", "what"), [("DETECTOR", "detector with keypoints"), ("RECOGNISER", "recogniser")])
def test_a_pack_that_lacks_one_is_one_sentence(left_out: str, what: str, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    for path in support.fake_face_pack().glob("*.onnx"):
        if path.name != getattr(support, left_out):
            (pack / path.name).symlink_to(path)
    with pytest.raises(ModelUnavailable, match=f"has no {what}"):
        build(context(pack, tmp_path))


def test_the_bundle_holds_both_networks(tmp_path: Path) -> None:
    convert(context(support.fake_face_pack(), tmp_path), tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["detector.onnx", "recogniser.onnx"]
    assert (tmp_path / "detector.onnx").read_bytes() == (support.fake_face_pack() / support.DETECTOR).read_bytes()
