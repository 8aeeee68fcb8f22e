"""Checkpoints that can't be used, and what the settings make of a name: all of it before torch is imported."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kizu_plugin_florence.plugin", reason="the plugin is not installed")

from kizu_core import Runtime, SettingError, VlmSpec
from kizu_plugin_florence.plugin import kizu_vlms
from kizu_plugin_florence.settings import FlorenceSettings, configure

Change = Callable[[Path], Any]


def configured(**environ: str) -> VlmSpec:
    (spec,) = kizu_vlms()
    return configure(spec, FlorenceSettings.model_validate(environ), Path())


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A folder that looks right from outside."""
    contents: Mapping[str, Any] = {
        "config.json": {"model_type": "florence2", "architectures": ["Florence2ForConditionalGeneration"]},
        "processor_config.json": {"post_processor_config": {"pure_text": {}}},
        "tokenizer.json": {},
        "tokenizer_config.json": {},
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "model.safetensors").write_bytes(bytes(100))
    return tmp_path


def test_a_folder_is_taken_as_it_is(checkpoint: Path) -> None:
    spec = configured(FLORENCE_MODEL=str(checkpoint))
    assert {weight.source for weight in spec.weights} == {f"file:{path}" for path in checkpoint.iterdir()}
    assert spec.output_version.startswith(checkpoint.name)
    (checkpoint / "model.safetensors").write_bytes(bytes(50) + b"another" * 50)
    assert configured(FLORENCE_MODEL=str(checkpoint)).output_version != spec.output_version


def rewrite(name: str, content: str) -> Change:
    return lambda folder: (folder / name).write_text(content)


def only_a_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


CODE = json.dumps({"auto_map": {"AutoConfig": "configuration_florence2.Florence2Config"}, "model_type": "florence2"})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (rewrite("config.json", CODE), r"config\.json asks to run code of the checkpoint's own"),
        (rewrite("tokenizer_config.json", CODE), r"tokenizer_config\.json asks to run code"),
        (rewrite("config.json", '{"model_type": "llama"}'), "it is a llama model, not a Florence-2"),
        (
            rewrite("config.json", '{"model_type": "florence2", "architectures": ["Florence2Model"]}'),
            "not a Florence-2",
        ),
        (rewrite("processor_config.json", "{}"), "has no post_processor_config"),
        (rewrite("config.json", '{"model_type": '), r"config\.json can't be read"),
        (rewrite("config.json", "[]"), r"config\.json holds no settings"),
        (lambda folder: (folder / "tokenizer.json").unlink(), r"tokenizer\.json is not there"),
        (only_a_pickle, "its weights are a pickle, which can run code"),
    ],
)
def test_one_that_cant_be_used_is_one_sentence(checkpoint: Path, change: Change, reason: str) -> None:
    change(checkpoint)
    with pytest.raises(SettingError, match=reason) as caught:
        configured(FLORENCE_MODEL=str(checkpoint))
    assert str(checkpoint) in caught.value.message
    assert caught.value.message.count("\n") == 0
    assert "florence-community/Florence-2-base" in str(caught.value.hint)


@pytest.mark.parametrize("wrong", ["florence", "/nowhere/at/all", "a/b/c", "https://example.org/florence"])
def test_what_is_no_checkpoint_is_told(wrong: str) -> None:
    with pytest.raises(SettingError):
        configured(FLORENCE_MODEL=wrong)


@pytest.mark.parametrize(
    ("name", "repository"),
    [
        ("microsoft/Florence-2-base", "florence-community/Florence-2-base"),
        ("microsoft/Florence-2-large-ft", "florence-community/Florence-2-large-ft"),
        ("someone/Florence-2-of-theirs", "someone/Florence-2-of-theirs"),
    ],
)
def test_the_specifications_names_mean_the_same_weights_without_code(name: str, repository: str) -> None:
    spec = configured(FLORENCE_MODEL=name)
    assert all(weight.source.startswith(f"hf:{repository}@") for weight in spec.weights)
    assert {weight.licence for weight in spec.weights} == {"MIT"}


@pytest.mark.parametrize(
    ("value", "reference"), [("none", Runtime.TORCH_FP32), ("bf16", Runtime.TORCH_BF16), ("int8", Runtime.TORCH_INT8)]
)
def test_a_precision_that_is_set_is_the_reference(value: str, reference: Runtime) -> None:
    spec = configured(VLM_QUANTIZATION=value)
    assert spec.runtimes[0] is reference
    assert spec.output_version != configured().output_version


def test_without_settings_it_is_as_declared() -> None:
    (spec,) = kizu_vlms()
    assert configured() == spec
