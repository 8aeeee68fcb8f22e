"""What travels with an exported model, and what a bundle from elsewhere can't do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kizu_core.errors import ModelUnavailable, StorageError
from kizu_core.inference.session import open_session
from kizu_core.models.bundles import INDEX
from kizu_core.models.exported import ABOUT, MOST_BYTES, export_onnx, read_bundle
from kizu_core.plugins.specs import EmbedderSpec, OcrSpec, WeightFile
from kizu_core.types import Runtime

TERMS = "non-commercial research only"


@pytest.fixture
def spec() -> EmbedderSpec:
    weight = WeightFile(name="a.bin", source="https://example.org/a", bytes=3, licence="MIT", consent=TERMS)
    return EmbedderSpec(
        name="clip",
        summary="a model",
        factory="a.b:c",
        output_version="v-1",
        dim=4,
        space="openclip/tiny/x",
        languages=("en", "de"),
        weights=(weight,),
    )


@pytest.fixture
def converted(tmp_path: Path) -> Path:
    folder = tmp_path / "converted"
    folder.mkdir()
    (folder / "visual.onnx").write_bytes(b"graph")
    (folder / ABOUT).write_text(json.dumps({"for": "clip-onnx", "preprocessing": {"size": 64}}))
    return folder


def test_space_version_languages_licence_and_consent_travel(
    spec: EmbedderSpec, converted: Path, tmp_path: Path
) -> None:
    export_onnx(spec, converted, tmp_path / "stick" / "bundle")
    folder = tmp_path / "stick" / "bundle" / "embedder" / "clip-onnx"
    found = read_bundle(folder / "bundle.json")
    assert (found.model, found.made_from, found.space, found.dim) == ("clip-onnx", "clip", spec.space, 4)
    assert (found.output_version, found.languages, found.preprocessing) == ("v-1", ("en", "de"), {"size": 64})
    [file] = found.files.values()
    assert (file.bytes, file.licence, file.consent) == (5, "MIT", TERMS)
    assert {path.name for path in folder.iterdir()} == {"bundle.json", "visual.onnx"}
    index = json.loads((tmp_path / "stick" / "bundle" / INDEX).read_text())
    assert set(index["files"]) == {"embedder/clip-onnx/bundle.json", "embedder/clip-onnx/visual.onnx"}


def test_nothing_is_written_over(spec: EmbedderSpec, converted: Path, tmp_path: Path) -> None:
    (tmp_path / "there.tar").write_text("somebody's")
    with pytest.raises(StorageError, match="there already"):
        export_onnx(spec, converted, tmp_path / "there.tar")
    assert (tmp_path / "there.tar").read_text() == "somebody's"


def test_a_kind_that_nothing_runs(converted: Path, tmp_path: Path) -> None:
    (converted / ABOUT).unlink()
    reader = OcrSpec(name="reader", summary="reads", factory="a.b:c", output_version="1", languages=("en",))
    with pytest.raises(ModelUnavailable, match="nothing runs a ocr"):
        export_onnx(reader, converted, tmp_path / "x")


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"kind": "spoon"},
        {"model": "../clip"},
        {"dim": 10**9},
        {"files": {}},
        {"files": {"../up.onnx": {"bytes": 1, "sha256": "0" * 64, "licence": "x"}}},
        {"files": {"/etc/passwd": {"bytes": 1, "sha256": "0" * 64, "licence": "x"}}},
        {"files": {"a.onnx": {"bytes": -1, "sha256": "0" * 64, "licence": "x"}}},
        {"labels": ["x" * 1000]},
        {"output_version": ""},
    ],
)
def test_a_description_that_does_not_fit_is_refused(
    change: dict[str, object], spec: EmbedderSpec, converted: Path, tmp_path: Path
) -> None:
    export_onnx(spec, converted, tmp_path / "bundle")
    path = tmp_path / "bundle" / "embedder" / "clip-onnx" / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelUnavailable, match="does not describe an exported model"):
        read_bundle(path)


def test_an_endless_description_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_bytes(b" " * (MOST_BYTES + 1) + b"{}")
    with pytest.raises(ModelUnavailable, match="does not describe"):
        read_bundle(path)


@pytest.mark.parametrize("runtime", [Runtime.ORT_FP32, Runtime.OPENVINO_FP32])
@pytest.mark.parametrize("place", ["absolute", "../secret.bin", "./../secret.bin"])
def test_a_network_reads_nothing_outside_of_its_folder(place: str, runtime: Runtime, tmp_path: Path) -> None:
    """An ONNX file may keep its numbers in other files; those of somebody else are not its numbers."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("openvino" if "openvino" in runtime else "onnxruntime", reason="the engine is not installed")
    (tmp_path / "secret.bin").write_bytes(bytes(64))
    folder = tmp_path / "model"
    folder.mkdir()
    weights = onnx.TensorProto(name="w", data_type=1, dims=[4, 4], data_location=onnx.TensorProto.EXTERNAL)
    location = str(tmp_path / "secret.bin") if place == "absolute" else place
    for key, value in (("location", location), ("offset", "0"), ("length", "64")):
        weights.external_data.add(key=key, value=value)
    ports = [onnx.helper.make_tensor_value_info(name, 1, ["n", 4]) for name in "xy"]
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = onnx.helper.make_graph([node], "g", ports[:1], ports[1:], [weights])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    (folder / "a.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelUnavailable, match="damaged or no ONNX model"):
        open_session(folder / "a.onnx", runtime, 1)
