"""What this distribution brings. Data only: the libraries are imported by `model`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kizu_core import Runtime, VlmSpec, WeightFile, hookimpl

DEFAULT = "florence-community/Florence-2-base"
"""The checkpoint in the layout of transformers' own class. Microsoft's needs code of its repository, which Kizu never
runs; the weights are the same."""

_BASE_BYTES, _LARGE_BYTES = 926_000_000, 3_300_000_000
_FILES = {
    "config.json": 10_000,
    "generation_config.json": 1_000,
    "preprocessor_config.json": 2_000,
    "processor_config.json": 2_000,
    "tokenizer.json": 4_000_000,
    "tokenizer_config.json": 200_000,
}


def pulled(repository: str) -> Sequence[WeightFile]:
    """The files of a checkpoint of the hub. Sizes are upper bounds: no citable list of them was found."""
    network = _LARGE_BYTES if "large" in repository.lower() else _BASE_BYTES
    return [
        WeightFile(
            name=name,
            source=f"hf:{repository}@main/{name}",
            bytes=size,
            exact=False,
            licence="MIT",
        )
        for name, size in {**_FILES, "model.safetensors": network}.items()
    ]


@hookimpl
def kizu_vlms() -> Iterable[VlmSpec]:
    return [
        VlmSpec(
            name="florence",
            summary="captions in English, short, detailed or more detailed (Florence-2)",
            factory="kizu_plugin_florence.model:build",
            output_version="florence-2-base-1",
            tasks=("caption", "detailed", "more_detailed"),
            requires=("torch", "transformers"),
            memory_mb=1500,
            settings="kizu_plugin_florence.settings:FlorenceSettings",
            configure="kizu_plugin_florence.settings:configure",
            convert="kizu_plugin_florence.vision:convert",
            runtimes=(
                Runtime.TORCH_FP32,
                Runtime.TORCH_CUDA_FP16,
                Runtime.OPENVINO_BF16,
                Runtime.TORCH_BF16,
                Runtime.OPENVINO_FP32,
            ),
            weights=tuple(pulled(DEFAULT)),
            min_side=768,
        )
    ]
