"""Published weights that this plugin knows where to find. Anything else is used from a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kizu_core import WeightFile

CHECKPOINTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "pytorch_model.bin",
)
"""Names that weights have, the best first: safetensors hold numbers only, the others are read as nothing else."""

TOKENIZER = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
)
"""Files of a text side that is none of CLIP's own: its shape and its tokenizer."""

ENGLISH = ("en",)
_MANY = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "uk", "cs", "sv", "tr", "ar", "zh", "ja", "ko")
"""Of the hundred languages that XLM-RoBERTa has read those that are most frequent in captions on the web."""

_OPENAI = "MIT (OpenAI CLIP)"
_LAION = "MIT (LAION)"


@dataclass(frozen=True, slots=True)
class Published:
    """`quick_gelu`: whether these weights were trained with OpenAI's approximation of GELU. The architecture's file
    does not say, nothing fails if it is wrong, and every vector is then slightly off.
    """

    files: tuple[WeightFile, ...]
    languages: tuple[str, ...] = ENGLISH
    quick_gelu: bool = False


def _from_hub(path: str, size: int, licence: str) -> WeightFile:
    """A file without a citable digest: its size is approximate, and both are recorded at the first pull."""
    name = path.rpartition("/")[2]
    return WeightFile(name=name, source=f"hf:{path}", bytes=size, exact=False, licence=licence)


def _openai(repository: str, size: int) -> Published:
    path = f"timm/{repository}.openai@main/{CHECKPOINTS[0]}"
    return Published((_from_hub(path, size, _OPENAI),), quick_gelu=True)


VIT_B_32 = Published(
    (
        WeightFile(
            name=CHECKPOINTS[0],
            source=f"hf:timm/vit_base_patch32_clip_224.openai@a6f597a30f7b82c51704746581f9a4e41421e878/{CHECKPOINTS[0]}",
            bytes=605_143_284,
            licence=_OPENAI,
            sha256="e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31",
            digest_source="the hub's own blob id of that revision, as recorded by several public projects",
        ),
    ),
    quick_gelu=True,
)

MANY = ("xlm-roberta-base-ViT-B-32", "laion5b_s13b_b90k")
"""The one that knows many languages."""

PUBLISHED: Mapping[tuple[str, str], Published] = {
    ("ViT-B-32", "openai"): VIT_B_32,
    ("ViT-B-16", "openai"): _openai("vit_base_patch16_clip_224", 598_600_000),
    ("ViT-L-14", "openai"): _openai("vit_large_patch14_clip_224", 1_710_500_000),
    ("ViT-L-14-336", "openai"): _openai("vit_large_patch14_clip_336", 1_711_900_000),
    ("ViT-B-32", "laion2b_s34b_b79k"): Published(
        (_from_hub("laion/CLIP-ViT-B-32-laion2B-s34B-b79K@main/open_clip_pytorch_model.bin", 605_200_000, _LAION),),
    ),
    MANY: Published(
        (
            _from_hub(
                "laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k@main/open_clip_pytorch_model.bin",
                1_464_000_000,
                _LAION,
            ),
            _from_hub("FacebookAI/xlm-roberta-base@main/config.json", 615, "MIT"),
            _from_hub("FacebookAI/xlm-roberta-base@main/tokenizer.json", 9_100_000, "MIT"),
        ),
        languages=_MANY,
    ),
}
"""Architecture and tag as OpenCLIP names them -> what they need. All are preprocessed as OpenAI's are."""
