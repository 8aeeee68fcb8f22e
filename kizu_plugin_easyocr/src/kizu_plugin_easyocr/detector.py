"""CRAFT, which finds where text stands, on the engine that was chosen: nine tenths of EasyOCR's time go by here."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from kizu_core import ModelContext, ModelUnavailable, Runtime, open_session

_FILE = "detector.onnx"
_STEP = 32
"""EasyOCR pads both sides to a multiple of this many pixels."""

Network = Callable[[Tensor], tuple[Tensor, None]]
"""(1, 3, height, width) float32 -> (1, height / 2, width / 2, 2) float32, text and links, as EasyOCR calls CRAFT."""


def load_detector(context: ModelContext) -> Network:
    """CRAFT for the context's runtime."""
    if context.runtime in (None, Runtime.TORCH_FP32):
        return _in_torch(_craft(context), torch.float32)
    if context.runtime is Runtime.TORCH_BF16:
        return _in_torch(_craft(context), torch.bfloat16)
    return _in_session(context)


def convert(context: ModelContext, folder: Path) -> None:
    """Writes CRAFT as ONNX for pictures of any size."""
    height, width = torch.export.Dim("height", min=1, max=128), torch.export.Dim("width", min=1, max=128)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        torch.onnx.export(
            _Maps(_craft(context)).eval(),
            (torch.zeros(1, 3, 20 * _STEP, 30 * _STEP),),
            folder / _FILE,
            dynamo=True,
            input_names=["pixels"],
            output_names=["maps"],
            dynamic_shapes={"pixels": {2: _STEP * height, 3: _STEP * width}},
            external_data=False,
            verbose=False,
        )


class _Maps(torch.nn.Module):  # type: ignore[misc]  # torch is not among what is checked
    """CRAFT without its second output, which nobody uses."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        maps: Tensor = self.network(pixels)[0]
        return maps


def _craft(context: ModelContext) -> torch.nn.Module:
    from easyocr.craft import CRAFT
    from easyocr.detection import copyStateDict

    network: torch.nn.Module = CRAFT()
    path = context.weights["craft_mlt_25k.pth"]
    try:
        network.load_state_dict(copyStateDict(torch.load(path, map_location="cpu", weights_only=True)))
    except (UnpicklingError, RuntimeError) as error:
        raise ModelUnavailable(
            f"{path} holds no detector of EasyOCR's: {str(error).strip().partition(chr(10))[0]}",
            hint="Reinstall the plugin with its dependencies.",
        ) from error
    return network.eval()


def _in_torch(network: torch.nn.Module, dtype: torch.dtype) -> Network:
    # Channels last is how the processor's convolutions want it: a third faster with the same results.
    network = network.to(dtype).to(memory_format=torch.channels_last)

    def find(pixels: Tensor) -> tuple[Tensor, None]:
        maps: Tensor = network(pixels.to(dtype, memory_format=torch.channels_last))[0]
        return maps.float(), None

    return find


def _in_session(context: ModelContext) -> Network:
    if context.runtime is None or context.converted is None:
        raise RuntimeError("a converted detector is needed, and there is none")
    session: Any = open_session(context.converted / _FILE, context.runtime, context.threads)
    return lambda pixels: (torch.tensor(session.run({"pixels": pixels.numpy()})[0]), None)
