"""Weights are found without importing anything, and never opened unless they are the declared ones."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kizu_core.errors import ModelUnavailable
from kizu_core.models.weights import checked_weights, locate, readiness
from kizu_core.settings import Settings
from kizu_support.callables import MakeSpec


def test_a_package_is_looked_into_but_not_imported(spec: MakeSpec, settings: Settings, site: Path) -> None:
    shipped = site / "tiny_weights" / "models" / "tiny.onnx"
    assert readiness(spec(), settings).ready
    assert checked_weights(spec(), settings) == {"tiny.onnx": shipped}
    assert "tiny_weights" not in sys.modules
    assert "tiny_model" not in sys.modules


def test_without_the_package_the_models_own_folder_counts(spec: MakeSpec, settings: Settings, site: Path) -> None:
    shipped = site / "tiny_weights" / "models" / "tiny.onnx"
    own = settings.home / "models" / "ocr" / "tiny" / "tiny.onnx"
    own.parent.mkdir(parents=True)
    shipped.rename(own)
    assert locate(spec(), spec().weights[0], settings) == own
    assert readiness(spec(), settings).ready


def test_fetched_weights_lie_in_the_models_own_folder(spec: MakeSpec, settings: Settings) -> None:
    fetched = spec(weights=(replace(spec().weights[0], source="https://example.org/tiny.onnx"),))
    own = settings.home / "models" / "ocr" / "tiny" / "tiny.onnx"
    assert locate(fetched, fetched.weights[0], settings) == own
    state = readiness(fetched, settings)
    assert not state.ready
    assert "tiny needs the weights tiny.onnx (0.0 MB, MIT)" in state.reason
    assert "`kizu models pull tiny` (from https://example.org/tiny.onnx)" in state.hint
    assert "`kizu models import FILE`" in state.hint


def test_a_missing_library_comes_with_its_pip_command(spec: MakeSpec, settings: Settings) -> None:
    state = readiness(spec(requires=("tiny_model", "kizu_no_such_library")), settings)
    assert state.reason == "tiny needs the library kizu_no_such_library."
    assert state.hint == f"{sys.executable} -m pip install kizu_no_such_library"


def test_a_bare_folder_is_no_library(spec: MakeSpec, settings: Settings, site: Path) -> None:
    (site / "only_a_folder").mkdir()
    assert not readiness(spec(requires=("only_a_folder",)), settings).ready


def test_a_file_of_another_size_is_seen_at_once(spec: MakeSpec, settings: Settings, site: Path) -> None:
    (site / "tiny_weights" / "models" / "tiny.onnx").write_bytes(b"cut")
    state = readiness(spec(), settings)
    assert not state.ready
    assert "wrong size" in state.reason


def test_a_forged_file_is_named_with_both_digests(spec: MakeSpec, settings: Settings, site: Path) -> None:
    forged = site / "tiny_weights" / "models" / "tiny.onnx"
    forged.write_bytes(forged.read_bytes()[::-1])
    with pytest.raises(ModelUnavailable, match="wrong digest") as caught:
        checked_weights(spec(), settings)
    assert str(forged) in caught.value.message
    assert str(spec().weights[0].sha256) in caught.value.message
