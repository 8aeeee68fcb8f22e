"""The part of Florence-2 that sees, as an ONNX file: three quarters of the time go by there."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from transformers.modeling_outputs import BaseModelOutputWithPooling

from kizu_core import ModelContext, Runtime, Session, open_session

SESSIONS = (Runtime.OPENVINO_BF16, Runtime.OPENVINO_FP32)
"""Runtimes on which the converted file sees, and torch finds the words."""

_FILE = "vision.onnx"


class SessionTower(torch.nn.Module):  # type: ignore[misc]  # torch is not among what is checked
    """Stands where transformers expects the vision tower: pixels (1, 3, s, s) -> features (1, tokens, width)."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def forward(self, pixel_values: torch.Tensor, **_: Any) -> BaseModelOutputWithPooling:
        # Picture by picture: the file is for one, and on a processor several at once gain nothing.
        found = [self._session.run({"pixels": one[None].float().numpy()})[0] for one in pixel_values]
        return BaseModelOutputWithPooling(last_hidden_state=torch.cat([torch.tensor(one) for one in found]))


def put_session(network: Any, folder: Path, runtime: Runtime, threads: int) -> None:
    """Lets the file that `convert` wrote into `folder` see for the network, whose own tower and projector go."""
    session = open_session(folder / _FILE, runtime, threads)
    network.model.vision_tower = SessionTower(session)
    network.model.multi_modal_projector = torch.nn.Identity()


def convert(context: ModelContext, folder: Path) -> None:
    """Writes tower and projector as ONNX, for one picture."""
    from kizu_plugin_florence.model import load_network, load_processor

    side = load_processor(context).image_processor.size["height"]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        torch.onnx.export(
            _Features(load_network(context).model).eval(),
            (torch.zeros(1, 3, side, side),),
            folder / _FILE,
            dynamo=True,
            input_names=["pixels"],
            output_names=["features"],
            external_data=False,
            verbose=False,
        )


class _Features(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.model.get_image_features(pixels).pooler_output
