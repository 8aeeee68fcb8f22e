"""CLIP models in the layout of open_clip: a small one that has learnt something, a full-sized one that has not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kizu_support.weights import shapes
from kizu_support.weights.cache import cached, version_of
from kizu_support.weights.shapes import CLASSES, draw_shape

if TYPE_CHECKING:
    import torch

_SIZE = 64
_TINY: Mapping[str, Any] = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": _SIZE, "layers": [1, 1, 1, 1], "width": 8, "head_width": 64, "patch_size": None},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
"""open_clip's ResNet tower: it learns shapes in a minute, where a small vision transformer does not."""

_WORDINGS = ("a {} {}", "a photo of a {} {}", "{} {}", "the {} {}", "an image with a {} {}")
_STEPS = 900
_LEARNING_RATE = 2e-3
_LIBRARIES = ("open_clip_torch", "torch", "numpy", "pillow")


def tiny_clip() -> Path:
    """A model of 8 MB that tells the 40 `CLASSES` apart by text. Made in about a minute, once a machine."""
    return cached("tiny-clip", version_of(sys.modules[__name__], shapes, libraries=_LIBRARIES), _train)


def random_clip_towers() -> Path:
    """ViT-B-32 as OpenAI trained it, QuickGELU and all, but with random weights: 605 MB, made in seconds."""
    return cached("random-vit-b-32", version_of(sys.modules[__name__], libraries=_LIBRARIES), _random_towers)


def _random_towers(folder: Path) -> None:
    import open_clip

    with _repeatable():
        config = {**open_clip.get_model_config("ViT-B-32"), "quick_gelu": True}
        _save(open_clip.create_model("ViT-B-32", pretrained=None, force_quick_gelu=True), config, folder)


def _train(folder: Path) -> None:
    import open_clip
    import torch

    with _repeatable():
        model = open_clip.CLIP(**_TINY).to(memory_format=torch.channels_last)
        _switch_on_blocks(model)
        # A random table of 49,408 tokens tells a dozen words apart as well as a learnt one, and costs no time.
        model.token_embedding.weight.requires_grad_(False)
        learnt = [one for one in model.parameters() if one.requires_grad]
        optimiser = torch.optim.AdamW(learnt, lr=_LEARNING_RATE, weight_decay=0.01)
        pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LEARNING_RATE, total_steps=_STEPS, pct_start=0.15)
        for pictures, texts in _lessons(open_clip.SimpleTokenizer(context_length=16)):
            optimiser.zero_grad()
            _loss(model, pictures, texts).backward()
            torch.nn.utils.clip_grad_norm_(learnt, 1.0)
            optimiser.step()
            pace.step()
            model.logit_scale.data.clamp_(0, np.log(100))
        _save(model, _TINY, folder)


def _switch_on_blocks(model: torch.nn.Module) -> None:
    """open_clip starts each residual block at zero, which deep networks need and small ones learn more slowly from."""
    import torch

    for name, weight in model.named_parameters():
        if name.endswith("bn3.weight"):
            torch.nn.init.ones_(weight)


def _lessons(tokenizer: Any) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches with each class once: no two captions of a batch are the same, and each other's wrong answers."""
    import open_clip
    import torch

    mean, std = (torch.tensor(values) for values in (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD))
    rng = np.random.default_rng(0)
    for _ in range(_STEPS):
        drawn = np.stack([np.asarray(draw_shape(rng, *kind, size=_SIZE)) for kind in CLASSES])
        texts = [_WORDINGS[rng.integers(len(_WORDINGS))].format(*kind) for kind in CLASSES]
        pictures = (torch.from_numpy(drawn).float() / 255 - mean) / std
        yield pictures.permute(0, 3, 1, 2), tokenizer(texts)


def _loss(model: Any, pictures: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
    """Each picture belongs to the text of its own row, and the other way round (Radford et al., 2021)."""
    import torch

    images, words, scale = model(pictures, texts)[:3]
    logits = scale * images @ words.T
    own = torch.arange(len(logits))
    return (torch.nn.functional.cross_entropy(logits, own) + torch.nn.functional.cross_entropy(logits.T, own)) / 2


def _save(model: torch.nn.Module, config: Mapping[str, Any], folder: Path) -> None:
    """What open_clip reads by `local-dir:`."""
    import open_clip
    from safetensors.torch import save_file

    save_file(
        {name: value.contiguous() for name, value in model.state_dict().items()},
        folder / "open_clip_model.safetensors",
    )
    preprocessing = {
        "mean": open_clip.OPENAI_DATASET_MEAN,
        "std": open_clip.OPENAI_DATASET_STD,
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    }
    config_file = folder / "open_clip_config.json"
    config_file.write_text(json.dumps({"model_cfg": config, "preprocess_cfg": preprocessing}, indent=2))


@contextmanager
def _repeatable() -> Iterator[None]:
    """The same weights at every run: one seed, one thread, no operation whose order may change; then as before."""
    import torch

    threads, state = torch.get_num_threads(), torch.get_rng_state()
    was = torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(was)
        torch.set_num_threads(threads)
        torch.set_rng_state(state)
