"""The declared models as the bundles make them: space, labels, versions, licences. Reads JSON and no library."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from kizu_core import (
    Bundle,
    DetectorSpec,
    EmbedderSpec,
    FaceModelSpec,
    ModelSpec,
    ModelUnavailable,
    SettingError,
    WeightFile,
    read_bundle,
)
from kizu_plugin_onnx.settings import OnnxSettings

DESCRIPTION = "bundle.json"

_LIBRARIES_MB = 50

Spec = TypeVar("Spec", bound=ModelSpec)
Vectors = TypeVar("Vectors", EmbedderSpec, FaceModelSpec)


def clip(spec: EmbedderSpec, settings: OnnxSettings, folder: Path) -> EmbedderSpec:
    """See `ModelSpec.configure`. Raises `SettingError` for a bundle that is none, or not of this kind."""
    found = _configured(spec, settings.clip, folder)
    if found is None:
        return spec
    spec, bundle = found
    size = bundle.preprocessing.get("size")
    return replace(
        _in_space(spec, bundle),
        languages=bundle.languages,
        memory_mb=_LIBRARIES_MB
        + bundle.files["visual.onnx"].bytes // 1_000_000,  # a worker never loads the texts' side
        min_side=2 * size if isinstance(size, int) else spec.min_side,
    )


def yolo(spec: DetectorSpec, settings: OnnxSettings, folder: Path) -> DetectorSpec:
    """The same of a detector."""
    found = _configured(spec, settings.yolo, folder)
    return spec if found is None else replace(found[0], labels=found[1].labels)


def faces(spec: FaceModelSpec, settings: OnnxSettings, folder: Path) -> FaceModelSpec:
    """The same of a face model."""
    found = _configured(spec, settings.faces, folder)
    return spec if found is None else _in_space(*found)


def _configured(spec: Spec, chosen: Path | None, folder: Path) -> tuple[Spec, Bundle] | None:
    """What is the same for every kind; None where no bundle came in yet."""
    place = chosen.expanduser().absolute() if chosen else folder
    description = place / DESCRIPTION
    if chosen is None and not description.is_file():
        return None
    try:
        bundle = read_bundle(description)
    except ModelUnavailable as error:
        raise SettingError(error.message, hint=error.hint) from error
    if (bundle.kind, bundle.model) != (spec.kind, spec.name):
        message = f"{description} describes a {bundle.model} ({bundle.kind}), not a {spec.name}."
        raise SettingError(message, hint=f"`kizu models import` the one that was made for {spec.name}.")
    weights = tuple(_weight(one, bundle, place if chosen else None) for one in spec.weights)
    summary = f"{spec.summary.partition(' (')[0]} (exported from {bundle.made_from})"
    memory_mb = _LIBRARIES_MB + sum(file.bytes for file in bundle.files.values()) // 1_000_000
    version = bundle.output_version
    return replace(spec, summary=summary, output_version=version, weights=weights, memory_mb=memory_mb), bundle


def _weight(declared: WeightFile, bundle: Bundle, chosen: Path | None) -> WeightFile:
    """The declared file as the bundle has it. Raises `SettingError` if it has none of that name."""
    source = f"file:{chosen / declared.name}" if chosen else declared.source
    if declared.name == DESCRIPTION:
        return replace(declared, source=source, licence="; ".join({one.licence: 0 for one in bundle.files.values()}))
    file = bundle.files.get(declared.name)
    if file is None:
        raise SettingError(f"The bundle of {bundle.model} has no {declared.name}.", hint="Export the model anew.")
    return replace(
        declared,
        source=source,
        bytes=file.bytes,
        exact=True,
        licence=file.licence,
        consent=file.consent,
        sha256=file.sha256,
        digest_source=DESCRIPTION,
    )


def _in_space(spec: Vectors, bundle: Bundle) -> Vectors:
    if bundle.space is None or bundle.dim is None:
        raise SettingError(f"The bundle of {bundle.model} does not name the space of its vectors.")
    return replace(spec, space=bundle.space, dim=bundle.dim)
