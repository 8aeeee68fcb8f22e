"""The promises of the queue, each under the fault that it is about: real workers, a real server, selftest jobs.

Promises that need no process of their own stand with what they test: backoff, fencing of each verb and racing claims
in `kizu_core/tests/database`, children that crash or swell, progress and outages in `kizu_core/tests/worker`. The long
form of the first test is a command: `PYTHONPATH=tests/support python -m kizu_support.attack`.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest

from kizu_core.blobs.local import LocalBlobs
from kizu_core.database import Database, OpenDatabase
from kizu_core.database.direct import DirectTransport
from kizu_core.database.embedded.processes import server_pid
from kizu_core.models.selection import load_catalog
from kizu_core.types import JobTable
from kizu_core.worker.events import JobReturned
from kizu_core.worker.options import WorkerOptions
from kizu_core.worker.supervisor import Worker
from kizu_support.attack import Plan, attack
from kizu_support.bench import Running, eventually
from kizu_support.embedded import copied, settings_for
from kizu_support.ground import Ground, child_of, ground_on, send
from kizu_support.relay import relay_to

WRONG_CLOCK = """
import datetime, os, time
SHIFT = float(os.environ.get("PYTHONCLOCKSHIFT", 0))
real, real_ns = time.time, time.time_ns
time.time = lambda: real() + SHIFT
time.time_ns = lambda: real_ns() + int(SHIFT * 1e9)
class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=SHIFT)
    @classmethod
    def utcnow(cls):
        return super().utcnow() + datetime.timedelta(seconds=SHIFT)
datetime.datetime = Shifted
"""


@pytest.fixture(scope="module")
def field(database_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One server for all tests of this module."""
    with copied(database_template, tmp_path_factory.mktemp("field") / "home") as home, ground_on(home) as made:
        yield made


@pytest.fixture
def ground(field: Ground) -> Iterator[Ground]:
    """The server without jobs or workers."""
    yield field
    field.clear()


def assert_done_once(ground: Ground, *jobs: object) -> None:
    """Each job is done, and its three effects are there once."""
    rows = ground.query("""
        select j.outcome, count(l.*) as effects, count(distinct l.lease_token) as writers
        from ai_processing_jobs j left join kizu_selftest_ledger l on l.job_id = j.id and l.phase = 'effect'
        where j.id = any (%s) group by j.id""", list(jobs))  # fmt: skip
    assert len(rows) == len(jobs)
    assert {(row["outcome"], row["effects"], row["writers"]) for row in rows} == {("ok", 3, 1)}


def test_nothing_is_lost_or_doubled(database_template: Path, tmp_path: Path) -> None:
    plan = Plan(jobs=200, workers=4, seed=7, kill_server=True, lease_s=5, every_s=1, sleep_ms=60, batch=8)
    with copied(database_template, tmp_path / "home") as home:
        report = attack(plan, home)
    assert report.sound, report.lines()
    assert report.done == 200
    assert report.faults.keys() == {"child", "parent", "server"}


def test_the_job_of_a_killed_worker_runs_again_long_before_its_lease_ends(ground: Ground) -> None:
    (job,) = ground.enqueue({"sleep_ms": 2000, "effects": 3})
    doomed = ground.start("doomed", lease_s=60)
    ground.started(job)
    send(signal.SIGKILL, doomed.pid)
    assert ground.start("heir", "--drain").wait(50) == 0
    row = ground.row(job)
    assert (row["worker_id"], row["attempt"], row["errors"][0]["code"]) == ("heir", 2, "lease_expired")
    assert_done_once(ground, job)


def test_a_frozen_worker_writes_nothing_when_it_wakes(ground: Ground) -> None:
    """It lives, so that the others have to wait for the end of its lease."""
    (job,) = ground.enqueue({"sleep_ms": 3000, "effects": 3})
    frozen = ground.start("frozen")
    ground.started(job)
    both = (frozen.pid, child_of(frozen))
    send(signal.SIGSTOP, *both)
    heir = ground.start("heir", "--drain")
    assert heir.wait(60) == 0
    send(signal.SIGCONT, *both)
    (later,) = ground.enqueue({"effects": 3})
    assert ground.done(later)["worker_id"] == "frozen"
    assert ground.row(job)["worker_id"] == "heir"
    assert_done_once(ground, job, later)
    assert ground.phases(job) == {"start": 2, "effect": 3, "finish": 1}


def test_a_poison_job_ends_and_the_workers_go_on(ground: Ground) -> None:
    good = ground.enqueue(*({"effects": 3} for _ in range(30)))
    (poison,) = ground.enqueue({"crash_first": 99, "effects": 3}, max_attempts=3)
    workers = [ground.start(name, "--drain") for name in ("a", "b")]
    assert [worker.wait(90) in {0, 3} for worker in workers] == [True, True]
    row = ground.row(poison)
    assert (row["outcome"], row["attempt"], len(row["errors"])) == ("dead", 3, 3)
    assert ground.phases(poison) == {"start": 3}
    assert_done_once(ground, *good)


def test_a_worker_told_five_times_to_stop_gives_all_back_at_once(ground: Ground) -> None:
    jobs = ground.enqueue({"sleep_ms": 60_000}, {"sleep_ms": 60_000})
    worker = ground.start("a")
    ground.started(jobs[0])
    for _ in range(5):
        worker.send_signal(signal.SIGTERM)
        time.sleep(0.1)
    assert worker.wait(20) == 0
    rows = [ground.row(job) for job in jobs]
    assert {(row["status"], row["attempt"], row["lease_until"]) for row in rows} == {("pending", 0, None)}


def test_a_server_that_is_restarted_under_the_workers(ground: Ground) -> None:
    jobs = ground.enqueue(*({"sleep_ms": 100, "effects": 3} for _ in range(40)))
    workers = [ground.start(name, "--drain") for name in ("a", "b")]
    for number in (1, 15):
        eventually(partial(_has_finished, ground, number), seconds=60)
        _stop_server(ground)
    ended = [worker.wait(90) for worker in workers]
    assert_done_once(ground, *jobs)
    assert ended == [0, 0]


def _has_finished(ground: Ground, least: int) -> bool:
    return len(ground.query("select id from ai_processing_jobs where status = 'completed'")) >= least


def _stop_server(ground: Ground) -> None:
    """Stops it as `pg_ctl stop -m immediate` does, and waits until a worker has started another one."""
    folder = ground.home.resolve() / "database"
    server = server_pid(folder)
    assert server is not None
    send(signal.SIGQUIT, server)
    eventually(lambda: server_pid(folder) not in {None, server} and _answers(ground))


def _answers(ground: Ground) -> bool:
    try:
        return bool(ground.query("select 1"))
    except Exception:  # noqa: BLE001 - whatever a server says that is coming up
        return False


def test_a_worker_cut_off_gives_up_in_time_and_comes_back(ground: Ground, tmp_path: Path) -> None:
    """The link swallows everything and does not close, so nothing but the clock tells."""
    (job,) = ground.enqueue({"sleep_ms": 5500, "effects": 3})
    with relay_to(ground.database.listen_url) as relay:
        database = Database(DirectTransport(relay.url))
        opened = OpenDatabase(database, database, listen_url=relay.url, embedded=None)
        settings = settings_for(tmp_path / "home", selftest=True, load_plugins=())
        options = WorkerOptions(worker_id="far", only=("selftest",), lease_seconds=5, poll_interval=1)
        far = Running(Worker(settings, opened, LocalBlobs(tmp_path / "blobs"), load_catalog(settings), options))
        ground.started(job)
        time.sleep(0.5)  # the answer to that call is through
        relay.cut()
        assert [one.reason for one in eventually(lambda: far.of(JobReturned))] == ["lease_lost"]
        assert ground.start("near", "--drain").wait(60) == 0
        relay.heal()
        (later,) = ground.enqueue({"effects": 3})
        assert ground.done(later)["worker_id"] == "far"
        far.stop()
        database.close()
    assert ground.row(job)["worker_id"] == "near"
    assert_done_once(ground, job, later)


def test_no_clock_but_the_databases_counts(ground: Ground, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WRONG_CLOCK)
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    jobs = ground.enqueue(*({"sleep_ms": 100, "effects": 3} for _ in range(40)))
    hours = {"ahead": "21600", "behind": "-21600"}
    workers = [ground.start(name, "--drain", PYTHONPATH=path, PYTHONCLOCKSHIFT=shift) for name, shift in hours.items()]
    assert [worker.wait(90) for worker in workers] == [0, 0]
    assert_done_once(ground, *jobs)
    rows = [ground.row(job) for job in jobs]
    assert {row["attempt"] for row in rows} == {1}
    assert {row["worker_id"] for row in rows} == set(hours)
    times = [row[name] for row in rows for name in ("created_at", "picked_up_at", "completed_at", "run_after")]
    assert max(abs(datetime.now(UTC) - at).total_seconds() for at in times) < 300


def test_a_lost_listener_is_replaced(ground: Ground) -> None:
    ground.start("a", KIZU_POLL_INTERVAL="300")
    (first,) = ground.enqueue({})
    ground.done(first)
    listeners = "select pid from pg_stat_activity where query ilike 'listen %%' and pid <> all (%s)"
    with psycopg.connect(ground.database.listen_url, autocommit=True) as connection:  # sees its own role's sessions
        old = eventually(lambda: [pid for (pid,) in connection.execute(listeners, [[]])])
        connection.execute("select pg_terminate_backend(pid) from unnest(%s::int[]) pid", [old])
        eventually(lambda: connection.execute(listeners, [old]).fetchall())
    jobs = ground.enqueue(*({"effects": 3} for _ in range(20)))
    for job in jobs:
        ground.done(job)
    assert_done_once(ground, *jobs)


def test_a_worker_holds_no_more_than_a_batch_in_hand_one_ahead_and_one_to_store(ground: Ground) -> None:
    jobs = ground.enqueue(*({"sleep_ms": 40, "effects": 3} for _ in range(60)))
    worker = ground.start("a", "--drain", BATCH_SIZE="5")
    held = [0]
    while worker.poll() is None:
        held.append(ground.query("select count(*) from ai_processing_jobs where status = 'processing'")[0]["count"])
        time.sleep(0.05)
    assert worker.returncode == 0
    assert 1 <= max(held) <= 3 * 5
    assert_done_once(ground, *jobs)


def test_jobs_that_are_taken_back(ground: Ground) -> None:
    """One waits, one runs, one runs and does not listen: none leaves an effect, and the reaper leaves them alone."""
    waits, runs, deaf = ground.enqueue(
        {"effects": 3}, {"effects": 3, "sleep_ms": 60_000}, {"effects": 3, "sleep_ms": 60_000, "ignore_cancel": True}
    )
    ground.database.worker.cancel(JobTable.AI, [waits])
    assert ground.row(waits)["outcome"] == "cancelled"
    for name in ("a", "b"):
        ground.start(name, BATCH_SIZE="1")
    for job in (runs, deaf):
        ground.started(job)
    ground.database.worker.cancel(JobTable.AI, [runs, deaf])
    rows = [ground.done(job) for job in (waits, runs, deaf)]
    assert {(row["outcome"], row["reclaim_count"]) for row in rows} == {("cancelled", 0)}
    assert rows[1]["completed_at"] < rows[2]["completed_at"]
    assert [dict(ground.phases(job)) for job in (waits, runs, deaf)] == [{}, {"start": 1}, {"start": 1}]
