"""What this distribution brings. Data only: the libraries are imported by `model`."""

from __future__ import annotations

from collections.abc import Iterable

from kizu_core import EmbedderSpec, Runtime, hookimpl
from kizu_plugin_clip.published import MANY, PUBLISHED, VIT_B_32


@hookimpl
def kizu_embedders() -> Iterable[EmbedderSpec]:
    return [
        EmbedderSpec(
            name="clip",
            summary="finds pictures by words and by likeness (ViT-B-32 openai)",
            factory="kizu_plugin_clip.model:build",
            output_version="ViT-B-32-openai-1",
            dim=512,
            space="openclip/ViT-B-32/openai",
            languages=VIT_B_32.languages,
            also_as=((f"CLIP_MODEL={MANY[0]} CLIP_PRETRAINED={MANY[1]}", PUBLISHED[MANY].languages),),
            requires=("open_clip", "torch"),
            memory_mb=1005,
            devices=("cpu", "cuda"),
            settings="kizu_plugin_clip.settings:ClipSettings",
            configure="kizu_plugin_clip.plan:configure",
            convert="kizu_plugin_clip.convert:convert",
            runtimes=(
                Runtime.TORCH_FP32,
                Runtime.TORCH_BF16,
                Runtime.ORT_FP32,
                Runtime.ORT_INT8,
                Runtime.OPENVINO_BF16,
                Runtime.OPENVINO_FP32,
                Runtime.TORCH_CUDA_FP16,
            ),
            min_side=448,
            weights=VIT_B_32.files,
        )
    ]
