"""How a held job is brought to its end: completed, failed, or given back."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

from kizu_core.database import Database
from kizu_core.errors import (
    ConsentMissing,
    DatabaseError,
    DatabaseUnavailable,
    DiskFull,
    KizuError,
    ModelUnavailable,
    SchemaMismatch,
)
from kizu_core.models.offers import Offer
from kizu_core.plugins.specs import JobHandlerSpec
from kizu_core.privacy.guard import Refusal
from kizu_core.privacy.redact import clean_error
from kizu_core.types import SELFTEST, JobOutcome, OperationResult
from kizu_core.worker.events import (
    EgressRefused,
    Event,
    JobDone,
    JobEvent,
    JobFailed,
    JobReturned,
    ModelNotice,
    Summary,
)
from kizu_core.worker.leases import Held, Leases
from kizu_core.worker.patience import Patience
from kizu_core.worker.results import payload_of

Answer = TypeVar("Answer")

ASIDE_S = 600.0
"""How long an operation is not offered whose model did not load, unless the model's files change."""

_UNAVAILABLE = frozenset({ModelUnavailable.code, ConsentMissing.code})

MOST_NOTICES = 20
"""That are kept: a child that tells of more than it has models is broken."""


class BlobStore(Protocol):
    """Where files go that handlers made."""

    def put(self, key: str, path: Path) -> None: ...

    def sweep(self, orphans: Callable[[Sequence[str]], Iterable[str]]) -> Iterator[int]: ...


@dataclass(frozen=True, slots=True)
class Ready:
    """A finished job whose files are stored; `payload` is what the database is to be told of it."""

    held: Held
    outcome: JobOutcome
    payload: Mapping[str, Any]


class Settler:
    """The only part of a worker that ends a lease. Used by all lanes.

    `summary`: what became of all jobs so far.
    """

    def __init__(
        self,
        *,
        database: Database,
        blobs: BlobStore,
        leases: Leases,
        patience: Patience,
        offers: Sequence[Offer],
        face_threshold: float,
        emit: Callable[[Event], None],
        on_aside: Callable[[], None] = lambda: None,
    ) -> None:
        """`face_threshold`: see the setting. `on_aside`: is told that an operation can't be offered for now."""
        self._database = database
        self._blobs = blobs
        self._leases = leases
        self._patience = patience
        self._offers = list(offers)
        self._face_threshold = face_threshold
        self._withdrawn: set[str] = set()
        self._aside: dict[str, tuple[object, float]] = {}
        self._on_aside = on_aside
        self._emit = emit
        self._counting = threading.Lock()
        self._put_off: dict[UUID, tuple[str, ...]] = {}
        self.summary = Summary()

    def begun(self, held: Held) -> None:
        """The child turned to the job. Only selftest jobs leave a trace of that in the database."""
        if held.job.job_type == SELFTEST:
            with suppress(DatabaseUnavailable, DiskFull):  # then the lease is lost as well
                self._patience.call(lambda: self._database.selftest_start(held.claim), until=held.good_until)

    def store(self, held: Held, outcome: JobOutcome, workdir: Path) -> Ready | None:
        """Stores the files of a finished job. None if they or its rows are not what they should be: it has failed.

        Raises `DiskFull` if there was no space for them; the job is still held. What a model did not load for is left
        to be done: that is no fault of the photo, and no attempt is counted.
        """
        if unavailable := [one for one in outcome.operations if one.error and one.error.get("code") in _UNAVAILABLE]:
            self._put_aside(unavailable)
            outcome = replace(outcome, operations=tuple(one for one in outcome.operations if one not in unavailable))
            if not outcome.operations:
                self.release(held, "its model can't be loaded")
                return None
        try:
            payload = payload_of(held.job, outcome, workdir) | {"face_threshold": self._face_threshold}
            for key, path in outcome.files.items():
                self._blobs.put(key, path)
        except DiskFull:
            raise
        except KizuError as error:
            self.fail(held, error.as_dict())
            return None
        return Ready(held, outcome, payload)

    def complete(self, ready: Sequence[Ready]) -> None:
        """Results and state of finished jobs of one table, all in one transaction. Raises `SchemaMismatch`."""
        table, done = ready[0].held.job.table, [(one.held.claim, one.payload) for one in ready]
        try:
            answers = self._settle([one.held for one in ready], lambda: self._database.complete_many(table, done))
        except SchemaMismatch:
            raise
        except DatabaseError as error:  # about the call as a whole: find out whose fault it is
            if len(ready) == 1:
                self.fail(ready[0].held, error.as_dict())
            else:
                for one in ready:
                    self.complete([one])
            return
        for one, answer in zip(ready, answers or [{"answer": "lease_lost"}] * len(ready), strict=True):
            self._completed(one, **answer)

    def _completed(self, one: Ready, answer: str | None = None, refused: str = "", **_: Any) -> None:
        if answer is None:  # it does not take what the handler made of this photo
            error = DatabaseError(f"The database refused its results: {refused.rstrip('.')}.")
            self.fail(one.held, error.as_dict())
        elif answer in {"ok", "already"}:
            self._count_outcome(one.outcome)
            self._emit(_done(one.held, one.outcome))
        else:
            self._returned(one.held, answer)

    def fail(
        self, held: Held, error: Mapping[str, Any], *, crashed: bool = False, retry_s: float | None = None
    ) -> None:
        """This attempt failed; the database decides whether and when there is another.

        `error` as `KizuError.as_dict`; `retry_s`: when the storage asked to be left alone for so long.
        """
        error = clean_error(error)
        report = {**error, "crashed": crashed, "operations": self._ledger(held)}
        answer = self._settle([held], lambda: self._database.fail(held.claim, report, retry_s)) or "lease_lost"
        if answer not in {"retry", "dead", "invalid"}:
            self._returned(held, answer)
            return
        final = answer != "retry"
        with self._counting:
            for operation in held.job.todo:
                tally = self.summary.tally(operation)
                tally.failed, tally.retried = tally.failed + final, tally.retried + (not final)
        self._emit(JobFailed(**_about(held), error=dict(error), final=final))

    def give_up(self, held: Held, operation: str, error: KizuError, workdir: Path) -> None:
        """One operation of a job failed for good; the others go back, to be done without it."""
        done = next(
            OperationResult(**one, error={**error.as_dict(), "retryable": False})
            for one in self._ledger(held)
            if one["operation"] == operation
        )
        if (ready := self.store(held, JobOutcome(operations=(done,)), workdir)) is not None:
            self.complete([ready])

    def release(self, held: Held, reason: str) -> None:
        """Gives the job back as if it had not been claimed."""
        self._settle([held], lambda: self._database.release(held.claim))
        self._returned(held, reason)

    def put_off(self, held: Held, reason: str, delay_s: float) -> None:
        """Gives the job back, not to be claimed again before `delay_s` seconds; `left` does not wait for it."""
        self._settle([held], lambda: self._database.release(held.claim, delay_s))
        with self._counting:
            self._put_off[held.job.id] = held.job.todo
        self._returned(held, reason)

    def forget(self, held: Held) -> None:
        """The lease is gone: whoever has the job now writes its results."""
        self._leases.drop(held)
        self._returned(held, "lease_lost")

    def offer(self, offers: Sequence[Offer]) -> None:
        """What this worker can do from now on."""
        with self._counting:
            self._offers = [offer for offer in offers if offer.handler.name not in self._withdrawn]

    def allows(self, offer: Offer) -> bool:
        """Whether its model did not fail to load lately; one whose files were exchanged since is tried again."""
        stamp, until = self._aside.get(offer.entry, (None, 0.0))
        return stamp != offer.stamp or time.monotonic() > until

    def _put_aside(self, unavailable: Sequence[OperationResult]) -> None:
        """Offers these operations no more for a while, and says why."""
        with self._counting:
            stamps = {offer.entry: offer.stamp for offer in self._offers}
            fresh = [one for one in unavailable if one.operation in stamps]
            for one in fresh:
                self._aside[one.operation] = stamps[one.operation], time.monotonic() + ASIDE_S
            self._offers = [offer for offer in self._offers if self.allows(offer)]
        errors = [one.error for one in fresh if one.error]
        self.count_notices([f"{error['message']} {error.get('hint') or ''}".rstrip() for error in errors])
        if fresh:
            self._on_aside()

    def withdraw(self, handler: JobHandlerSpec) -> None:
        """Its jobs are no longer ours to wait for."""
        with self._counting:
            self._withdrawn.add(handler.name)
            self._offers = [offer for offer in self._offers if offer.handler is not handler]

    def count_restart(self) -> None:
        """A child was replaced."""
        with self._counting:
            self.summary.restarts += 1

    def count_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Code in the child tried to send something out. Told once of each kind; a child that lies may say anything."""
        for one in refusals:
            attempt = one.attempt.tidy()
            if self.summary.refused.add(attempt, max(1, one.count)):
                self._emit(EgressRefused(**asdict(attempt)))

    def count_notices(self, sentences: Sequence[str]) -> None:
        """What a child tells of its models, each once."""
        for sentence in sentences:
            with self._counting:
                if sentence in self.summary.notices or len(self.summary.notices) >= MOST_NOTICES:
                    continue
                self.summary.notices.append(sentence)
            self._emit(ModelNotice(message=sentence))

    def left(self, counts: Mapping[str, Mapping[str, int]]) -> int:
        """Of the `jobs` of a status: how much this worker could still do, now or later, and will not be put off."""
        with self._counting:
            put_off = Counter(operation for todo in self._put_off.values() for operation in todo)
        states = ("waiting", "running", "retrying")
        mine = {offer.entry for offer in self._offers} & set(counts)
        return sum(max(0, sum(counts[name][state] for state in states) - put_off[name]) for name in mine)

    def _settle(self, held: Sequence[Held], call: Callable[[], Answer]) -> Answer | None:
        """The last word on jobs, which are let go of in any case. None if the database stayed away for too long."""
        with self._counting:
            for one in held:
                self._put_off.pop(one.job.id, None)
        try:
            return self._patience.call(call, until=min(one.good_until for one in held))
        except (DatabaseUnavailable, DiskFull):
            return None
        finally:
            for one in held:
                self._leases.drop(one)

    def _ledger(self, held: Held) -> list[dict[str, Any]]:
        """What the ledger is told of operations that failed for good."""
        return [
            {"operation": offer.entry, "plugin": offer.plugin, "version": offer.version, "space": offer.space}
            for offer in self._offers
            if offer.entry in held.job.todo
        ]

    def _count_outcome(self, outcome: JobOutcome) -> None:
        with self._counting:
            self.summary.jobs += 1
            for one in outcome.operations:
                tally = self.summary.tally(one.operation)
                tally.seconds += one.seconds
                tally.found += one.found
                if one.error is None:
                    tally.done += 1
                elif one.error.get("retryable"):
                    tally.retried += 1
                else:
                    tally.failed += 1

    def _returned(self, held: Held, reason: str) -> None:
        self._emit(JobReturned(**_about(held), reason=reason))


def _about(held: Held) -> dict[str, Any]:
    return JobEvent.about(held.job, held.claim.asset)


def _done(held: Held, outcome: JobOutcome) -> JobDone:
    return JobDone(
        **_about(held),
        seconds={one.operation: one.seconds for one in outcome.operations},
        found={one.operation: one.found for one in outcome.operations},
        errors={one.operation: one.error for one in outcome.operations if one.error is not None},
    )
