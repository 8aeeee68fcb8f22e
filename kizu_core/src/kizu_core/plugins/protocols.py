"""What a loaded thing can do. Models see pictures and text only: never a job, a user, a URL or a database.

Batch first, results aligned with the input by index, an empty batch gives an empty result, inputs are never
modified. `close` gives memory back and may be called twice. Calls come one at a time, from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from uuid import UUID

from kizu_core.errors import KizuError
from kizu_core.plugins.specs import ModelSpec
from kizu_core.types import (
    Caption,
    Detection,
    Face,
    FaceTable,
    Job,
    JobOutcome,
    ModelType,
    MomentCandidate,
    Photo,
    Picture,
    Runtime,
    TextSpan,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kizu_core.types import Vector

    Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelContext:
    """What a factory gets. Always offline: a missing file is a `ModelUnavailable`, never a download.

    `weights`: name of each declared weight file -> where it is, checked; `cache_dir`: private folder that the
    model may write to; `settings`: an instance of the spec's settings model, or None. `runtime`: one of the spec's
    `runtimes` to build for, None if it declares none; `converted`: folder of what `convert` wrote, None if it was never
    called (a runtime that needs it is then not asked for).
    """

    device: str
    threads: int
    weights: Mapping[str, Path]
    cache_dir: Path
    settings: Any = None
    runtime: Runtime | None = None
    converted: Path | None = None


@runtime_checkable
class Model(Protocol):
    def close(self) -> None: ...


@runtime_checkable
class Embedder(Model, Protocol):
    def embed_images(self, pictures: Sequence[Picture]) -> Vectors:
        """(n, dim) float32, each row of unit length."""

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """(n, dim) float32 in the same space. Raises `NotImplementedError` if it has no text side."""


@runtime_checkable
class Detector(Model, Protocol):
    def detect(self, pictures: Sequence[Picture]) -> Sequence[Sequence[Detection]]: ...


@runtime_checkable
class FaceModel(Model, Protocol):
    def find_faces(self, pictures: Sequence[Picture]) -> Sequence[Sequence[Face]]: ...


@runtime_checkable
class OcrModel(Model, Protocol):
    def read_text(self, pictures: Sequence[Picture]) -> Sequence[Sequence[TextSpan]]:
        """Spans in reading order."""


@runtime_checkable
class Vlm(Model, Protocol):
    def describe(self, pictures: Sequence[Picture], *, task: str | None = None) -> Sequence[Caption]: ...


@runtime_checkable
class FaceClusterer(Model, Protocol):
    def cluster(self, vectors: Vectors, photos: Sequence[int]) -> Sequence[int | None]:
        """A cluster number per face, None for noise. `photos[i]` numbers the photo that face i is in."""


class MomentStrategy(Protocol):
    def propose(self, photos: Sequence[Photo], *, now: datetime) -> Sequence[MomentCandidate]:
        """Moments among one user's photos, which come in no particular order.

        `now` has no zone, as `Photo.taken` has none. What is proposed follows from the arguments alone.
        """


class ModelSource(Protocol):
    """Where handlers get models from. Without a name, the default of the kind."""

    def get(self, kind: ModelType, name: str | None = None) -> Any:
        """The loaded model. Raises `NoSuchModel` or `ModelUnavailable`."""

    def spec(self, kind: ModelType, name: str | None = None) -> ModelSpec:
        """What its plugin declared."""

    def runtime(self, kind: ModelType, name: str | None = None) -> Runtime | None:
        """What computes the loaded model; None if it is not loaded or its plugin decides that by itself."""

    def is_loaded(self, kind: ModelType, name: str | None = None) -> bool:
        """Whether `get` would give it at once."""

    def fit(self, kinds: Iterable[ModelType]) -> bool:
        """Whether the default models of these kinds may be loaded at the same time."""


class LibraryView(Protocol):
    """A read-only look at the library of the job's own user, answered by the parent process.

    Photos that are hidden or gone are in none of the lists. Each call asks anew and raises what the parent met: a
    `DatabaseError`, or `JobCancelled` once nobody wants the job any more.
    """

    def asset(self, asset_id: UUID) -> Mapping[str, Any]:
        """The columns of one photo and what was found in it; empty if the user has no such photo."""

    def photos(self) -> Sequence[Photo]:
        """Every photo and video, by id. `people`: the names of those in it who have one and are not hidden."""

    def faces(self) -> FaceTable:
        """Every face of the face space in use, photo by photo."""

    def people(self) -> Mapping[str, Any]:
        """What the user said of people, ids as `UUID`, all lists.

        `named`, `hidden`: persons; `apart`: [person, person] who are two; `rejected`: [face, person] that is not;
        `fixed`: [face, person] that is.
        """

    def vectors(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, Vector]:
        """(dim,) float32, unit length, of those that have one in the embedding space in use."""

    def facts(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
        """What tells how good a photo is to look at, of those that are the user's.

        `width`, `height` (pixels), `mime`, `file_name`, `sha256`, `bytes`, `camera`, `taken` (as `Photo.taken`),
        `labels` (name -> best score), `text_length` (letters that can be read in it), `faces` (how many), `face_score`
        and `sharpness` (of the best face). Each is None where nobody knows.
        """

    def moments(self) -> Mapping[str, Any]:
        """What moments are made with: settings, blocks, and the moments that exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext:
    """What a handler may use for one job.

    `source`: the original, read-only, None if the job has none. `workdir`: private, emptied afterwards.
    `progress(percent, step)`: percent 0 to 100, never falls. `cancelled()`: true once the user took it back.
    `together(job_ids)`: from now on exactly these jobs of the call are worked on, at the same time. If the process then
    dies or takes too long, none of them is charged, and they are tried again one by one. Without it, the job whose
    progress was told last, or whose result is due, is charged.
    """

    source: Path | None
    workdir: Path
    models: ModelSource
    progress: Callable[[int, str | None], None]
    cancelled: Callable[[], bool]
    library: LibraryView
    together: Callable[[Sequence[UUID]], None] = lambda job_ids: None


class JobHandler(Protocol):
    """Runs in the child process: no database, no keys, no network."""

    def run(self, jobs: Sequence[Job], contexts: Sequence[JobContext]) -> Iterator[JobOutcome | KizuError]:
        """Yields one result per job, in order, each as soon as it is there.

        A `KizuError` yielded fails that job only. An exception raised is charged to the job being worked on;
        those after it go back untouched.
        """
