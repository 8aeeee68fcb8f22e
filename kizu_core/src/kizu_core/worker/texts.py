"""The vector of a search's words, from a process of its own: this one loads no model and no foreign code."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kizu_core.errors import JobTimeout, ModelFailed, from_dict
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.specs import EmbedderSpec
from kizu_core.settings import Settings
from kizu_core.worker.limits import PICTURES_MB
from kizu_core.worker.messages import Embedded, EmbedTexts
from kizu_core.worker.process import ChildProcess
from kizu_core.worker.values import child_values

if TYPE_CHECKING:
    from kizu_core.types import Vector

TICK_S = 0.1
LIMIT_S = 120.0
"""For one text, loading the model included."""


class TextEmbedder:
    """Starts its process at the first text and keeps it for the next ones, until `close`. For any thread."""

    def __init__(self, settings: Settings, catalog: Catalog, *, limit_s: float = LIMIT_S) -> None:
        self._settings = settings
        self._catalog = catalog
        self._limit_s = limit_s
        self._child: ChildProcess | None = None
        self._lock = threading.Lock()

    def embed(self, spec: EmbedderSpec, text: str) -> Vector:
        """(dim,) float32 of unit length, in the space of `spec`.

        Raises what the model failed with, `ModelFailed` if it gave no such vector, `WorkerError` if its process does
        not start, `ChildCrashed`, `JobTimeout`.
        """
        with self._lock:
            try:
                answer = self._ask(self._living(spec), EmbedTexts(model=spec.name, texts=(text,)))
            except BaseException:
                self._end()  # an answer that nobody waited for would be taken for the next one's
                raise
        if answer.error is not None:
            raise from_dict(dict(answer.error))
        return checked(answer.vectors, spec)

    def close(self) -> None:
        """Ends the process, if there is one. A later text starts another."""
        with self._lock:
            self._end()

    def _living(self, spec: EmbedderSpec) -> ChildProcess:
        """The process may have ended with the thread that started it (see `child.guard`): then a new one."""
        if self._child is not None and not self._child.alive():
            self._end()
        if self._child is None:
            limit_mb = self._settings.max_child_mb or PICTURES_MB + spec.memory_mb
            values = child_values(self._settings, self._catalog)
            self._child = ChildProcess("search", self._settings, values, limit_mb)
        return self._child

    def _ask(self, child: ChildProcess, question: EmbedTexts) -> Embedded:
        until = time.monotonic() + self._limit_s
        with suppress(OSError):  # a child that died is found out when its answer is read
            child.send(question)
        while not isinstance(message := child.hear(TICK_S), Embedded):
            if time.monotonic() > until:
                raise JobTimeout(f"{question.model} took longer than {self._limit_s:.0f} s for the words of a search.")
        return message

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()


def checked(vectors: tuple[Any, ...], spec: EmbedderSpec) -> Vector:
    """The one vector, whatever the process sent."""
    import numpy as np

    if len(vectors) == 1 and isinstance(vectors[0], np.ndarray) and vectors[0].shape == (spec.dim,):
        vector: Vector = vectors[0]
        if np.isfinite(vector).all() and abs(float(np.linalg.norm(vector)) - 1) < 0.01:
            return vector
    raise ModelFailed(
        f"{spec.name} gave no vector of {spec.dim} numbers and unit length for these words.",
        hint="Its conformance suite (`kizu_core.testing`) says more.",
    )
