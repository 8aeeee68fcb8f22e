"""What a model is made of, as one digest: what was measured or converted for other weights is worth nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

from kizu_core.models.weights import digest_of, locate, model_folder
from kizu_core.plugins.specs import ModelSpec, WeightFile
from kizu_core.settings import Settings

CONVERTED = "converted"


def weights_digest(spec: ModelSpec, settings: Settings) -> str:
    """Hexadecimal SHA-256 of the output version and of every weight file's known digest; nothing is read for it.

    A file without a digest, which came with a package or which the user named, counts by its size and time.
    """
    parts = [spec.output_version, *(f"{one.name} {_state(spec, one, settings)}" for one in spec.weights)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def converted_folder(spec: ModelSpec, settings: Settings) -> Path:
    """Where the converted form of exactly these weights belongs."""
    return model_folder(spec, settings) / CONVERTED / weights_digest(spec, settings)[:12]


def find_converted(spec: ModelSpec, settings: Settings) -> Path | None:
    """The folder of what `convert` wrote for these weights; None if that never happened."""
    folder = converted_folder(spec, settings)
    return folder if folder.is_dir() else None


def _state(spec: ModelSpec, weight: WeightFile, settings: Settings) -> str:
    known = digest_of(spec, weight, settings)
    if known is not None:
        return known
    try:
        found = locate(spec, weight, settings).stat()
    except OSError:
        return "missing"
    return f"{found.st_size} bytes of {found.st_mtime_ns}"
