"""What the plugin declares and what it can be set to, without torch."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("kizu_plugin_easyocr.plugin", reason="the plugin is not installed")

from kizu_core import OcrSpec, SettingError
from kizu_plugin_easyocr.languages import RECOGNISERS, readers
from kizu_plugin_easyocr.plugin import kizu_ocr_models
from kizu_plugin_easyocr.settings import EasyOcrSettings, configure

MANY = "en,de,fr,es,pl,tr,vi,ru,uk,ar,fa,hi,bn,th,ja,ko,ch_sim,ch_tra,ta,te,kn"
"""21 languages in 13 scripts."""


def configured(languages: str) -> OcrSpec:
    (spec,) = kizu_ocr_models()
    return configure(spec, EasyOcrSettings.model_validate({"EASYOCR_LANGUAGES": languages}), Path())


def test_every_weight_has_a_digest() -> None:
    (spec,) = kizu_ocr_models()
    assert all(weight.sha256 for weight in spec.weights)


def test_english_is_as_declared() -> None:
    (spec,) = kizu_ocr_models()
    assert configured("en") == spec


@pytest.mark.parametrize(("value", "languages"), [("en", ("en",)), ("de, fr,", ("de", "fr"))])
def test_languages_are_a_list_in_the_environment(value: str, languages: tuple[str, ...]) -> None:
    assert EasyOcrSettings.model_validate({"EASYOCR_LANGUAGES": value}).languages == languages


@pytest.mark.parametrize(
    ("languages", "found"),
    [
        ("en", {"english": ("en",)}),
        ("de,en", {"latin": ("de", "en")}),
        ("ja", {"japanese": ("ja",)}),
        ("en,ja", {"english": ("en",), "japanese": ("ja", "en")}),
        ("ru,de,en,ja", {"latin": ("de", "en"), "cyrillic": ("ru", "en"), "japanese": ("ja", "en")}),
    ],
)
def test_each_script_has_a_recogniser_and_english_stands_beside_all(
    languages: str, found: dict[str, tuple[str, ...]]
) -> None:
    assert {one.name: codes for one, codes in readers(languages.split(","))} == found


def test_many_languages_need_the_file_of_each_script() -> None:
    spec = configured(MANY)
    assert len(spec.languages) == 21
    assert {"en", "zh-Hans", "zh-Hant"} <= set(spec.languages)
    names = {weight.name for weight in spec.weights}
    assert {"craft_mlt_25k.pth", "latin_g2.pth", "japanese_g2.pth", "thai.pth"} <= names
    assert len(names) == 14
    assert all(weight.source.endswith(f".zip#{weight.name}") for weight in spec.weights[1:])
    assert spec.memory_mb > configured("en").memory_mb


def test_results_of_other_languages_are_other_results() -> None:
    versions = {configured(languages).output_version for languages in ("en", "de", "de,en", "en,de", MANY)}
    assert len(versions) == 4  # the order changes nothing


def test_an_unknown_language_is_one_sentence() -> None:
    with pytest.raises(SettingError, match="EASYOCR_LANGUAGES names 'klingon', which EasyOCR does not read") as caught:
        configured("en,klingon")
    assert "ja" in str(caught.value.hint)


def test_the_table_is_easyocrs_own() -> None:
    config = pytest.importorskip("easyocr.config", reason="easyocr is not installed", exc_type=ImportError)
    models = [one for generation in config.recognition_models.values() for one in generation.values()]
    known = {one["filename"]: one["url"].rpartition("/download/")[2] for one in models}
    for recogniser in RECOGNISERS:
        assert known[recogniser.file] == recogniser.archive
        for code in recogniser.languages:
            assert code in config.all_lang_list
            assert (Path(config.BASE_PATH) / "character" / f"{code}_char.txt").is_file()
