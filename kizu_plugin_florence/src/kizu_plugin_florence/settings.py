"""What can be set from outside, and what follows from it. The names are the specification's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from kizu_core import ModelUnavailable, Runtime, SettingError, VlmSpec, WeightFile
from kizu_plugin_florence.checkpoint import NETWORK, check_checkpoint, fingerprint, parts_of
from kizu_plugin_florence.plugin import DEFAULT, pulled

_ORIGINALS = "microsoft/Florence-2-"
_NATIVE = "florence-community/Florence-2-"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)

_RUNTIMES: Mapping[str, tuple[Runtime, ...]] = {
    "none": (Runtime.TORCH_FP32, Runtime.OPENVINO_FP32),
    "fp32": (Runtime.TORCH_FP32, Runtime.OPENVINO_FP32),
    "bf16": (Runtime.TORCH_BF16, Runtime.OPENVINO_BF16),
    "fp16": (Runtime.TORCH_CUDA_FP16,),
    "int8": (Runtime.TORCH_INT8,),
}
"""What each precision may run on. The first is what others are compared with: whoever asks for int8 gets int8."""


class FlorenceSettings(BaseModel):
    """Read from the environment by the fields' aliases."""

    model_config = ConfigDict(frozen=True)

    model: Annotated[
        str,
        Field(
            alias="FLORENCE_MODEL",
            min_length=1,
            description="a Florence-2 checkpoint: its name at the model hub, or a folder in transformers' own layout",
        ),
    ] = DEFAULT
    quantization: Annotated[
        Literal["auto", "none", "fp32", "bf16", "fp16", "int8"],
        Field(
            alias="VLM_QUANTIZATION",
            description="precision of the captions' model; auto: the fastest one that says the same",
        ),
    ] = "auto"


def configure(spec: VlmSpec, settings: FlorenceSettings, folder: Path) -> VlmSpec:
    """The model for the checkpoint and precision that are set.

    Raises `SettingError` if FLORENCE_MODEL is no name, and no folder that could be loaded without code of its own.
    """
    runtimes = _RUNTIMES.get(settings.quantization, spec.runtimes)
    name, weights = _checkpoint(settings.model)
    size = sum(one.bytes for one in weights) // 1_000_000
    version = [name, *([] if settings.quantization == "auto" else [settings.quantization]), "1"]
    return replace(
        spec,
        weights=tuple(weights),
        runtimes=runtimes,
        output_version="-".join(version).lower(),
        memory_mb=max(spec.memory_mb, 600 + size) if settings.model != DEFAULT else spec.memory_mb,
    )


def _checkpoint(model: str) -> tuple[str, Sequence[WeightFile]]:
    """What the results are called by, and the files."""
    if model.startswith(("/", "~", ".")) or Path(model).is_dir():
        return _own(Path(model).expanduser().absolute())
    if not _REPOSITORY.fullmatch(model):
        raise SettingError(
            f"FLORENCE_MODEL is {model!r}, which is neither a folder nor a name such as {DEFAULT}.",
            hint="Name a folder by its whole path.",
        )
    repository = model.replace(_ORIGINALS, _NATIVE) if model.startswith(_ORIGINALS) else model
    return repository.partition("/")[2], pulled(repository)


def _own(folder: Path) -> tuple[str, Sequence[WeightFile]]:
    """A folder of the user's. What is in it is theirs, and so is its licence."""
    try:
        check_checkpoint(folder)
    except ModelUnavailable as error:
        raise SettingError(error.message, hint=error.hint) from error
    weights = [
        WeightFile(name=path.name, source=f"file:{path}", bytes=path.stat().st_size, licence="yours")
        for path in parts_of(folder)
    ]
    return f"{folder.name}@{fingerprint(folder / NETWORK)}", weights
