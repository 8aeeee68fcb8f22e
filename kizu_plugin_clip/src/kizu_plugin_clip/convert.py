"""The towers as ONNX files: what other engines run, and a worker without torch."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from kizu_core import ModelContext, quantise
from kizu_plugin_clip.lean import make_lean
from kizu_plugin_clip.network import load_network, load_tokenizer
from kizu_plugin_clip.plan import IMAGES, TEXTS, Plan, plan_of
from kizu_plugin_clip.preprocess import preprocessing_of

MERGES = "merges.txt.gz"
ABOUT = "about.json"


def convert(context: ModelContext, folder: Path) -> None:
    """Writes both towers into an empty folder, and what else a runner needs to know.

    `visual.onnx`: `pixels` (n, 3, side, side) float32 -> `vectors` (n, dim) float32, not normalised; `text.onnx`:
    `tokens` (n, context length) int64 -> the same. `about.json` tells how to prepare pictures and texts; with CLIP's
    own tokenizer its vocabulary comes along. Only pictures have an int8 form: texts are few, and lose more by it.
    Raises `ModelUnavailable` as `build` does.
    """
    plan = plan_of(context.settings)
    network = load_network(context, plan)
    pixels = torch.zeros(2, 3, plan.side, plan.side)
    tokens = torch.from_numpy(load_tokenizer(context, plan)(["a", "b"]))
    make_lean(network)
    _export(_Tower(network, network.encode_image), pixels, "pixels", folder / IMAGES)
    _export(_Tower(network, network.encode_text), tokens, "tokens", folder / TEXTS)
    quantise(folder / IMAGES)
    _describe(plan, tokens.shape[1], folder)


class _Tower(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
    """One side of the network, as something that can be exported."""

    def __init__(self, network: Any, encode: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.network = network
        self._encode = encode

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """See `convert`."""
        return self._encode(batch)


def _export(tower: _Tower, sample: torch.Tensor, name: str, path: Path) -> None:
    """With any number of pictures or texts in a batch, and all weights in the one file."""
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the exporter warns of its own ways
        torch.onnx.export(
            tower.eval(),
            (sample,),
            path,
            input_names=[name],
            output_names=["vectors"],
            dynamic_shapes={"batch": {0: torch.export.Dim.DYNAMIC}},
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def _describe(plan: Plan, context_length: int, folder: Path) -> None:
    """For a runner without this plugin. A tokenizer other than CLIP's own is not described, and so can't be run."""
    prepared = asdict(preprocessing_of(plan.side, plan.config["preprocess_cfg"]))
    preparing = {**prepared, "size": prepared.pop("side"), "context_length": context_length}
    text = plan.config["model_cfg"]["text_cfg"]
    if not text.get("hf_tokenizer_name") and not text.get("tokenizer_kwargs"):
        from open_clip.tokenizer import default_bpe

        shutil.copyfile(default_bpe(), folder / MERGES)
        preparing["clean"] = "lower"
    about = {"for": "clip-onnx", "preprocessing": preparing}
    (folder / ABOUT).write_text(json.dumps(about, indent=2), encoding="utf-8")
