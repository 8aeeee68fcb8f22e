"""The worker: lanes that do jobs, a heartbeat that keeps them, a reaper, a listener, and an end in order."""

from __future__ import annotations

import os
import queue
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from typing import Any

from kizu_core.database import OpenDatabase
from kizu_core.database.listen import listen
from kizu_core.errors import DatabaseError, DiskFull, NoSuchModel, SettingError
from kizu_core.models.loading import resolve
from kizu_core.models.offers import offers
from kizu_core.plugins.catalog import Catalog
from kizu_core.privacy.http import Policy
from kizu_core.settings import Settings
from kizu_core.types import ModelType
from kizu_core.worker.events import Event, Summary, Waiting
from kizu_core.worker.lane import Lane
from kizu_core.worker.leases import PROGRESS_S, Leases
from kizu_core.worker.options import WorkerOptions
from kizu_core.worker.patience import Patience
from kizu_core.worker.scratch import scratch_folder
from kizu_core.worker.settle import BlobStore, Settler
from kizu_core.worker.shared import Shared

REAP_S = 5.0
LOOK_S = 0.1
"""How often the main thread looks at its lanes."""


class Worker:
    """Does what the installed plugins can do, until it is told to stop or (`drain`, `once`) there is nothing left.

    `run` once, from the main thread of a program or any other; `stop` from anywhere, signal handlers included.
    """

    def __init__(
        self, settings: Settings, database: OpenDatabase, blobs: BlobStore, catalog: Catalog, options: WorkerOptions
    ) -> None:
        """Raises `SettingError` if `options.only` names a handler that is not installed."""
        self._settings = settings
        self._database = database
        self._blobs = blobs
        self._catalog = catalog
        self._options = options
        self._offers = offers(catalog, settings, options.only)
        self._stops: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._lanes: list[Lane] = []
        _check_names(catalog, options)

    def stop(self) -> None:
        """Finish the jobs in hand within the grace, give back the others. The second call gives all back at once."""
        self._stops.put(None)  # an Event could deadlock: the signal may come while the main thread is inside its wait

    def run(self, on_event: Callable[[Event], None] = lambda event: None) -> Summary:
        """Works. `on_event` is called from several threads, one at a time, and must be quick.

        Raises what makes going on pointless: `SchemaMismatch`, a `DatabaseError` that waiting can't heal.
        """
        started = time.monotonic()
        emit = _one_at_a_time(on_event)
        patience = Patience(self._database, emit, self._stopping)
        lease_s = self._options.lease_seconds or self._settings.lease_seconds
        leases = Leases(self._database.worker, self._options.worker_id, lease_s)
        settler = Settler(
            database=self._database.worker,
            blobs=self._blobs,
            leases=leases,
            patience=patience,
            offers=self._offers,
            emit=emit,
        )
        with scratch_folder(self._settings.paths.scratch) as scratch:
            shared = Shared(
                settings=self._settings,
                options=self._options,
                database=self._database,
                leases=leases,
                patience=patience,
                settler=settler,
                policy=Policy(self._settings.fetch_allow),
                scratch=scratch,
                child_values=self._child_values(),
                emit=emit,
                stopping=self._stopping,
            )
            self._work(shared)
        settler.summary.seconds = time.monotonic() - started
        return settler.summary

    def _work(self, shared: Shared) -> None:
        worker_id, can = self._options.worker_id, [offer.entry for offer in self._offers]
        shared.patience.call(lambda: self._database.worker.worker_hello(worker_id, _about_us(), can))
        tables = sorted({offer.handler.table for offer in self._offers})
        self._lanes = [
            Lane(table, [offer for offer in self._offers if offer.handler.table is table], shared) for table in tables
        ]
        with self._helpers(shared):
            threads = [threading.Thread(target=lane.run, name=lane.name) for lane in self._lanes]
            for thread in threads:
                thread.start()
            self._watch(shared, threads)
            for thread in threads:
                thread.join()
            for held in shared.leases.all():
                shared.settler.release(held, "the worker stops")
        with suppress(DatabaseError, DiskFull):
            self._database.worker.worker_bye(worker_id)
        for lane in self._lanes:
            if lane.error is not None:
                raise lane.error

    # ---- the main thread ---------------------------------------------------------------------------------

    def _watch(self, shared: Shared, threads: list[threading.Thread]) -> None:
        """Until all lanes have ended: passes on wishes to stop, ends a drained worker."""
        next_look = 0.0
        while any(thread.is_alive() for thread in threads):
            with suppress(queue.Empty):
                self._stops.get(timeout=LOOK_S)
                self._stop(shared)
            if any(lane.error for lane in self._lanes) and not self._stopping.is_set():
                self._stop(shared)
            now = time.monotonic()
            if self._options.drain and now >= next_look and all(lane.idle for lane in self._lanes):
                next_look = now + 1.0
                if self._is_drained(shared):
                    self._stop(shared)

    def _stop(self, shared: Shared) -> None:
        again = self._stopping.is_set()
        shared.grace_until = time.monotonic() + (0 if again else self._options.grace_seconds)
        self._stopping.set()
        self._wake()

    def _is_drained(self, shared: Shared) -> bool:
        """Whether nothing is left for this worker: none waits, none is to be retried, none is with another worker."""
        try:
            counts = self._database.worker.status()["jobs"]
        except (DatabaseError, DiskFull):
            return False
        return all(lane.idle for lane in self._lanes) and shared.settler.left(counts) == 0

    def _wake(self) -> None:
        for lane in self._lanes:
            lane.wake()

    # ---- helpers -----------------------------------------------------------------------------------------

    @contextmanager
    def _helpers(self, shared: Shared) -> Iterator[None]:
        """Heartbeat, reaper and listener, which outlive the lanes."""
        over = threading.Event()
        jobs: dict[str, Callable[[], None]] = {
            "heartbeat": lambda: _repeat(shared.leases.beat, PROGRESS_S, over),
            "reaper": lambda: _repeat(self._reap, REAP_S, over),
        }
        if self._options.wake:
            jobs["listener"] = lambda: self._listen(shared, over)
        threads = [threading.Thread(target=job, name=name) for name, job in jobs.items()]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def _reap(self) -> None:
        if self._database.worker.reap():
            self._wake()

    def _listen(self, shared: Shared, over: threading.Event) -> None:
        try:
            listen(self._database.listen_url, self._wake, over)
        except DatabaseError as error:  # polling alone is enough
            shared.emit(Waiting(message=f"No wake-ups ({error.message}) New jobs are looked for by the clock."))

    def _child_values(self) -> dict[str, Any]:
        """The settings that cross to children, with what model plugins read from the environment."""
        models = []
        for kind in ModelType:
            for spec in self._catalog.specs(kind):
                with suppress(NoSuchModel):
                    models += [resolve(spec.settings, spec.name)] if spec.settings else []
        return self._settings.child_values(models)


def _check_names(catalog: Catalog, options: WorkerOptions) -> None:
    names = sorted(spec.name for spec in catalog.handlers())
    for name in options.only or ():
        if name not in names:
            raise SettingError(f"There is no handler {name!r}.", hint=f"Handlers are: {', '.join(names)}.")


def _one_at_a_time(on_event: Callable[[Event], None]) -> Callable[[Event], None]:
    lock = threading.Lock()

    def emit(event: Event) -> None:
        with lock:
            on_event(event)

    return emit


def _repeat(work: Callable[[], None], seconds: float, over: threading.Event) -> None:
    """Does `work` about every so often. While the database is away it does not succeed, which others tell of."""
    while not over.wait(seconds * random.uniform(0.8, 1.2)):  # noqa: S311 - spreads workers, hides nothing
        with suppress(DatabaseError, DiskFull):
            work()


def _about_us() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "version": version("kizu-core")}
