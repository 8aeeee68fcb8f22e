"""A try on a few pictures with nothing kept: how long each operation takes here. No database, no job row.

Each job table gets a model process of its own and both work at once, as in a real run, so that they take the machine's
cores from each other just as they will.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kizu_core.errors import KizuError
from kizu_core.models.offers import Offer, wanted
from kizu_core.plugins.catalog import Catalog
from kizu_core.settings import Settings
from kizu_core.types import JobOutcome
from kizu_core.worker.messages import Answer, Ask, BatchDone, Finished, Refused, RunBatch, Task
from kizu_core.worker.process import ChildProcess
from kizu_core.worker.scratch import workdir
from kizu_core.worker.trial import elsewhere, trial_job
from kizu_core.worker.values import child_values

TICK_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A picture to try: `columns` of its asset row as far as they are known; `web`: it needs a web version."""

    path: Path
    columns: Mapping[str, Any]
    web: bool


@dataclass(slots=True)
class Timings:
    """What one kind of job took, picture by picture: seconds in all, and of each operation in it."""

    whole: list[float] = field(default_factory=list)
    operations: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def per_photo(self) -> dict[str, float]:
        """Operation -> seconds a photo. What belongs to none of them, such as decoding, is shared out.

        The first picture is left out where there are others: it has waited for models to load.
        """
        means = {name: _mean(seconds[1:] or seconds) for name, seconds in self.operations.items()}
        if not means:
            return {}
        share = max(0.0, _mean(self.whole[1:] or self.whole) - sum(means.values())) / len(means)
        return {name: seconds + share for name, seconds in means.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """`seconds`: operation -> seconds a photo, of those that were measured; `lanes`: operations that work in turn."""

    seconds: Mapping[str, float]
    lanes: Sequence[Sequence[str]]


class Probe:
    """Tries `offers` on samples for at most `limit_s` seconds. `run` once; interrupting it leaves nothing behind."""

    def __init__(self, settings: Settings, catalog: Catalog, offers: Sequence[Offer], *, limit_s: float) -> None:
        self._settings = settings
        self._catalog = catalog
        self._offers = {offer.entry: offer for offer in offers}
        self._limit_s = limit_s
        self._stopping = threading.Event()

    def run(self, samples: Sequence[Sample], on_step: Callable[[int, int], None] = lambda done, total: None) -> Probed:
        """Timings. `on_step` is told how many pictures of how many are over. Raises `WorkerError`."""
        lanes = list(self._lanes().values())
        steps = _Steps(len(samples), sum(len(jobs) for jobs in lanes), on_step)
        until = time.monotonic() + self._limit_s
        with tempfile.TemporaryDirectory(prefix="kizu-probe-") as folder, ThreadPoolExecutor(len(lanes) or 1) as pool:
            tries = [pool.submit(self._try, jobs, samples, Path(folder), until, steps) for jobs in lanes]
            try:
                timings = [timing for one in tries for timing in one.result()]
            finally:
                self._stopping.set()
        seconds = {name: value for timing in timings for name, value in timing.per_photo().items()}
        return Probed(seconds=seconds, lanes=[[name for job in jobs for name in job] for jobs in lanes])

    def _lanes(self) -> dict[str, list[list[str]]]:
        """Job table -> the jobs that a photo gets there, each a list of operations."""
        lanes: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for entry in wanted(self._offers.values()):
            name = str(entry["operation"])
            lanes[self._offers[name].handler.table][str(entry["job"])].append(name)
        return {table: list(jobs.values()) for table, jobs in lanes.items()}

    def _try(
        self, jobs: Sequence[Sequence[str]], samples: Sequence[Sample], folder: Path, until: float, steps: _Steps
    ) -> list[Timings]:
        """One lane: in a thread of its own, with a process of its own that ends with it."""
        timings = [Timings() for _ in jobs]
        child: ChildProcess | None = None
        try:
            for sample in samples:
                for operations, timing in zip(jobs, timings, strict=True):
                    if self._stopping.is_set() or time.monotonic() > until:
                        return timings
                    child = child if child and child.alive() else self._start(operations, folder)
                    if not self._one(child, operations, sample, folder, timing, until):
                        child.kill()  # too slow, or dead: the next picture gets a fresh one
                    steps.step()
        finally:
            if child is not None:
                child.kill()
        return timings

    def _start(self, operations: Sequence[str], folder: Path) -> ChildProcess:
        settings = elsewhere(self._settings, folder)
        return ChildProcess(f"probe-{operations[0]}", settings, child_values(settings, self._catalog))

    def _one(
        self,
        child: ChildProcess,
        operations: Sequence[str],
        sample: Sample,
        folder: Path,
        timing: Timings,
        until: float,
    ) -> bool:
        """One job on one picture; False if the process is of no use any more. A failed picture counts for nothing."""
        handler = self._offers[operations[0]].handler
        job = trial_job(handler, operations, {"needs_web_version": sample.web})
        with workdir(folder, job.id) as place:
            started = time.monotonic()
            with suppress(OSError):
                task = Task(job=job, source=sample.path, workdir=place)
                child.send(RunBatch(handler=handler.name, tasks=(task,)))
            outcome = self._answer(child, sample, until)
        if isinstance(outcome, JobOutcome):
            timing.whole.append(time.monotonic() - started)
            for result in outcome.operations:
                timing.operations[result.operation].append(result.seconds)
        return outcome is not None

    def _answer(self, child: ChildProcess, sample: Sample, until: float) -> JobOutcome | str | None:
        """The outcome; a word if the picture could not be done; None if the process is gone or its time is up."""
        found: JobOutcome | str = "failed"
        while not self._stopping.is_set() and time.monotonic() < until:
            try:
                message = child.receive(TICK_S)
            except TimeoutError:
                continue
            except KizuError:
                return None
            match message:
                case Finished(outcome=outcome):
                    found = outcome
                case Ask(question=question):
                    with suppress(OSError):
                        child.send(Answer(question=question, value=dict(sample.columns)))
                case BatchDone() | Refused():
                    return found
                case None:
                    return None
        return None


class _Steps:
    """Counts tries over all lanes as pictures, of which each needs several."""

    def __init__(self, pictures: int, tries_each: int, on_step: Callable[[int, int], None]) -> None:
        self._lock = threading.Lock()
        self._tries, self._pictures, self._each, self._tell = 0, pictures, tries_each, on_step

    def step(self) -> None:
        with self._lock:
            self._tries += 1
            self._tell(self._tries // self._each, self._pictures)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
