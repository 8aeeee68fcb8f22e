"""One lane of a worker: a thread that claims jobs of one table and a child process that does them."""

from __future__ import annotations

import math
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

from kizu_core.database import Claim
from kizu_core.errors import ChildCrashed, DiskFull, WorkerError
from kizu_core.models.offers import Offer
from kizu_core.plugins.specs import JobHandlerSpec
from kizu_core.types import JobTable
from kizu_core.worker.batch import Batch
from kizu_core.worker.events import ChildRestarted, HandlerOff, Resumed, Waiting
from kizu_core.worker.finish import Finisher
from kizu_core.worker.limits import memory_limit_mb
from kizu_core.worker.member import Member
from kizu_core.worker.process import ChildProcess
from kizu_core.worker.shared import Shared
from kizu_core.worker.stock import Stock, make_ready

ALONE_FROM = 2
"""Crashes after which a job runs alone in a fresh child: nobody else suffers, and nobody else can be to blame."""

DISK_FULL_S = 60.0
IDLE_CHILD_S = 300.0
"""An unused child is ended after this time: the only way in which model libraries give all memory back."""

MOST_STILLBORN = 4
STILLBORN_S = 0.5
"""So often a child may end before it begins any job of a handler, with longer and longer pauses from here on."""

QUICK_S = 5.0
"""A claim that took less is quick work, and the next one may be claimed while it is done."""

RECYCLE_SHARE = 0.75
"""Share of the memory limit above which a child is replaced between two batches."""


class Lane:
    """`run` in a thread of its own. `idle`: its last claim found nothing and it holds nothing."""

    def __init__(
        self, table: JobTable, offers: Sequence[Offer], shared: Shared, *, behind: Sequence[Lane] = ()
    ) -> None:
        """`behind`: lanes that must have nothing to do before this one takes something."""
        self.table = table
        self.behind = tuple(behind)
        self.idle = False
        self._shared = shared
        self._offers = list(offers)
        self._news: Sequence[Offer] | None = None
        self._off: set[str] = set()
        self._limit_mb = memory_limit_mb(offers, shared.settings)
        self._child: ChildProcess | None = None
        self._child_used = time.monotonic()
        self._failed_starts = 0
        self._stillborn: Counter[str] = Counter()
        self._alone: set[UUID] = set()  # of jobs that were at work when several were, and one ended the process
        self._finisher = Finisher(shared.settler, self.name)
        self._last_s = math.inf
        self._wake = threading.Event()
        self._poll = shared.options.poll_interval or shared.settings.poll_interval

    @property
    def name(self) -> str:
        return "next" if self.behind else self.table.name.lower()

    def end_by(self, grace_until: float) -> None:
        """When what still runs is given back, as the monotonic clock tells it."""
        self._shared.grace_until = grace_until

    def wake(self) -> None:
        """There may be something to claim, or a reason to end."""
        self._wake.set()

    def offer(self, offers: Sequence[Offer]) -> None:
        """What it can do from its next claim on; for any thread."""
        self._news = offers
        self._wake.set()

    def run(self) -> None:
        """Claims and works until the worker is to stop.

        Raises what can't be waited for; `DatabaseUnavailable` or `DiskFull` only once the worker is to stop.
        """
        try:
            with self._finisher, ThreadPoolExecutor(1, thread_name_prefix=f"{self.name}-ahead") as beside:
                self._loop(beside)
        finally:
            self._end_child()
            self.idle = True

    def _loop(self, beside: ThreadPoolExecutor) -> None:
        following: Future[Stock] | None = None
        while not self._shared.stopping.is_set() and (self._offers or not self._off):
            self._hear()
            stock = following.result() if following else Stock()
            if not stock.members and stock.disk_full is None:  # nothing ahead: something may have come since
                stock = self._take()
            following = beside.submit(self._take) if stock.members and self._may_claim_ahead(stock) else None
            started = time.monotonic()
            self._work(stock.members)
            self._last_s = time.monotonic() - started if stock.members else math.inf
            if following is None:
                self._finisher.flush()
            if full := self._finisher.disk_full() or stock.disk_full:
                self._wait_for_space(full)
            if self._shared.options.once:
                return
            if not stock.members and not full:
                self._rest()

    def _may_claim_ahead(self, stock: Stock) -> bool:
        """Only while work is quick: where it takes long, fetching beside it gains nothing, and what is claimed ahead
        would wait here while another worker has nothing to do.
        """
        return self._last_s < QUICK_S and not self._shared.options.once and stock.disk_full is None

    def _take(self) -> Stock:
        """Claims jobs and gets hold of their originals; for the thread beside as well."""
        offers = self._offers
        if not offers or self._shared.stopping.is_set() or not all(lane.idle for lane in self.behind):
            return Stock()
        claims = self._claim(offers)
        held = [self._shared.leases.hold(claim, _handler(claim, offers), since) for claim, since in claims]
        return make_ready(self._shared, held)

    def _hear(self) -> None:
        """Takes over what there is to offer now. Models of the child were set up before: the next one knows them."""
        news, self._news = self._news, None
        if news is not None:
            self._offers = [offer for offer in news if offer.handler.name not in self._off]
            self._limit_mb = memory_limit_mb(self._offers, self._shared.settings)
            self._end_child()

    # ---- claiming ----------------------------------------------------------------------------------------

    def _claim(self, offers: Sequence[Offer]) -> Sequence[tuple[Claim, float]]:
        """Jobs with the monotonic time from which their leases count at the latest."""
        self._wake.clear()
        self.idle = False
        request, shared = uuid4(), self._shared
        can = [offer.entry for offer in offers]
        limit = min(shared.settings.batch_size, max(offer.handler.batch for offer in offers))
        since = time.monotonic()

        def claim() -> Sequence[Claim]:
            nonlocal since
            since = time.monotonic()
            worker, lease_s = shared.options.worker_id, shared.leases.lease_s
            return shared.database.worker.claim(self.table, worker, request, can, limit, lease_s)

        # One request id for all repetitions: an answer that was lost is given again.
        return [(one, since) for one in shared.patience.call(claim)]

    def _rest(self) -> None:
        """Nothing to claim: waits for a wake-up, at most for about the poll interval."""
        self.idle = True
        if time.monotonic() - self._child_used > IDLE_CHILD_S:
            self._end_child()
        self._wake.wait(self._poll * random.uniform(0.8, 1.2))  # noqa: S311 - spreads workers, hides nothing

    def _pause(self, seconds: float) -> None:
        self._shared.stopping.wait(seconds)

    # ---- working -----------------------------------------------------------------------------------------

    def _work(self, members: Sequence[Member]) -> None:
        for batch in self._batches(members):
            stopping, off = self._shared.stopping.is_set(), batch[0].held.spec.name in self._off
            if stopping or off or not self._has_child(fresh=_is_suspect(batch[0])):
                for member in batch:
                    self._shared.settler.release(member.held, "not begun")
                    member.close()
            else:
                self._run(batch)

    def _batches(self, members: Sequence[Member]) -> Iterator[list[Member]]:
        """By handler, none larger than it wants; those that may have killed a child before come last, each alone."""
        by_handler: dict[str, list[Member]] = defaultdict(list)
        alone = [one for one in members if one.held.claim.crash_count or one.id in self._alone]
        for one in members:
            if one not in alone:
                by_handler[one.held.spec.name].append(one)
        for group in by_handler.values():
            size = group[0].held.spec.batch
            yield from (group[start : start + size] for start in range(0, len(group), size))
        yield from ([one] for one in sorted(alone, key=_is_suspect))

    def _run(self, members: list[Member]) -> None:
        child = self._child
        if child is None:
            raise WorkerError("A batch needs a child")
        batch, spec = Batch(self._shared, child, self._finisher, members), members[0].held.spec
        batch.run()
        child.used, self._child_used = True, time.monotonic()
        self._alone |= batch.suspects
        if batch.child_died is not None:
            self._replace_child(batch.child_died)
        elif child.rss_mb() > RECYCLE_SHARE * child.limit_mb:
            self._replace_child("was replaced to give memory back")
        if batch.refusal is not None:
            self._switch_off(spec, batch.refusal)
        elif batch.child_died is not None and not batch.begun:
            self._count_stillborn(spec, batch.child_died)
        else:
            self._stillborn.pop(spec.name, None)
        if batch.disk_full is not None:
            self._wait_for_space(batch.disk_full)

    def _count_stillborn(self, spec: JobHandlerSpec, how: str) -> None:
        """The child ended before it began a job, so none is to blame: whatever builds the handler is, if it goes on."""
        self._stillborn[spec.name] += 1
        if self._stillborn[spec.name] < MOST_STILLBORN:
            self._pause(STILLBORN_S * 2 ** self._stillborn[spec.name])
        else:
            error = ChildCrashed(f"The model process {how} each time before it began.", hint="See its log.")
            self._switch_off(spec, error.as_dict())

    def _switch_off(self, spec: JobHandlerSpec, error: Mapping[str, Any]) -> None:
        self._off.add(spec.name)
        self._offers = [offer for offer in self._offers if offer.handler is not spec]
        self._shared.settler.withdraw(spec)
        self._shared.emit(HandlerOff(handler=spec.name, error=dict(error)))

    def _wait_for_space(self, error: DiskFull) -> None:
        self._shared.emit(Waiting(message=f"{error.message} Trying again in {DISK_FULL_S:.0f} seconds."))
        self._pause(DISK_FULL_S)
        self._shared.emit(Resumed(message="Trying again whether there is space."))

    # ---- the child ---------------------------------------------------------------------------------------

    def _has_child(self, *, fresh: bool) -> bool:
        """Makes sure of a living child; with `fresh`, of one that has done nothing yet. False if none will start."""
        if self._child is not None and (not self._child.alive() or (fresh and self._child.used)):
            self._end_child()
        if self._child is None:
            self._start_child()
        return self._child is not None

    def _start_child(self) -> None:
        try:
            self._child = ChildProcess(self.name, self._shared.settings, self._shared.child_values, self._limit_mb)
        except (WorkerError, OSError) as error:
            pause = min(60.0, 2.0**self._failed_starts)
            self._failed_starts += 1
            self._shared.emit(Waiting(message=f"{error} Trying again in {pause:.0f} seconds."))
            self._pause(pause)
        else:
            self._child_used = time.monotonic()
            self._failed_starts = 0

    def _replace_child(self, reason: str) -> None:
        """The next one is started at once, so that the jobs which go back need not wait for it."""
        self._end_child()
        if self._shared.stopping.is_set():
            return
        self._shared.settler.count_restart()
        self._shared.emit(ChildRestarted(reason=reason))
        self._start_child()

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.stop()


def _is_suspect(member: Member) -> bool:
    return member.held.claim.crash_count >= ALONE_FROM


def _handler(claim: Claim, offers: Sequence[Offer]) -> JobHandlerSpec:
    todo = set(claim.job.todo)
    return next(offer.handler for offer in offers if offer.entry in todo)
