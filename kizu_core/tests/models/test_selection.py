"""The model of a kind is written down once, and then stays whatever is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_core.errors import NoSuchModel, PluginError
from kizu_core.models.offers import gaps
from kizu_core.models.selection import build_catalog, load_catalog, pin_defaults, use_model
from kizu_core.settings import Settings, load_settings
from kizu_core.types import ModelType
from kizu_support.fake_distribution import fake_distribution, installed

SOURCE = """
from kizu_core import OcrSpec, hookimpl

@hookimpl
def kizu_ocr_models():
    spec = OcrSpec(name="{name}", summary="reads", factory="a:build", output_version="1", languages=("en",),
                   requires={requires})
    return [spec]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "site").mkdir()
    with installed(tmp_path / "site") as site:
        yield site


def reader(folder: Path, name: str, *, requires: tuple[str, ...] = ()) -> None:
    modules = {f"fake_{name}": SOURCE.format(name=name, requires=requires)}
    fake_distribution(folder, f"fake-{name}", modules=modules, entry_points={name: f"fake_{name}"})


def settings_in(tmp_path: Path, **environ: str) -> Settings:
    return load_settings({"home": tmp_path / "home"}, environ={"KIZU_LOAD_PLUGINS": "ant,bee", **environ})


def test_a_pinned_default_survives_a_plugin_that_sorts_before_it(tmp_path: Path, folder: Path) -> None:
    reader(folder, "bee")
    settings = settings_in(tmp_path)
    assert pin_defaults(settings, build_catalog(settings)) == {"ocr": "bee"}

    reader(folder, "ant")
    settings = settings_in(tmp_path)
    assert load_catalog(settings).model(ModelType.OCR).name == "bee"
    assert pin_defaults(settings, load_catalog(settings)) == {}

    use_model(settings, load_catalog(settings), ModelType.OCR, "ant")
    assert load_catalog(settings_in(tmp_path)).model(ModelType.OCR).name == "ant"


def test_a_model_that_is_not_ready_is_not_pinned(tmp_path: Path, folder: Path) -> None:
    reader(folder, "ant", requires=("kizu_no_such_library",))
    settings = settings_in(tmp_path)
    assert pin_defaults(settings, build_catalog(settings)) == {}
    assert not settings.paths.config_file.exists()
    reader(folder, "bee")
    assert pin_defaults(settings, build_catalog(settings)) == {"ocr": "bee"}


def test_using_a_model_that_is_not_there_is_refused(tmp_path: Path, folder: Path) -> None:
    settings = settings_in(tmp_path)
    with pytest.raises(NoSuchModel):
        use_model(settings, build_catalog(settings), ModelType.OCR, "wasp")
    assert not settings.paths.config_file.exists()


def test_a_chosen_model_that_is_gone_is_a_gap_and_no_crash(tmp_path: Path, folder: Path) -> None:
    reader(folder, "bee")
    settings = settings_in(tmp_path)
    catalog = build_catalog(settings.model_copy(update={"default_models": {"ocr": "wasp"}}))
    (gap,) = [gap for gap in gaps(catalog, settings) if gap.operation == "ocr"]
    assert "'wasp'" in gap.reason
    assert "bee" in gap.hint


def test_strictness_turns_a_problem_into_an_error(tmp_path: Path, folder: Path) -> None:
    reader(folder, "ant")
    fake_distribution(folder, "fake-bad", modules={"fake_bad": "1 / 0"}, entry_points={"bee": "fake_bad"})
    assert [problem.plugin for problem in load_catalog(settings_in(tmp_path)).problems] == ["bee"]
    with pytest.raises(PluginError, match=r"Plugin bee: .*ZeroDivisionError"):
        load_catalog(settings_in(tmp_path, KIZU_STRICT_PLUGINS="1"))
