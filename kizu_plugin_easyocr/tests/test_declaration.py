"""What the plugin declares and what it can be set to, without torch."""

from __future__ import annotations

import pytest

pytest.importorskip("kizu_plugin_easyocr.plugin", reason="the plugin is not installed")

from kizu_plugin_easyocr.plugin import kizu_ocr_models
from kizu_plugin_easyocr.settings import EasyOcrSettings


def test_every_weight_has_a_digest() -> None:
    (spec,) = kizu_ocr_models()
    assert all(weight.sha256 for weight in spec.weights)


@pytest.mark.parametrize(("value", "languages"), [("en", ("en",)), ("de, fr,", ("de", "fr"))])
def test_languages_are_a_list_in_the_environment(value: str, languages: tuple[str, ...]) -> None:
    assert EasyOcrSettings.model_validate({"EASYOCR_LANGUAGES": value}).languages == languages
