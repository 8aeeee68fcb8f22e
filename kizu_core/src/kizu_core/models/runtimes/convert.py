"""A model as ONNX files, made once for its weights: in a process of its own, never in one that does jobs."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from kizu_core.errors import KizuError, ModelUnavailable
from kizu_core.models.loading import model_context, resolve
from kizu_core.models.runtimes.identity import converted_folder
from kizu_core.plugins.specs import ModelSpec
from kizu_core.settings import Settings

CONVERT = "convert"
"""What the step is called to those who watch."""

_PART = ".part-"
DEAD_S = 3600.0
"""Half a conversion that is older was left by a process that was killed."""


def convert(spec: ModelSpec, settings: Settings) -> Path:
    """The folder with the converted model, made now if it is not there; what older weights left is removed.

    All or nothing: it grows under another name. Raises `ModelUnavailable` if it can't be converted.
    """
    target = converted_folder(spec, settings)
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = Path(tempfile.mkdtemp(prefix=_PART, dir=target.parent))
    try:
        _write(spec, settings, fresh)
        with suppress(OSError):  # another process was quicker, with the same
            fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    for old in target.parent.iterdir():
        if old != target and (not old.name.startswith(_PART) or time.time() - old.stat().st_mtime > DEAD_S):
            shutil.rmtree(old, ignore_errors=True)
    return target


def _write(spec: ModelSpec, settings: Settings, folder: Path) -> None:
    if spec.convert is None:
        raise ModelUnavailable(f"{spec.name} can't be converted: its plugin has no way to.")
    context = replace(model_context(spec, settings), runtime=spec.runtimes[0])
    try:
        resolve(spec.convert, spec.name)(context, folder)
    except KizuError:
        raise
    except Exception as error:  # a plugin and the libraries below it may raise anything
        raise ModelUnavailable(f"{spec.name} could not be converted: {type(error).__name__}: {error}") from error
