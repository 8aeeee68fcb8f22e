"""The declared model as the settings want it: another pack, or a folder of the user's own. Loads no library."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kizu_core import FaceModelSpec, ModelUnavailable, SettingError, WeightFile, fingerprint
from kizu_plugin_insightface.packs import PACKS
from kizu_plugin_insightface.routing import dim_of, route
from kizu_plugin_insightface.settings import InsightFaceSettings


def configure(spec: FaceModelSpec, settings: InsightFaceSettings, folder: Path) -> FaceModelSpec:
    """See `ModelSpec.configure`. Raises `SettingError` for an unknown pack and for a folder that is none."""
    if settings.pack in PACKS:
        pack = PACKS[settings.pack]
        return replace(
            spec,
            summary=spec.summary.replace("buffalo_l", settings.pack),
            output_version=f"{settings.pack}-1",
            space=f"insightface/{pack.recogniser}",
            memory_mb=pack.memory_mb,
            weights=pack.weights,
        )
    path = Path(settings.pack).expanduser().absolute()
    if not path.is_dir():
        raise SettingError(
            f"FACE_MODEL_NAME is {settings.pack!r}, which is neither a known pack nor a folder.",
            hint=f"Known packs: {', '.join(PACKS)}. A folder holds the ONNX files of another.",
        )
    return _own(spec, path)


def _own(spec: FaceModelSpec, path: Path) -> FaceModelSpec:
    try:
        detector, recogniser = route(path.glob("*.onnx"))
    except ModelUnavailable as error:
        raise SettingError(f"{path} can't be used: {error.message}", hint=error.hint) from error
    mark = fingerprint(recogniser)
    return replace(
        spec,
        summary=spec.summary.replace("buffalo_l", f"your {path.name}"),
        output_version=f"{fingerprint(detector)}-{mark}",
        dim=dim_of(recogniser) or spec.dim,
        space=f"insightface/{path.name}/{mark}",
        weights=(_weight("detector.onnx", detector), _weight("recogniser.onnx", recogniser)),
    )


def _weight(name: str, path: Path) -> WeightFile:
    return WeightFile(name=name, source=f"file:{path}", bytes=path.stat().st_size, exact=False, licence="yours")
