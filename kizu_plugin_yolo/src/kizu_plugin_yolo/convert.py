"""A checkpoint as ONNX, in the layout of ultralytics' own export: what other engines run, and workers without torch."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizu_core import ModelContext

if TYPE_CHECKING:
    from kizu_plugin_yolo.network import Network

NETWORK = "yolo.onnx"
_SAMPLE = (1, 3, 640, 480)
"""Upright and not square, so that no size of it is taken for another."""


def convert(context: ModelContext, folder: Path) -> None:
    """Writes `yolo.onnx` into an empty folder. Raises `ModelUnavailable` as `build` does.

    Input `images` (n, 3, height, width) float32 RGB, 0 to 1, sides multiples of 32; output `output0` (n, 4 + classes,
    places); the labels stand under `names` in the file's metadata, as ultralytics writes them.
    """
    (path,) = context.weights.values()
    if path.suffix == ".onnx":
        shutil.copyfile(path, folder / NETWORK)
    else:
        from kizu_plugin_yolo.network import load_network

        _export(load_network(path), folder / NETWORK)


def _export(network: Network, path: Path) -> None:
    import torch

    head = network.model[-1]
    head.export, head.dynamic, head.format = True, True, "onnx"
    free = torch.export.Dim.AUTO
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own ways, and of the anchors that the head keeps
        torch.onnx.export(
            network,
            (torch.zeros(_SAMPLE),),
            path,
            input_names=["images"],
            output_names=["output0"],
            dynamic_shapes={"x": {0: free, 2: free, 3: free}},
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    _describe(path, {"names": str(dict(network.names)), "task": "detect", "stride": "32", "license": "AGPL-3.0"})


def _describe(path: Path, metadata: dict[str, Any]) -> None:
    import onnx

    model = onnx.load(path)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)
