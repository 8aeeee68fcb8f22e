"""One way to run ONNX files: the same numbers from each engine, plain sentences for what can't be run, no telemetry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kizu_core import ModelUnavailable, Runtime, Session, open_session, quantise

onnx = pytest.importorskip("onnx", reason="the tests make ONNX files")
pytest.importorskip("onnxruntime", reason="ONNX Runtime is one of the engines")

ENGINES = [Runtime.ORT_FP32, Runtime.OPENVINO_FP32, Runtime.OPENVINO_BF16]
PICTURES = np.random.default_rng(1).normal(size=(3, 64)).astype(np.float32)
WEIGHTS = np.random.default_rng(2).normal(size=(64, 32)).astype(np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """y = x W, and z = -y, for batches of any size."""
    helper, kinds = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Neg", ["y"], ["z"])],
        "tiny",
        [helper.make_tensor_value_info("x", kinds.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info(name, kinds.FLOAT, ["n", 32]) for name in ("z", "y")],
        [onnx.numpy_helper.from_array(WEIGHTS, "w")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    made.metadata_props.add(key="names", value="{0: 'cat'}")
    path = tmp_path / "tiny.onnx"
    onnx.save(made, path)
    return path


def opened(path: Path, runtime: Runtime) -> Session:
    if runtime in (Runtime.OPENVINO_BF16, Runtime.OPENVINO_FP32):
        pytest.importorskip("openvino", reason="OpenVINO is one of the engines")
    return open_session(path, runtime, 1)


@pytest.mark.parametrize("runtime", ENGINES)
def test_outputs_come_in_the_order_of_the_file_and_are_right(model: Path, runtime: Runtime) -> None:
    session = opened(model, runtime)
    before = PICTURES.copy()
    z, y = session.run({"x": PICTURES})
    assert session.outputs == ("z", "y")
    assert list(session.inputs) == ["x"]
    assert session.inputs["x"][1] == 64
    assert session.metadata["names"] == "{0: 'cat'}"
    np.testing.assert_allclose(y, before @ WEIGHTS, atol=0.2 if runtime is Runtime.OPENVINO_BF16 else 1e-4)
    np.testing.assert_allclose(z, -y)
    np.testing.assert_array_equal(PICTURES, before)
    assert session.run({"x": PICTURES[:1]})[0].shape == (1, 32)


@pytest.mark.parametrize("runtime", ENGINES)
def test_a_session_can_be_closed_twice_and_then_runs_nothing(model: Path, runtime: Runtime) -> None:
    session = opened(model, runtime)
    session.close()
    session.close()
    with pytest.raises(RuntimeError, match="after close"):
        session.run({"x": PICTURES})


@pytest.mark.parametrize("runtime", ENGINES)
def test_a_damaged_file_is_one_sentence(model: Path, runtime: Runtime) -> None:
    model.write_bytes(model.read_bytes()[:500] + b"junk" * 100)
    with pytest.raises(ModelUnavailable, match=r"tiny\.onnx is damaged or no ONNX model") as raised:
        opened(model, runtime)
    assert "\n" not in raised.value.message


def test_int8_is_opened_where_it_was_made_and_the_file_itself_where_not(model: Path) -> None:
    whole = opened(model, Runtime.ORT_INT8).run({"x": PICTURES})[1]
    np.testing.assert_allclose(whole, PICTURES @ WEIGHTS, atol=1e-4)
    assert quantise(model) == model.with_name("tiny.int8.onnx")
    small = opened(model, Runtime.ORT_INT8).run({"x": PICTURES})[1]
    assert not np.allclose(small, whole, atol=1e-4)
    cosines = (small * whole).sum(axis=1) / np.linalg.norm(small, axis=1) / np.linalg.norm(whole, axis=1)
    assert cosines.min() > 0.999


def test_what_is_not_there_is_said(model: Path) -> None:
    with pytest.raises(ModelUnavailable, match="There is no model file"):
        open_session(model.with_name("other.onnx"), Runtime.ORT_FP32, 1)
    with pytest.raises(ValueError, match="runs no ONNX"):
        open_session(model, Runtime.TORCH_FP32, 1)
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(ModelUnavailable, match="CUDAExecutionProvider"):
            open_session(model, Runtime.ORT_CUDA_FP32, 1)


def test_importing_the_root_names_loads_no_engine_and_openvino_gets_no_counter(model: Path) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is one of the engines")
    code = (
        "import sys; from pathlib import Path; from kizu_core import Runtime, open_session, quantise;"
        "assert not {'numpy', 'onnxruntime', 'openvino'} & set(sys.modules);"
        "open_session(Path(sys.argv[1]), Runtime.OPENVINO_FP32, 1);"
        "assert 'openvino' in sys.modules;"
        "print([name for name, module in sys.modules.items() if name.startswith('openvino_telemetry') and module])"
    )
    done = subprocess.run([sys.executable, "-c", code, model], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
