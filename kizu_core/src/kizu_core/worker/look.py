"""One picture through every operation, in the process that jobs are done in, with nothing kept. No database.

Each operation is a job of its own, so that one that crashes or hangs costs no other: the next gets a fresh process.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kizu_core.errors import JobTimeout, KizuError, WorkerError, from_dict
from kizu_core.models.offers import Offer
from kizu_core.plugins.catalog import Catalog
from kizu_core.privacy.guard import Refusal
from kizu_core.settings import Settings
from kizu_core.types import JobOutcome
from kizu_core.worker.limits import memory_limit_mb
from kizu_core.worker.messages import BatchDone, Failed, Finished, Refusals, Refused, RunBatch, Task
from kizu_core.worker.process import ChildProcess
from kizu_core.worker.results import payload_of
from kizu_core.worker.scratch import workdir
from kizu_core.worker.trial import elsewhere, trial_job
from kizu_core.worker.values import child_values

TICK_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one operation saw. `values`: its result rows as for the database, none if it found nothing.

    `load_seconds`: until its model was loaded; `seconds`: of the operation itself. `error`: why there is no result.
    `runtime`: what computed it, None where there is no choice.
    `refusals`: what code in its process tried to send out meanwhile.
    """

    offer: Offer
    values: Sequence[Mapping[str, Any]] = ()
    load_seconds: float = 0.0
    seconds: float = 0.0
    error: KizuError | None = None
    runtime: str | None = None
    refusals: Sequence[Refusal] = ()


def look(photo: Path, offers: Sequence[Offer], settings: Settings, catalog: Catalog) -> Iterator[Seen]:
    """Yields what each offer makes of the photo, as soon as it is there. Raises `WorkerError` if no process starts.

    Call it from a thread that outlives it: the process ends with it.
    """
    with tempfile.TemporaryDirectory(prefix="kizu-look-") as folder:
        place = elsewhere(settings, Path(folder))
        values, limit_mb = child_values(place, catalog), memory_limit_mb(offers, settings)
        child: ChildProcess | None = None
        try:
            for offer in offers:
                if child is None or not child.alive():
                    child = ChildProcess("look", place, values, limit_mb)
                job = trial_job(offer.handler, [offer.entry])
                with workdir(place.home, job.id) as scratch:
                    yield _Attempt(child, offer, Task(job=job, source=photo, workdir=scratch)).run()
        finally:
            if child is not None:
                child.kill()


class _Attempt:
    """One operation in a child, within the handler's limits of time and the child's of memory."""

    def __init__(self, child: ChildProcess, offer: Offer, task: Task) -> None:
        self._child = child
        self._offer = offer
        self._task = task
        self._refusals: list[Refusal] = []

    def run(self) -> Seen:
        try:
            outcome = self._outcome()
            payload_of(self._task.job, outcome, self._task.workdir)  # what may not be in a result is refused here too
        except KizuError as error:
            return Seen(offer=self._offer, error=error, refusals=self._refusals)
        done = next((one for one in outcome.operations if one.operation == self._offer.entry), None)
        return Seen(
            offer=self._offer,
            values=[row.values for row in outcome.rows],
            load_seconds=_seconds(outcome.result.get("loading"), self._offer.entry),
            seconds=done.seconds if done else 0.0,
            error=_error(done.error) if done and done.error else None,
            runtime=done.runtime if done else None,
            refusals=self._refusals,
        )

    def _outcome(self) -> JobOutcome:
        """Raises what the operation failed with, `JobTimeout`, `ChildCrashed`."""
        limit_s = self._offer.handler.step_timeout_s or self._offer.handler.timeout_s
        until = time.monotonic() + limit_s
        with suppress(OSError):  # a child that died is found out when its answer is read
            self._child.send(RunBatch(handler=self._offer.handler.name, tasks=(self._task,)))
        found: JobOutcome | KizuError = WorkerError("The handler ended without a result.")
        while not isinstance(message := self._child.hear(TICK_S), BatchDone):
            match message:
                case Finished(outcome=outcome):
                    found = outcome
                case Failed(error=error):
                    found = _error(error)
                case Refused(error=error):
                    raise _error(error)
                case Refusals(refusals=refusals):
                    self._refusals += refusals
            if time.monotonic() > until:
                self._child.kill()
                raise JobTimeout(f"It took longer than {limit_s} s.")
        if isinstance(found, KizuError):
            raise found
        return found


def _seconds(times: object, operation: str) -> float:
    value = times.get(operation) if isinstance(times, dict) else None
    return float(value) if isinstance(value, int | float) else 0.0


def _error(report: Mapping[str, Any]) -> KizuError:
    """Its log is gone with the process, so for what nobody foresaw the next step is another one."""
    error = from_dict(dict(report))
    if report.get("code") == "bug":
        error.hint = "`kizu --debug look PHOTO` shows where."
    return error
