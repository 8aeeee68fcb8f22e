"""What this distribution brings. Data only: the libraries are imported by `model`."""

from __future__ import annotations

from collections.abc import Iterable

from kizu_core import FaceModelSpec, Runtime, hookimpl
from kizu_plugin_insightface.packs import PACKS


@hookimpl
def kizu_face_models() -> Iterable[FaceModelSpec]:
    pack = PACKS["buffalo_l"]
    return [
        FaceModelSpec(
            name="insightface",
            summary="faces with five keypoints and a 512-number vector (SCRFD, ArcFace; buffalo_l)",
            factory="kizu_plugin_insightface.model:build",
            output_version="buffalo_l-1",
            dim=512,
            space=f"insightface/{pack.recogniser}",
            requires=("insightface", "onnxruntime"),
            memory_mb=pack.memory_mb,
            devices=("cpu", "cuda"),
            settings="kizu_plugin_insightface.settings:InsightFaceSettings",
            configure="kizu_plugin_insightface.configure:configure",
            convert="kizu_plugin_insightface.convert:convert",
            runtimes=(Runtime.ORT_FP32, Runtime.OPENVINO_BF16, Runtime.OPENVINO_FP32, Runtime.ORT_CUDA_FP32),
            weights=pack.weights,
        )
    ]
