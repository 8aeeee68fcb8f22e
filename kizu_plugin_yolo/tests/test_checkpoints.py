# ruff: noqa: E402 - without the libraries, the skip must come before what needs them
"""Checkpoints of ultralytics: read as data, converted, and the same boxes on every engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("kizu_plugin_yolo.plugin", reason="the plugin is not installed")
weights = pytest.importorskip("kizu_support.weights.yolo", reason="the repository's test support is not here")

from kizu_core.models.environment import switches


@pytest.fixture(autouse=True, scope="module")
def _quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """As in a worker's child, and before ultralytics is imported by anybody in this process."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in switches(cache).items():
            patch.setenv(name, value)
        pytest.importorskip("ultralytics", reason="ultralytics is not installed")
        yield cache


import torch

from kizu_core import ModelContext, ModelType, ModelUnavailable, Picture, Runtime, read_header
from kizu_core.models.runtimes.drawings import drawings
from kizu_core.models.runtimes.gate import judge
from kizu_plugin_yolo.convert import NETWORK, convert
from kizu_plugin_yolo.labels import labels_in
from kizu_plugin_yolo.model import build


@pytest.fixture(scope="module")
def checkpoint() -> Path:
    return Path(weights.random_yolo("n", 8))


@pytest.fixture(scope="module")
def converted(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    folder = tmp_path_factory.mktemp("converted")
    convert(context(checkpoint, folder), folder)
    return folder


def context(path: Path, folder: Path, runtime: Runtime | None = None) -> ModelContext:
    return ModelContext(
        device="cpu", threads=1, weights={"own.pt": path}, cache_dir=folder, runtime=runtime, converted=folder
    )


def test_labels_are_read_without_unpickling(checkpoint: Path) -> None:
    assert labels_in(checkpoint) == tuple(f"thing {number}" for number in range(8))


def test_the_converted_file_has_the_layout_and_its_labels(converted: Path) -> None:
    header = read_header(converted / NETWORK)
    assert list(header.inputs) == ["images"]
    assert header.outputs["output0"][1] == 12
    assert labels_in(converted / NETWORK) == tuple(f"thing {number}" for number in range(8))
    assert [one.name for one in converted.iterdir()] == [NETWORK]


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (640, 640), (640, 230)])
def test_the_converted_network_finds_the_same_in_every_frame(
    size: tuple[int, int], checkpoint: Path, converted: Path
) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pixels = np.ascontiguousarray(drawings()[0].pixels[: size[1], : size[0]])
    picture = Picture(pixels=pixels, width_px=size[0], height_px=size[1])
    with_torch, with_ort = (
        build(context(checkpoint, converted, runtime)).detect([picture])[0]
        for runtime in (Runtime.TORCH_FP32, Runtime.ORT_FP32)
    )
    verdict = judge(ModelType.DETECTOR, [with_torch], [with_ort])
    assert verdict.reason is None
    assert verdict.fidelity > 0.999


def test_our_boxes_are_those_of_the_library(checkpoint: Path, converted: Path) -> None:
    """Of a picture that need not be scaled: each of a random network's hundred boxes hangs on every grey level."""
    from PIL import Image
    from ultralytics import YOLO

    pixels = np.ascontiguousarray(drawings()[0].pixels[:470, :640])
    (ours,) = build(context(checkpoint, converted)).detect([Picture(pixels=pixels, width_px=640, height_px=470)])
    (theirs,) = YOLO(checkpoint).predict(Image.fromarray(pixels), verbose=False, device="cpu")
    boxes, scores = theirs.boxes.xyxyn.numpy(), theirs.boxes.conf.numpy()
    assert len(ours) == len(boxes) > 3
    assert [one.score for one in ours] == pytest.approx(scores.tolist(), abs=1e-4)
    assert np.array([[*one.box.as_dict().values()] for one in ours]) == pytest.approx(boxes, abs=1e-4)


class Evil:
    """A pickle that makes a file when it is loaded without care."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("place", ["model", "ema", "beside"])
def test_a_pickle_that_runs_code_is_one_sentence(
    place: str, tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD")  # what ultralytics is told has to be enough
    marker, path = tmp_path / "ran", tmp_path / "it's evil.pt"
    torch.save({**torch.load(checkpoint, weights_only=False), place: Evil(marker)}, path)
    with pytest.raises(ModelUnavailable, match=r"it's evil\.pt is damaged or no checkpoint .* was not loaded"):
        build(context(path, tmp_path))
    assert not marker.exists()
    torch.load(path, weights_only=False)
    assert marker.exists()  # it would have


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04" + bytes(100)])
def test_a_damaged_file_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.pt"
    path.write_bytes(content)
    with pytest.raises(ModelUnavailable, match="damaged or no checkpoint"):
        build(context(path, tmp_path))


def test_a_checkpoint_of_something_else_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    torch.save({"model": torch.nn.Linear(2, 2), "ema": None}, path)
    with pytest.raises(ModelUnavailable, match=r"other\.pt is no detector"):
        build(context(path, tmp_path))


def test_nothing_is_written_but_into_the_cache(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    build(context(checkpoint, tmp_path)).close()
    assert list(tmp_path.iterdir()) == []
