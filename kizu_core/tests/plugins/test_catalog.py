"""What may be used: names once, one default a kind, installing more changes nothing."""

from __future__ import annotations

import pytest

from kizu_core.errors import NoSuchModel
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.discovery import PluginRecord, PluginState
from kizu_core.plugins.specs import AnySpec, CommandSpec, OcrSpec
from kizu_core.types import ModelType


def ocr(name: str, summary: str = "reads") -> OcrSpec:
    return OcrSpec(name=name, summary=summary, factory="a:build", output_version="1", languages=("en",))


def record(name: str, *specs: AnySpec) -> PluginRecord:
    return PluginRecord(name=name, distribution=f"kizu-plugin-{name}", version="1.0", specs=specs)


def test_specs_are_sorted_by_name_and_know_their_author() -> None:
    catalog = Catalog([record("b", ocr("zebra")), record("a", ocr("ant"))])
    assert [spec.name for spec in catalog.specs(ModelType.OCR)] == ["ant", "zebra"]
    assert catalog.author(catalog.model(ModelType.OCR, "zebra")).name == "b"
    assert not catalog.problems


def test_one_name_from_two_plugins_is_used_from_neither() -> None:
    catalog = Catalog([record("a", ocr("same", "of a")), record("b", ocr("same", "of b"), ocr("own"))])
    assert [spec.name for spec in catalog.specs(ModelType.OCR)] == ["own"]
    (problem,) = catalog.problems
    assert "a (kizu-plugin-a) and b (kizu-plugin-b)" in problem.message
    assert "neither is used" in problem.message
    assert problem.hint


def test_kizus_own_names_yield_to_nobody() -> None:
    own = CommandSpec(name="run", summary="Kizu's", app="a:app")
    catalog = Catalog([record("core", own), record("rude", CommandSpec(name="run", summary="mine", app="b:app"))])
    assert catalog.commands() == (own,)
    assert catalog.problems[0].plugin == "rude"


def test_broken_plugins_are_problems_and_disabled_ones_are_not() -> None:
    broken = record("broken").but(PluginState.FAILED, "It fell.", "Pick it up.")
    off = record("off").but(PluginState.DISABLED, "Switched off.", "Switch it on.")
    assert [problem.plugin for problem in Catalog([broken, off]).problems] == ["broken"]


def test_the_default_is_the_chosen_one_else_the_first_that_is_ready() -> None:
    records = [record("a", ocr("ant")), record("b", ocr("bee"))]
    only_bee = Catalog(records, ready=lambda spec: spec.name == "bee")
    assert only_bee.model(ModelType.OCR).name == "bee"
    assert Catalog(records).model(ModelType.OCR).name == "ant"
    assert Catalog(records, ready=lambda spec: False).model(ModelType.OCR).name == "ant"
    assert Catalog(records, {"ocr": "bee"}).model(ModelType.OCR).name == "bee"


def test_kizus_own_model_is_the_default_where_nothing_is_chosen() -> None:
    records = [record("a", ocr("ant")), record("core", ocr("zebra"))]
    assert Catalog(records).model(ModelType.OCR).name == "zebra"
    assert Catalog(records, {"ocr": "ant"}).model(ModelType.OCR).name == "ant"


def test_a_name_that_is_not_there_lists_what_is() -> None:
    catalog = Catalog([record("a", ocr("ant")), record("b", ocr("bee"))], {"ocr": "wasp"})
    with pytest.raises(NoSuchModel, match="'wasp'") as caught:
        catalog.model(ModelType.OCR)
    assert "ant, bee" in str(caught.value.hint)


def test_a_kind_without_models_gets_a_suggestion_for_this_environment() -> None:
    with pytest.raises(NoSuchModel) as caught:
        Catalog([]).model(ModelType.OCR)
    assert "-m pip install" in str(caught.value.hint)
    assert "kizu" in str(caught.value.hint)


def test_a_disabled_plugin_is_suggested_before_installing() -> None:
    off = record("rapidocr").but(PluginState.DISABLED, "Switched off.", "")
    with pytest.raises(NoSuchModel) as caught:
        Catalog([off]).model(ModelType.OCR)
    assert "kizu plugins enable rapidocr" in str(caught.value.hint)
