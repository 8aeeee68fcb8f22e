"""The jobs that this worker holds, and the heartbeat that keeps them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kizu_core.database import Claim, Database
from kizu_core.plugins.specs import JobHandlerSpec
from kizu_core.types import Job

FENCE = 0.8
"""Share of a lease after which a job that could not be renewed is given up: *before* anybody else may take it."""

BEATS_PER_LEASE = 4
PROGRESS_S = 0.5
"""Shortest time between two writes of a job's progress."""


@dataclass(slots=True, eq=False)
class Held:
    """One claimed job. Lanes own it; the heartbeat sets `cancelled` and `lost` and moves `good_until`.

    `good_until`: monotonic time up to which nobody else can have the job. `cancelled`: its user took it back.
    `lost`: another worker has it, or nobody.
    """

    claim: Claim
    spec: JobHandlerSpec
    good_until: float
    progress: int = 0
    step: str | None = None
    told: tuple[int, str | None] = (0, None)
    cancelled: bool = False
    lost: bool = False

    @property
    def job(self) -> Job:
        return self.claim.job

    def advance(self, percent: int, step: str | None) -> None:
        """Progress never falls."""
        self.progress = max(self.progress, percent)
        self.step = step or self.step

    def is_lost(self, now: float) -> bool:
        """Whether to stop working on it: told so, or the heartbeat could not get through for too long."""
        return self.lost or now > self.good_until

    def beat(self) -> dict[str, Any]:
        """One item of a heartbeat."""
        self.told = (self.progress, self.step)
        job = {"table": self.job.table, "id": self.job.id, "token": self.claim.token}
        return {**job, "progress": self.progress, "step": self.step}


class Leases:
    """All held jobs of a worker. Safe to use from several threads."""

    def __init__(self, database: Database, worker_id: str, lease_s: int) -> None:
        self._database = database
        self._worker_id = worker_id
        self.lease_s = lease_s
        self._lock = threading.Lock()
        self._held: dict[UUID, Held] = {}
        self._next_beat = 0.0

    def hold(self, claim: Claim, spec: JobHandlerSpec, since: float) -> Held:
        """Keeps a job alive from now on. `since`: monotonic time just before it was claimed."""
        held = Held(claim, spec, since + FENCE * self.lease_s)
        with self._lock:
            self._held[claim.job.id] = held
        return held

    def drop(self, held: Held) -> None:
        """Stops keeping it alive."""
        with self._lock:
            self._held.pop(held.job.id, None)

    def all(self) -> list[Held]:
        """Those held now."""
        with self._lock:
            return list(self._held.values())

    def beat(self) -> None:
        """To be called every `PROGRESS_S`: renews all when that is due, else writes what progress there is.

        One statement for all jobs. Raises the database's errors; the next call tries again.
        """
        now = time.monotonic()
        held = self.all()
        due = now >= self._next_beat
        chosen = [one for one in held if due or (one.progress, one.step) != one.told]
        if not due and not chosen:
            return
        states = self._database.heartbeat(self._worker_id, [one.beat() for one in chosen], self.lease_s)
        if due:
            self._next_beat = now + self.lease_s / BEATS_PER_LEASE
        self._note(chosen, states, now)

    def _note(self, held: list[Held], states: Mapping[UUID, str], now: float) -> None:
        for one in held:
            state = states.get(one.job.id, "lost")
            if state == "lost":
                one.lost = True
            else:
                one.good_until = now + FENCE * self.lease_s
                one.cancelled = one.cancelled or state == "cancel"
