"""What this distribution brings. Data only: the libraries are imported by `model`."""

from __future__ import annotations

from collections.abc import Iterable

from kizu_core import DetectorSpec, Runtime, hookimpl
from kizu_plugin_yolo.coco import LABELS
from kizu_plugin_yolo.official import OFFICIAL

TORCH_RUNTIMES = (
    Runtime.TORCH_FP32,
    Runtime.TORCH_BF16,
    Runtime.ORT_FP32,
    Runtime.OPENVINO_BF16,
    Runtime.OPENVINO_FP32,
    Runtime.TORCH_CUDA_FP16,
)
"""For a checkpoint. Not int8: these networks are convolutions, whose int8 form either is slower or loses boxes."""


@hookimpl
def kizu_detectors() -> Iterable[DetectorSpec]:
    official = OFFICIAL["m"]
    return [
        DetectorSpec(
            name="yolo",
            summary=official.summary,
            factory="kizu_plugin_yolo.model:build",
            output_version=official.output_version,
            labels=LABELS,
            requires=("ultralytics", "torch"),
            memory_mb=official.memory_mb,
            devices=("cpu", "cuda"),
            settings="kizu_plugin_yolo.settings:YoloSettings",
            configure="kizu_plugin_yolo.configure:configure",
            convert="kizu_plugin_yolo.convert:convert",
            runtimes=TORCH_RUNTIMES,
            min_side=640,
            weights=(official.weight,),
        )
    ]
