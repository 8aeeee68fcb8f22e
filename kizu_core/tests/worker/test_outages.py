"""The database goes away, a whole worker is killed: nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from kizu_core.database import Database, OpenDatabase
from kizu_core.database.direct import DirectTransport
from kizu_core.settings import Settings
from kizu_core.worker.events import Resumed, Waiting
from kizu_support.bench import Bench, bench_for, eventually
from kizu_support.embedded import database_template, library_home, library_settings
from kizu_support.embedded import open_db as embedded_db
from kizu_support.postgres import KizuDatabase

__all__ = ["database_template", "embedded_db", "library_home", "library_settings"]

KIZU = [sys.executable, "-c", "from kizu_core.cli.app import main; main()"]


@pytest.fixture
def embedded_bench(
    embedded_db: OpenDatabase, library_settings: Settings, probe: Path, tmp_path: Path
) -> Iterator[Bench]:
    with bench_for(library_settings, embedded_db, tmp_path) as made:
        yield made


class Process:
    """`kizu worker` in a process of its own."""

    def __init__(self, bench: Bench, database: KizuDatabase, *options: str) -> None:
        environment = {
            **os.environ,
            "KIZU_HOME": str(bench.settings.home),
            "KIZU_DATABASE_URL": database.url("postgres"),
        }
        command = [*KIZU, "worker", "--only", "probe", "--poll-interval", "0.2", *options]
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Sends a signal, waits for the end; exit status and what was said."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


def test_a_killed_workers_job_is_done_by_another(bench: Bench, kizu_database: KizuDatabase) -> None:
    (job,) = bench.enqueue({"sleep_s": 3})
    process = Process(bench, kizu_database, "--lease-seconds", "3", "--worker-id", "doomed")
    child = bench.started(job)
    process.end(signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{child}").exists())
    bench.drain(worker_id="heir", lease_seconds=3)
    row = bench.row(job)
    assert (row["outcome"], row["worker_id"], row["attempt"], row["reclaim_count"]) == ("ok", "heir", 2, 1)
    assert row["errors"][0]["code"] == "lease_expired"
    assert list(bench.settings.paths.scratch.glob("worker-*")) == [], "the heir swept what the dead one left"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_a_worker_in_order(bench: Bench, kizu_database: KizuDatabase, number: signal.Signals) -> None:
    short, other = bench.enqueue({"sleep_s": 1}, {"sleep_s": 60})
    process = Process(bench, kizu_database)
    bench.started(short)
    status, said = process.end(number)
    assert (status, "Traceback" in said) == (0, False), said
    assert bench.row(short)["outcome"] == "ok"
    assert (bench.row(other)["status"], bench.row(other)["attempt"]) == ("pending", 0)


def test_lost_connections_are_made_again(bench: Bench, kizu_database: KizuDatabase) -> None:
    jobs = bench.enqueue(*({"sleep_s": 0.1} for _ in range(30)))
    running = bench.start(drain=True)
    for _ in range(3):
        bench.started(jobs[0])
        with psycopg.connect(kizu_database.url("postgres"), autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                " and pid <> pg_backend_pid()"
            )
    running.end()
    assert {(bench.row(job)["outcome"], bench.row(job)["attempt"]) for job in jobs} == {("ok", 1)}
    assert {len(bench.starts(job)) for job in jobs} == {1}


def test_a_worker_that_waits_for_its_database_can_be_stopped(bench: Bench) -> None:
    nowhere = Database(DirectTransport("postgresql://kizu@127.0.0.1:1/kizu"))
    bench.database = OpenDatabase(nowhere, nowhere, listen_url="postgresql://kizu@127.0.0.1:1/kizu", embedded=None)
    running = bench.start()
    (waiting,) = eventually(lambda: running.of(Waiting))
    assert "127.0.0.1:1" in waiting.message
    running.worker.stop()
    running.end(20)


def test_a_killed_database_server_is_waited_for_and_revived(embedded_bench: Bench, embedded_db: OpenDatabase) -> None:
    bench = embedded_bench
    jobs = bench.enqueue(*({"sleep_s": 0.3} for _ in range(12)))
    running = bench.start(drain=True)
    bench.started(jobs[0])
    assert embedded_db.embedded is not None
    server = embedded_db.embedded.status().pid
    assert server is not None
    os.kill(server, signal.SIGKILL)
    running.end(120)
    assert {bench.row(job)["outcome"] for job in jobs} == {"ok"}
    assert len(running.of(Waiting)) >= 1
    assert len(running.of(Resumed)) == len(running.of(Waiting))
    assert embedded_db.embedded.status().pid != server


def test_a_worker_frozen_for_longer_than_its_lease_gives_the_job_up(bench: Bench, kizu_database: KizuDatabase) -> None:
    (job,) = bench.enqueue({"sleep_s": 4})
    frozen = Process(bench, kizu_database, "--lease-seconds", "3", "--worker-id", "frozen")
    child = bench.started(job)
    os.killpg(child, signal.SIGSTOP)
    frozen.process.send_signal(signal.SIGSTOP)
    bench.drain(worker_id="heir", lease_seconds=3)
    frozen.process.send_signal(signal.SIGCONT)
    os.killpg(child, signal.SIGCONT)
    status, _ = frozen.end(signal.SIGTERM)
    row = bench.row(job)
    assert (status, row["outcome"], row["worker_id"], row["attempt"]) == (0, "ok", "heir", 2)
