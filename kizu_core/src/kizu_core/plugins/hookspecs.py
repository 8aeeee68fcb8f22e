"""The nine hooks. Each takes nothing, returns specs, has no side effect and must be cheap.

One page per hook, with a working example, is in `docs/hooks/`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from kizu_core.plugins.specs import (
        CommandSpec,
        DetectorSpec,
        EmbedderSpec,
        FaceClustererSpec,
        FaceModelSpec,
        JobHandlerSpec,
        MomentStrategySpec,
        OcrSpec,
        VlmSpec,
    )

PROJECT = "kizu"
"""Entry-point group and pluggy project name."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def kizu_embedders() -> Iterable[EmbedderSpec]:  # type: ignore[empty-body]
    """Picture and text embedders: operation `embedding`, table `image_embeddings`."""


@hookspec
def kizu_detectors() -> Iterable[DetectorSpec]:  # type: ignore[empty-body]
    """Object detectors: operation `objects`, table `detected_objects`."""


@hookspec
def kizu_face_models() -> Iterable[FaceModelSpec]:  # type: ignore[empty-body]
    """Face detection and recognition: operation `faces`, table `face_embeddings`."""


@hookspec
def kizu_ocr_models() -> Iterable[OcrSpec]:  # type: ignore[empty-body]
    """Text recognition: operation `ocr`, table `extracted_text`."""


@hookspec
def kizu_vlms() -> Iterable[VlmSpec]:  # type: ignore[empty-body]
    """Captions: operation `describe`, table `image_descriptions`."""


@hookspec
def kizu_job_handlers() -> Iterable[JobHandlerSpec]:  # type: ignore[empty-body]
    """Handlers of job types, in either job table."""


@hookspec
def kizu_moment_strategies() -> Iterable[MomentStrategySpec]:  # type: ignore[empty-body]
    """Ways to find moments in a library."""


@hookspec
def kizu_face_clusterers() -> Iterable[FaceClustererSpec]:  # type: ignore[empty-body]
    """Ways to group faces into people."""


@hookspec
def kizu_cli_commands() -> Iterable[CommandSpec]:  # type: ignore[empty-body]
    """Sub-commands of `kizu`."""
