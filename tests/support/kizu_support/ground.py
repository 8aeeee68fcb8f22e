"""A place where selftest jobs meet real workers: processes on one embedded database, and a look at rows and ledger."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
from psycopg.rows import dict_row

from kizu_core.database import OpenDatabase, open_database
from kizu_core.types import JobTable
from kizu_support.bench import eventually
from kizu_support.command import Kizu
from kizu_support.embedded import settings_for

Row = dict[str, Any]


class Ground:
    """`database` is open for as long as the ground is; workers of a test end with `clear`."""

    def __init__(self, home: Path, database: OpenDatabase) -> None:
        self.home = home
        self.database = database
        self.user = database.worker.ensure_user("me")
        self._variables = {"KIZU_SELFTEST": "1", "KIZU_LOAD_PLUGINS": "core", "KIZU_POLL_INTERVAL": "1"}
        self._variables |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
        self._workers: list[subprocess.Popen[str]] = []

    def enqueue(self, *params: Row, **more: Any) -> list[UUID]:
        """One job for each dict of parameters."""
        jobs = [{"user_id": self.user, "job_type": "selftest", "params": one, **more} for one in params]
        return [UUID(one["id"]) for one in self.database.worker.enqueue(JobTable.AI, jobs)]

    def start(self, name: str, *options: str, lease_s: int = 5, **variables: str) -> subprocess.Popen[str]:
        """A worker of that name, as a person would start it."""
        kizu = Kizu(self.home, {**self._variables, **variables})
        given = ["--only", "selftest", "--worker-id", name, "--lease-seconds", str(lease_s), *options]
        worker = kizu.start("worker", *given, out=self.log(name))
        self._workers.append(worker)
        return worker

    def log(self, name: str) -> Path:
        """Where a worker's output goes; what it says on standard error is beside it, as `.err`."""
        return self.home / "logs" / f"{name}.out"

    def query(self, statement: str, *values: Any) -> list[Row]:
        """Rows as the worker's role sees them."""
        with psycopg.connect(self.database.listen_url, row_factory=dict_row) as connection:
            connection.execute("set role service_role")
            found = connection.execute(statement.encode(), values or None)
            return found.fetchall() if found.description else []

    def row(self, job: UUID) -> Row:
        """The row of a job as it is now."""
        return self.query("select * from ai_processing_jobs where id = %s", job)[0]

    def ledger(self, job: UUID, phase: str) -> list[Row]:
        """What the ledger says of a job, in order."""
        query = "select * from kizu_selftest_ledger where job_id = %s and phase = %s order by at"
        return self.query(query, job, phase)

    def phases(self, job: UUID) -> Mapping[str, int]:
        """How often the ledger has each phase of a job."""
        return Counter(row["phase"] for row in self.query("select * from kizu_selftest_ledger where job_id = %s", job))

    def started(self, job: UUID, attempt: int = 1, seconds: float = 60) -> Row:
        """Waits until an attempt has begun; its row of the ledger."""
        return eventually(lambda: [row for row in self.ledger(job, "start") if row["attempt"] == attempt], seconds)[0]

    def done(self, job: UUID, seconds: float = 60) -> Row:
        """Waits until a job is finished, well or not; its row."""
        return eventually(lambda: [row for row in [self.row(job)] if row["completed_at"]], seconds)[0]

    def clear(self) -> None:
        """Ends the workers, forgets the jobs."""
        for worker in self._workers:
            for process in family(worker.pid):
                process.kill()
            worker.wait()
        self._workers.clear()
        for table in ("ai_processing_jobs", "kizu_selftest_ledger", "kizu_workers"):
            self.query(f"delete from {table}")


def family(pid: int) -> list[psutil.Process]:
    """A worker with all that it started; none if it is gone."""
    try:
        worker = psutil.Process(pid)
        return [worker, *worker.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def child_of(worker: subprocess.Popen[str]) -> int:
    """The process that does the jobs of a worker."""
    pids: list[int] = [one.pid for one in family(worker.pid) if "kizu_core.worker.child" in one.cmdline()]
    return pids[0]


def send(number: signal.Signals, *pids: int) -> None:
    """A signal to several processes, in this order."""
    for pid in pids:
        os.kill(pid, number)


@contextmanager
def ground_on(home: Path) -> Iterator[Ground]:
    """The ground on a data folder whose database may run already."""
    with open_database(settings_for(home)) as database:
        ground = Ground(home, database)
        try:
            yield ground
        finally:
            ground.clear()
