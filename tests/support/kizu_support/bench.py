"""A worker under test: jobs for the probe plugin, a worker in a thread or a process, a look at the rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from kizu_core.blobs.local import LocalBlobs
from kizu_core.database import OpenDatabase
from kizu_core.models.selection import load_catalog
from kizu_core.settings import Settings
from kizu_core.types import JobTable
from kizu_core.worker.events import Event, Summary
from kizu_core.worker.options import WorkerOptions
from kizu_core.worker.supervisor import Worker

Found = TypeVar("Found")


def eventually(true: Callable[[], Found], seconds: float = 30.0) -> Found:
    """What `true` gives once it is true; fails if that takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.02)
    pytest.fail("it did not happen")


class Running:
    """A worker at work in a thread."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.events: list[Event] = []
        self.outcome: Summary | BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.outcome = self.worker.run(self.events.append)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.outcome = error

    def of(self, kind: type[Event]) -> list[Any]:
        """Events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def end(self, seconds: float = 60.0) -> Summary:
        """Waits for the end; its summary. Raises what it raised."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the worker does not end"
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return cast("Summary", self.outcome)

    def stop(self) -> None:
        """As a person would who wants it to end now."""
        for _ in range(2):
            self.worker.stop()
        self._thread.join(30)


class Bench:
    """Jobs for the probe plugin, workers that do them, and a look at the rows."""

    def __init__(self, settings: Settings, database: OpenDatabase, folder: Path) -> None:
        self.settings = settings
        self.database = database
        self.folder = folder
        self.user = database.worker.ensure_user("me")
        self.ledger = folder / "ledger"
        self._running: list[Running] = []

    def enqueue(self, *params: dict[str, Any], job_type: str = "probe", **more: Any) -> list[UUID]:
        """One job for each dict of parameters."""
        jobs = [
            {"user_id": self.user, "job_type": job_type, "params": {"ledger": str(self.ledger), **one}, **more}
            for one in params
        ]
        return [UUID(one["id"]) for one in self.database.worker.enqueue(JobTable.AI, jobs)]

    def worker(self, settings: Settings | None = None, **options: Any) -> Worker:
        """A worker for the probe's jobs only, quick to look and quick to give up."""
        chosen = {"only": ("probe", "probe-quick", "probe-broken"), "poll_interval": 0.2, **options}
        settings = settings or self.settings
        blobs = LocalBlobs(settings.paths.blobs)
        return Worker(settings, self.database, blobs, load_catalog(settings), WorkerOptions(**chosen))

    def start(self, settings: Settings | None = None, **options: Any) -> Running:
        """A worker that runs until the test ends it, or ends."""
        running = Running(self.worker(settings, **options))
        self._running.append(running)
        return running

    def drain(self, settings: Settings | None = None, **options: Any) -> tuple[Summary, Running]:
        """Works until nothing is left."""
        running = self.start(settings, drain=True, **options)
        return running.end(), running

    def row(self, job: UUID, table: str = "ai_processing_jobs") -> dict[str, Any]:
        """The row of a job as it is now."""
        return self.query(f"select * from {table} where id = %s", job)[0]

    def query(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Rows as the worker's role sees them."""
        with psycopg.connect(self.database.listen_url, row_factory=dict_row) as connection:
            connection.execute("set role service_role")
            return connection.execute(statement.encode(), values).fetchall()

    def starts(self, job: UUID) -> list[int]:
        """Ids of the processes in which the job was begun."""
        lines = self.ledger.read_text().splitlines() if self.ledger.exists() else []
        return [int(pid) for what, name, pid in map(str.split, lines) if (what, name) == ("start", str(job))]

    def started(self, job: UUID) -> int:
        """Waits until a job is begun; the id of the process."""
        return eventually(lambda: self.starts(job))[0]

    def close(self) -> None:
        """Ends what still runs."""
        for running in self._running:
            running.stop()


@contextmanager
def bench_for(settings: Settings, database: OpenDatabase, folder: Path) -> Iterator[Bench]:
    bench = Bench(settings, database, folder)
    try:
        yield bench
    finally:
        bench.close()
