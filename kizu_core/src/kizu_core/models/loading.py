"""From a spec to a loaded model: weights checked, settings read, factory called, result looked at."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

from kizu_core.errors import KizuError, ModelUnavailable
from kizu_core.models.environment import quiet_libraries
from kizu_core.models.runtimes import choose
from kizu_core.models.runtimes.identity import find_converted
from kizu_core.models.runtimes.memory import ON_GPU
from kizu_core.models.runtimes.notices import tell
from kizu_core.models.runtimes.possible import GPU, needs_conversion
from kizu_core.models.weights import checked_weights, model_folder, readiness
from kizu_core.plugins.protocols import Detector, Embedder, FaceClusterer, FaceModel, ModelContext, OcrModel, Vlm
from kizu_core.plugins.specs import AnySpec, LazyRef, ModelSpec
from kizu_core.settings import Settings
from kizu_core.types import ModelType, Runtime

PROTOCOLS: Mapping[ModelType, type] = {
    ModelType.EMBEDDER: Embedder,
    ModelType.DETECTOR: Detector,
    ModelType.FACE_MODEL: FaceModel,
    ModelType.OCR: OcrModel,
    ModelType.VLM: Vlm,
    ModelType.FACE_CLUSTERER: FaceClusterer,
}


@dataclass(slots=True)
class Loaded:
    """`runtime`: what computes it now; None if its plugin decides that by itself."""

    model: Any
    runtime: Runtime | None


def load_model(spec: ModelSpec, settings: Settings) -> Any:
    """A loaded model of the spec's kind. Raises `ModelUnavailable`; never downloads anything."""
    return load(spec, settings).model


def load(spec: ModelSpec, settings: Settings) -> Loaded:
    """The model on the runtime that was chosen for it, which is only looked up here: nothing is tried or converted.

    One that does not load any more is replaced by the reference, and that is told. Raises `ModelUnavailable`.
    """
    chosen = choose(spec, settings)
    try:
        return _guarded(spec, settings, Loaded(build(spec, settings, chosen), chosen))
    except ModelUnavailable as error:
        if chosen is None or chosen == spec.runtimes[0]:
            raise
        why = error.message
    reference = spec.runtimes[0]
    model = build(spec, settings, reference)
    tell(f"{spec.name} runs on {reference}, because {chosen} failed: {why} `kizu models bench {spec.name}` looks anew.")
    return Loaded(model, reference)


def build(spec: ModelSpec, settings: Settings, runtime: Runtime | None) -> Any:
    """The model for that runtime and no other. Raises `ModelUnavailable`."""
    state = readiness(spec, settings)
    if not state.ready:
        raise ModelUnavailable(state.reason, hint=state.hint)
    quiet_libraries(settings.models_dir)  # once more, for processes that are none of Kizu's own
    context = model_context(spec, settings, runtime)
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
    _give_back()
    return model


def _give_back() -> None:
    """What loading took and freed goes back to the system: of files that were read and graphs that were rebuilt the C
    library keeps hundreds of megabytes otherwise.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def model_context(spec: ModelSpec, settings: Settings, runtime: Runtime | None = None) -> ModelContext:
    """What the factory gets: checked weights, threads, a folder of its own, its own settings, what to build for."""
    folder = model_folder(spec, settings)
    weights, converted = checked_weights(spec, settings), find_converted(spec, settings)
    if runtime is not None and converted is None and needs_conversion(spec, runtime):
        raise ModelUnavailable(
            f"{spec.name} was not converted for {runtime}.", hint=f"`kizu models bench {spec.name}` does it."
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return ModelContext(
        device=spec.devices[0] if runtime is None else "cuda" if runtime in GPU else "cpu",
        threads=settings.thread_count,
        weights=weights,
        cache_dir=folder,
        settings=settings.plugin(resolve(spec.settings, spec.name)) if spec.settings else None,
        runtime=runtime,
        converted=converted,
    )


def _guarded(spec: ModelSpec, settings: Settings, loaded: Loaded) -> Loaded:
    """With a model on a GPU in a wrapper that knows what to do when that has no memory left."""
    if loaded.runtime not in GPU:
        return loaded

    def fall_back() -> Any:
        model = build(spec, settings, spec.runtimes[0])
        tell(f"The GPU has not enough memory for {spec.name}, which runs on {spec.runtimes[0]} until the next start.")
        loaded.runtime = spec.runtimes[0]
        return model

    loaded.model = ON_GPU[spec.kind](loaded.model, fall_back)
    return loaded


def references(spec: AnySpec | ModelSpec) -> list[LazyRef]:
    """Every object that a spec names by its import path."""
    names = (getattr(spec, field, None) for field in ("factory", "settings", "configure", "convert", "app"))
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
