"""From a spec to a model: what a factory gets, and one sentence for everything that can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from kizu_core.errors import ModelUnavailable
from kizu_core.models.loading import load_model
from kizu_core.plugins.protocols import OcrModel
from kizu_core.settings import Settings
from kizu_support.callables import MakeSpec


def test_what_a_factory_gets(spec: MakeSpec, settings: Settings, site: Path) -> None:
    model = load_model(spec(), settings)
    assert isinstance(model, OcrModel)
    context = model.context  # type: ignore[attr-defined]
    assert context.device == "cpu"
    assert context.threads == 3
    assert context.weights == {"tiny.onnx": site / "tiny_weights" / "models" / "tiny.onnx"}
    assert context.cache_dir == settings.home / "models" / "ocr" / "tiny"
    assert context.cache_dir.is_dir()
    assert context.settings is None


@pytest.mark.parametrize(
    ("factory", "complaint"),
    [
        ("tiny_model:no_such_function", "tiny_model:no_such_function"),
        ("tiny_model.below:build", "tiny_model.below:build"),
        ("tiny_model:build_broken", "RuntimeError: the graph has no output"),
        ("tiny_model:build_something", "made a int, which is no OcrModel"),
    ],
)
def test_a_factory_at_fault_is_named(factory: str, complaint: str, spec: MakeSpec, settings: Settings) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        load_model(spec(factory=factory), settings)
    assert complaint in caught.value.message
    assert caught.value.hint


def test_missing_weights_stop_before_anything_is_imported(spec: MakeSpec, settings: Settings, site: Path) -> None:
    (site / "tiny_weights" / "models" / "tiny.onnx").unlink()
    with pytest.raises(ModelUnavailable, match=r"needs the weights tiny\.onnx"):
        load_model(spec(factory="there_is.no_such:thing"), settings)
