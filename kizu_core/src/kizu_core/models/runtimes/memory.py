"""Models on a GPU whose memory may run out: with fewer pictures at a time first, then on the CPU.

The wrapper stays what it is until the process ends: a GPU that was too small once is too small the next time.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kizu_core.types import Caption, Detection, Face, ModelType, Picture, TextSpan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_SIGNS = ("out of memory", "failed to allocate memory", "alloc_failed", "out_of_memory")
"""In what torch, ONNX Runtime and the libraries of CUDA say when there is no memory left on the GPU."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a library says that the GPU's memory did not suffice, by the name of its class or by its words."""
    named = any(one.__name__ == "OutOfMemoryError" for one in type(error).__mro__)
    return named or any(sign in str(error).lower() for sign in _SIGNS)


class OnGpu:
    """A model that is asked again, with less, when the GPU has no memory for what it was asked.

    `fall_back` gives the same model on the CPU; it is called at most once.
    """

    def __init__(self, model: Any, fall_back: Callable[[], Any]) -> None:
        self._model = model
        self._fall_back: Callable[[], Any] | None = fall_back
        self._most: int | None = None

    def close(self) -> None:
        self._model.close()

    def _call(self, method: str, items: Sequence[Any], **options: Any) -> list[Any]:
        """What the model's method gives for all items, in parts that fit. An empty batch is one part."""
        parts: list[Any] = []
        start = 0
        while start < len(items) or not parts:
            part = items[start : start + (self._most or len(items))]
            done, found = self._try(method, part, options)
            if done:
                parts.append(found)
                start += max(1, len(part))
            else:  # not inside `except`, where the traceback still holds what the GPU is full of
                self._shrink(len(part))
        return parts

    def _try(self, method: str, part: Sequence[Any], options: Mapping[str, Any]) -> tuple[bool, Any]:
        try:
            return True, getattr(self._model, method)(part, **options)
        except Exception as error:
            if self._fall_back is None or not is_out_of_memory(error):
                raise
        return False, None

    def _shrink(self, size: int) -> None:
        if size > 1:
            self._most = size // 2
            _give_back()
        elif self._fall_back is not None:
            self._model.close()
            _give_back()
            self._model, self._fall_back, self._most = self._fall_back(), None, None


class _Embedder(OnGpu):
    def embed_images(self, pictures: Sequence[Picture]) -> Vectors:
        return self._stacked("embed_images", pictures)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        return self._stacked("embed_texts", texts)

    def _stacked(self, method: str, items: Sequence[Any]) -> Vectors:
        import numpy as np

        return np.concatenate(self._call(method, items))


class _Detector(OnGpu):
    def detect(self, pictures: Sequence[Picture]) -> Sequence[Sequence[Detection]]:
        return [one for part in self._call("detect", pictures) for one in part]


class _FaceModel(OnGpu):
    def find_faces(self, pictures: Sequence[Picture]) -> Sequence[Sequence[Face]]:
        return [one for part in self._call("find_faces", pictures) for one in part]


class _OcrModel(OnGpu):
    def read_text(self, pictures: Sequence[Picture]) -> Sequence[Sequence[TextSpan]]:
        return [one for part in self._call("read_text", pictures) for one in part]


class _Vlm(OnGpu):
    def describe(self, pictures: Sequence[Picture], *, task: str | None = None) -> Sequence[Caption]:
        return [one for part in self._call("describe", pictures, task=task) for one in part]


ON_GPU: Mapping[ModelType, type[OnGpu]] = {
    ModelType.EMBEDDER: _Embedder,
    ModelType.DETECTOR: _Detector,
    ModelType.FACE_MODEL: _FaceModel,
    ModelType.OCR: _OcrModel,
    ModelType.VLM: _Vlm,
}
"""By kind; whatever is not here is not asked about pictures."""


def _give_back() -> None:
    """Memory that a library keeps for later; what still refers to it goes first."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
