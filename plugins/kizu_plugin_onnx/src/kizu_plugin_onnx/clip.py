"""An exported CLIP behind Kizu's `Embedder`: the same vectors as where it was exported, without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizu_core import (
    ModelContext,
    ModelUnavailable,
    Picture,
    Preprocessing,
    Runtime,
    Session,
    open_session,
    read_bundle,
)
from kizu_plugin_onnx.tokenizer import Tokenizer, load_tokenizer

CPU_BATCH, GPU_BATCH = 8, 32
"""Pictures or texts at a time. More gain nothing on a processor, and cost memory."""


class OnnxClip:
    """The tower of pictures is loaded at once; that of texts, and the tokenizer, with the first text: a worker never
    asks for one.
    """

    def __init__(self, context: ModelContext) -> None:
        bundle = read_bundle(context.weights["bundle.json"])
        self._context, self._runtime = context, context.runtime or Runtime.ORT_FP32
        self._preprocess, self._context_length = _prepared(bundle.preprocessing)
        self._dim = bundle.dim or 0
        # int8 scales by the largest number of a batch: alone, a picture always gets the same vector.
        alone = self._runtime is Runtime.ORT_INT8
        self._batch = 1 if alone else GPU_BATCH if self._runtime is Runtime.ORT_CUDA_FP32 else CPU_BATCH
        self._images: Session | None = self._open("visual.onnx")

    def embed_images(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """(n, dim) float32, each row of unit length."""
        if self._images is None:
            raise RuntimeError("embed_images was called after close")
        return self._embed(self._images, self._preprocess, pictures)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The same of texts; what is beyond the tower's length is left out."""
        if self._images is None:
            raise RuntimeError("embed_texts was called after close")
        session, tokenizer = self._texts
        return self._embed(session, tokenizer, texts)

    def close(self) -> None:
        self._images = None
        self.__dict__.pop("_texts", None)

    @cached_property
    def _texts(self) -> tuple[Session, Tokenizer]:
        tokenizer = load_tokenizer(self._context.weights["merges.txt.gz"], self._context_length)
        return self._open("text.onnx"), tokenizer

    def _open(self, name: str) -> Session:
        session = open_session(self._context.weights[name], self._runtime, self._context.threads)
        if len(session.inputs) != 1:
            raise ModelUnavailable(f"{name} is no tower of CLIP: it has {len(session.inputs)} inputs.")
        return session

    def _embed(
        self, session: Session, prepare: Callable[[Any], NDArray[Any]], items: Sequence[Any]
    ) -> NDArray[np.float32]:
        (name,) = session.inputs
        vectors = np.empty((len(items), self._dim), np.float32)
        for start in range(0, len(items), self._batch):
            part = items[start : start + self._batch]
            vectors[start : start + len(part)] = session.run({name: prepare(part)})[0]
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors


def build(context: ModelContext) -> OnnxClip:
    """The factory named by the spec. Raises `ModelUnavailable` for a bundle that holds no CLIP."""
    return OnnxClip(context)


def _prepared(said: Any) -> tuple[Preprocessing, int]:
    """How to prepare pictures, and how many tokens a text has."""
    try:
        preprocessing = Preprocessing(
            _within(said["size"], 4096),
            mean=_three(said["mean"]),
            std=_three(said["std"]),
            interpolation=str(said.get("interpolation", "bicubic")),
            mode=str(said.get("mode", "shortest")),
            fill=_within(said.get("fill", 0), 256, least=0),
        )
        if said.get("clean") != "lower":
            raise ModelUnavailable(
                "The bundle holds a model with a tokenizer of its own, which nothing here has.",
                hint="Models with the tokenizer of CLIP can be used, such as those of OpenAI and LAION.",
            )
        return preprocessing, _within(said["context_length"], 4096, least=2)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelUnavailable(
            f"The bundle does not say how to prepare pictures ({error}).",
            hint="Export the model anew, and import that.",
        ) from error


def _three(values: Any) -> tuple[float, ...]:
    found = tuple(float(value) for value in values)
    if len(found) != 3:
        raise ValueError("three colours are needed")
    return found


def _within(value: Any, most: int, *, least: int = 1) -> int:
    if not isinstance(value, int) or not least <= value < most:
        raise ValueError(f"{value!r} is not from {least} to {most - 1}")
    return value
