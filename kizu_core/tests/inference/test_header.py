"""The header of ONNX files, against what the onnx library reads, and of files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizu_core import ModelUnavailable, fingerprint, read_header


def test_inputs_outputs_and_metadata_are_those_of_the_library(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    path = tmp_path / "net.onnx"
    model = onnx.parser.parse_model(
        """<ir_version: 3, opset_import: ["": 13]>
        net (float[N, 3, H, 640] images, float[2] weight, float scalar) => (float[N, ?] found, float out)
        <float[2] weight = {1.0, 2.0}> { found = Identity(images) out = Identity(scalar) }"""
    )
    onnx.helper.set_model_props(model, {"names": "{0: 'Grüße'}", "empty": ""})
    onnx.save(model, path)
    header = read_header(path)
    assert header.inputs == {"images": ("N", 3, "H", 640), "scalar": ()}
    assert header.outputs == {"found": ("N", None), "out": ()}
    assert header.metadata["names"] == "{0: 'Grüße'}"


@given(st.binary(max_size=200))
def test_no_content_does_harm(content: bytes) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        with pytest.raises(ModelUnavailable):
            read_header(Path(file.name))


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="can't be read as an ONNX file"):
        read_header(tmp_path / "none.onnx")


def test_a_fingerprint_tells_trainings_apart_and_is_the_same_elsewhere(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "copy of a", "longer", "other end")]
    contents = [bytes(3_000_000), bytes(3_000_000), bytes(3_000_001), bytes(2_999_999) + b"x"]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    first, copy, *others = map(fingerprint, paths)
    assert first == copy
    assert len({first, *others}) == 3
