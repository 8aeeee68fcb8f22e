# ruff: noqa: E402 - without the plugin, the skip must come before what needs it
"""Florence-2 on a checkpoint that the tests make: precisions, faults, and a caption without words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("kizu_plugin_florence.plugin", reason="the plugin is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
support = pytest.importorskip("kizu_support.models", reason="the repository's test support is not here")
weights = pytest.importorskip("kizu_support.weights", reason="the repository's test support is not here")

import torch
from pytest_mock import MockerFixture
from safetensors.torch import load_file, save_file

from kizu_core import ModelType, ModelUnavailable, Runtime, Vlm
from kizu_core.testing import ordinary_pictures

PICTURES = ordinary_pictures()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vlm]:
    home = tmp_path_factory.mktemp("home")
    with support.loaded(ModelType.VLM, "florence", home, FLORENCE_MODEL=str(weights.tiny_florence())) as loaded:
        yield loaded


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of the checkpoint, to be damaged."""
    return Path(shutil.copytree(weights.tiny_florence(), tmp_path / "own"))


def texts(model: Vlm) -> list[str]:
    return [caption.text for caption in model.describe(PICTURES)]


def test_pictures_that_differ_are_described_differently(model: Vlm) -> None:
    assert len(set(texts(model))) == len(PICTURES)


@pytest.mark.parametrize(
    ("task", "token"),
    [
        (None, "<CAPTION>"),
        ("caption", "<CAPTION>"),
        ("detailed", "<DETAILED_CAPTION>"),
        ("more_detailed", "<MORE_DETAILED_CAPTION>"),
    ],
)
def test_the_tasks_are_florences_own(model: Vlm, mocker: MockerFixture, task: str | None, token: str) -> None:
    asked = mocker.spy(model._processor, "_construct_prompts")  # type: ignore[attr-defined]
    (caption,) = model.describe(PICTURES[:1], task=task)
    assert asked.call_args.args[0] == [token]
    assert caption.task == (task or "caption")


def test_a_task_that_it_does_not_know_is_told(model: Vlm) -> None:
    with pytest.raises(ValueError, match="'haiku' is none of caption, detailed, more_detailed"):
        model.describe(PICTURES[:1], task="haiku")


@pytest.mark.parametrize("said", ["", "  \n "])
def test_a_caption_is_never_empty(model: Vlm, mocker: MockerFixture, said: str) -> None:
    mocker.patch.object(model._processor, "batch_decode", return_value=[said])  # type: ignore[attr-defined]
    assert texts(model)[0] == "a photo"


@pytest.mark.parametrize("runtime", [Runtime.OPENVINO_FP32, Runtime.OPENVINO_BF16])
def test_openvino_sees_what_torch_sees(model: Vlm, runtime: Runtime, tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="openvino is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    folder = str(weights.tiny_florence())
    with support.loaded_on(runtime, ModelType.VLM, "florence", tmp_path, FLORENCE_MODEL=folder) as other:
        found = texts(other)
    assert [text.split()[:3] for text in found] == [text.split()[:3] for text in texts(model)]
    if runtime is Runtime.OPENVINO_FP32:
        assert found == texts(model)


@pytest.mark.parametrize("value", ["bf16", "int8"])
def test_a_precision_that_is_set_is_used(tmp_path: Path, value: str) -> None:
    folder = str(weights.tiny_florence())
    with support.loaded(ModelType.VLM, "florence", tmp_path, FLORENCE_MODEL=folder, VLM_QUANTIZATION=value) as model:
        layer = model._network.model.language_model.encoder.layers[0].fc1
        kind = layer.weight().dtype if value == "int8" else layer.weight.dtype
        assert kind is {"int8": torch.qint8, "bf16": torch.bfloat16}[value]
        assert all(texts(model))


def failure(own: Path, home: Path) -> str:
    with (
        pytest.raises(ModelUnavailable) as caught,
        support.loaded(ModelType.VLM, "florence", home, FLORENCE_MODEL=str(own)),
    ):
        pass
    assert "\n" not in caught.value.message
    assert str(own) in caught.value.message
    return caught.value.message


def test_damaged_weights_are_one_sentence(own: Path, tmp_path: Path) -> None:
    (own / "model.safetensors").write_bytes((own / "model.safetensors").read_bytes()[:5000])
    assert "damaged" in failure(own, tmp_path)


def test_a_damaged_tokenizer_is_one_sentence(own: Path, tmp_path: Path) -> None:
    (own / "tokenizer.json").write_text('{"version": "1.0"')
    assert "damaged" in failure(own, tmp_path)


def test_tensors_that_are_missing_are_not_made_up(own: Path, tmp_path: Path) -> None:
    tensors = load_file(own / "model.safetensors")
    dropped = sorted(name for name in tensors if "vision_tower" in name)[:3]
    save_file({name: value for name, value in tensors.items() if name not in dropped}, own / "model.safetensors")
    assert "is not the network that config.json beside it describes" in failure(own, tmp_path)


def test_code_beside_the_weights_is_never_run(own: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    for name in ("configuration_florence2.py", "modeling_florence2.py", "processing_florence2.py"):
        (own / name).write_text(f"open({str(marker)!r}, 'w')\n")
    with support.loaded(ModelType.VLM, "florence", tmp_path, FLORENCE_MODEL=str(own)) as model:
        assert all(texts(model))
    config = (own / "config.json").read_text()
    (own / "config.json").write_text(config.replace("{", '{"auto_map": {"AutoModel": "modeling_florence2.M"},', 1))
    assert "auto_map" in failure(own, tmp_path)
    assert not marker.exists()


def test_after_close_it_says_so(tmp_path: Path) -> None:
    folder = str(weights.tiny_florence())
    with support.loaded(ModelType.VLM, "florence", tmp_path, FLORENCE_MODEL=folder) as model:
        model.close()
        with pytest.raises(RuntimeError, match="after close"):
            model.describe(PICTURES)
