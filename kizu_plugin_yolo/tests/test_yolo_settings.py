"""Which network is used: one of five sizes, or a file of one's own, and what is wrong with the latter."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("kizu_plugin_yolo.plugin", reason="the plugin is not installed")

from kizu_core import DetectorSpec
from kizu_core.models.configured import configure_spec
from kizu_core.settings import load_settings
from kizu_plugin_yolo.plugin import kizu_detectors


def configured(home: Path, **environ: str) -> DetectorSpec:
    (spec,) = kizu_detectors()
    made = configure_spec(spec, load_settings({"home": home}, environ=environ))
    assert isinstance(made, DetectorSpec)
    return made


def test_the_middle_size_is_used_unless_another_is_set(tmp_path: Path) -> None:
    assert [one.name for one in configured(tmp_path).weights] == ["yolov8m.pt"]


@pytest.mark.parametrize("size", "nsmlx")
def test_each_size_has_its_file_version_and_licence(size: str, tmp_path: Path) -> None:
    spec = configured(tmp_path, YOLO_SIZE=size)
    (weight,) = spec.weights
    assert (weight.name, spec.output_version) == (f"yolov8{size}.pt", f"yolov8{size}-1")
    assert weight.licence.startswith("AGPL-3.0")
    assert weight.exact == (weight.sha256 is not None)
    assert len(set(spec.labels)) == 80
    assert "AGPL-3.0" in spec.summary


def test_another_size_is_refused(tmp_path: Path) -> None:
    fault = configured(tmp_path, YOLO_SIZE="xl").fault
    assert fault is not None
    assert "YOLO_SIZE" in fault.reason


def test_a_file_of_ones_own_brings_its_labels(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    weights = pytest.importorskip("kizu_support.weights.yolo", reason="the repository's test support is not here")
    path = weights.yolo_layout(tmp_path / "birds.onnx", [(0, 0, 9, 9, 0, 0.9)], ["heron", "wren"])
    spec = configured(tmp_path, YOLO_WEIGHTS=str(path))
    assert spec.labels == ("heron", "wren")
    assert "birds.onnx" in spec.summary
    other = weights.yolo_layout(tmp_path / "other.onnx", [(0, 0, 9, 8, 0, 0.9)], ["heron", "wren"])
    assert configured(tmp_path, YOLO_WEIGHTS=str(other)).output_version != spec.output_version


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("none.pt", None, "which is no .pt or .onnx file"),
        ("photo.jpg", b"x", "which is no .pt or .onnx file"),
        ("bad.pt", b"not a checkpoint", "names no classes"),
        ("bad.onnx", b"not a network", "names no classes"),
    ],
)
def test_a_file_that_is_no_detector_is_one_sentence(
    name: str, content: bytes | None, sentence: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    fault = configured(tmp_path, YOLO_WEIGHTS=str(tmp_path / name)).fault
    assert fault is not None
    assert sentence in fault.reason
    assert fault.hint
