"""ProcessService: one decode, then each operation by the model that does it (specification, "Process Service")."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kizu_core.errors import JobCancelled, JobError, KizuError, ModelFailed, OutOfMemory
from kizu_core.media.decode import decode, to_picture
from kizu_core.plugins.protocols import ModelSource
from kizu_core.plugins.specs import ModelSpec
from kizu_core.types import OPERATION_MODELS, ModelType, Picture

_CALLS: dict[ModelType, Callable[[Any, Picture], Any]] = {
    ModelType.EMBEDDER: lambda model, picture: model.embed_images([picture])[0],
    ModelType.FACE_MODEL: lambda model, picture: model.find_faces([picture])[0],
    ModelType.DETECTOR: lambda model, picture: model.detect([picture])[0],
    ModelType.OCR: lambda model, picture: model.read_text([picture])[0],
    ModelType.VLM: lambda model, picture: model.describe([picture])[0],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """One picture and what to find out about it. `orientation`: used only if the file carries none."""

    path: Path
    operations: Sequence[str]
    orientation: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What one operation gave: `value` as the kind's protocol says, or `error`. Never both.

    `seconds`: of the operation alone; `load_seconds`: of loading its model before, next to nothing if it was loaded.
    """

    operation: str
    spec: ModelSpec
    seconds: float
    load_seconds: float = 0.0
    value: Any = None
    error: KizuError | None = None


class ProcessService:
    """Runs operations on pictures. `max_side`: longest side in pixels that models are shown."""

    def __init__(self, models: ModelSource, *, max_side: int) -> None:
        self._models = models
        self._max_side = max_side

    def process_image(
        self,
        request: ImageRequest,
        progress: Callable[[int, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[Output]:
        """Outputs in the order asked for; one that fails does not stop the others.

        Raises `MediaError` if the picture can't be decoded, `JobCancelled` between two operations.
        """
        report = progress or (lambda percent, step: None)
        report(5, "decode")
        picture = to_picture(decode(request.path, max_side=self._max_side, orientation=request.orientation))
        outputs = []
        for index, operation in enumerate(request.operations):
            if cancelled is not None and cancelled():
                raise JobCancelled("Taken back before it was finished.")
            report(10 + 90 * index // len(request.operations), operation)
            outputs.append(self._run(operation, picture))
        return outputs

    def _run(self, operation: str, picture: Picture) -> Output:
        kind = OPERATION_MODELS.get(operation)
        if kind is None:
            known = ", ".join(OPERATION_MODELS)
            raise JobError(f"There is no operation called {operation!r}.", hint=f"Operations are: {known}.")
        spec = self._models.spec(kind)
        asked = time.perf_counter()
        model = self._models.get(kind, spec.name)
        started = time.perf_counter()
        try:
            value, error = _CALLS[kind](model, picture), None
        except KizuError as raised:
            value, error = None, raised
        except MemoryError:
            value, error = None, OutOfMemory(f"{spec.name} got no more memory for this picture.")
        except Exception as raised:  # noqa: BLE001 - a plugin may raise anything; it is recorded against the plugin
            value, error = None, ModelFailed(f"{spec.name} failed on this picture: {type(raised).__name__}: {raised}")
        return Output(
            operation=operation,
            spec=spec,
            seconds=time.perf_counter() - started,
            load_seconds=started - asked,
            value=value,
            error=error,
        )
