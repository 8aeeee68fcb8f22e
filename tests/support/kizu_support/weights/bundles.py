"""Tiny models as `kizu models export --onnx` hands them on: folders with an index."""

from __future__ import annotations

import json
from pathlib import Path
from pkgutil import resolve_name

from kizu_core.models.bundles import write
from kizu_core.models.exported import export_onnx
from kizu_core.models.runtimes.convert import convert
from kizu_core.models.selection import build_catalog
from kizu_core.settings import load_settings
from kizu_core.types import ModelType
from kizu_support.weights.cache import cached, version_of
from kizu_support.weights.clip import tiny_clip
from kizu_support.weights.faces import fake_face_pack
from kizu_support.weights.yolo import colour_yolo

_CONVERTERS = {"clip": "kizu_plugin_clip.convert", "yolo": "kizu_plugin_yolo.convert"}
_CONVERTERS |= {"insightface": "kizu_plugin_insightface.convert"}
_KINDS = {"clip": ModelType.EMBEDDER, "yolo": ModelType.DETECTOR, "insightface": ModelType.FACE_MODEL}


def sources() -> dict[str, str]:
    """Settings under which the plugins with the original libraries use the same tiny models."""
    return {
        "CLIP_MODEL": str(tiny_clip()),
        "YOLO_WEIGHTS": str(colour_yolo()),
        "FACE_MODEL_NAME": str(fake_face_pack()),
    }


def bundle(name: str) -> Path:
    """What was exported of the model `clip`, `yolo` or `insightface`: a folder that `kizu models import` takes."""
    environ = sources()
    made = version_of(resolve_name(_CONVERTERS[name]), export_onnx, write) + json.dumps(environ)
    return cached(f"bundle-{name}", made, lambda folder: _make(name, environ, folder)) / "bundle"


def unpacked(name: str) -> Path:
    """The folder inside of it that holds the files, as ONNX_CLIP and its like name it."""
    (description,) = bundle(name).rglob("bundle.json")
    return description.parent


def _make(name: str, environ: dict[str, str], folder: Path) -> None:
    settings = load_settings({"home": folder / "home", "threads": 1}, environ=environ)
    spec = build_catalog(settings).model(_KINDS[name], name)
    export_onnx(spec, convert(spec, settings), folder / "bundle")
