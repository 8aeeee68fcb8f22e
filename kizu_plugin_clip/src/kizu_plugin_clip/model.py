"""OpenCLIP behind Kizu's `Embedder`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kizu_core import ModelContext, ModelUnavailable, Picture, Preprocessing, Runtime, open_session
from kizu_plugin_clip.plan import IMAGES, TEXTS, Plan, plan_of
from kizu_plugin_clip.preprocess import preprocessing_of

CPU_BATCH, GPU_BATCH = 8, 32
"""Pictures or texts at a time. More gain nothing on a processor, and cost memory."""

Given = TypeVar("Given")
Found = TypeVar("Found")

Tower = Callable[[NDArray[Any]], NDArray[np.float32]]
"""(n, ...) prepared pictures or token numbers -> (n, dim)."""

Tokenize = Callable[[Sequence[str]], NDArray[np.int64]]
"""Texts -> (n, context length) token numbers."""

_PRECISIONS = {Runtime.TORCH_FP32: "fp32", Runtime.TORCH_BF16: "pure_bf16", Runtime.TORCH_CUDA_FP16: "pure_fp16"}
"""As open_clip names them. Autocast would convert all weights anew at each call, and be slower than float32."""


class ClipEmbedder:
    """Two towers into one space."""

    def __init__(
        self,
        images: Tower,
        texts: Tower,
        *,
        preprocess: Preprocessing,
        tokenize: Tokenize,
        dim: int,
        batch: int = CPU_BATCH,
    ) -> None:
        self._towers: tuple[Tower, Tower] | None = (images, texts)
        self._preprocess = preprocess
        self._tokenize = tokenize
        self._dim = dim
        self._batch = batch

    def embed_images(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """(n, dim) float32, each row of unit length."""
        return self._embed(0, self._preprocess, pictures)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The same of texts; what is beyond the tower's length is left out."""
        return self._embed(1, self._tokenize, texts)

    def close(self) -> None:
        self._towers = None

    def _embed(self, side: int, prepare: Callable[[Any], NDArray[Any]], items: Sequence[Any]) -> NDArray[np.float32]:
        if self._towers is None:
            raise RuntimeError("the model was used after close")
        vectors = np.empty((len(items), self._dim), np.float32)
        for start in range(0, len(items), self._batch):
            part = items[start : start + self._batch]
            vectors[start : start + len(part)] = self._towers[side](prepare(part))
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors


def build(context: ModelContext) -> ClipEmbedder:
    """The factory named by the spec. Raises `ModelUnavailable` for files that hold no such model, or code."""
    plan = plan_of(context.settings)
    runtime = context.runtime or Runtime.TORCH_FP32
    if runtime in _PRECISIONS:
        return _with_torch(context, plan, runtime)
    return _with_sessions(context, plan, runtime)


def _with_torch(context: ModelContext, plan: Plan, runtime: Runtime) -> ClipEmbedder:
    import torch

    from kizu_plugin_clip.lean import make_lean
    from kizu_plugin_clip.network import load_network, load_tokenizer

    torch.set_num_threads(context.threads)
    device = "cuda" if runtime is Runtime.TORCH_CUDA_FP16 else "cpu"
    network = load_network(context, plan, precision=_PRECISIONS[runtime], device=device)
    dtype = next(network.parameters()).dtype
    if runtime is not Runtime.TORCH_FP32:  # the reference stays as open_clip makes it
        make_lean(network)

    def images(frames: NDArray[Any]) -> NDArray[np.float32]:
        with torch.inference_mode():
            found: NDArray[np.float32] = (
                network.encode_image(torch.from_numpy(frames).to(device, dtype)).float().cpu().numpy()
            )
        return found

    def texts(tokens: NDArray[Any]) -> NDArray[np.float32]:
        with torch.inference_mode():
            found: NDArray[np.float32] = network.encode_text(torch.from_numpy(tokens).to(device)).float().cpu().numpy()
        return found

    return ClipEmbedder(
        images,
        texts,
        preprocess=preprocessing_of(plan.side, plan.config["preprocess_cfg"]),
        tokenize=load_tokenizer(context, plan),
        dim=plan.dim,
        batch=GPU_BATCH if device == "cuda" else CPU_BATCH,
    )


def _with_sessions(context: ModelContext, plan: Plan, runtime: Runtime) -> ClipEmbedder:
    """The converted towers. A worker never asks for texts, and a search never for pictures: what belongs to the texts
    is loaded with the first of them, and torch, which the tokenizer brings along, with it.
    """
    folder = context.converted
    if folder is None:
        raise ModelUnavailable(f"{plan.label} was not converted for {runtime}.", hint="`kizu models bench clip`")

    def text_tower() -> Tower:
        return _tower(folder / TEXTS, context, runtime)

    def tokenizer() -> Tokenize:
        from kizu_plugin_clip.network import load_tokenizer

        return load_tokenizer(context, plan)

    return ClipEmbedder(
        _tower(folder / IMAGES, context, runtime),
        _later(text_tower),
        preprocess=preprocessing_of(plan.side, plan.config["preprocess_cfg"]),
        tokenize=_later(tokenizer),
        dim=plan.dim,
    )


def _tower(path: Path, context: ModelContext, runtime: Runtime) -> Tower:
    session = open_session(path, runtime, context.threads)
    (name,) = session.inputs

    def run(batch: NDArray[Any]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = session.run({name: batch})[0]
        return found

    return run


def _later(make: Callable[[], Callable[[Given], Found]]) -> Callable[[Given], Found]:
    """A function that is made when it is first called."""
    made = cache(make)

    def call(given: Given) -> Found:
        return made()(given)

    return call
