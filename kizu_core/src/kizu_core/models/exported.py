"""Models on their way to a machine without the library that they were made with: ONNX files and what they are.

    bundle.json     what the model is: space, labels, how to prepare pictures, licences and digests of its files
    visual.onnx     what the plugin's `convert` wrote, and so on

They travel as any weights do (`bundles`): under the names that the model which runs them there declares, and nothing
else of a bundle is taken. What `bundle.json` says is checked here before a plugin sees it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from kizu_core.errors import ModelUnavailable
from kizu_core.models.bundles import Entry, refuse_existing, write
from kizu_core.models.consent import terms_of
from kizu_core.models.sources import BUNDLE
from kizu_core.models.weights import sha256_of
from kizu_core.plugins.specs import ModelSpec
from kizu_core.types import ModelType

DESCRIPTION = "bundle.json"
ABOUT = "about.json"
"""What a plugin's `convert` may add, {"for": model, "preprocessing": {...}}. It becomes part of `bundle.json`."""

FORMAT = 1
MOST_BYTES = 1_000_000
"""Of a description."""

RUNNERS: Mapping[ModelType, str] = {
    ModelType.EMBEDDER: "clip-onnx",
    ModelType.DETECTOR: "yolo-onnx",
    ModelType.FACE_MODEL: "faces-onnx",
}
"""The model that runs an exported one of a kind, unless its plugin names another in `about.json`."""

_Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
_File = Annotated[str, Field(pattern=r"^[\w.+-]*\w[\w.+-]*$", max_length=120)]
_Text = Annotated[str, Field(min_length=1, max_length=300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledFile:
    """One file. `consent`: what must be agreed to before it may be used."""

    bytes: Annotated[int, Field(ge=1)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    licence: _Text
    consent: _Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """`model`: the one that runs it; `made_from`: the one that was exported. `space`, `dim`: of its vectors, as they
    were where it was made: the same vectors. `preprocessing`: for that model to understand.
    """

    format: Annotated[int, Field(ge=1, le=FORMAT)]
    kind: ModelType
    model: _Name
    made_from: _Name
    output_version: _Text
    space: _Text | None = None
    dim: Annotated[int, Field(ge=1, le=65_536)] | None = None
    labels: Annotated[tuple[_Text, ...], Field(max_length=10_000)] = ()
    languages: Annotated[tuple[_Text, ...], Field(max_length=1000)] = ()
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    files: Annotated[Mapping[_File, BundledFile], Field(min_length=1, max_length=50)]


def read_bundle(path: Path) -> Bundle:
    """What `bundle.json` says. Raises `ModelUnavailable` if it can't be read or is none."""
    try:
        with path.open("rb") as file:
            bundle: Bundle = TypeAdapter(Bundle).validate_json(file.read(MOST_BYTES))
    except (OSError, ValidationError) as error:
        why = f"{error.error_count()} faults" if isinstance(error, ValidationError) else error.strerror
        raise ModelUnavailable(
            f"{path} does not describe an exported model ({why}).", hint="Export the model anew, and import that."
        ) from error
    return bundle


def as_dict(bundle: Bundle) -> dict[str, Any]:
    """JSON form."""
    found: dict[str, Any] = TypeAdapter(Bundle).dump_python(bundle, mode="json")
    return found


def is_exportable(spec: ModelSpec) -> bool:
    """Whether its plugin can write it as ONNX, and something runs that without the plugin."""
    return spec.convert is not None and spec.kind in RUNNERS


def export_onnx(spec: ModelSpec, converted: Path, target: Path) -> Bundle:
    """Writes what the plugin converted to `target`: an archive if it ends in `.tar`, else a folder. Returns what it is.

    Raises `ModelUnavailable` for a kind that nothing runs without its library, `StorageError`, `DiskFull`.
    """
    refuse_existing(target)
    bundle = _described(spec, converted)
    prefix = f"{bundle.kind}/{bundle.model}"
    with tempfile.TemporaryDirectory(prefix="kizu-export-") as folder:
        description = Path(folder, DESCRIPTION)
        description.write_text(json.dumps(as_dict(bundle), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        paths = {DESCRIPTION: description, **{name: converted / name for name in bundle.files}}
        licence = _licence(spec)
        index = {
            f"{prefix}/{name}": Entry(bytes=path.stat().st_size, sha256=sha256_of(path), licence=licence, source=BUNDLE)
            for name, path in paths.items()
        }
        write(target, index, {f"{prefix}/{name}": path for name, path in paths.items()})
    return bundle


def _described(spec: ModelSpec, converted: Path) -> Bundle:
    about = converted / ABOUT
    added = json.loads(about.read_text(encoding="utf-8")) if about.is_file() else {}
    model = added.get("for") or RUNNERS.get(spec.kind)
    if model is None:
        raise ModelUnavailable(f"{spec.name} can't be exported: nothing runs a {spec.kind} without its library.")
    licence, consent = _licence(spec), "; ".join(terms_of(spec)) or None
    files = {
        path.name: BundledFile(bytes=path.stat().st_size, sha256=sha256_of(path), licence=licence, consent=consent)
        for path in sorted(converted.iterdir())
        if path.is_file() and path.name not in (ABOUT, DESCRIPTION)
    }
    return Bundle(
        format=FORMAT,
        kind=spec.kind,
        model=model,
        made_from=spec.name,
        output_version=spec.output_version,
        space=getattr(spec, "space", None),
        dim=getattr(spec, "dim", None),
        labels=getattr(spec, "labels", ()),
        languages=getattr(spec, "languages", ()),
        preprocessing=added.get("preprocessing", {}),
        files=files,
    )


def _licence(spec: ModelSpec) -> str:
    """Of what was exported: that of the weights it was made of."""
    return "; ".join(dict.fromkeys(weight.licence for weight in spec.weights)) or "as its plugin"
