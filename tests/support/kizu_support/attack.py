"""The queue under attack: real workers, a real database, random `kill -9`, a ledger to prove that nothing is lost.

    PYTHONPATH=tests/support python -m kizu_support.attack --jobs 20000 --workers 32 --seed 1
    PYTHONPATH=tests/support python -m kizu_support.attack --jobs 2000 --workers 4 --kill-server --seed 1

Selftest jobs, workers as a person starts them, an embedded database of its own in a scratch folder. The exit status is
0 if every job was done exactly once and the jobs of the dead ran again in time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import psycopg

from kizu_core.database import OpenDatabase, open_database
from kizu_core.database.embedded.processes import stop_server
from kizu_core.types import JobTable
from kizu_support.attack_force import Force
from kizu_support.attack_report import Report, examine
from kizu_support.command import Kizu
from kizu_support.embedded import settings_for

CHUNK = 500
LOOK_S = 2.0
TEND_S = 0.1
WORD_S = 10.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`every_s`: mean time between two faults; `sleep_ms`: how long most jobs take; `batch`: jobs claimed at once."""

    jobs: int = 20_000
    workers: int = 32
    seed: int = 1
    kill_server: bool = False
    lease_s: int = 60
    every_s: float = 1.5
    sleep_ms: int = 1
    batch: int = 20
    limit_s: float = 3600


def attack(plan: Plan, home: Path, say: Say = lambda line: None) -> Report:
    """Carries the plan out on the data folder `home`, which may be new."""
    chance = random.Random(plan.seed)
    variables = {"KIZU_SELFTEST": "1", "KIZU_LOAD_PLUGINS": "core", "BATCH_SIZE": str(plan.batch)}
    variables |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    try:
        with open_database(settings_for(home)) as database:
            _enqueue(database, plan, chance)
            force = Force(Kizu(home, variables), plan.workers, plan.lease_s, chance, kill_server=plan.kill_server)
            started = time.monotonic()
            try:
                _fight(force, plan, database.listen_url, chance, say)
            finally:
                force.end()
            seconds = time.monotonic() - started
            database.revive()
            return examine(database.listen_url, force, plan.seed, seconds)
    finally:
        stop_server(home.resolve() / "database")


def _enqueue(database: OpenDatabase, plan: Plan, chance: random.Random) -> None:
    users = [database.worker.ensure_user(name) for name in ("anna", "ben", "chloe")]
    jobs = [
        {"user_id": chance.choice(users), "job_type": "selftest", "max_attempts": 20, "params": _params(plan, chance)}
        for _ in range(plan.jobs)
    ]
    for start in range(0, len(jobs), CHUNK):
        database.worker.enqueue(JobTable.AI, jobs[start : start + CHUNK])


def _params(plan: Plan, chance: random.Random) -> dict[str, Any]:
    """Most jobs are short, some last, a few fail or crash once by themselves."""
    params: dict[str, Any] = {"effects": 3, "sleep_ms": plan.sleep_ms}
    luck = chance.random()
    if luck < 0.04:
        params["sleep_ms"] = chance.randint(200, 1500)
    elif luck < 0.045:
        params["fail_first"] = 1
    elif luck < 0.048:
        params |= {"crash_first": 1, "crash_kind": chance.choice(["segv", "exit"])}
    return params


def _fight(force: Force, plan: Plan, url: str, chance: random.Random, say: Say) -> None:
    """Keeps workers running and kills them, until they say that nothing is left."""
    end = time.monotonic() + plan.limit_s
    next_strike = next_look = next_word = 0.0
    left: int | None = plan.jobs
    while not force.is_drained and (now := time.monotonic()) < end:
        force.tend()
        if now > next_look:
            next_look, left = now + LOOK_S, _left(url)
        if left is not None and left < plan.jobs and now > next_strike:
            next_strike = now + chance.expovariate(1 / plan.every_s)
            force.strike()
        if now > next_word:
            next_word = now + WORD_S
            say(f"{'?' if left is None else left} jobs left, {force.alive} workers, faults: {force.faults()}")
        time.sleep(TEND_S)


def _left(url: str) -> int | None:
    """Unfinished jobs; None while the database is away."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("set role service_role")
            query = "select count(*) from ai_processing_jobs where status in ('pending', 'processing')"
            row = connection.execute(query).fetchone()
            return int(row[0]) if row else None
    except psycopg.Error:
        return None


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m kizu_support.attack", description=__doc__.splitlines()[0])
    for field in fields(Plan):
        name = f"--{field.name.replace('_', '-')}"
        if isinstance(field.default, bool):
            parser.add_argument(name, action="store_true")
        else:
            parser.add_argument(name, type=type(field.default), default=field.default)
    parser.set_defaults(seed=random.randrange(10**6))
    parser.add_argument("--json", action="store_true", dest="as_json")
    given = vars(parser.parse_args())
    as_json = given.pop("as_json")
    folder = Path(tempfile.mkdtemp(prefix="kizu-attack-"))
    report = attack(Plan(**given), folder / "home", lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
    print(json.dumps(report.as_dict()) if as_json else "\n".join(report.lines()))  # noqa: T201
    if report.passed:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"What the workers said is in {folder}.", file=sys.stderr)  # noqa: T201
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
