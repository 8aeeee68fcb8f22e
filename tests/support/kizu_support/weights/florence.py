"""Florence-2 checkpoints with random numbers: the whole contract in 4 MB, and the full size for measurements."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kizu_support.weights.cache import cached, version_of

_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_LINES = (
    "What does the image describe?",
    "Describe in detail what is shown in the image.",
    "Describe with a paragraph what is shown in the image.",
    "red green blue yellow dark bright circle square table chair window street two three people child woman dog cat",
    "bird boat bicycle car tree meadow mountain lake sea beach snow cloud evening morning garden kitchen cake book",
)
_PLACES = 1000
_FULL_WORDS = 51_289 - _PLACES - 1
"""As many as the official tokenizer has, beside places and the picture."""
_SIDE = 768
_PICTURE_TOKENS = 577
_FULL_TOWER = {"projection_dim": 768}
_TINY_TOWER = {
    "depths": (1, 1, 1, 1),
    "embed_dim": (16, 32, 64, 128),
    "num_heads": (1, 2, 4, 8),
    "num_groups": (1, 2, 4, 8),
    "projection_dim": 64,
}


def tiny_florence() -> Path:
    """A folder with a checkpoint of about a million parameters. What it says is nonsense, the same every time."""
    return cached("florence-tiny", _version(), lambda folder: _write(folder, _TINY_TOWER, 64, 1, 2))


def random_florence() -> Path:
    """A folder with a checkpoint as large as Florence-2-base (926 MB), for speed and memory."""
    return cached("florence-random", _version(), lambda folder: _write(folder, _FULL_TOWER, 768, 6, 12))


def _version() -> str:
    return version_of(sys.modules[__name__], libraries=("torch", "transformers"))


def _write(folder: Path, tower: Mapping[str, Any], width: int, layers: int, heads: int) -> None:
    import torch
    from transformers import Florence2ForConditionalGeneration

    full = width == _FULL_TOWER["projection_dim"]
    tokenizer = _tokenizer(_FULL_WORDS if full else 0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Florence2ForConditionalGeneration(_config(tokenizer, tower, width, layers, heads))
    # Random networks would say the token that they begin with for ever: these say some words, and come to an end.
    network.generation_config.update(
        suppress_tokens=[token for token in tokenizer.get_added_vocab().values() if token != tokenizer.eos_token_id],
        min_new_tokens=6,
        no_repeat_ngram_size=2,
        exponential_decay_length_penalty=(8, 2.0),
    )
    network.save_pretrained(folder)
    _processor(tokenizer).save_pretrained(folder)


def _config(tokenizer: Any, tower: Mapping[str, Any], width: int, layers: int, heads: int) -> Any:
    from transformers import BartConfig, Florence2Config
    from transformers.models.florence2.configuration_florence2 import Florence2VisionConfig

    words = BartConfig(
        vocab_size=len(tokenizer),
        d_model=width,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        max_position_embeddings=1024,
        init_std=0.2,  # with the usual 0.02 all pictures look the same
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
        forced_eos_token_id=2,
    )
    picture = tokenizer.convert_tokens_to_ids("<image>")
    return Florence2Config(vision_config=Florence2VisionConfig(**tower), text_config=words, image_token_id=picture)


def _tokenizer(least: int) -> Any:
    """Whole words, `least` of them or more, with the tokens that Florence's processor asks for."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = sorted({word for line in _LINES for word in re.findall(r"\w+|[^\w\s]", line)})
    more = [f"word{index}" for index in range(len(_SPECIAL) + len(words), least)]
    vocabulary = {token: index for index, token in enumerate([*_SPECIAL, *words, *more])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.add_special_tokens(["<image>"])
    made.add_tokens([f"<loc_{index}>" for index in range(_PLACES)])
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    names = zip(("bos", "pad", "eos", "unk", "mask"), _SPECIAL, strict=True)
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        extra_special_tokens={"image_token": "<image>"},
        **{f"{name}_token": token for name, token in names},
    )


def _processor(tokenizer: Any) -> Any:
    from transformers import CLIPImageProcessor, Florence2Processor

    side = {"height": _SIDE, "width": _SIDE}
    images = CLIPImageProcessor(
        size=side,
        crop_size=side,
        do_center_crop=False,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
        resample=3,
    )
    images.image_seq_length = _PICTURE_TOKENS
    tasks = {
        "pure_text": {},
        "ocr": {"PATTERN": None, "AREA_THRESHOLD": 0.0},
        "phrase_grounding": {"banned_grounding_tokens": []},
        "description_with_bboxes": {},
    }
    return Florence2Processor(image_processor=images, tokenizer=tokenizer, post_processor_config=tasks)
