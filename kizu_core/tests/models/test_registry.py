"""Loaded once, kept while used, closed when not."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from pytest_mock import MockerFixture

from kizu_core.errors import ModelUnavailable, NoSuchModel
from kizu_core.models.budget import budget_mb, machine_mb
from kizu_core.models.registry import ModelPool, ModelRegistry
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.discovery import PluginRecord
from kizu_core.plugins.specs import ModelSpec
from kizu_core.settings import Settings
from kizu_core.types import ModelType
from kizu_support.callables import MakeSpec

OCR = ModelType.OCR


def catalog_of(*specs: ModelSpec) -> Catalog:
    return Catalog([PluginRecord(name="tiny", distribution="tiny-model", version="1", specs=specs)])  # type: ignore[arg-type]


@pytest.fixture
def tiny() -> Any:
    return importlib.import_module("tiny_model")


@pytest.fixture
def registry(spec: MakeSpec, settings: Settings) -> Iterator[type[ModelRegistry]]:
    ModelRegistry.configure(catalog_of(spec(), spec(name="other")), settings)
    yield ModelRegistry
    ModelRegistry.configure(Catalog([]), settings)


def at_once(threads: int, action: Callable[[], Any]) -> list[Any]:
    """The results, or the errors, of that many threads that start together."""
    barrier = Barrier(threads)

    def one(_: int) -> Any:
        barrier.wait()
        try:
            return action()
        except ModelUnavailable as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))


def test_twenty_threads_cause_one_load(registry: type[ModelRegistry], tiny: Any) -> None:
    models = at_once(20, lambda: registry.get(OCR))
    assert len({id(model) for model in models}) == 1
    assert len(tiny.LOADS) == 1


def test_a_failed_load_is_told_to_all_and_tried_again_later(spec: MakeSpec, settings: Settings, tiny: Any) -> None:
    pool = ModelPool(catalog_of(spec(factory="tiny_model:build_broken")), settings)
    assert all(isinstance(answer, ModelUnavailable) for answer in at_once(5, lambda: pool.get(OCR)))
    tiny.build_broken = tiny.build
    assert pool.get(OCR) is pool.get(OCR)


def test_names_and_defaults(registry: type[ModelRegistry]) -> None:
    assert registry.get(OCR) is registry.get(OCR, "other")
    assert registry.get(OCR, "tiny") is not registry.get(OCR, "other")
    with pytest.raises(NoSuchModel, match="'nope'"):
        registry.get(OCR, "nope")


def test_unloading_closes_and_the_next_get_loads_anew(registry: type[ModelRegistry], tiny: Any) -> None:
    first = registry.get(OCR, "tiny")
    assert registry.unload(OCR, "tiny")
    assert not registry.unload(OCR, "tiny")
    assert [first] == tiny.CLOSED
    assert registry.get(OCR, "tiny") is not first


def test_unload_all_closes_all_even_if_one_refuses(registry: type[ModelRegistry], tiny: Any) -> None:
    stubborn, other = registry.get(OCR, "tiny"), registry.get(OCR, "other")
    stubborn.close = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        registry.unload_all()
    assert [other] == tiny.CLOSED
    registry.unload_all()


def test_sweeping_closes_what_was_not_asked_for(spec: MakeSpec, settings: Settings, tiny: Any) -> None:
    now = 0.0
    pool = ModelPool(catalog_of(spec(), spec(name="other")), settings, keep_s=60, clock=lambda: now)
    old, fresh = pool.get(OCR, "tiny"), pool.get(OCR, "other")
    now = 59.0
    assert pool.get(OCR, "other") is fresh
    assert pool.sweep() == 0
    now = 61.0
    assert pool.sweep() == 1
    assert [old] == tiny.CLOSED


def test_before_it_is_configured_it_says_so(mocker: Any) -> None:
    mocker.patch.object(ModelRegistry, "_pool", None)
    ModelRegistry.unload_all()
    with pytest.raises(NoSuchModel, match="not set up"):
        ModelRegistry.get(OCR)


def test_models_share_a_budget(spec: MakeSpec, settings: Settings, tiny: Any, mocker: MockerFixture) -> None:
    """Whoever was asked for the longest time ago makes space; what is larger than the budget is loaded alone."""
    notes = mocker.patch("kizu_core.models.registry.tell")
    ticks = count()
    specs = [spec(name=name, memory_mb=size) for name, size in (("a", 300), ("b", 300), ("c", 300), ("big", 900))]
    small = settings.model_copy(update={"models_mb": 700})
    pool = ModelPool(catalog_of(*specs), small, clock=lambda: float(next(ticks)))

    def loaded() -> list[str]:
        return [name for name in ("a", "b", "c", "big") if pool.is_loaded(OCR, name)]

    first = pool.get(OCR, "a")
    pool.get(OCR, "b")
    assert pool.get(OCR, "a") is first
    pool.get(OCR, "c")
    assert loaded() == ["a", "c"]
    assert len(tiny.CLOSED) == 1
    notes.assert_not_called()
    pool.get(OCR, "big")
    assert loaded() == ["big"]
    notes.assert_called_once()
    pool.get(OCR, "b")
    assert loaded() == ["b"]


def test_a_model_that_the_machine_cannot_hold(spec: MakeSpec, settings: Settings, tiny: Any) -> None:
    pool = ModelPool(catalog_of(spec(memory_mb=50_000_000)), settings)
    with pytest.raises(ModelUnavailable, match="needs 50,000,000 MB of memory"):
        pool.get(OCR)
    assert tiny.LOADS == []


def test_the_budget_is_the_containers_or_half_of_the_machine(
    settings: Settings, tmp_path: Path, mocker: MockerFixture
) -> None:
    half = budget_mb(settings)
    assert half == machine_mb() // 2 > 0
    limit = tmp_path / "memory.max"
    mocker.patch("kizu_core.models.budget._LIMITS", (limit, tmp_path / "none"))
    limit.write_text("max\n")
    machine = machine_mb()
    limit.write_text(f"{512 * 2**20}\n")
    assert (machine_mb(), budget_mb(settings)) == (512, 256)
    assert machine >= half
    assert budget_mb(settings.model_copy(update={"models_mb": 100})) == 100
