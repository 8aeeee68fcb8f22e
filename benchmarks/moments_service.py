"""The moments service as a worker runs it, and what is left of the strategies' quality when it is done with them.

    PYTHONPATH=tests/support python benchmarks/moments_service.py [cost] [quality] [--n 100000] [--json]

`cost`: a made-up library of `--n` photos in an embedded database, its end moved to today; then a real worker makes the
moments of the day: seconds from the claim to the stored rows, those in the handler; CPU seconds and largest size of the
worker's child from its start; CPU seconds of this process and of the database; the size of this process, the parent,
which has filled the database before.

`quality`: five seeds of this commit, by the measures of `moments.py`, of what stays when overlaps are removed, without
a day's number. `covers`: how many the twenty best moments of each seed have on average, by what files say, and the
share of them (`covers_unfit`) that by the truth are screenshots, messenger copies or a second copy of the same bytes.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import mean
from uuid import UUID

import psutil
import psycopg
from library_jobs import largest
from moments import LEAST, NOW, events_scored, main_part, share, tell

from kizu_core import Photo
from kizu_core.blobs.local import LocalBlobs
from kizu_core.database import open_database
from kizu_core.database.embedded.processes import server_pid
from kizu_core.jobs.moments import strategies
from kizu_core.models.selection import load_catalog
from kizu_core.moments.covers import choose_covers
from kizu_core.moments.overlaps import without_overlaps
from kizu_core.moments.proposals import Proposal
from kizu_core.moments.service import MomentsService
from kizu_core.settings import Settings, load_settings
from kizu_core.types import GENERATE_MOMENTS, JobTable
from kizu_core.worker.options import WorkerOptions
from kizu_core.worker.supervisor import Worker
from kizu_support.filled import fill
from kizu_support.made import SHARED, Made, Row, asset_uuid, made, photos_of, seeds

SOME = 20
"""Moments of a seed whose covers are looked at."""

USER = UUID(int=1)


def cost(n: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        settings = chosen_settings(Path(home) / "kizu")
        database = stack.enter_context(open_database(settings))
        user = database.worker.ensure_user("me")
        assert database.embedded is not None
        with psycopg.connect(database.embedded.urls().owner) as connection:
            fill(connection, made(n, seeds()[0], SHARED, vectors=True), user)
            connection.execute("update public.assets set taken_local = taken_local + (now() - %s::timestamp)", (NOW,))
        database.worker.enqueue(JobTable.AI, [{"user_id": user, "job_type": GENERATE_MOMENTS}])
        options = WorkerOptions(only=("moments",), drain=True)
        worker = Worker(settings, database, LocalBlobs(settings.blobs_dir), load_catalog(settings), options)
        child, before = Child(), cpu_around(settings)
        with largest(child.look) as children, largest(lambda: psutil.Process().memory_info().rss) as parents:
            summary = worker.run()
        last = database.api.moments_state(user)["last"]
        yield {
            "what": "a run of the service",
            "photos": n,
            "seconds": round(summary.seconds, 1),
            "in_the_handler": round(summary.operations[GENERATE_MOMENTS].seconds, 1),
            "child_cpu_seconds": round(child.cpu_seconds, 1),
            "parent_and_server_cpu_seconds": round(cpu_around(settings) - before, 1),
            "child_mb": max(children) >> 20,
            "parent_mb": max(parents) >> 20,
            "proposed": {name: one.get("proposed") for name, one in last["result"]["strategies"].items()},
            "new": len(last["result"]["new"]),
        }


class Child:
    """The worker's child while it lives: its largest size, and its CPU seconds when it was last seen."""

    def __init__(self) -> None:
        self.cpu_seconds = 0.0

    def look(self) -> int:
        """Its size now, 0 while there is none."""
        for one in psutil.Process().children(recursive=True):
            if "kizu_core.worker.child" in " ".join(one.cmdline()):
                times = one.cpu_times()
                self.cpu_seconds = max(self.cpu_seconds, times.user + times.system)
                return int(one.memory_info().rss)
        return 0


def cpu_around(settings: Settings) -> float:
    """CPU seconds so far of this process, and of the database server with all that it started."""
    pid = server_pid(settings.paths.database)
    assert pid is not None
    server = psutil.Process(pid)
    times = [one.cpu_times() for one in (psutil.Process(), server, *server.children())]
    ended = server.cpu_times().children_user + server.cpu_times().children_system
    return float(sum(one.user + one.system for one in times) + ended)


def chosen_settings(home: Path) -> Settings:
    return load_settings({"home": home, "load_plugins": "core,moments"}, environ={})


def quality(n: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as home:
        settings = chosen_settings(Path(home))
        service = MomentsService(strategies(load_catalog(settings), settings))
    rows = []
    for seed in seeds():
        library = made(n, seed, SHARED)
        photos = photos_of(library)
        proposed = service.ask_all(USER, photos, NOW).proposals
        kept, rejected = without_overlaps(proposed, {})
        counts = {"proposed": len(proposed), "given_up": len(rejected)}
        gathered = [one for one in kept if one.strategy.spec.name == "events"]
        rows.append(counts | trips_scored(library, photos, kept) | events_scored(library, gathered))
        rows[-1] |= covers_scored(library, photos, kept[:SOME])
        yield {"what": "quality", "photos": n, "seed": seed, **rows[-1]}
    good = ("trips_found", "pure", "pure_strictly", "largest_found", "covers")
    low = {name: min(row[name] for row in rows) for name in good}
    high = {name: max(row[name] for row in rows) for name in ("mistaken", "covers_unfit")}
    yield {"what": "quality, the worst", "photos": n, **low, **high}
    yield {
        "what": "quality, on average",
        **{name: round(mean(row[name] for row in rows), 3) for name in (*good, *high)},
    }


def trips_scored(library: Made, photos: list[Photo], kept: list[Proposal]) -> Row:
    trip = {asset: truth["trip"] for asset, truth in library.truth.items()}
    known = [one.asset_id for one in photos if library.truth[one.asset_id]["gps_state"] in ("ok", "noisy")]
    wanted = {name for name, count in Counter(trip[asset] for asset in known).items() if name and count >= LEAST}
    found = [main_part(one, trip) for one in kept if one.strategy.spec.name == "location"]
    return {
        "true_trips": len(wanted),
        "trips_found": share(len(wanted.intersection(found)), len(wanted)),
        "mistaken": share(found.count(None), len(found)),
    }


def covers_scored(library: Made, photos: list[Photo], kept: list[Proposal]) -> Row:
    """By what a file says of itself; no models have looked at these."""
    rows = {asset_uuid(row["id"]): row for row in library.assets}
    by_id = {one.asset_id: one for one in photos}
    counts, unfit = [], 0
    for one in kept:
        facts = {asset: facts_of(rows[asset]) for asset in one.asset_ids}
        covers = choose_covers([by_id[asset] for asset in one.asset_ids], facts, lambda ids: {})
        counts.append(len(covers.ids))
        contents = [rows[asset]["sha256"] or str(asset) for asset in covers.ids]
        bad = sum(is_unfit(library.truth[asset]) for asset in covers.ids) + len(contents) - len(set(contents))
        unfit += bad
    return {"covers": round(sum(counts) / max(1, len(counts)), 1), "covers_unfit": share(unfit, sum(counts))}


def facts_of(row: Row) -> Row:
    told: Row = {key: row[key] for key in ("width", "height", "mime", "bytes", "camera", "sha256")}
    return told | {"file_name": row["file"].rpartition("/")[2]}


def is_unfit(truth: Row) -> bool:
    return bool(truth.get("near_dup_of")) or "screenshot" in truth["labels"]


PARTS = {"cost": cost, "quality": quality}


if __name__ == "__main__":
    tell(PARTS, __doc__)
