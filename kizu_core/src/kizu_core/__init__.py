"""Kizu core: what plugins and programs import.

Names are loaded on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kizu_core.api import Library, open_library
    from kizu_core.errors import (
        ChildCrashed,
        DatabaseError,
        DatabaseUnavailable,
        DiskFull,
        FetchError,
        FetchFailed,
        FetchRefused,
        JobCancelled,
        JobError,
        JobTimeout,
        KizuError,
        LeaseLost,
        LibraryError,
        MediaError,
        ModelFailed,
        ModelUnavailable,
        NoSuchModel,
        PictureTooLarge,
        PluginError,
        SchemaMismatch,
        SettingError,
        SourceMissing,
        StorageError,
        UnreadablePicture,
        UnsupportedFormat,
        WorkerError,
    )
    from kizu_core.inference.align import align_face, similarity, warp
    from kizu_core.inference.boxes import Placement, as_box, letterbox, suppress
    from kizu_core.inference.frames import Preprocessing
    from kizu_core.inference.header import Header, fingerprint, read_header
    from kizu_core.inference.session import Session, open_session, quantise
    from kizu_core.inference.yolo import find_objects, labels_of
    from kizu_core.models.exported import Bundle, read_bundle
    from kizu_core.models.registry import ModelRegistry
    from kizu_core.plugins.hookspecs import hookimpl
    from kizu_core.plugins.protocols import (
        Detector,
        Embedder,
        FaceClusterer,
        FaceModel,
        JobContext,
        JobHandler,
        LibraryView,
        Model,
        ModelContext,
        ModelSource,
        MomentStrategy,
        OcrModel,
        Vlm,
    )
    from kizu_core.plugins.specs import (
        CommandSpec,
        DetectorSpec,
        EmbedderSpec,
        FaceClustererSpec,
        FaceModelSpec,
        JobHandlerSpec,
        ModelSpec,
        MomentStrategySpec,
        OcrSpec,
        VlmSpec,
        WeightFile,
    )
    from kizu_core.types import (
        Box,
        Caption,
        Detection,
        Face,
        FaceTable,
        Job,
        JobOutcome,
        JobTable,
        ModelType,
        MomentCandidate,
        NewJob,
        OperationResult,
        Photo,
        Picture,
        ResultRow,
        Runtime,
        TextSpan,
    )

__all__ = [
    "Box",
    "Bundle",
    "Caption",
    "ChildCrashed",
    "CommandSpec",
    "DatabaseError",
    "DatabaseUnavailable",
    "Detection",
    "Detector",
    "DetectorSpec",
    "DiskFull",
    "Embedder",
    "EmbedderSpec",
    "Face",
    "FaceClusterer",
    "FaceClustererSpec",
    "FaceModel",
    "FaceModelSpec",
    "FaceTable",
    "FetchError",
    "FetchFailed",
    "FetchRefused",
    "Header",
    "Job",
    "JobCancelled",
    "JobContext",
    "JobError",
    "JobHandler",
    "JobHandlerSpec",
    "JobOutcome",
    "JobTable",
    "JobTimeout",
    "KizuError",
    "LeaseLost",
    "Library",
    "LibraryError",
    "LibraryView",
    "MediaError",
    "Model",
    "ModelContext",
    "ModelFailed",
    "ModelRegistry",
    "ModelSource",
    "ModelSpec",
    "ModelType",
    "ModelUnavailable",
    "MomentCandidate",
    "MomentStrategy",
    "MomentStrategySpec",
    "NewJob",
    "NoSuchModel",
    "OcrModel",
    "OcrSpec",
    "OperationResult",
    "Photo",
    "Picture",
    "PictureTooLarge",
    "Placement",
    "PluginError",
    "Preprocessing",
    "ResultRow",
    "Runtime",
    "SchemaMismatch",
    "Session",
    "SettingError",
    "SourceMissing",
    "StorageError",
    "TextSpan",
    "UnreadablePicture",
    "UnsupportedFormat",
    "Vlm",
    "VlmSpec",
    "WeightFile",
    "WorkerError",
    "align_face",
    "as_box",
    "find_objects",
    "fingerprint",
    "hookimpl",
    "labels_of",
    "letterbox",
    "open_library",
    "open_session",
    "quantise",
    "read_bundle",
    "read_header",
    "similarity",
    "suppress",
    "warp",
]

# Lightest first: a plugin module that asks for `hookimpl` and a spec stops well before models and api.
_MODULES = (
    "types",
    "errors",
    "plugins.specs",
    "plugins.protocols",
    "plugins.hookspecs",
    "inference.session",
    "inference.header",
    "models.exported",
    "models.registry",
    "inference.align",
    "inference.frames",
    "inference.boxes",
    "inference.yolo",
    "api",
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in _MODULES:
            found = getattr(import_module(f"{__name__}.{module}"), name, None)
            if found is not None:
                globals()[name] = found
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
