"""The declared model as the settings want it: another size, or weights of the user's own. Reads no library."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kizu_core import DetectorSpec, Runtime, SettingError, WeightFile, fingerprint
from kizu_plugin_yolo.labels import labels_in
from kizu_plugin_yolo.official import OFFICIAL
from kizu_plugin_yolo.settings import YoloSettings

ONNX_RUNTIMES = (Runtime.ORT_FP32, Runtime.OPENVINO_BF16, Runtime.OPENVINO_FP32, Runtime.ORT_CUDA_FP32)
"""For an ONNX file, which torch does not run."""


def configure(spec: DetectorSpec, settings: YoloSettings, folder: Path) -> DetectorSpec:
    """See `ModelSpec.configure`. Raises `SettingError` for a file of one's own that is no detector."""
    if settings.weights is None:
        official = OFFICIAL[settings.size]
        return replace(
            spec,
            summary=official.summary,
            output_version=official.output_version,
            memory_mb=official.memory_mb,
            weights=(official.weight,),
        )
    path = settings.weights.expanduser().absolute()
    if not path.is_file() or path.suffix not in (".pt", ".onnx"):
        raise SettingError(
            f"YOLO_WEIGHTS names {path}, which is no .pt or .onnx file.", hint="Name a file that is there, or unset it."
        )
    labels = labels_in(path)
    own = WeightFile(
        name=f"own{path.suffix}",
        source=f"file:{path}",
        bytes=path.stat().st_size,
        exact=False,
        licence="yours",
    )
    spec = replace(
        spec,
        summary=f"{len(labels)} kinds of things (your {path.name})",
        output_version=f"own-{fingerprint(path)}",
        labels=labels,
        weights=(own,),
    )
    return spec if path.suffix == ".pt" else replace(spec, runtimes=ONNX_RUNTIMES, requires=("onnxruntime",))
