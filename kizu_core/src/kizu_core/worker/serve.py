"""What the child does with the messages it gets: a reader thread sorts them, the main thread runs handlers."""

from __future__ import annotations

import itertools
import os
import pkgutil
import queue
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from kizu_core.errors import KizuError, OutOfMemory, WorkerError, from_dict
from kizu_core.models.environment import look_up_no_library, quiet_libraries
from kizu_core.models.registry import ModelRegistry
from kizu_core.models.runtimes import notices
from kizu_core.models.selection import load_catalog
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.protocols import JobContext, JobHandler
from kizu_core.privacy.guard import news
from kizu_core.privacy.probes import probe
from kizu_core.privacy.redact import clean_traceback
from kizu_core.settings import Settings
from kizu_core.types import JobOutcome, ModelType
from kizu_core.worker.asking import AskedLibrary
from kizu_core.worker.channel import Channel
from kizu_core.worker.messages import (
    Answer,
    Ask,
    BatchDone,
    Bench,
    BenchDone,
    BenchProgress,
    Cancel,
    Configure,
    Convert,
    Embedded,
    EmbedTexts,
    Executing,
    Failed,
    Finished,
    Message,
    Notices,
    Probe,
    ProbeDone,
    Progress,
    Ready,
    Refusals,
    Refused,
    Report,
    RunBatch,
    Stop,
    Task,
)

SWEEP_S = 60.0

Wish = RunBatch | Probe | Bench | Convert | EmbedTexts
"""What a parent can want of a child, one after the other."""


def serve(channel: Channel) -> int:
    """Everything after the first hello. Returns the exit status."""
    first = channel.receive()
    if first is None:
        return 0
    if not isinstance(first, Configure):
        raise WorkerError("The parent did not begin with the settings")
    settings = Settings.from_child(first.settings)
    quiet_libraries(settings.models_dir)
    look_up_no_library()
    catalog = load_catalog(settings)
    ModelRegistry.configure(catalog, settings)
    link = Link(channel)
    handlers = Handlers(settings, catalog)
    channel.send(Ready(handlers=tuple(handlers.names)))
    while (batch := link.next_batch()) is not None:
        if isinstance(batch, Probe):
            link.send(ProbeDone(results=tuple(probe(batch.ports))))
        elif isinstance(batch, Bench):
            _bench(link, batch, catalog, settings)
        elif isinstance(batch, Convert):
            link.send(_converted(batch, catalog, settings))
        elif isinstance(batch, EmbedTexts):
            link.send(_embed(batch))
        else:
            Run(link, batch).work(handlers)
    return 0


def _bench(link: Link, wanted: Bench, catalog: Catalog, settings: Settings) -> None:
    """Each trial is told as soon as it is over: the next may end this process."""
    from kizu_core.models.runtimes.trial import trials  # with numpy, which a child without models does without

    error = None
    try:
        spec = catalog.model(wanted.kind, wanted.name)
        for trial in trials(spec, settings, wanted.runtimes, lambda step: link.send(BenchProgress(step=step))):
            link.send(BenchProgress(trial=trial))
    except (Exception, SystemExit) as raised:  # noqa: BLE001 - a plugin may raise anything
        error = _told(raised, wanted.name)
    link.send(BenchDone(error=error))


def _converted(wanted: Convert, catalog: Catalog, settings: Settings) -> BenchDone:
    from kizu_core.models.runtimes.convert import convert

    try:
        convert(catalog.model(wanted.kind, wanted.name), settings)
    except (Exception, SystemExit) as raised:  # noqa: BLE001 - a plugin may raise anything
        return BenchDone(error=_told(raised, wanted.name))
    return BenchDone()


def _embed(wanted: EmbedTexts) -> Embedded:
    try:
        model = ModelRegistry.get(ModelType.EMBEDDER, wanted.model)
        return Embedded(vectors=tuple(model.embed_texts(wanted.texts)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
        return Embedded(error=_told(error, wanted.model))


class Handlers:
    """Handlers by name, each built when first needed."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._settings = settings
        self._specs = {spec.name: spec for spec in catalog.handlers()}
        self._built: dict[str, JobHandler] = {}

    @property
    def names(self) -> Sequence[str]:
        return sorted(self._specs)

    def get(self, name: str) -> JobHandler:
        """Raises `KeyError` for a handler that is not installed, and whatever its factory raises."""
        if name not in self._built:
            factory = pkgutil.resolve_name(self._specs[name].factory)
            self._built[name] = factory(self._settings)
        return self._built[name]


class Link:
    """The child's end of the socket. A daemon thread reads; the main thread asks and sends."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._batches: queue.SimpleQueue[Wish | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._questions = itertools.count()
        self._cancelled: set[UUID] = set()
        self.stopping = threading.Event()
        threading.Thread(target=self._read, name="reader", daemon=True).start()

    def send(self, message: Message) -> None:
        """Sends it, and before it what was refused and told meanwhile. Not from where that is: it may be anywhere."""
        if refused := news():
            self._channel.send(Refusals(refusals=refused))
        if told := notices.news():
            self._channel.send(Notices(sentences=told))
        self._channel.send(message)

    def next_batch(self) -> Wish | None:
        """Waits for the next thing to do, giving idle models back meanwhile; None once the parent wants no more."""
        while True:
            try:
                return self._batches.get(timeout=SWEEP_S)
            except queue.Empty:
                ModelRegistry.sweep()

    def cancelled(self, job_id: UUID) -> bool:
        return job_id in self._cancelled

    def ask(self, job_id: UUID, what: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """A view of the library as the parent shows it. Raises the parent's error."""
        question = next(self._questions)
        self.send(Ask(question=question, job_id=job_id, what=what, arguments=arguments))
        answer = self._answers.get()
        if answer.error is not None:
            raise from_dict(dict(answer.error))
        return answer.value or {}

    def _read(self) -> None:
        try:
            while (message := self._channel.receive()) is not None:
                self._sort(message)
        finally:
            # The parent is gone or talks nonsense: nobody wants what the main thread may still be doing.
            os._exit(0)

    def _sort(self, message: object) -> None:
        match message:
            case RunBatch(tasks=tasks):
                # Unwanted before, wanted again: a lease was lost in an outage, and the same worker claimed it anew.
                self._cancelled.difference_update(task.job.id for task in tasks)
                self._batches.put(message)
            case Probe() | Bench() | Convert() | EmbedTexts():
                self._batches.put(message)
            case Cancel(job_id=job_id):
                self._cancelled.add(job_id)
            case Answer():
                self._answers.put(message)
            case Stop():
                self.stopping.set()
                self._batches.put(None)
            case _:
                raise WorkerError(f"A child does not understand {type(message).__name__}")


class Run:
    """One batch through one handler."""

    def __init__(self, link: Link, batch: RunBatch) -> None:
        self._link = link
        self._batch = batch
        self._executing: tuple[UUID, ...] = ()

    def work(self, handlers: Handlers) -> None:
        """Reports each job as its result comes. The first exception ends the batch and is charged to its job."""
        try:
            handler = handlers.get(self._batch.handler)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
            self._link.send(Refused(error=_told(error, self._batch.handler)))
            return
        tasks, disturbed = self._batch.tasks, False
        try:
            self._report(iter(handler.run([task.job for task in tasks], [self._context(task) for task in tasks])))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            disturbed = self._fail(_told(error, self._batch.handler))
        self._link.send(BatchDone(disturbed=disturbed))

    def _report(self, results: Iterator[JobOutcome | KizuError]) -> None:
        for task in self._batch.tasks:
            if self._link.stopping.is_set() and task is not self._batch.tasks[0]:
                return
            self._turn_to(task.job.id)
            result = next(results, None)
            if isinstance(result, JobOutcome):
                self._link.send(Finished(job_id=task.job.id, outcome=result))
            elif isinstance(result, KizuError):
                self._link.send(Failed(job_id=task.job.id, error=_told(result, self._batch.handler)))
            else:
                raise TypeError(f"{type(result).__name__} where a result was due")
            self._executing = tuple(one for one in self._executing if one != task.job.id)
        self._executing = ()
        next(results, None)  # lets a generator run to its end

    def _turn_to(self, job_id: UUID) -> None:
        """This job is worked on: with those that are in hand together with it, else alone."""
        if job_id not in self._executing:
            self._execute((job_id,))

    def _execute(self, job_ids: Sequence[UUID]) -> None:
        if set(self._executing) != set(job_ids):
            self._executing = tuple(job_ids)
            self._link.send(Executing(job_ids=self._executing))

    def _fail(self, error: Report) -> bool:
        """What the handler raised is charged to the job in hand. True with several: whose it is, nobody knows."""
        if len(self._executing) == 1:
            self._link.send(Failed(job_id=self._executing[0], error=error))
        return len(self._executing) > 1

    def _context(self, task: Task) -> JobContext:
        job_id = task.job.id

        def progress(percent: int, step: str | None = None) -> None:
            self._turn_to(job_id)
            self._link.send(Progress(job_id=job_id, percent=max(0, min(100, int(percent))), step=step))

        return JobContext(
            source=task.source,
            workdir=task.workdir,
            models=ModelRegistry,
            progress=progress,
            cancelled=lambda: self._link.cancelled(job_id),
            library=AskedLibrary(partial(self._link.ask, job_id)),
            together=self._execute,
        )


def _told(error: BaseException, handler: str) -> Report:
    """The error as the parent is told of it. One that nobody foresaw goes to the log with its traceback.

    Trying again may help after such a one: its cause may have been the state of this process or machine.
    """
    if isinstance(error, MemoryError):
        error = OutOfMemory(f"{handler} got no more memory for this photo.")
    if isinstance(error, KizuError):
        report = error.as_dict()
        hint = report["hint"] and str(report["hint"])
        return {
            "code": str(report["code"]),
            "message": error.message,
            "hint": hint,
            "retryable": bool(report["retryable"]),
        }
    sys.stderr.write(clean_traceback(error))
    message = f"{handler} failed with {type(error).__name__}: {str(error)[:500]}"
    return {"code": "bug", "message": message, "hint": "See the log of the child process.", "retryable": True}
