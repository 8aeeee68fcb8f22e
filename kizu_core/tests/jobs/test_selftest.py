"""Selftest jobs do as they are told, leave a ledger of it, and exist only where they are switched on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from kizu_core.database import Database, OpenDatabase
from kizu_core.database.direct import DirectTransport
from kizu_core.errors import SettingError
from kizu_core.jobs.selftest import build
from kizu_core.types import JobTable
from kizu_core.worker.events import ChildRestarted
from kizu_support.bench import Bench, bench_for
from kizu_support.embedded import settings_for
from kizu_support.postgres import KizuDatabase, kizu_database, postgres

__all__ = ["kizu_database", "postgres"]


@pytest.fixture
def bench(kizu_database: KizuDatabase, tmp_path: Path) -> Iterator[Bench]:
    database = Database(DirectTransport(kizu_database.worker))
    opened = OpenDatabase(database, database, listen_url=kizu_database.worker, embedded=None)
    with bench_for(settings_for(tmp_path / "home", selftest=True, load_plugins=()), opened, tmp_path) as made:
        yield made
    database.close()


def enqueue(bench: Bench, *params: dict[str, Any]) -> list[UUID]:
    jobs = [{"user_id": bench.user, "job_type": "selftest", "params": one} for one in params]
    return [UUID(one["id"]) for one in bench.database.worker.enqueue(JobTable.AI, jobs)]


def drain(bench: Bench) -> Any:
    return bench.drain(only=("selftest",))[1]


def ledger(bench: Bench, job: UUID) -> list[tuple[int, str]]:
    rows = bench.query("select attempt, phase from kizu_selftest_ledger where job_id = %s order by at", job)
    return [(row["attempt"], row["phase"]) for row in rows]


def test_the_ledger_has_start_effects_and_finish(bench: Bench) -> None:
    (job,) = enqueue(bench, {"effects": 3, "sleep_ms": 5, "steps": 2, "alloc_mb": 1})
    drain(bench)
    assert bench.row(job)["outcome"] == "ok"
    assert ledger(bench, job) == [(1, "start"), *[(1, "effect")] * 3, (1, "finish")]


def test_attempts_that_are_to_fail(bench: Bench) -> None:
    (job,) = enqueue(bench, {"fail_first": 1, "effects": 1})
    drain(bench)
    row = bench.row(job)
    assert (row["outcome"], row["attempt"], row["errors"][0]["code"]) == ("ok", 2, "selftest_failed")
    assert ledger(bench, job) == [(1, "start"), (2, "start"), (2, "effect"), (2, "finish")]


def test_attempts_that_are_to_crash(bench: Bench) -> None:
    jobs = enqueue(bench, *({"crash_first": 1, "crash_kind": kind} for kind in ("segv", "exit")))
    running = drain(bench)
    assert {(bench.row(job)["outcome"], bench.row(job)["attempt"]) for job in jobs} == {("ok", 2)}
    reasons = [event.reason for event in running.of(ChildRestarted)]
    assert "SIGSEGV" in reasons[0]
    assert "status 7" in reasons[1]


def test_nonsense_is_the_jobs_own_fault(bench: Bench) -> None:
    nonsense: list[dict[str, Any]] = [
        {"sleep_ms": -1},
        {"steps": "many"},
        {"crash_kind": "politely"},
        {"slep_ms": 5},
        {"effects": 10**9},
    ]
    jobs = enqueue(bench, *nonsense)
    drain(bench)
    for params, row in zip(nonsense, map(bench.row, jobs), strict=True):
        assert (row["outcome"], row["attempt"], row["errors"][0]["code"]) == ("invalid", 1, "job")
        assert next(iter(params)) in row["error_message"]


def test_without_the_setting_nobody_does_them(bench: Bench) -> None:
    (job,) = enqueue(bench, {})
    off = settings_for(bench.settings.home, load_plugins=())
    bench.drain(off, only=None)
    assert (bench.row(job)["status"], bench.row(job)["attempt"]) == ("pending", 0)
    with pytest.raises(SettingError) as refused:
        bench.worker(off, only=("selftest",))
    assert "KIZU_SELFTEST=1" in str(refused.value.hint)
    with pytest.raises(SettingError):
        build(off)


def test_users_do_not_see_the_ledger(bench: Bench, kizu_database: KizuDatabase) -> None:
    (job,) = enqueue(bench, {"effects": 1})
    drain(bench)
    with kizu_database.transaction(bench.user) as connection, pytest.raises(Exception, match="permission denied"):
        connection.execute("select from kizu_selftest_ledger")
    assert len(ledger(bench, job)) == 3
