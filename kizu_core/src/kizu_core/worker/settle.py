"""How a held job is brought to its end: completed, failed, or given back."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from kizu_core.database import Database
from kizu_core.errors import DatabaseError, DatabaseUnavailable, DiskFull, KizuError, SchemaMismatch
from kizu_core.models.offers import Offer
from kizu_core.plugins.specs import JobHandlerSpec
from kizu_core.privacy.guard import Attempt, Refusal
from kizu_core.privacy.redact import clean_error
from kizu_core.types import SELFTEST, JobOutcome, OperationResult
from kizu_core.worker.events import EgressRefused, Event, JobDone, JobEvent, JobFailed, JobReturned, Summary
from kizu_core.worker.leases import Held, Leases
from kizu_core.worker.patience import Patience
from kizu_core.worker.results import payload_of

LONGEST = 200
"""Characters that are kept of a name that a child says."""


class BlobStore(Protocol):
    """Where files go that handlers made."""

    def put(self, key: str, path: Path) -> None: ...


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
        emit: Callable[[Event], None],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._leases = leases
        self._patience = patience
        self._offers = list(offers)
        self._emit = emit
        self._counting = threading.Lock()
        self._put_off: dict[UUID, tuple[str, ...]] = {}
        self.summary = Summary()

    def begun(self, held: Held) -> None:
        """The child turned to the job. Only selftest jobs leave a trace of that in the database."""
        if held.job.job_type == SELFTEST:
            with suppress(DatabaseUnavailable, DiskFull):  # then the lease is lost as well
                self._patience.call(lambda: self._database.selftest_start(held.claim), until=held.good_until)

    def complete(self, held: Held, outcome: JobOutcome, workdir: Path) -> None:
        """Stores files, then results and state in one transaction.

        Raises `DiskFull` if there was no space for the files (the job is still held), `SchemaMismatch`.
        """
        try:
            payload = payload_of(held.job, outcome, workdir)
            for key, path in outcome.files.items():
                self._blobs.put(key, path)
        except DiskFull:
            raise
        except KizuError as error:
            self.fail(held, error.as_dict())
            return
        try:
            answer = self._settle(held, lambda: self._database.complete(held.claim, payload))
        except SchemaMismatch:
            raise
        except DatabaseError as error:  # it refuses what the handler made of this photo
            self.fail(held, error.as_dict())
            return
        if answer in {"ok", "already"}:
            self._count_outcome(outcome)
            self._emit(_done(held, outcome))
        else:
            self._returned(held, answer)

    def fail(
        self, held: Held, error: Mapping[str, Any], *, crashed: bool = False, retry_s: float | None = None
    ) -> None:
        """This attempt failed; the database decides whether and when there is another.

        `error` as `KizuError.as_dict`; `retry_s`: when the storage asked to be left alone for so long.
        """
        error = clean_error(error)
        report = {**error, "crashed": crashed, "operations": self._ledger(held)}
        answer = self._settle(held, lambda: self._database.fail(held.claim, report, retry_s))
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
        self.complete(held, JobOutcome(operations=(done,)), workdir)

    def release(self, held: Held, reason: str) -> None:
        """Gives the job back as if it had not been claimed."""
        self._settle(held, lambda: self._database.release(held.claim))
        self._returned(held, reason)

    def put_off(self, held: Held, reason: str, delay_s: float) -> None:
        """Gives the job back, not to be claimed again before `delay_s` seconds; `left` does not wait for it."""
        self._settle(held, lambda: self._database.release(held.claim, delay_s))
        with self._counting:
            self._put_off[held.job.id] = held.job.todo
        self._returned(held, reason)

    def forget(self, held: Held) -> None:
        """The lease is gone: whoever has the job now writes its results."""
        self._leases.drop(held)
        self._returned(held, "lease_lost")

    def withdraw(self, handler: JobHandlerSpec) -> None:
        """Its jobs are no longer ours to wait for."""
        with self._counting:
            self._offers = [offer for offer in self._offers if offer.handler is not handler]

    def count_restart(self) -> None:
        """A child was replaced."""
        with self._counting:
            self.summary.restarts += 1

    def count_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Code in the child tried to send something out. Told once of each kind; a child that lies may say anything."""
        for one in refusals:
            attempt = Attempt(one.caller[:LONGEST], one.via[:LONGEST], one.action, one.target[:LONGEST])
            if self.summary.refused.add(attempt, max(1, one.count)):
                self._emit(EgressRefused(**asdict(attempt)))

    def left(self, counts: Mapping[str, Mapping[str, int]]) -> int:
        """Of the `jobs` of a status: how much this worker could still do, now or later, and will not be put off."""
        with self._counting:
            put_off = Counter(operation for todo in self._put_off.values() for operation in todo)
        states = ("waiting", "running", "retrying")
        mine = {offer.entry for offer in self._offers} & set(counts)
        return sum(max(0, sum(counts[name][state] for state in states) - put_off[name]) for name in mine)

    def _settle(self, held: Held, call: Callable[[], str]) -> str:
        """The last word on a job. It stays alive while the database is away, and is let go of in any case."""
        with self._counting:
            self._put_off.pop(held.job.id, None)
        try:
            return self._patience.call(call, until=held.good_until)
        except (DatabaseUnavailable, DiskFull):
            return "lease_lost"
        finally:
            self._leases.drop(held)

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
