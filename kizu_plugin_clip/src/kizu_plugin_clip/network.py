"""OpenCLIP's network and tokenizer, built from checked files and from nothing else."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import open_clip
from numpy.typing import NDArray

from kizu_core import ModelContext, ModelUnavailable
from kizu_plugin_clip.model import Tokenize
from kizu_plugin_clip.plan import CONFIG, Plan

Network = Any
"""An `open_clip.CLIP` or one of its relatives, which have no types."""


def load_network(context: ModelContext, plan: Plan, *, precision: str = "fp32", device: str = "cpu") -> Network:
    """The model with its weights, ready for inference. `precision` as open_clip names it.

    Raises `ModelUnavailable`: the file is damaged, holds code, or is of another architecture.
    """
    with _folder(context, plan) as folder, _explained(plan):
        network = open_clip.create_model(
            f"local-dir:{folder}", precision=precision, device=device, require_pretrained=True, weights_only=True
        )
    return network.eval()


def load_tokenizer(context: ModelContext, plan: Plan) -> Tokenize:
    """From texts to (n, context length) token numbers. Raises `ModelUnavailable` if a file of it is missing."""
    with _folder(context, plan) as folder:
        try:
            tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
        except Exception as error:  # transformers raises in many ways, none of them its own
            raise ModelUnavailable(
                f"The tokenizer of {plan.label} is missing or damaged ({type(error).__name__}).",
                hint="Its folder needs tokenizer.json and config.json beside the weights.",
            ) from error

    def tokenize(texts: Sequence[str]) -> NDArray[np.int64]:
        tokens: NDArray[np.int64] = tokenizer(list(texts)).numpy()
        return tokens

    return tokenize


@contextmanager
def _folder(context: ModelContext, plan: Plan) -> Iterator[Path]:
    """A folder in open_clip's layout with links to the checked files: whatever else lies beside them is not seen."""
    folder = Path(tempfile.mkdtemp(prefix="open-clip-", dir=context.cache_dir))
    try:
        for name, path in context.weights.items():
            if name != CONFIG:
                _refuse_code(path)
                (folder / name).symlink_to(path.absolute())
        (folder / CONFIG).write_text(json.dumps(_local(plan.config, folder)), encoding="utf-8")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _local(config: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """A text side of transformers finds its shape in the folder instead of at the hub."""
    text = config["model_cfg"]["text_cfg"]
    if "hf_model_name" not in text:
        return config
    model = {**config["model_cfg"], "text_cfg": {**text, "hf_model_name": str(folder)}}
    return {**config, "model_cfg": model}


def _refuse_code(path: Path) -> None:
    """Transformers' way of naming Python files to run. It would ask first; nobody is there to answer."""
    if path.suffix == ".json" and path.stat().st_size < 1_000_000 and b'"auto_map"' in path.read_bytes():
        raise ModelUnavailable(
            f"{path} names code of its own to run (auto_map), which Kizu never does.",
            hint="Choose a model that OpenCLIP knows by itself.",
        )


@contextmanager
def _explained(plan: Plan) -> Iterator[None]:
    """What open_clip, torch and safetensors raise, as one sentence."""
    hint = "Get the file again, or name the folder of another model in CLIP_MODEL."
    try:
        yield
    except UnpicklingError as error:
        message = f"{plan.checkpoint} of {plan.label} is damaged or holds code, which Kizu never runs."
        raise ModelUnavailable(message, hint=hint) from error
    except Exception as error:
        if "state_dict" in str(error):
            message = f"{plan.checkpoint} holds the weights of another architecture than {plan.label}."
        else:
            message = f"{plan.label} could not be built from {plan.checkpoint}, or that is damaged"
            message += f" ({type(error).__name__})."
        raise ModelUnavailable(message, hint=hint) from error
