"""What this distribution brings. Data only: the libraries are imported by the modules that the factories name.

Until a bundle was imported nobody knows which model it holds: labels, space and languages are then only an example.
"""

from __future__ import annotations

from collections.abc import Iterable

from kizu_core import DetectorSpec, EmbedderSpec, FaceModelSpec, Runtime, WeightFile, hookimpl

_SETTINGS = "kizu_plugin_onnx.settings:OnnxSettings"
_LICENCE = "as its bundle says"
_RUNTIMES = (Runtime.ORT_FP32, Runtime.OPENVINO_BF16, Runtime.OPENVINO_FP32, Runtime.ORT_CUDA_FP32)


def _bundled(name: str, megabytes: float) -> WeightFile:
    size = int(megabytes * 1e6)
    return WeightFile(name=name, source="bundle:", bytes=size, exact=False, licence=_LICENCE)


@hookimpl
def kizu_embedders() -> Iterable[EmbedderSpec]:
    return [
        EmbedderSpec(
            name="clip-onnx",
            summary="finds pictures by words and by likeness, without torch (an exported CLIP)",
            factory="kizu_plugin_onnx.clip:build",
            output_version="no bundle",
            dim=512,
            space="none",
            languages=("en",),
            requires=("onnxruntime", "ftfy", "regex"),
            memory_mb=700,
            devices=("cpu", "cuda"),
            settings=_SETTINGS,
            configure="kizu_plugin_onnx.configure:clip",
            runtimes=(*_RUNTIMES[:1], Runtime.ORT_INT8, *_RUNTIMES[1:]),
            min_side=448,
            weights=(
                _bundled("bundle.json", 0.002),
                _bundled("visual.onnx", 352),
                _bundled("visual.int8.onnx", 90),
                _bundled("text.onnx", 254),
                _bundled("merges.txt.gz", 1.4),
            ),
        )
    ]


@hookimpl
def kizu_detectors() -> Iterable[DetectorSpec]:
    return [
        DetectorSpec(
            name="yolo-onnx",
            summary="kinds of things, without torch (an exported YOLO)",
            factory="kizu_plugin_onnx.yolo:build",
            output_version="no bundle",
            labels=("thing",),
            requires=("onnxruntime",),
            memory_mb=300,
            devices=("cpu", "cuda"),
            settings=_SETTINGS,
            configure="kizu_plugin_onnx.configure:yolo",
            runtimes=_RUNTIMES,
            min_side=640,
            weights=(_bundled("bundle.json", 0.005), _bundled("yolo.onnx", 104)),
        )
    ]


@hookimpl
def kizu_face_models() -> Iterable[FaceModelSpec]:
    return [
        FaceModelSpec(
            name="faces-onnx",
            summary="faces with five keypoints and a vector, without InsightFace (an exported pack)",
            factory="kizu_plugin_onnx.faces:build",
            output_version="no bundle",
            dim=512,
            space="none",
            requires=("onnxruntime",),
            memory_mb=500,
            devices=("cpu", "cuda"),
            settings=_SETTINGS,
            configure="kizu_plugin_onnx.configure:faces",
            runtimes=_RUNTIMES,
            weights=(_bundled("bundle.json", 0.002), _bundled("detector.onnx", 17), _bundled("recogniser.onnx", 174)),
        )
    ]
