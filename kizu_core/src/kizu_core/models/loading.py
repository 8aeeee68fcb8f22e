"""From a spec to a loaded model: weights checked, settings read, factory called, result looked at."""

from __future__ import annotations

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

from kizu_core.errors import KizuError, ModelUnavailable
from kizu_core.models.environment import quiet_libraries
from kizu_core.models.weights import checked_weights, model_folder, readiness
from kizu_core.plugins.protocols import Detector, Embedder, FaceClusterer, FaceModel, ModelContext, OcrModel, Vlm
from kizu_core.plugins.specs import AnySpec, LazyRef, ModelSpec
from kizu_core.settings import Settings
from kizu_core.types import ModelType

PROTOCOLS: Mapping[ModelType, type] = {
    ModelType.EMBEDDER: Embedder,
    ModelType.DETECTOR: Detector,
    ModelType.FACE_MODEL: FaceModel,
    ModelType.OCR: OcrModel,
    ModelType.VLM: Vlm,
    ModelType.FACE_CLUSTERER: FaceClusterer,
}


def load_model(spec: ModelSpec, settings: Settings) -> Any:
    """A loaded model of the spec's kind. Raises `ModelUnavailable`; never downloads anything."""
    state = readiness(spec, settings)
    if not state.ready:
        raise ModelUnavailable(state.reason, hint=state.hint)
    quiet_libraries(settings.models_dir)  # once more, for processes that are none of Kizu's own
    context = model_context(spec, settings)
    factory = resolve(spec.factory, spec.name)
    try:
        model = factory(context)
    except KizuError:
        raise
    except Exception as error:
        raise ModelUnavailable(
            f"{spec.name} failed to load: {type(error).__name__}: {error}", hint=f"Its factory is {spec.factory}."
        ) from error
    if not isinstance(model, PROTOCOLS[spec.kind]):
        raise ModelUnavailable(
            f"{spec.factory} made a {type(model).__name__}, which is no {PROTOCOLS[spec.kind].__name__}.",
            hint="Update the plugin, or tell its author.",
        )
    return model


def model_context(spec: ModelSpec, settings: Settings) -> ModelContext:
    """What the factory gets: checked weights, threads, a folder of its own, its own settings."""
    folder = model_folder(spec, settings)
    weights = checked_weights(spec, settings)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return ModelContext(
        device=spec.devices[0],
        threads=settings.thread_count,
        weights=weights,
        cache_dir=folder,
        settings=settings.plugin(resolve(spec.settings, spec.name)) if spec.settings else None,
    )


def references(spec: AnySpec | ModelSpec) -> list[LazyRef]:
    """Every object that a spec names by its import path."""
    names = (getattr(spec, field, None) for field in ("factory", "settings", "app"))
    return [name for name in names if name]


def resolve(reference: LazyRef, owner: str) -> Any:
    """The object that a spec names. Raises `ModelUnavailable` naming the path if it is not there."""
    try:
        return resolve_name(reference)
    except (Exception, SystemExit) as error:
        raise ModelUnavailable(
            f"{owner} names {reference}, which can't be imported: {type(error).__name__}: {error}",
            hint="Reinstall the plugin with its dependencies; `kizu models verify` repeats this check.",
        ) from error
