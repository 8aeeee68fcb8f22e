"""The worker: lanes that do jobs, a heartbeat that keeps them, a reaper, a listener, and an end in order."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

from kizu_core.database import OpenDatabase
from kizu_core.database.listen import listen
from kizu_core.errors import DatabaseError, DatabaseUnavailable, DiskFull, PluginError, SettingError
from kizu_core.models.offers import Offer, offers, waiting
from kizu_core.models.selection import refreshed
from kizu_core.plugins.catalog import Catalog
from kizu_core.privacy.http import Policy
from kizu_core.settings import Settings
from kizu_core.types import NEXT, SELFTEST, JobTable
from kizu_core.worker.due import Due
from kizu_core.worker.events import Event, OffersChanged, Summary, Waiting
from kizu_core.worker.lane import Lane
from kizu_core.worker.leases import PROGRESS_S, Leases
from kizu_core.worker.neighbours import about_us, bury_neighbours
from kizu_core.worker.options import WorkerOptions
from kizu_core.worker.patience import Patience
from kizu_core.worker.scratch import scratch_folder
from kizu_core.worker.settle import BlobStore, Settler
from kizu_core.worker.shared import Shared
from kizu_core.worker.succession import Succession
from kizu_core.worker.upkeep import Upkeep
from kizu_core.worker.values import child_values

REAP_S = 5.0
UPKEEP_S = 5.0
LOOK_S = 0.1
"""How often the main thread looks at its lanes."""

COUNT_S = 1.0
"""How often an idle worker that is to drain counts what is left."""

WORD_S = 30.0
"""How often it says what it waits for."""


class Worker:
    """Does what the installed plugins can do, until it is told to stop or (`drain`, `once`) there is nothing left.

    `run` once, from the main thread of a program or any other; `stop` from anywhere, signal handlers included.
    `outdated`, after `run`: it ended because other models are to be used, and wants to be made anew.
    """

    def __init__(
        self, settings: Settings, database: OpenDatabase, blobs: BlobStore, catalog: Catalog, options: WorkerOptions
    ) -> None:
        """Raises `SettingError` if `options.only` names a handler that is not installed, `PluginError` if nothing
        that is asked for can be done here.
        """
        self._settings = settings
        self._database = database
        self._blobs = blobs
        self._catalog = catalog
        self._options = options
        self._succession = Succession(settings, catalog, database.worker, options)
        self._offers = self._found()
        self._due = Due(database.worker, lambda: {offer.entry for offer in self._offers})
        self._stops: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._looks = threading.Event()
        self._lanes: list[Lane] = []
        self._next_count = self._next_word = 0.0
        self.outdated = False
        _check_names(catalog, settings, options)
        named = options.operations or ()
        can_later = waiting(catalog, settings, options.only, options.operations) or any(map(_is_next, named))
        if not (self._offers or can_later):
            raise PluginError("Nothing that this worker is to do can be done here.", hint="See `kizu plugins list -v`.")

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
            face_threshold=self._settings.face_threshold,
            emit=emit,
            on_aside=self._looks.set,
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
                child_values=child_values(self._settings, self._catalog),
                emit=emit,
                stopping=self._stopping,
            )
            self._work(shared)
        settler.summary.seconds = time.monotonic() - started
        return settler.summary

    def _work(self, shared: Shared) -> None:
        worker_id = self._options.worker_id
        if not self._knows_models(shared):
            return
        handlers = [spec for spec in self._catalog.handlers() if spec.name in (self._options.only or (spec.name,))]
        self._lanes = self._made_lanes(shared, sorted({handler.table for handler in handlers}))

        def hello() -> None:
            self._announce(self._offers)

        upkeep = Upkeep(
            database=self._database.worker,
            blobs=self._blobs,
            settler=shared.settler,
            worker_id=worker_id,
            hello=hello,
            look=partial(self._look, shared),
            ask=(lambda: None) if self._options.drain else self._due.ask,  # at the end of a drain, all is known
            keep_days=self._settings.keep_jobs_days,
        )
        with self._helpers(shared, upkeep):
            try:
                self._attend(shared, [partial(shared.patience.call, hello)])
                self._attend(shared, [lane.run for lane in self._lanes])
            except (DatabaseUnavailable, DiskFull):
                pass  # raised only once the worker is to stop
            finally:
                for held in shared.leases.all():
                    shared.settler.release(held, "the worker stops")
        with suppress(DatabaseError, DiskFull):
            self._database.worker.worker_bye(worker_id)
            self._succession.go_on(shared.emit, now=True)

    def _knows_models(self, shared: Shared) -> bool:
        """Waits for the database to tell which models are to come. False if the worker is to stop before."""
        try:
            self._attend(shared, [partial(shared.patience.call, self._succession.begin)])
        except (DatabaseUnavailable, DiskFull):
            return False  # raised only once the worker is to stop
        self._offers = self._found()
        shared.settler.offer(self._offers)
        return True

    def _made_lanes(self, shared: Shared, tables: Sequence[JobTable]) -> list[Lane]:
        """One for each table, and behind them one that fills the spaces of models to come, if there are any."""
        lanes = [Lane(table, [one for one in self._offers if _is_for(one, table)], shared) for table in tables]
        if self._succession.is_due and JobTable.AI in tables:
            apart = replace(shared, settings=self._succession.settings, child_values=self._succession.child_values)
            lanes.append(Lane(JobTable.AI, self._succession.offers(), apart, behind=lanes))
        return lanes

    # ---- what can be done --------------------------------------------------------------------------------

    def _found(self) -> tuple[Offer, ...]:
        """What can be done here now: weights come and go while a worker runs."""
        catalog, named = refreshed(self._catalog, self._settings), self._options.operations
        present = None if named is None else [one for one in named if not _is_next(one)]
        return (*offers(catalog, self._settings, self._options.only, present), *self._succession.offers())

    def _announce(self, found: Sequence[Offer]) -> None:
        can = [offer.entry for offer in found if not offer.only_if_named]
        self._database.worker.worker_hello(self._options.worker_id, about_us(), can)

    def _look(self, shared: Shared) -> None:
        """Passes on what has become possible or impossible since the last look. Raises the database's errors."""
        self._looks.clear()
        self._look_at_models(shared)
        found, before = tuple(one for one in self._found() if shared.settler.allows(one)), self._offers
        if found == before:
            return
        self._announce(found)
        self._offers = found
        shared.settler.offer(found)
        for lane in self._lanes:
            lane.offer([one for one in found if _is_for(one, lane.table, later=bool(lane.behind))])
        now, then = ({offer.entry for offer in some} for some in (found, before))
        shared.emit(OffersChanged(gained=tuple(sorted(now - then)), lost=tuple(sorted(then - now))))

    def _look_at_models(self, shared: Shared) -> None:
        """A worker that goes on for ever begins anew where another model answers; one that is to drain ends soon."""
        if self._all_idle():
            self._succession.go_on(shared.emit)
        if not self._options.drain and not self._options.once and self._succession.is_outdated():
            self.outdated = True
            self._stops.put(None)

    # ---- the main thread ---------------------------------------------------------------------------------

    def _attend(self, shared: Shared, works: Sequence[Callable[[], object]]) -> None:
        """Runs each of `works` in a thread while this one passes on wishes to stop. Raises the first error."""
        if self._stopping.is_set():
            return
        # The threads of a pool live until it is left, as those that start children must.
        with ThreadPoolExecutor(len(works), thread_name_prefix="lane") as pool:
            futures = [pool.submit(work) for work in works]
            while not all(future.done() for future in futures):
                with suppress(queue.Empty):
                    self._stops.get(timeout=LOOK_S)
                    self._stop(shared)
                failed = any(future.done() and future.exception() for future in futures)
                if not self._stopping.is_set() and (failed or self._is_drained(shared)):
                    self._stop(shared)
        for future in futures:
            future.result()

    def _stop(self, shared: Shared) -> None:
        again = self._stopping.is_set()
        shared.grace_until = time.monotonic() + (0 if again else self._options.grace_seconds)
        for lane in self._lanes:
            lane.end_by(shared.grace_until)
        self._stopping.set()
        self._wake()

    def _is_drained(self, shared: Shared) -> bool:
        """Whether nothing is left for this worker: none waits, none is to be retried, none is with another worker."""
        now = time.monotonic()
        if not self._options.drain or now < self._next_count or not self._lanes or not self._all_idle():
            return False
        self._next_count = now + COUNT_S
        try:
            counts = self._database.worker.job_counts()
        except (DatabaseError, DiskFull):
            return False
        left = shared.settler.left(counts)
        if not self._all_idle():
            return False
        if left:
            self._wait_for_others(shared, left)
        elif self._due.is_more_at_the_end():
            self._wake()
            return False
        return left == 0

    def _wait_for_others(self, shared: Shared, left: int) -> None:
        """Says once in a while why a worker with nothing to do does not end."""
        now = time.monotonic()
        if now > self._next_word:
            self._next_word = now + WORD_S
            shared.emit(Waiting(message=f"Waiting for {left} that another worker has in hand or that are tried again."))

    def _all_idle(self) -> bool:
        return all(lane.idle for lane in self._lanes)

    def _wake(self) -> None:
        for lane in self._lanes:
            lane.wake()

    # ---- helpers -----------------------------------------------------------------------------------------

    @contextmanager
    def _helpers(self, shared: Shared, upkeep: Upkeep) -> Iterator[None]:
        """Heartbeat, reaper, upkeep and listener, which outlive the lanes."""
        over = threading.Event()
        jobs: dict[str, Callable[[], None]] = {
            "heartbeat": lambda: _repeat(shared.leases.beat, PROGRESS_S, over),
            "reaper": lambda: _repeat(self._reap, REAP_S, over),
            "upkeep": lambda: _repeat(upkeep.tick, UPKEEP_S, over, self._looks),
        }
        if self._options.wake:
            jobs["listener"] = lambda: listen(self._database.listen_url, self._wake, over)
        threads = [threading.Thread(target=job, name=name) for name, job in jobs.items()]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            self._looks.set()
            for thread in threads:
                thread.join()

    def _reap(self) -> None:
        if self._database.worker.reap() + bury_neighbours(self._database.worker):
            self._wake()


def _is_for(offer: Offer, table: JobTable, *, later: bool = False) -> bool:
    return offer.handler.table is table and _is_next(offer.entry) == later


def _is_next(entry: str) -> bool:
    return entry.startswith(NEXT)


def _check_names(catalog: Catalog, settings: Settings, options: WorkerOptions) -> None:
    if SELFTEST in (options.only or ()) and not settings.selftest:
        raise SettingError("Selftest jobs are switched off.", hint="KIZU_SELFTEST=1 switches them on.")
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


def _repeat(
    work: Callable[[], None], seconds: float, over: threading.Event, early: threading.Event | None = None
) -> None:
    """Does `work` about every so often, and at once when `early` is set. While the database is away it does not
    succeed, which others tell of.
    """
    while not over.is_set():
        (early or over).wait(seconds * random.uniform(0.8, 1.2))  # noqa: S311 - spreads workers, hides nothing
        if over.is_set():
            return
        with suppress(DatabaseError, DiskFull):
            work()
