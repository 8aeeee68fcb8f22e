"""A model that follows from its plugin's settings; one that can't be set up is unusable alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_core.models.offers import gaps
from kizu_core.models.selection import build_catalog
from kizu_core.models.weights import readiness
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.specs import ModelSpec, OcrSpec
from kizu_core.settings import Settings, load_settings
from kizu_core.types import ModelType
from kizu_support.fake_distribution import fake_distribution, installed

PLUGIN = """
from kizu_core import OcrSpec, WeightFile, hookimpl

@hookimpl
def kizu_ocr_models():
    weight = WeightFile(name="a.bin", source="https://hub.example.org/a.bin", bytes=1, licence="CC0-1.0")
    common = {"summary": "reads", "factory": "chameleon:build", "output_version": "1", "languages": ("en",)}
    return [OcrSpec(name="chameleon", settings="chameleon_settings:Own", weights=(weight,),
                    configure="chameleon_settings:configure", **common),
            OcrSpec(name="stone", **common)]
"""

SETTINGS = """
from dataclasses import replace
from pydantic import BaseModel, Field
from kizu_core import SettingError

class Own(BaseModel):
    languages: str = Field("en", alias="CHAMELEON_LANGUAGES", max_length=20)

def configure(spec, settings, folder):
    print("noise")
    chosen = tuple(settings.languages.split("+"))
    if "xx" in chosen:
        raise SettingError("There is no language 'xx'.", hint="CHAMELEON_LANGUAGES=en")
    if "boom" in chosen:
        raise RuntimeError("boom")
    if "thief" in chosen:
        return replace(spec, name="stone")
    return replace(spec, languages=chosen, output_version=f"1-{settings.languages}", summary=str(folder))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "site").mkdir()
    modules = {"chameleon_plugin": PLUGIN, "chameleon_settings": SETTINGS}
    with installed(tmp_path / "site") as site:
        fake_distribution(site, "chameleon", modules=modules, entry_points={"chameleon": "chameleon_plugin"})
        yield site


def settings_in(tmp_path: Path, languages: str = "en") -> Settings:
    environ = {"KIZU_LOAD_PLUGINS": "chameleon", "CHAMELEON_LANGUAGES": languages}
    return load_settings({"home": tmp_path / "home"}, environ=environ)


def both(catalog: Catalog) -> dict[str, ModelSpec]:
    return {spec.name: spec for spec in catalog.specs(ModelType.OCR)}


def test_a_model_follows_its_settings(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_in(tmp_path, "de+fr")
    catalog = build_catalog(settings)
    spec = both(catalog)["chameleon"]
    assert isinstance(spec, OcrSpec)
    assert (spec.languages, spec.output_version) == (("de", "fr"), "1-de+fr")
    assert spec.summary == str(settings.models_dir / "ocr" / "chameleon")
    assert catalog.author(spec).name == "chameleon"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("languages", "reason"),
    [
        ("xx", "There is no language 'xx'."),
        ("boom", "chameleon can't be set up: RuntimeError: boom"),
        ("thief", "'stone'"),
        ("a" * 21, "CHAMELEON_LANGUAGES"),
    ],
)
def test_a_model_that_cannot_be_set_up_is_unusable_alone(
    tmp_path: Path, folder: Path, languages: str, reason: str
) -> None:
    settings = settings_in(tmp_path, languages)
    catalog = build_catalog(settings)
    state = readiness(both(catalog)["chameleon"], settings)
    assert not state.ready
    assert reason in state.reason
    assert state.hint
    assert readiness(both(catalog)["stone"], settings).ready
    assert "ocr" not in [gap.operation for gap in gaps(catalog, settings)]  # the other one is used


def test_the_one_that_was_chosen_is_a_gap(tmp_path: Path, folder: Path) -> None:
    settings = settings_in(tmp_path, "xx").model_copy(update={"default_models": {"ocr": "chameleon"}})
    (gap,) = [gap for gap in gaps(build_catalog(settings), settings) if gap.operation == "ocr"]
    assert (gap.reason, gap.hint) == ("There is no language 'xx'.", "CHAMELEON_LANGUAGES=en")
