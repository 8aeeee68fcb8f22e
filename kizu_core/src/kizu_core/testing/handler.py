"""The suite of job handlers: jobs with small drawn photos, and results looked at as a worker does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from kizu_core.errors import KizuError, NoSuchModel, WorkerError
from kizu_core.plugins.protocols import JobContext, LibraryView
from kizu_core.plugins.specs import JobHandlerSpec, ModelSpec
from kizu_core.settings import load_settings
from kizu_core.testing.expect import expect, same, watched_network
from kizu_core.testing.library import GivenLibrary
from kizu_core.testing.pictures import ordinary_pictures
from kizu_core.testing.plugin import PluginConformance, specs_of
from kizu_core.types import OPERATION_MODELS, Job, JobOutcome, JobTable, ModelType
from kizu_core.worker.frames import encode
from kizu_core.worker.results import payload_of

USER = UUID(int=1)


class NoModels:
    """A `ModelSource` of an installation without models."""

    def get(self, kind: ModelType, name: str | None = None) -> Any:
        raise NoSuchModel(f"No plugin in use has a model of the kind {kind}.")

    def spec(self, kind: ModelType, name: str | None = None) -> ModelSpec:
        raise NoSuchModel(f"No plugin in use has a model of the kind {kind}.")

    def runtime(self, kind: ModelType, name: str | None = None) -> None:
        raise NoSuchModel(f"No plugin in use has a model of the kind {kind}.")

    def is_loaded(self, kind: ModelType, name: str | None = None) -> bool:
        return False

    def fit(self, kinds: Iterable[ModelType]) -> bool:
        return True


@dataclass
class Trial:
    """One job for a handler, with what it reported. `number` makes ids and folders."""

    spec: JobHandlerSpec
    folder: Path
    number: int
    source: Path | None
    params: Mapping[str, Any] = field(default_factory=dict)
    taken_back: bool = False
    library: LibraryView = field(default_factory=GivenLibrary)
    reports: list[int] = field(default_factory=list)

    @property
    def job(self) -> Job:
        return Job(
            id=UUID(int=100 + self.number),
            table=self.spec.table,
            job_type=self.spec.job_type,
            user_id=USER,
            asset_id=UUID(int=200 + self.number) if self.source else None,
            todo=tuple(sorted(self.spec.offers)),
            params=self.params,
        )

    @property
    def context(self) -> JobContext:
        self.workdir.mkdir(parents=True, exist_ok=True)
        return JobContext(
            source=self.source,
            workdir=self.workdir,
            models=NoModels(),
            progress=self._report,
            cancelled=lambda: self.taken_back,
            library=self.library,
        )

    def _report(self, percent: int, step: str | None = None) -> None:
        self.reports.append(percent)

    @property
    def workdir(self) -> Path:
        return self.folder / f"job-{self.number}"


class JobHandlerConformance(PluginConformance):
    """What Kizu asks of a job handler. See `kizu_core.JobHandler`.

    `handler`: its name, needed only if the plugin brings several. `params`: what a job's row carries. `environment`:
    settings as environment variables. `volatile`: entries of a result that may differ between two runs.
    """

    handler: str | None = None
    params: Mapping[str, Any] = {}
    environment: Mapping[str, str] = {}
    volatile: frozenset[str] = frozenset({"seconds"})

    @pytest.fixture
    def spec(self) -> JobHandlerSpec:
        """What the plugin declares of the handler."""
        specs = [one for one in specs_of(self.plugin) if isinstance(one, JobHandlerSpec)]
        found = [one for one in specs if self.handler in (None, one.name)]
        names = ", ".join(one.name for one in specs) or "none"
        expect(len(found) == 1, f"`handler` names one of the plugin's job handlers: {names}.")
        return found[0]

    @pytest.fixture
    def photos(self, tmp_path: Path) -> list[Path]:
        """Originals, each of its own content."""
        folder = tmp_path / "photos"
        folder.mkdir()
        return [draw(folder / f"{n}.jpg", n) for n in range(len(ordinary_pictures()))]

    @pytest.fixture
    def trials(self, spec: JobHandlerSpec, photos: list[Path], tmp_path: Path) -> list[Trial]:
        """A job for each photo."""
        return [Trial(spec, tmp_path, n, photo, self.params) for n, photo in enumerate(photos)]

    def run(self, spec: JobHandlerSpec, trials: Sequence[Trial], tmp_path: Path) -> list[JobOutcome | KizuError]:
        """Results as a new child process would get them."""
        settings = load_settings({"home": tmp_path / "home", "threads": 1}, environ=self.environment)
        handler = resolve_name(spec.factory)(settings)
        return _all(handler.run([one.job for one in trials], [one.context for one in trials]))

    def done(self, spec: JobHandlerSpec, trials: Sequence[Trial], tmp_path: Path) -> list[JobOutcome]:
        """As `run`, where every job must succeed."""
        results = self.run(spec, trials, tmp_path)
        expect(len(results) == len(trials), f"{len(trials)} jobs give {len(trials)} results, not {len(results)}.")
        for result in results:
            expect(isinstance(result, JobOutcome), f"A job with an ordinary photo gives a JobOutcome: {result!r}.")
        return [result for result in results if isinstance(result, JobOutcome)]

    def comparable(self, outcome: JobOutcome) -> list[Any]:
        """What must be equal when the same job is done again."""
        result = {key: value for key, value in outcome.result.items() if key not in self.volatile}
        operations = [(one.operation, one.plugin, one.version, one.space, one.found) for one in outcome.operations]
        files = {key: path.read_bytes() for key, path in outcome.files.items()}
        return [result, operations, files, dict(outcome.asset), [dict(row.values) for row in outcome.rows]]

    def test_offers_have_versions_and_are_asked_for(self, spec: JobHandlerSpec) -> None:
        for offer in spec.offers:
            expect(
                offer in OPERATION_MODELS or spec.versions.get(offer),
                f"`versions` gives the output version of {offer!r}: changing it is how stored results become stale.",
            )
        if spec.table is JobTable.AI and not set(spec.offers) & set(OPERATION_MODELS):
            expect(spec.job_type in spec.offers, f"A job of the type {spec.job_type!r} asks for that: offer it.")

    def test_each_job_has_an_outcome_that_can_be_stored(
        self, spec: JobHandlerSpec, trials: list[Trial], tmp_path: Path
    ) -> None:
        for trial, outcome in zip(trials, self.done(spec, trials, tmp_path), strict=True):
            check_outcome(trial, outcome)

    def test_results_are_in_the_order_of_the_jobs(
        self, spec: JobHandlerSpec, trials: list[Trial], tmp_path: Path
    ) -> None:
        ahead = [self.comparable(one) for one in self.done(spec, trials, tmp_path)]
        alone = [self.comparable(self.done(spec, [trial], tmp_path)[0]) for trial in trials]
        expect(same(ahead, alone, 1e-6), "Results come in the order of the jobs, and each depends on its own job only.")

    def test_the_same_job_gives_the_same_outcome(
        self, spec: JobHandlerSpec, trials: list[Trial], tmp_path: Path
    ) -> None:
        first, second = (self.comparable(self.done(spec, trials[:1], tmp_path)[0]) for _ in range(2))
        expect(
            same(first, second, 1e-6),
            "A job that is done again (its worker may have died) gives the same outcome; `volatile` names exceptions.",
        )

    def test_no_jobs_give_no_results(self, spec: JobHandlerSpec, tmp_path: Path) -> None:
        expect(self.run(spec, [], tmp_path) == [], "No jobs give no results.")

    def test_a_damaged_photo_harms_no_other_job(
        self, spec: JobHandlerSpec, trials: list[Trial], tmp_path: Path
    ) -> None:
        damaged = tmp_path / "damaged.jpg"
        damaged.write_bytes(b"\xff\xd8\xff" + bytes(40))
        self.tolerated(spec, Trial(spec, tmp_path, 7, damaged, self.params), trials[0], tmp_path)

    def test_a_job_without_a_photo_harms_no_other_job(
        self, spec: JobHandlerSpec, trials: list[Trial], tmp_path: Path
    ) -> None:
        self.tolerated(spec, Trial(spec, tmp_path, 8, None, self.params), trials[0], tmp_path)

    def test_a_job_that_was_taken_back_harms_no_other(
        self, spec: JobHandlerSpec, trials: list[Trial], tmp_path: Path
    ) -> None:
        trials[1].taken_back = True
        self.tolerated(spec, trials[1], trials[0], tmp_path)

    def tolerated(self, spec: JobHandlerSpec, bad: Trial, good: Trial, tmp_path: Path) -> None:
        """Whatever becomes of a bad job, the one after it is done."""
        try:
            first, second = self.run(spec, [bad, good], tmp_path)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            pytest.fail(f"What is wrong with one job is *yielded* as a KizuError, not raised: {error!r}", pytrace=False)
        expect(isinstance(first, JobOutcome | KizuError), f"A result is a JobOutcome or a KizuError: {first!r}.")
        expect(isinstance(second, JobOutcome), f"The job after a bad one is done: {second!r}.")

    def test_originals_are_left_as_they_are(
        self, spec: JobHandlerSpec, trials: list[Trial], photos: list[Path], tmp_path: Path
    ) -> None:
        before = [_state(photo) for photo in photos]
        self.done(spec, trials, tmp_path)
        expect([_state(photo) for photo in photos] == before, "Originals are only read.")
        expect(sorted(photos[0].parent.iterdir()) == photos, "Files are written into `workdir`, never beside a photo.")

    def test_progress_never_falls(self, spec: JobHandlerSpec, trials: list[Trial], tmp_path: Path) -> None:
        self.done(spec, trials, tmp_path)
        for trial in trials:
            fits = all(isinstance(percent, int) and 0 <= percent <= 100 for percent in trial.reports)
            expect(
                fits and trial.reports == sorted(trial.reports),
                f"Progress is a whole number from 0 to 100 and never falls: {trial.reports}.",
            )

    def test_it_never_looks_for_the_network(self, spec: JobHandlerSpec, trials: list[Trial], tmp_path: Path) -> None:
        with watched_network() as tried:
            self.run(spec, trials, tmp_path)
        expect(not tried, f"A handler neither connects nor looks up names; this one tried: {'; '.join(tried)}.")


def draw(path: Path, number: int) -> Path:
    """A small JPEG of one of the ordinary pictures."""
    from PIL import Image

    Image.fromarray(np.asarray(ordinary_pictures()[number].pixels)).save(path, quality=92)
    return path


def check_outcome(trial: Trial, outcome: JobOutcome) -> None:
    """Held to what a worker lets through: own rows, own files, values that cross to the parent and into JSON."""
    try:
        payload_of(trial.job, outcome, trial.workdir)
        encode(outcome)
        json.dumps([dict(outcome.result), dict(outcome.asset)], allow_nan=False)
    except WorkerError as error:
        pytest.fail(f"A worker would refuse the outcome: {error.message}", pytrace=False)
    except (TypeError, ValueError) as error:
        pytest.fail(f"`result` and `asset` hold plain Python values that JSON has: {error}.", pytrace=False)
    for one in outcome.operations:
        expect(one.plugin and one.version, "An operation is reported with the plugin and the version that did it.")
        expect(
            trial.spec.versions.get(one.operation, one.version) == one.version,
            f"{one.operation!r} is reported with the version that the spec declares, or it would be redone for ever.",
        )


def _all(results: Iterator[JobOutcome | KizuError]) -> list[JobOutcome | KizuError]:
    return list(iter(results))


def _state(path: Path) -> tuple[str, int, int]:
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns, path.stat().st_mode
