"""What the settings make of the declared model: published weights, a folder, or one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kizu_plugin_clip.plugin", reason="the plugin is not installed")
pytest.importorskip("open_clip", reason="open_clip is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")

from kizu_core import EmbedderSpec, SettingError
from kizu_plugin_clip.plan import CONFIG, configure, plan_of
from kizu_plugin_clip.plugin import kizu_embedders
from kizu_plugin_clip.published import PUBLISHED
from kizu_plugin_clip.settings import ClipSettings

MODEL: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32},
    "text_cfg": {"context_length": 8},
}


def settings(**values: Any) -> ClipSettings:
    return ClipSettings.model_validate({f"CLIP_{name.upper()}": value for name, value in values.items()})


def spec(**values: Any) -> EmbedderSpec:
    (declared,) = kizu_embedders()
    return configure(declared, settings(**values), Path("unused"))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "holiday"
    folder.mkdir()
    (folder / CONFIG).write_text(json.dumps({"model_cfg": MODEL}))
    (folder / "open_clip_model.safetensors").write_bytes(bytes(range(256)) * 1000)
    return folder


def test_without_settings_it_is_what_the_plugin_declares() -> None:
    (declared,) = kizu_embedders()
    assert spec() == declared


@pytest.mark.parametrize(("model", "tag"), PUBLISHED)
def test_every_published_model_is_definite(model: str, tag: str) -> None:
    made = spec(model=model, pretrained=tag)
    assert made.space == f"openclip/{model}/{tag}"
    assert made.weights
    assert made.languages
    assert made.memory_mb > 900
    assert all(one.exact == (one.sha256 is not None) for one in made.weights)


@pytest.mark.parametrize(
    ("model", "tag", "dim", "side"),
    [
        ("ViT-B-16", "openai", 512, 448),
        ("ViT-L-14-336", "openai", 768, 672),
        ("ViT-B/32", "laion2b_s34b_b79k", 512, 448),
    ],
)
def test_length_and_useful_size_follow_from_the_architecture(model: str, tag: str, dim: int, side: int) -> None:
    made = spec(model=model, pretrained=tag)
    assert (made.dim, made.min_side) == (dim, side)


@pytest.mark.parametrize(
    ("name", "tag", "quick"), [("ViT-B-32", "openai", True), ("ViT-B-32-quickgelu", "openai", True)]
)
def test_the_weights_decide_about_the_activation(name: str, tag: str, quick: bool) -> None:
    plan = plan_of(settings(model=name, pretrained=tag))
    assert plan.space == "openclip/ViT-B-32/openai"
    assert plan.config["model_cfg"].get("quick_gelu", False) is quick
    laion = plan_of(settings(model=name, pretrained="laion2b_s34b_b79k"))
    assert "quick_gelu" not in laion.config["model_cfg"]


def test_a_multilingual_model_says_so_and_brings_its_tokenizer() -> None:
    made = spec(model="xlm-roberta-base-ViT-B-32", pretrained="laion5b_s13b_b90k")
    assert {"en", "de", "ja"} <= set(made.languages)
    assert "tokenizer.json" in {one.name for one in made.weights}


def test_a_folder_is_a_space_of_its_own(own: Path) -> None:
    made = spec(model=str(own), languages="de, en")
    assert made.space.startswith("openclip/holiday/")
    assert (made.dim, made.min_side, made.languages) == (16, 64, ("de", "en"))
    assert [one.source for one in made.weights] == [
        f"file:{own / name}" for name in (CONFIG, "open_clip_model.safetensors")
    ]


def test_a_copy_is_the_same_space_and_another_training_is_not(own: Path, tmp_path: Path) -> None:
    before = spec(model=str(own))
    copy = shutil.copytree(own, tmp_path / "elsewhere" / "holiday")
    assert spec(model=str(copy)).space == before.space
    trained = bytearray((own / "open_clip_model.safetensors").read_bytes())
    trained[-1] ^= 1
    (own / "open_clip_model.safetensors").write_bytes(trained)
    after = spec(model=str(own))
    assert after.space != before.space
    assert after.output_version != before.output_version


def test_safetensors_are_preferred_and_strange_names_are_not_looked_at(own: Path) -> None:
    (own / "open_clip_pytorch_model.bin").write_bytes(b"pickle")
    (own / "setup.py").write_text("raise SystemExit")
    assert plan_of(settings(model=str(own))).checkpoint == "open_clip_model.safetensors"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"model": "ViT-Z-99"}, "not known here"),
        ({"pretrained": "metaclip"}, "not known here"),
        ({"model": "/nowhere/at/all"}, "is no folder"),
        ({"model": "./nowhere"}, "is no folder"),
    ],
)
def test_what_is_not_known_is_one_sentence_and_a_way_out(values: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence) as caught:
        spec(**values)
    assert caught.value.hint


@pytest.mark.parametrize(
    "config",
    [
        None,
        "{",
        "[]",
        "{}",
        json.dumps({"model_cfg": {"embed_dim": "512"}}),
        json.dumps({"model_cfg": {**MODEL, "vision_cfg": {"image_size": [32, 64]}}}),
        json.dumps({"model_cfg": {**MODEL, "vision_cfg": "x"}}),
    ],
)
def test_a_folder_that_describes_no_model_is_refused(own: Path, config: str | None) -> None:
    (own / CONFIG).unlink()
    if config is not None:
        (own / CONFIG).write_text(config)
    with pytest.raises(SettingError, match=r"describes no model|without open_clip_config"):
        spec(model=str(own))


def test_a_folder_without_weights_is_refused(own: Path) -> None:
    (own / "open_clip_model.safetensors").unlink()
    with pytest.raises(SettingError, match="holds no weights"):
        spec(model=str(own))
