# ruff: noqa: E402 - without the plugin, the skip must come before what needs it
"""Files that hold no such model: one sentence, a way out, and no code of theirs is run."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kizu_plugin_clip.plugin", reason="the plugin is not installed")
pytest.importorskip("open_clip", reason="open_clip is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed")
support = pytest.importorskip("kizu_support.models", reason="the repository's test support is not here")

from kizu_core import ModelType, ModelUnavailable
from kizu_plugin_clip.plan import CONFIG
from kizu_support.weights import tiny_clip

WEIGHTS = "open_clip_model.safetensors"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return shutil.copytree(tiny_clip(), tmp_path / "own")


@pytest.fixture
def refusal(own: Path, tmp_path: Path) -> Callable[[], ModelUnavailable]:
    """What loading the model in the folder raises."""

    def load() -> ModelUnavailable:
        with (
            pytest.raises(ModelUnavailable) as caught,
            support.loaded(ModelType.EMBEDDER, "clip", tmp_path / "home", CLIP_MODEL=str(own)),
        ):
            pass
        assert caught.value.hint
        assert "\n" not in caught.value.message
        return caught.value

    return load


def change_config(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    config = json.loads((folder / CONFIG).read_text())
    change(config["model_cfg"])
    (folder / CONFIG).write_text(json.dumps(config))


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("keep", [0, 7, 5_000, 100_000])
def test_weights_that_were_cut_short(own: Path, refusal: Callable[[], ModelUnavailable], keep: int) -> None:
    whole = (own / WEIGHTS).read_bytes()
    (own / WEIGHTS).write_bytes(whole[:keep])
    assert "damaged" in refusal().message


def test_weights_of_another_architecture(own: Path, refusal: Callable[[], ModelUnavailable]) -> None:
    change_config(own, lambda model: model["vision_cfg"].update(width=16))
    assert "another architecture" in refusal().message


def test_an_architecture_that_open_clip_does_not_have(own: Path, refusal: Callable[[], ModelUnavailable]) -> None:
    change_config(own, lambda model: model["vision_cfg"].update(loops=3))
    assert "could not be built" in refusal().message


def test_a_checkpoint_with_code_in_it(own: Path, tmp_path: Path, refusal: Callable[[], ModelUnavailable]) -> None:
    trap = tmp_path / "ran"
    (own / WEIGHTS).unlink()
    torch.save({"visual": Bomb(trap)}, own / "open_clip_pytorch_model.bin")
    assert "holds code" in refusal().message
    (own / "open_clip_pytorch_model.bin").write_bytes(pickle.dumps(Bomb(trap)))
    refusal()
    assert not trap.exists()


def test_a_checkpoint_of_numbers_only_is_welcome(own: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    torch.save(load_file(own / WEIGHTS), own / "open_clip_pytorch_model.bin")
    (own / WEIGHTS).unlink()
    with support.loaded(ModelType.EMBEDDER, "clip", tmp_path / "home", CLIP_MODEL=str(own)) as model:
        assert model.embed_texts(["a red circle"]).shape == (1, 64)


def test_a_tokenizer_that_is_not_there(own: Path, refusal: Callable[[], ModelUnavailable]) -> None:
    change_config(own, lambda model: model["text_cfg"].update(hf_tokenizer_name="someone/words"))
    assert "tokenizer" in refusal().message


def test_a_text_side_that_names_code(own: Path, tmp_path: Path, refusal: Callable[[], ModelUnavailable]) -> None:
    trap = tmp_path / "ran"
    change_config(own, lambda model: model["text_cfg"].update(hf_model_name="x/y", hf_tokenizer_name="x/y"))
    (own / "evil.py").write_text(f"open({str(trap)!r}, 'w')")
    (own / "config.json").write_text(json.dumps({"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config"}}))
    assert "auto_map" in refusal().message
    assert not trap.exists()
