"""Whether a folder holds a Florence-2 checkpoint that transformers' own class can load, told before anything loads it.

transformers would run code that a checkpoint brings if it were allowed to, fill what is missing with random numbers,
and fail at the first caption for want of an entry in a file. Here nothing but JSON is read.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kizu_core import ModelUnavailable

NETWORK = "model.safetensors"
_CONFIG, _PROCESSOR, _TOKENIZER = "config.json", "processor_config.json", "tokenizer.json"
_NEEDED = (_CONFIG, _PROCESSOR, _TOKENIZER, "tokenizer_config.json", NETWORK)
_OPTIONAL = ("generation_config.json", "preprocessor_config.json", "special_tokens_map.json", "added_tokens.json")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")

_CLASS = "Florence2ForConditionalGeneration"
_PURE_TEXT = "pure_text"
_HINT = "A checkpoint in the right layout is florence-community/Florence-2-base."
_SAMPLE_BYTES = 1 << 20


def check_checkpoint(folder: Path) -> None:
    """Raises `ModelUnavailable`, in one sentence, if the checkpoint can't be used."""
    for name in _NEEDED:
        if not (folder / name).is_file():
            raise _unusable(folder, _missing(folder, name))
    for path in sorted(folder.glob("*.json")):
        if path.name != _TOKENIZER and "auto_map" in _json(folder, path.name):
            raise _unusable(
                folder, f"{path.name} asks to run code of the checkpoint's own (auto_map), which Kizu never does"
            )
    config = _json(folder, _CONFIG)
    if config.get("model_type") != "florence2" or _CLASS not in (config.get("architectures") or [_CLASS]):
        raise _unusable(folder, f"it is a {config.get('model_type') or 'nameless'} model, not a Florence-2")
    if _PURE_TEXT not in (_json(folder, _PROCESSOR).get("post_processor_config") or {}):
        raise _unusable(
            folder, f"{_PROCESSOR} has no post_processor_config with {_PURE_TEXT}, without which it writes no text"
        )


def parts_of(folder: Path) -> Sequence[Path]:
    """The files of a checked checkpoint that are read."""
    return [path for name in (*_NEEDED, *_OPTIONAL) if (path := folder / name).is_file()]


def fingerprint(path: Path) -> str:
    """12 hexadecimal digits that tell one large file from another by its size and parts of it: cheap, for a version."""
    digest = hashlib.sha256(str(size := path.stat().st_size).encode())
    with path.open("rb") as file:
        for start in (0, size // 2, max(0, size - _SAMPLE_BYTES)):
            file.seek(start, os.SEEK_SET)
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:12]


def _missing(folder: Path, name: str) -> str:
    if name == NETWORK and any(next(folder.glob(pattern), None) for pattern in _PICKLES):
        return f"its weights are a pickle, which can run code, and {NETWORK} is not there"
    return f"{name} is not there"


def _json(folder: Path, name: str) -> Mapping[str, Any]:
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(folder, f"{name} can't be read ({type(error).__name__})") from error
    if not isinstance(found, dict):
        raise _unusable(folder, f"{name} holds no settings")
    return found


def _unusable(folder: Path, why: str) -> ModelUnavailable:
    return ModelUnavailable(f"The checkpoint in {folder} can't be used: {why}.", hint=_HINT)
