# ruff: noqa: E402 - without the plugin, the skip must come before what needs it
"""A model that has learnt shapes finds them by words, on every runtime; a full-sized one is built as it was trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("kizu_plugin_clip.plugin", reason="the plugin is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("open_clip", reason="open_clip is not installed")
for library in ("onnx", "onnxruntime", "onnxscript", "openvino"):
    pytest.importorskip(library, reason=f"{library} is not installed")
support = pytest.importorskip("kizu_support.weights", reason="the repository's test support is not here")

from kizu_core import Embedder, ModelContext, Picture, Runtime
from kizu_core.testing import picture_of
from kizu_plugin_clip.convert import convert
from kizu_plugin_clip.lean import make_lean
from kizu_plugin_clip.model import build
from kizu_plugin_clip.network import load_network
from kizu_plugin_clip.plan import plan_of
from kizu_plugin_clip.plugin import kizu_embedders
from kizu_plugin_clip.settings import ClipSettings

(SPEC,) = kizu_embedders()
ON_CPU = [one for one in SPEC.runtimes if one is not Runtime.TORCH_CUDA_FP16]


def context_of(folder: Path, cache_dir: Path) -> ModelContext:
    settings = ClipSettings.model_validate({"CLIP_MODEL": str(folder)})
    weights = {one.name: Path(one.source.removeprefix("file:")) for one in plan_of(settings).weights}
    return ModelContext(device="cpu", threads=1, weights=weights, cache_dir=cache_dir, settings=settings)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ModelContext:
    """The tiny model, converted."""
    folder, converted = tmp_path_factory.mktemp("cache"), tmp_path_factory.mktemp("converted")
    context = context_of(support.tiny_clip(), folder)
    convert(context, converted)
    return replace(context, converted=converted)


@pytest.fixture(scope="module")
def reference(context: ModelContext) -> Iterator[Embedder]:
    model = build(replace(context, runtime=Runtime.TORCH_FP32))
    yield model
    model.close()


@pytest.fixture(scope="module")
def photos() -> list[Picture]:
    """Five of each class, class by class."""
    kinds = [kind for kind in support.CLASSES for _ in range(5)]
    return [picture_of(np.asarray(support.shape_photo(*kind, seed=n, size=96))) for n, kind in enumerate(kinds)]


@pytest.fixture(scope="module")
def captions() -> list[str]:
    return [support.caption(*kind) for kind in support.CLASSES]


def centred_cosine(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(axis=0), b - a.mean(axis=0)
    return float(np.min((a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))))


def test_words_find_pictures_that_the_model_never_saw(
    reference: Embedder, photos: list[Picture], captions: list[str]
) -> None:
    likeness = reference.embed_images(photos) @ reference.embed_texts(captions).T
    right = np.repeat(np.arange(len(captions)), 5)
    assert (likeness.argmax(axis=1) == right).mean() >= 0.95
    assert (right[likeness.argmax(axis=0)] == np.arange(len(captions))).mean() >= 0.95


@pytest.mark.parametrize("runtime", ON_CPU)
def test_every_runtime_sees_what_the_reference_sees(
    runtime: Runtime, context: ModelContext, reference: Embedder, photos: list[Picture], captions: list[str]
) -> None:
    model = build(replace(context, runtime=runtime))
    assert centred_cosine(reference.embed_images(photos), model.embed_images(photos)) >= 0.995
    assert centred_cosine(reference.embed_texts(captions), model.embed_texts(captions)) >= 0.995
    model.close()


@pytest.mark.parametrize("runtime", ON_CPU)
def test_no_picture_changes_its_neighbours(
    runtime: Runtime, context: ModelContext, photos: list[Picture], captions: list[str]
) -> None:
    model = build(replace(context, runtime=runtime))
    together = model.embed_images([photos[3], *photos[:10]])
    assert np.abs(together[0] - model.embed_images([photos[3]])[0]).max() < 0.01
    words = model.embed_texts([captions[3], "x " * 500])
    assert np.abs(words[0] - model.embed_texts([captions[3]])[0]).max() < 0.01
    model.close()
    with pytest.raises(RuntimeError, match="after close"):
        model.embed_images(photos[:1])


def test_nothing_stays_behind_in_the_models_folder(context: ModelContext, reference: Embedder) -> None:
    assert not list(context.cache_dir.iterdir())


@pytest.fixture(scope="module")
def full_size(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The default model, with random weights in place of OpenAI's."""
    file = next(support.random_clip_towers().glob("*.safetensors"))
    settings, folder = ClipSettings(), tmp_path_factory.mktemp("cache")
    context = ModelContext(device="cpu", threads=1, weights={file.name: file}, cache_dir=folder, settings=settings)
    return load_network(context, plan_of(settings))


def test_openais_weights_get_openais_activation(full_size: Any) -> None:
    """Random weights can't show the damage that another does: what counts is which layer it is."""
    network = full_size
    blocks = [*network.visual.transformer.resblocks, *network.transformer.resblocks]
    assert len(blocks) == 24
    assert {type(block.mlp.gelu).__name__ for block in blocks} == {"QuickGELU"}


def test_the_lean_tower_computes_the_same(full_size: Any) -> None:
    pixels = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 3, 224, 224)).astype(np.float32))
    with torch.inference_mode():
        whole = full_size.encode_image(pixels)
        make_lean(full_size)
        assert torch.allclose(whole, full_size.encode_image(pixels), atol=1e-4)
