"""What a job costs in the queue itself: claimed and completed by 1 to 8 processes, beside two other ways.

    python benchmarks/job_queue.py rates [--processes 1 2 4 8] [--jobs 3000] [--rounds 3] [--json]
    python benchmarks/job_queue.py backlog [--waiting 1000 200000] [--json]

`rates` gives jobs that do nothing to one embedded PostgreSQL with Kizu's own settings, one way after the other: Kizu
(batches of 50 claimed at once; completed together, and each by itself), procrastinate (its own worker with a task that
does nothing, at the better of two concurrencies; needs `pip install procrastinate`), and the literal way of the
specification (read the first pending row, update it where it is still pending, update it again when done). Seconds run
from the moment when all processes are connected to the moment when the last one finds nothing more to do.

`backlog` takes the time of single claims with few and with many jobs waiting, of five users, and of a claim that finds
nothing it can do among them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from kizu_core.database import Database, OpenDatabase, open_database
from kizu_core.database.direct import DirectTransport
from kizu_core.settings import load_settings
from kizu_core.types import JobTable

BATCH = 50
LEASE_S = 60
SAMPLES = 400
WARM_UP = 20
USERS = 5
CAN = ["benchmark"]
CONCURRENCIES = (1, 10)

Work = Callable[[], object]
"""Does jobs until none is left."""


@dataclass(frozen=True, slots=True)
class Way:
    """One queue: `fill` adds jobs that do nothing, `connect` gives one process its connections and the work to do."""

    name: str
    fill: Callable[[int], None]
    connect: Callable[[], Work]


# ---- Kizu ------------------------------------------------------------------------------------------------


def fill_kizu(url: str, jobs: int, users: int = 1) -> None:
    """Jobs of `users` users in turn, straight into the table: filling is not measured."""
    with psycopg.connect(url) as connection:
        connection.execute("set role service_role")
        connection.execute(
            "insert into ai_processing_jobs (user_id, job_type) "
            "select kizu_ensure_user('user ' || n %% %s), 'benchmark' from generate_series(1, %s) n",
            [users, jobs],
        )


def connect_kizu(url: str, *, together: bool) -> Work:
    """Claims 50 at once; completes them in one call, or each in its own."""
    database = Database(DirectTransport(url))
    database.schema_version()
    worker = f"benchmark-{uuid4()}"

    def work() -> None:
        while claims := database.claim(JobTable.AI, worker, uuid4(), CAN, BATCH, LEASE_S):
            if together:
                answers = database.complete_many(JobTable.AI, [(claim, {}) for claim in claims])
                states = [one.get("answer") for one in answers]
            else:
                states = [database.complete(claim, {}) for claim in claims]
            if set(states) != {"ok"}:
                raise RuntimeError(f"not completed: {states}")

    return work


# ---- procrastinate ---------------------------------------------------------------------------------------


async def _nothing() -> None:
    """The task of every job."""


def _procrastinate(url: str) -> Any:
    import procrastinate

    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
    app.task(_nothing, name="nothing", queue="benchmark")
    return app


def prepare_procrastinate(url: str) -> None:
    async def prepare() -> None:
        app = _procrastinate(url)
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    asyncio.run(prepare())


def fill_procrastinate(url: str, jobs: int) -> None:
    async def fill() -> None:
        app = _procrastinate(url)
        async with app.open_async():
            await app.tasks["nothing"].batch_defer_async(*({} for _ in range(jobs)))

    asyncio.run(fill())


def connect_procrastinate(url: str, concurrency: int) -> Work:
    """Its worker until nothing is left; it connects within the measured time, which takes milliseconds."""
    app = _procrastinate(url)

    async def run() -> None:
        async with app.open_async():
            await app.run_worker_async(wait=False, concurrency=concurrency, listen_notify=False, name=str(uuid4()))

    return lambda: asyncio.run(run())


# ---- the specification's literal way ---------------------------------------------------------------------

LITERAL_TABLE = """
create table literal_jobs (id uuid primary key default gen_random_uuid(), n int, job_type text default 'image_ai',
  status text not null default 'pending', input_params jsonb default '{}', progress int default 0, worker_id text,
  created_at timestamptz default now(), picked_up_at timestamptz, completed_at timestamptz)
"""
LITERAL_NEXT = "select id from literal_jobs where status = 'pending' order by created_at limit 1"
LITERAL_TAKE = """
update literal_jobs set status = 'processing', picked_up_at = now(), worker_id = 'w'
where id = %s and status = 'pending'
"""
LITERAL_DONE = "update literal_jobs set status = 'completed', progress = 100, completed_at = now() where id = %s"


def fill_literal(url: str, jobs: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("insert into literal_jobs (n) select generate_series(1, %s)", [jobs])


def connect_literal(url: str) -> Work:
    connection = psycopg.connect(url, autocommit=True)

    def work() -> None:
        while row := connection.execute(LITERAL_NEXT).fetchone():
            if connection.execute(LITERAL_TAKE, row).rowcount:
                connection.execute(LITERAL_DONE, row)

    return work


# ---- rates -----------------------------------------------------------------------------------------------


def _ways(database: OpenDatabase) -> list[Way]:
    url, owner = database.listen_url, _owner(database)
    peer = f"{owner}&options=-csearch_path%3Dpeer"
    with psycopg.connect(owner) as connection:
        connection.execute("create schema peer")
        connection.execute(LITERAL_TABLE)
    prepare_procrastinate(peer)
    return [
        Way("kizu, completed together", partial(fill_kizu, url), partial(connect_kizu, url, together=True)),
        Way("kizu, completed one by one", partial(fill_kizu, url), partial(connect_kizu, url, together=False)),
        *(
            Way(
                f"procrastinate, {n} at once",
                partial(fill_procrastinate, peer),
                partial(connect_procrastinate, peer, n),
            )
            for n in CONCURRENCIES
        ),
        Way("the literal way", partial(fill_literal, owner), partial(connect_literal, owner)),
    ]


def _worker(connect: Callable[[], Work], ready: Any, ended: Any) -> None:
    work = connect()
    ready.wait()
    work()
    ended.put(time.monotonic())


def rate(way: Way, processes: int, jobs: int) -> float:
    """Jobs a second."""
    way.fill(jobs)
    context = multiprocessing.get_context("spawn")
    ready, ended = context.Barrier(processes + 1), context.Queue()
    workers = [context.Process(target=_worker, args=(way.connect, ready, ended)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    ready.wait()
    start = time.monotonic()
    end: float = max(ended.get() for _ in workers)
    for worker in workers:
        worker.join()
    return jobs / (end - start)


def rates(database: OpenDatabase, processes: Sequence[int], jobs: int, rounds: int) -> dict[str, Any]:
    """Way -> processes -> jobs a second (median of the rounds), and how Kizu compares with the peer at its best.

    The ways take turns within a round, so that a machine that grows slower is not one way's bad luck.
    """
    ways = _ways(database)
    found: dict[str, dict[int, float]] = {way.name: {} for way in ways}
    for number in processes:
        samples = [[rate(way, number, jobs) for way in ways] for _ in range(rounds)]
        for way, own in zip(ways, zip(*samples, strict=True), strict=True):
            found[way.name][number] = round(statistics.median(own))
    best = {n: max(row[n] for name, row in found.items() if name.startswith("procrastinate")) for n in processes}
    ours = {name: row for name, row in found.items() if name.startswith("kizu")}
    ratios = {name: {n: round(row[n] / best[n], 2) for n in processes} for name, row in ours.items()}
    return {"jobs": jobs, "rounds": rounds, "jobs_per_second": found, "times_procrastinate": ratios}


# ---- backlog ---------------------------------------------------------------------------------------------


def backlog(database: OpenDatabase, waiting: Sequence[int]) -> dict[str, Any]:
    """Milliseconds of a claim of one job, with so many waiting, and of one that can do none of them."""
    found: dict[int, dict[str, float]] = {}
    present = 0
    for number in sorted(waiting):
        fill_kizu(database.listen_url, number - present, USERS)
        present = number - SAMPLES - WARM_UP
        with psycopg.connect(_owner(database), autocommit=True) as connection:
            connection.execute("vacuum analyze ai_processing_jobs")
        found[number] = _milliseconds(database, CAN) | {
            f"idle {key}": value for key, value in _milliseconds(database, ["nothing-of-this"]).items()
        }
    few, many = min(waiting), max(waiting)
    return {"milliseconds": found, "p95 many / few": round(found[many]["p95"] / found[few]["p95"], 2)}


def _milliseconds(database: OpenDatabase, can: Sequence[str]) -> dict[str, float]:
    times = []
    for _ in range(WARM_UP + SAMPLES):
        start = time.perf_counter()
        database.worker.claim(JobTable.AI, "benchmark", uuid4(), can, 1, LEASE_S)
        times.append((time.perf_counter() - start) * 1000)
    cuts = statistics.quantiles(times[WARM_UP:], n=100)
    return {"p50": round(cuts[49], 2), "p95": round(cuts[94], 2)}


# ---- the command -----------------------------------------------------------------------------------------


def _owner(database: OpenDatabase) -> str:
    if database.embedded is None:
        raise RuntimeError("this measures the embedded server")
    return database.embedded.urls().owner


@contextmanager
def _scratch_database() -> Iterator[OpenDatabase]:
    with tempfile.TemporaryDirectory(prefix="kizu-benchmark-") as folder:
        settings = load_settings({"home": Path(folder)}, environ={})
        with open_database(settings) as database:
            yield database


def _print_rates(found: Mapping[str, Any]) -> None:
    processes = next(iter(found["jobs_per_second"].values()))
    print(f"{'jobs a second, processes:':30}" + "".join(f"{n:>8}" for n in processes))
    for name, row in found["jobs_per_second"].items():
        print(f"{name:30}" + "".join(f"{value:>8}" for value in row.values()))
    for name, row in found["times_procrastinate"].items():
        print(f"{name + ', ratio':30}" + "".join(f"{value:>8}" for value in row.values()))


def _print_backlog(found: Mapping[str, Any]) -> None:
    for number, row in found["milliseconds"].items():
        print(f"{number:>8} waiting: " + ", ".join(f"{name} {value} ms" for name, value in row.items()))
    print(f"p95 with many against few: {found['p95 many / few']}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["rates", "backlog"])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--jobs", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--waiting", type=int, nargs="+", default=[1000, 200_000])
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    with _scratch_database() as database:
        if chosen.what == "rates":
            found, show = rates(database, chosen.processes, chosen.jobs, chosen.rounds), _print_rates
        else:
            found, show = backlog(database, chosen.waiting), _print_backlog
    if chosen.json:
        print(json.dumps(found))
    else:
        show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
