"""One operation on some pictures: the model is called, and whatever comes of that becomes an output for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from kizu_core.errors import KizuError, ModelFailed, OutOfMemory
from kizu_core.media import memory
from kizu_core.pipeline.sharpness import sharpness_of
from kizu_core.plugins.protocols import ModelSource
from kizu_core.plugins.specs import ModelSpec
from kizu_core.types import ModelType, Picture, Runtime

_METHODS: Mapping[ModelType, str] = {
    ModelType.EMBEDDER: "embed_images",
    ModelType.FACE_MODEL: "find_faces",
    ModelType.DETECTOR: "detect",
    ModelType.OCR: "read_text",
    ModelType.VLM: "describe",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What one operation gave: `value` as the kind's protocol says, or `error`. Never both.

    `seconds`: of the operation alone, for a batch the picture's share; `load_seconds`: of loading its model before, for
    the first picture that waited for it. `runtime`: what computed it, None where the plugin decides that by itself.
    `decode_seconds`: of the one decode that all outputs of the picture share; `seen_px`: the width and height that
    models were shown. `sharpness`: of each face found, as `sharpness_of` measures it.
    """

    operation: str
    spec: ModelSpec
    seconds: float
    load_seconds: float = 0.0
    runtime: Runtime | None = None
    decode_seconds: float = 0.0
    seen_px: tuple[int, int] = (0, 0)
    value: Any = None
    sharpness: tuple[float | None, ...] = ()
    error: KizuError | None = None


class Caller:
    """The model of one operation, loaded when it is first called."""

    def __init__(self, operation: str, kind: ModelType, models: ModelSource) -> None:
        self.operation = operation
        self._kind = kind
        self._models = models
        self._spec = models.spec(kind)
        self._load_seconds = 0.0

    @property
    def takes_batches(self) -> bool:
        """Whether a batch is worth more than having each picture done as early as can be.

        On a CPU only embedders gain from it; a graphics card sits idle between single pictures.
        """
        runtime = self._models.runtime(self._kind, self._spec.name)
        return self._kind is ModelType.EMBEDDER or (runtime is not None and "cuda" in runtime)

    def all(self, pictures: Sequence[Picture]) -> list[Output]:
        """Outputs of one call for all; none if that failed: it shows picture by picture whose fault it was."""
        try:
            values, sharpness, seconds = self._call(pictures)
        except Exception:  # noqa: BLE001 - a plugin may raise anything
            return []
        return [
            self._output(seconds / len(pictures), value=value, sharpness=sharp)
            for value, sharp in zip(values, sharpness, strict=True)
        ]

    def one(self, picture: Picture) -> Output:
        """The output for one picture; an error is recorded against the plugin."""
        name, started = self._spec.name, time.perf_counter()
        try:
            [value], [sharpness], seconds = self._call([picture])
        except KizuError as raised:
            error = raised
        except MemoryError:
            error = OutOfMemory(f"{name} got no more memory for this picture.")
        except Exception as raised:  # noqa: BLE001 - as above
            error = ModelFailed(f"{name} failed on this picture: {type(raised).__name__}: {raised}")
        else:
            return self._output(seconds, value=value, sharpness=sharpness)
        return self._output(time.perf_counter() - started, error=error)

    def _call(self, pictures: Sequence[Picture]) -> tuple[list[Any], list[tuple[float | None, ...]], float]:
        """What the model gives and how sharp its faces are, one of each a picture, and the seconds that it took."""
        model = self._load()
        started = time.perf_counter()
        values = list(_steadily(lambda: getattr(model, _METHODS[self._kind])(pictures)))
        if len(values) != len(pictures):
            raise ModelFailed(f"{self._spec.name} gave {len(values)} results for {len(pictures)} pictures.")
        seconds = time.perf_counter() - started
        return (
            values,
            [self._sharpness(value, picture) for value, picture in zip(values, pictures, strict=True)],
            seconds,
        )

    def _sharpness(self, value: Any, picture: Picture) -> tuple[float | None, ...]:
        if self._kind is not ModelType.FACE_MODEL:
            return ()
        return tuple(sharpness_of(picture.pixels, face) for face in value)

    def _load(self) -> Any:
        """The model. It is loaded while nobody decodes: the limit for decoders is not meant for models."""
        started = time.perf_counter()
        with nullcontext() if self._models.is_loaded(self._kind, self._spec.name) else memory.alone():
            model = self._models.get(self._kind, self._spec.name)
        self._load_seconds += time.perf_counter() - started
        return model

    def _output(
        self,
        seconds: float,
        *,
        value: Any = None,
        sharpness: tuple[float | None, ...] = (),
        error: KizuError | None = None,
    ) -> Output:
        load_seconds, self._load_seconds = self._load_seconds, 0.0  # told once, by the first picture that waited for it
        return Output(
            operation=self.operation,
            spec=self._spec,
            seconds=seconds,
            load_seconds=load_seconds,
            runtime=self._models.runtime(self._kind, self._spec.name),
            value=value,
            sharpness=sharpness,
            error=error,
        )


def _steadily(work: Callable[[], Any]) -> Any:
    """`work()`; if it fails while pictures are decoded beside it, once more without: they may have taken its memory."""
    try:
        return work()
    except Exception:
        if not memory.busy():
            raise
    with memory.alone():
        return work()
