"""What the plugin declares, without torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("kizu_plugin_easyocr.plugin", reason="the plugin is not installed")

from kizu_core.plugins.contract import check_specs
from kizu_core.plugins.specs import OcrSpec
from kizu_plugin_easyocr.plugin import kizu_ocr_models
from kizu_plugin_easyocr.settings import EasyOcrSettings


def test_its_spec_is_valid_and_every_weight_has_a_digest() -> None:
    (spec,) = check_specs(kizu_ocr_models(), OcrSpec)
    assert isinstance(spec, OcrSpec)
    assert all(weight.sha256 for weight in spec.weights)


@pytest.mark.parametrize(("value", "languages"), [("en", ("en",)), ("de, fr,", ("de", "fr"))])
def test_languages_are_a_list_in_the_environment(value: str, languages: tuple[str, ...]) -> None:
    assert EasyOcrSettings.model_validate({"EASYOCR_LANGUAGES": value}).languages == languages


def test_declaring_it_imports_no_library() -> None:
    code = "import sys, kizu_plugin_easyocr.plugin as p; p.kizu_ocr_models(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "cv2", "easyocr", "torch"} & set(done.stdout.split())
