"""YOLO behind Kizu's `Detector`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from kizu_core import Detection, ModelContext, ModelUnavailable, Picture, Runtime, find_objects, labels_of, open_session
from kizu_plugin_yolo.convert import NETWORK

FRAME = (640, 640)
"""Width and height in pixels of the largest frame; official networks learnt from it."""

GPU_BATCH = 16
"""Frames at a time on a GPU. A processor gains nothing from more than one."""

_TORCH = (Runtime.TORCH_FP32, Runtime.TORCH_BF16, Runtime.TORCH_CUDA_FP16)


class YoloDetector:
    """A network and what it calls its classes. `frame`, `fixed`, `batch`: as `find_objects` takes them."""

    def __init__(
        self,
        infer: Callable[[NDArray[Any]], NDArray[Any]],
        labels: Sequence[str],
        *,
        frame: tuple[int, int] = FRAME,
        fixed: bool = False,
        batch: int = 1,
    ) -> None:
        self._infer: Callable[[NDArray[Any]], NDArray[Any]] | None = infer
        self._labels = labels
        self._frame = frame
        self._fixed = fixed
        self._batch = batch

    def detect(self, pictures: Sequence[Picture]) -> Sequence[Sequence[Detection]]:
        """Objects of each picture, best first."""
        if self._infer is None:
            raise RuntimeError("detect was called after close")
        return find_objects(self._infer, pictures, self._labels, size=self._frame, fixed=self._fixed, batch=self._batch)

    def close(self) -> None:
        self._infer = None


def build(context: ModelContext) -> YoloDetector:
    """The factory named by the spec. Raises `ModelUnavailable` for a file that holds no detector, or code."""
    (path,) = context.weights.values()
    runtime = context.runtime or (Runtime.TORCH_FP32 if path.suffix == ".pt" else Runtime.ORT_FP32)
    if runtime in _TORCH:
        return _with_torch(path, runtime, context.threads)
    if path.suffix == ".pt":
        if context.converted is None:
            raise ModelUnavailable(f"{path.name} was not converted for {runtime}.", hint="`kizu models bench yolo`")
        path = context.converted / NETWORK
    return _with_session(path, runtime, context.threads)


def _with_torch(path: Path, runtime: Runtime, threads: int) -> YoloDetector:
    import torch

    from kizu_plugin_yolo.network import load_network

    torch.set_num_threads(threads)
    network, device, dtype = load_network(path), "cpu", torch.float32
    labels = [str(network.names[number]) for number in range(len(network.names))]
    if runtime is Runtime.TORCH_BF16:
        dtype = torch.bfloat16
    elif runtime is Runtime.TORCH_CUDA_FP16:
        device, dtype = "cuda", torch.float16
    plain = runtime is Runtime.TORCH_FP32
    layout = torch.contiguous_format if plain else torch.channels_last
    network.to(device=device, dtype=dtype, memory_format=layout)

    def infer(frames: NDArray[Any]) -> NDArray[Any]:
        with torch.inference_mode():
            tensor = torch.from_numpy(frames).to(device=device, dtype=dtype).contiguous(memory_format=layout)
            found: NDArray[Any] = network(tensor)[0].float().cpu().numpy()
        return found

    return YoloDetector(infer, labels, batch=GPU_BATCH if device == "cuda" else 1)


def _with_session(path: Path, runtime: Runtime, threads: int) -> YoloDetector:
    session = open_session(path, runtime, threads)
    labels = labels_of(session.metadata)
    ((name, shape),) = session.inputs.items()
    if len(shape) != 4 or shape[1] not in (3, None):
        raise ModelUnavailable(f"{path.name} is no detector in YOLO layout: it takes {shape}.")
    height, width = shape[2:]
    fixed = isinstance(width, int) and isinstance(height, int)
    frame = (width, height) if isinstance(width, int) and isinstance(height, int) else FRAME
    return YoloDetector(lambda frames: session.run({name: frames})[0], labels, frame=frame, fixed=fixed)
