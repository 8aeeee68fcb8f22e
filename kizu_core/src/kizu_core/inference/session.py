"""One way to run an ONNX file, whatever engine computes it: ONNX Runtime or OpenVINO, on the CPU or a GPU.

Thread counts are always explicit, since each engine would take every core for itself, and nothing that an engine counts
about its users leaves it. Importing this module imports no engine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizu_core.errors import ModelUnavailable
from kizu_core.types import Runtime

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tensor = NDArray[Any]

Shape = tuple[int | str | None, ...]
"""Of a tensor: a size, or the name of one that may vary, or None for one without a name."""

_ORT_PROVIDERS: Mapping[Runtime, str] = {
    Runtime.ORT_CUDA_FP32: "CUDAExecutionProvider",
    Runtime.ORT_INT8: "CPUExecutionProvider",
    Runtime.ORT_FP32: "CPUExecutionProvider",
}
_OPENVINO_PRECISIONS: Mapping[Runtime, str] = {Runtime.OPENVINO_BF16: "bf16", Runtime.OPENVINO_FP32: "f32"}


class Session:
    """A loaded ONNX model. `inputs`: name -> shape; `outputs`: names as declared; `metadata`: the file's own."""

    def __init__(
        self,
        infer: Callable[[Mapping[str, Tensor]], list[Tensor]],
        inputs: Mapping[str, Shape],
        outputs: tuple[str, ...],
        metadata: Mapping[str, str],
    ) -> None:
        self._infer: Callable[[Mapping[str, Tensor]], list[Tensor]] | None = infer
        self.inputs = inputs
        self.outputs = outputs
        self.metadata = metadata

    def run(self, feeds: Mapping[str, Tensor]) -> list[Tensor]:
        """Every output, in the order of `outputs`, for one array per input; the arrays fed are not modified."""
        if self._infer is None:
            raise RuntimeError("run was called after close")
        return self._infer(feeds)

    def close(self) -> None:
        """Gives the memory back; may be called twice."""
        self._infer = None


def open_session(path: Path, runtime: Runtime, threads: int) -> Session:
    """The ONNX file `path`, loaded for `runtime` with `threads` threads in an operator and one operator at a time.

    For int8 the file that `quantise` wrote next to it is opened, or `path` itself where there is none. Raises
    `ModelUnavailable`: the file is missing or damaged, the engine is not installed or finds no GPU; `ValueError` for a
    runtime that runs no ONNX.
    """
    if runtime is Runtime.ORT_INT8 and int8_of(path).is_file():
        path = int8_of(path)
    if not path.is_file():
        raise ModelUnavailable(f"There is no model file {path}.", hint="`kizu models bench` converts it again.")
    if runtime not in _ORT_PROVIDERS and runtime not in _OPENVINO_PRECISIONS:
        raise ValueError(f"{runtime} runs no ONNX file")
    try:
        if runtime in _ORT_PROVIDERS:
            return _open_onnxruntime(path, _ORT_PROVIDERS[runtime], threads)
        return _open_openvino(path, _OPENVINO_PRECISIONS[runtime], threads)
    except ModelUnavailable:
        raise
    except ImportError as error:
        message = f"{runtime} needs the library {error.name}."
        raise ModelUnavailable(message, hint=f"{sys.executable} -m pip install {error.name}") from error
    except Exception as error:  # each engine has a dozen of its own, of no class in common
        raise ModelUnavailable(
            f"{path} is damaged or no ONNX model that {runtime} can run ({type(error).__name__}).",
            hint="Pull or import the model again, then run `kizu models bench`.",
        ) from error


def quantise(path: Path) -> Path:
    """Writes the int8 form of an ONNX file next to it and returns its path; part of a conversion, never of a job.

    Weights of matrix products become int8, channel by channel; activations are scaled at run time, so that no sample
    pictures are needed. Convolutions stay as they are: their dynamic int8 form is slower than float. Raises
    `ModelUnavailable` if onnx or ONNX Runtime is missing.
    """
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        message = f"Quantising needs the library {error.name}."
        raise ModelUnavailable(message, hint=f"{sys.executable} -m pip install {error.name}") from error
    quantize_dynamic(
        path, int8_of(path), op_types_to_quantize=["MatMul", "Gemm"], per_channel=True, weight_type=QuantType.QInt8
    )
    return int8_of(path)


def int8_of(path: Path) -> Path:
    """Where the int8 form of an ONNX file lies."""
    return path.with_suffix(".int8.onnx")


def mute() -> None:
    """Keeps OpenVINO from counting each import at a web service: it has no switch, but does without the counter."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # how Python marks "not importable"


def _open_onnxruntime(path: Path, provider: str, threads: int) -> Session:
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    if provider not in onnxruntime.get_available_providers():
        raise ModelUnavailable(f"This ONNX Runtime has no {provider}.", hint="`kizu doctor` says what is here.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    options.enable_cpu_mem_arena = False  # it would keep for good what the largest picture ever took
    # Threads that wait by turning in circles would take the cores from decoding, which runs beside inference.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, sess_options=options, providers=[provider])
    if provider not in session.get_providers():  # it falls back to the CPU with no more than a log line
        raise ModelUnavailable(f"ONNX Runtime can't use {provider} here.", hint="`kizu doctor` says what is here.")
    return Session(
        lambda feeds: list(session.run(None, dict(feeds))),
        {one.name: tuple(one.shape) for one in session.get_inputs()},
        tuple(one.name for one in session.get_outputs()),
        dict(session.get_modelmeta().custom_metadata_map),
    )


def _open_openvino(path: Path, precision: str, threads: int) -> Session:
    mute()
    import openvino

    frontend = openvino.frontend.FrontEndManager().load_by_framework("onnx")  # else it guesses what the file is
    model = frontend.convert(frontend.load(path))
    options = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # two processes would be pinned to the same core
    }
    compiled = openvino.Core().compile_model(model, "CPU", options)
    request = compiled.create_infer_request()

    def infer(feeds: Mapping[str, Tensor]) -> list[Tensor]:
        found = request.infer(dict(feeds))
        return [found[output] for output in compiled.outputs]

    return Session(
        infer,
        {one.get_any_name(): _openvino_shape(one) for one in compiled.inputs},
        tuple(one.get_any_name() for one in compiled.outputs),
        _openvino_metadata(model),
    )


def _openvino_shape(port: Any) -> Shape:
    return tuple(None if size.is_dynamic else int(size.get_length()) for size in port.get_partial_shape())


def _openvino_metadata(model: Any) -> Mapping[str, str]:
    told = model.get_rt_info()
    return {key: str(one.value) for key, one in told["framework"].items()} if "framework" in told else {}
