"""Loaded models: each loaded once, kept while it is used, given back when it is not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, overload

from kizu_core.errors import ModelUnavailable, NoSuchModel
from kizu_core.models.budget import budget_mb, machine_mb
from kizu_core.models.loading import Loaded, load
from kizu_core.models.runtimes.notices import tell
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.protocols import Detector, Embedder, FaceClusterer, FaceModel, OcrModel, Vlm
from kizu_core.plugins.specs import ModelSpec
from kizu_core.settings import Settings
from kizu_core.types import ModelType, Runtime

KEEP_S = 600.0
"""A model that nobody asked for during this time is unloaded by `sweep`: longer than any pause within a run."""


@dataclass(slots=True)
class _Entry:
    memory_mb: int
    model: Future[Loaded] = field(default_factory=Future)
    used: float = 0.0


class ModelPool:
    """A set of loaded models. Threads that ask for one that is being loaded wait for that same load.

    They share a budget of memory: before one is loaded that would exceed it, those that nobody asked for the longest
    are closed. So whoever works with several asks anew for each before each use.
    """

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        *,
        keep_s: float = KEEP_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalog = catalog
        self._settings = settings
        self._keep_s = keep_s
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[tuple[ModelType, str], _Entry] = {}

    def get(self, kind: ModelType, name: str | None = None) -> Any:
        """See `ModelRegistry.get`."""
        spec = self._catalog.model(kind, name)
        key = (kind, spec.name)
        with self._lock:
            entry = self._entries.get(key)
            if first := entry is None:
                entry = self._entries[key] = _Entry(spec.memory_mb)
            entry.used = self._clock()
        if first:
            try:
                self._make_space(spec)
                entry.model.set_result(load(spec, self._settings))
            except BaseException as error:  # noqa: BLE001 - handed to everybody who waits, the caller included
                with self._lock:
                    self._entries.pop(key, None)  # the next who asks tries again
                entry.model.set_exception(error)
        return entry.model.result().model

    def _make_space(self, spec: ModelSpec) -> None:
        """Closes others as far as the budget asks for it. A model that exceeds it alone is loaded alone.

        Raises `ModelUnavailable` for one that the machine has not enough memory for.
        """
        budget = budget_mb(self._settings)
        if spec.memory_mb > machine_mb():
            raise ModelUnavailable(
                f"{spec.name} needs {spec.memory_mb:,} MB of memory, and this machine has {machine_mb():,}.",
                hint=f"`kizu models list` shows others; `kizu models use {spec.kind} NAME` chooses one.",
            )
        if spec.memory_mb > budget:
            tell(f"{spec.name} needs {spec.memory_mb:,} MB, more than the {budget:,} that models may take together.")
        with self._lock:
            oldest = sorted((entry.used, key) for key, entry in self._entries.items() if entry.model.done())
            excess = sum(entry.memory_mb for entry in self._entries.values()) - budget  # the new one is among them
            closing = []
            for _, key in oldest:
                if excess <= 0:
                    break
                closing.append(key)
                excess -= self._entries[key].memory_mb
        self._close(closing)

    def spec(self, kind: ModelType, name: str | None = None) -> ModelSpec:
        """See `ModelRegistry.spec`."""
        return self._catalog.model(kind, name)

    def runtime(self, kind: ModelType, name: str | None = None) -> Runtime | None:
        """See `ModelRegistry.runtime`."""
        with self._lock:
            entry = self._entries.get((kind, self._catalog.model(kind, name).name))
        is_there = entry is not None and entry.model.done() and entry.model.exception() is None
        return entry.model.result().runtime if entry is not None and is_there else None

    def is_loaded(self, kind: ModelType, name: str | None = None) -> bool:
        """See `ModelRegistry.is_loaded`."""
        with self._lock:
            entry = self._entries.get((kind, self._catalog.model(kind, name).name))
        return entry is not None and entry.model.done()

    def fit(self, kinds: Iterable[ModelType]) -> bool:
        """See `ModelRegistry.fit`."""
        return sum(self._catalog.model(kind).memory_mb for kind in set(kinds)) <= budget_mb(self._settings)

    def unload(self, kind: ModelType, name: str | None = None) -> bool:
        """Closes one model; False if it was not loaded."""
        key = (kind, self._catalog.model(kind, name).name)
        return self._close([key]) > 0

    def unload_all(self) -> None:
        """Closes every model."""
        self._close(list(self._entries))

    def sweep(self) -> int:
        """Closes models that nobody asked for lately. Call it between jobs only: a model in use looks idle."""
        old = self._clock() - self._keep_s
        with self._lock:
            idle = [key for key, entry in self._entries.items() if entry.used <= old]
        return self._close(idle)

    def _close(self, keys: Iterable[tuple[ModelType, str]]) -> int:
        with self._lock:
            entries = [entry for key in keys if (entry := self._entries.pop(key, None))]
        with ExitStack() as closing:  # a `close` that raises keeps none of the others open
            for entry in entries:
                if entry.model.exception() is None:
                    closing.callback(entry.model.result().model.close)
        return len(entries)


class ModelRegistry:
    """The models of this process.

    Unloading drops the model's memory as far as its library gives it back; ending the process gives back all.
    """

    _pool: ClassVar[ModelPool | None] = None

    @classmethod
    def configure(cls, catalog: Catalog, settings: Settings, *, keep_s: float = KEEP_S) -> None:
        """Says what can be loaded. Models loaded before are closed."""
        cls.unload_all()
        cls._pool = ModelPool(catalog, settings, keep_s=keep_s)

    @overload
    @classmethod
    def get(cls, kind: Literal[ModelType.EMBEDDER], name: str | None = None) -> Embedder: ...
    @overload
    @classmethod
    def get(cls, kind: Literal[ModelType.DETECTOR], name: str | None = None) -> Detector: ...
    @overload
    @classmethod
    def get(cls, kind: Literal[ModelType.FACE_MODEL], name: str | None = None) -> FaceModel: ...
    @overload
    @classmethod
    def get(cls, kind: Literal[ModelType.OCR], name: str | None = None) -> OcrModel: ...
    @overload
    @classmethod
    def get(cls, kind: Literal[ModelType.VLM], name: str | None = None) -> Vlm: ...
    @overload
    @classmethod
    def get(cls, kind: Literal[ModelType.FACE_CLUSTERER], name: str | None = None) -> FaceClusterer: ...
    @overload
    @classmethod
    def get(cls, kind: ModelType, name: str | None = None) -> Any: ...
    @classmethod
    def get(cls, kind: ModelType, name: str | None = None) -> Any:
        """The named model of a kind, or its default; loaded at the first call, the same object afterwards.

        Raises `NoSuchModel` if nothing installed has that kind and name, `ModelUnavailable` if it can't be
        loaded: a file is missing or is not the declared one, a library is missing, its factory fails.
        """
        return cls._configured().get(kind, name)

    @classmethod
    def spec(cls, kind: ModelType, name: str | None = None) -> ModelSpec:
        """What the plugin declares of the named model of a kind, or of its default. Raises `NoSuchModel`."""
        return cls._configured().spec(kind, name)

    @classmethod
    def runtime(cls, kind: ModelType, name: str | None = None) -> Runtime | None:
        """What computes the loaded model; None if it is not loaded or its plugin decides that by itself."""
        return cls._configured().runtime(kind, name)

    @classmethod
    def is_loaded(cls, kind: ModelType, name: str | None = None) -> bool:
        """Whether `get` would give it at once."""
        return cls._configured().is_loaded(kind, name)

    @classmethod
    def fit(cls, kinds: Iterable[ModelType]) -> bool:
        """Whether the default models of these kinds may be loaded at the same time."""
        return cls._configured().fit(kinds)

    @classmethod
    def unload(cls, kind: ModelType, name: str | None = None) -> bool:
        """Closes one model; False if it was not loaded."""
        return cls._configured().unload(kind, name)

    @classmethod
    def unload_all(cls) -> None:
        """Closes every model."""
        if cls._pool is not None:
            cls._pool.unload_all()

    @classmethod
    def sweep(cls) -> int:
        """Closes models that nobody asked for lately; to be called between jobs."""
        return cls._configured().sweep()

    @classmethod
    def _configured(cls) -> ModelPool:
        if cls._pool is None:
            raise NoSuchModel("The models of this process were not set up.", hint="Call ModelRegistry.configure first.")
        return cls._pool
