"""Which of a model's runtimes can be tried here, and why the others can't: a quick look that loads nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kizu_core.models.runtimes.machine import Machine
from kizu_core.plugins.specs import ModelSpec
from kizu_core.types import Runtime

GPU = frozenset({Runtime.TORCH_CUDA_FP16, Runtime.ORT_CUDA_FP32})
_ORT = frozenset({Runtime.ORT_CUDA_FP32, Runtime.ORT_INT8, Runtime.ORT_FP32})
_OPENVINO = frozenset({Runtime.OPENVINO_BF16, Runtime.OPENVINO_FP32})
_BF16 = frozenset({Runtime.OPENVINO_BF16, Runtime.TORCH_BF16})


@dataclass(frozen=True, slots=True)
class Candidate:
    """`obstacle`: why it can't be tried, empty if it can."""

    runtime: Runtime
    obstacle: str = ""


def possible(spec: ModelSpec, machine: Machine) -> Sequence[Candidate]:
    """Every runtime that the plugin declares, in its order; the first is the reference."""
    return [Candidate(runtime, obstacle(runtime, machine)) for runtime in spec.runtimes]


def obstacle(runtime: Runtime, machine: Machine) -> str:
    """Why this machine can't even try it; empty if it can."""
    if runtime in GPU and not machine.gpu:
        return "this container was given no GPU" if machine.contained else "no NVIDIA GPU was found"
    if engine_of(runtime, machine.libraries) is None:
        return f"{_wanted(runtime)} is not installed ({sys.executable} -m pip install {_wanted(runtime)})"
    if runtime is Runtime.TORCH_CUDA_FP16 and machine.libraries["torch"].endswith("+cpu"):
        return "the installed torch is built for the CPU only"
    if runtime in _BF16 and not machine.has_bf16:
        return "this processor does not compute in bfloat16"
    if runtime is Runtime.ORT_INT8 and not machine.has_int8:
        return "this processor does not multiply int8 fast"
    return ""


def needs_conversion(spec: ModelSpec, runtime: Runtime) -> bool:
    """Whether this runtime reads what the plugin's `convert` writes."""
    return spec.convert is not None and runtime != spec.runtimes[0] and runtime in _ORT | _OPENVINO


def engine_of(runtime: Runtime, libraries: Mapping[str, str]) -> str | None:
    """The installed distribution that computes it; None if there is none."""
    if runtime in _OPENVINO:
        names: Sequence[str] = ["openvino"]
    elif runtime in _ORT:
        names = ["onnxruntime-gpu"] if runtime in GPU else ["onnxruntime", "onnxruntime-gpu"]
    else:
        names = ["torch"]
    return next((name for name in names if name in libraries), None)


def _wanted(runtime: Runtime) -> str:
    if runtime in _OPENVINO:
        return "openvino"
    if runtime in _ORT:
        return "onnxruntime-gpu" if runtime in GPU else "onnxruntime"
    return "torch"
