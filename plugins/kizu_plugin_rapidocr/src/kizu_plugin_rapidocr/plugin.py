"""What this distribution brings. Data only: the libraries are imported by `model`."""

from __future__ import annotations

from collections.abc import Iterable

from kizu_core import OcrSpec, Runtime, WeightFile, hookimpl


def _shipped(name: str, size: int, sha256: str) -> WeightFile:
    return WeightFile(
        name=name,
        source=f"package:rapidocr/models/{name}",
        bytes=size,
        licence="Apache-2.0",
        sha256=sha256,
        digest_source="computed from the rapidocr 3.10.0 wheel; equal to its default_models.yaml",
    )


@hookimpl
def kizu_ocr_models() -> Iterable[OcrSpec]:
    return [
        OcrSpec(
            name="rapidocr",
            summary="printed and handwritten text, Latin and Chinese script (PP-OCRv6 small)",
            factory="kizu_plugin_rapidocr.model:build",
            output_version="ppocr6-small-1",
            languages=("en", "zh", "ja", "de", "fr", "es", "it", "pt", "nl"),
            requires=("rapidocr", "onnxruntime"),
            memory_mb=900,  # nearly all of it while it reads a large picture
            # Not OpenVINO in fp32: a tenth faster, for more than twice the memory.
            runtimes=(Runtime.ORT_FP32, Runtime.OPENVINO_BF16),
            weights=(
                _shipped(
                    "PP-OCRv6_det_small.onnx",
                    9_929_594,
                    "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
                ),
                _shipped(
                    "PP-OCRv6_rec_small.onnx",
                    21_234_383,
                    "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
                ),
                _shipped(
                    "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
                    585_532,
                    "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
                ),
            ),
        )
    ]
