"""Frozen values that flow between packages. No logic beyond what keeps them valid, no heavy imports.

Coordinate frame, everywhere: the *upright* picture (EXIF orientation or HEIF rotation already applied),
origin top left, x to the right, y down, **relative**: 0 is the left/top edge, 1 the right/bottom edge.
A value in pixels always says so in its name (`width_px`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Vector = NDArray[np.float32]


class ModelType(StrEnum):
    """The kinds of model that plugins bring. The value names the kind on the command line."""

    EMBEDDER = "embedder"
    DETECTOR = "detector"
    FACE_MODEL = "face"
    OCR = "ocr"
    VLM = "vlm"
    FACE_CLUSTERER = "face-clusterer"


class JobTable(StrEnum):
    """The two job tables of the specification."""

    AI = "ai_processing_jobs"
    IMAGE = "image_processing_jobs"


class Runtime(StrEnum):
    """What computes a model: engine, device where it is not the CPU, precision. The value is stored with results."""

    TORCH_CUDA_FP16 = "torch-cuda-fp16"
    ORT_CUDA_FP32 = "ort-cuda-fp32"
    OPENVINO_BF16 = "openvino-bf16"
    OPENVINO_FP32 = "openvino-fp32"
    ORT_INT8 = "ort-int8"
    ORT_FP32 = "ort-fp32"
    TORCH_BF16 = "torch-bf16"
    TORCH_INT8 = "torch-int8"
    TORCH_FP32 = "torch-fp32"


OPERATION_MODELS: Mapping[str, ModelType] = {
    "embedding": ModelType.EMBEDDER,
    "faces": ModelType.FACE_MODEL,
    "objects": ModelType.DETECTOR,
    "ocr": ModelType.OCR,
    "describe": ModelType.VLM,
}
"""Operation of an `image_ai` job -> the kind of model that does it (specification, "Operations")."""

RECLUSTER, GENERATE_MOMENTS = "recluster", "generate_moments"
"""Job types, and operations, of the jobs about a whole library: its people, its moments. They have no photo."""

SPACED: Mapping[str, ModelType] = {"embedding": ModelType.EMBEDDER, "faces": ModelType.FACE_MODEL}
"""Operations whose results are vectors of a space."""

NEXT = "next-"
"""In front of an operation: it fills the space of the model that is to come, beside that of the present one."""

SELFTEST = "selftest"
"""Handler, job type and operation of the jobs that prove the queue; see `kizu_core.jobs.selftest`."""

SELFTEST_LEDGER = "kizu_selftest_ledger"
"""The table of what they did."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where everything lies inside the data folder."""

    home: Path

    @property
    def config_file(self) -> Path:
        return self.home / "kizu.toml"

    @property
    def database(self) -> Path:
        return self.home / "database"

    @property
    def run(self) -> Path:
        """Locks and sockets."""
        return self.home / "run"

    @property
    def blobs(self) -> Path:
        return self.home / "blobs"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def backups(self) -> Path:
        return self.home / "backups"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def restoring(self) -> Path:
        """A data folder of its own while a backup is restored."""
        return self.home / "restoring"

    @property
    def scratch(self) -> Path:
        return self.home / "scratch"

    @property
    def sheets(self) -> Path:
        """Pages of small pictures to look at in a browser."""
        return self.home / "sheets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded, upright picture as models see it.

    `pixels`: (h, w, 3) uint8 RGB, C-contiguous, read-only, possibly scaled down from the original.
    `width_px`, `height_px`: size of the whole upright original, so h/height_px is the scale.
    """

    pixels: Pixels
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Box:
    """Axis-aligned box, relative to the upright picture: 0 <= left < right <= 1, 0 <= top < bottom <= 1."""

    left: float
    top: float
    right: float
    bottom: float

    def as_dict(self) -> dict[str, float]:
        """JSON form of the `bbox` columns; the unit is part of the row's documentation: relative."""
        return {"left": self.left, "top": self.top, "right": self.right, "bottom": self.bottom}


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One object: what, where, how sure (0 to 1)."""

    label: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One face. `keypoints`: five relative (x, y): eyes, nose, mouth corners. `vector`: (dim,) float32, unit length."""

    box: Box
    score: float
    keypoints: tuple[tuple[float, float], ...]
    vector: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSpan:
    """One run of text. `quad`: its four corners (x, y), relative, clockwise from the text's own top left."""

    text: str
    score: float
    quad: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A description of the whole picture, with the task that made it (`caption`, `detailed`, ...)."""

    text: str
    task: str
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A photo as moment strategies see it: when, where and with whom; no picture and no path.

    `taken`: by the clock of the place where it was taken, without a zone, None if nobody knows; `trusted`: whether that
    is what a camera or its owner said, not a file's date. `latitude` and `longitude`: degrees (WGS 84), both or none.
    `place`: the name of the very spot, if the photo carries one; `city` to `country`: where its position lies.
    `people`: names of those in it; `labels`: kinds of objects found in it; `kind`: image or video.
    """

    asset_id: UUID
    taken: datetime | None = None
    trusted: bool = True
    latitude: float | None = None
    longitude: float | None = None
    place: str | None = None
    city: str | None = None
    county: str | None = None
    state: str | None = None
    country: str | None = None
    people: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    kind: str = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentCandidate:
    """Photos that belong together. `asset_ids`: in the order to show them, none twice.

    `key`: what makes it the same moment when its photos change a little (`2024-07-13 Nice`), unique within the
    strategy; empty: its photos. `score`: how much it is worth seeing, 0 to 1, compared across strategies.
    `criteria`: the rule and the numbers behind it, as JSON; people are shown it as the reason.
    """

    title: str
    asset_ids: tuple[UUID, ...]
    subtitle: str = ""
    key: str = ""
    score: float = 0.5
    criteria: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceTable:
    """All faces of one user in one face space, as columns of equal length; photos that are hidden or gone left out.

    `assets`: (n,) int32, which photo a face is in; numbers mean nothing but "the same photo". `vectors`: (n, dim)
    float32, unit length. `usable`: (n,) bool, good enough to tell people apart. `scores`: (n,) float32, of the
    detector. `persons`: whose it is taken for now; `fixed`: (n,) bool, where that person is what the user said.
    `space`: empty if no face was ever found.
    """

    ids: Sequence[UUID]
    assets: NDArray[np.int32]
    vectors: NDArray[np.float32]
    usable: NDArray[np.bool_]
    scores: NDArray[np.float32]
    persons: Sequence[UUID | None]
    fixed: NDArray[np.bool_]
    space: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A claimed row of a job table, as a handler sees it: no token, no path, no secret."""

    id: UUID
    table: JobTable
    job_type: str
    user_id: UUID
    asset_id: UUID | None
    todo: tuple[str, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """One row for one result table. `user_id` and `asset_id` must be the job's own; the worker checks both.

    Rows of a job about a whole library have no `asset_id`, as their job has none.
    """

    table: str
    user_id: UUID
    asset_id: UUID | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationResult:
    """That one operation was done (or failed for good) by one plugin at one version: what reconcile compares.

    `runtime`: what computed it, which never makes a result stale; None where there is no choice.
    """

    operation: str
    plugin: str
    version: str
    space: str | None = None
    runtime: str | None = None
    found: int = 0
    seconds: float = 0.0
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A follow-up job for the same user."""

    table: JobTable
    job_type: str
    asset_id: UUID | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """What a handler made of one job.

    `files`: blob key -> file inside the job's workdir, uploaded before completion.
    `asset`: columns of the asset row to set; `result`: JSON for the job row; `enqueue`: follow-up jobs.
    """

    operations: tuple[OperationResult, ...] = ()
    rows: tuple[ResultRow, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    asset: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    enqueue: tuple[NewJob, ...] = ()
