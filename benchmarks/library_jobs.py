"""What a job about a whole library costs besides its method: how its handler gets to see all of it, and what it stores.

    PYTHONPATH=tests/support python benchmarks/library_jobs.py [--photos 100000] [--json]

Fills an embedded database with photos of one user, as many faces, objects, search vectors and places, then lists what a
handler can ask for, through the form that messages have: seconds, and by how much the largest size of this
process grew, parent and child in one. At the end a real worker groups the faces: seconds from the claim to the stored
people, and the largest sizes of worker and child.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import psutil
import psycopg

from kizu_core.blobs.local import LocalBlobs
from kizu_core.database import OpenDatabase, open_database
from kizu_core.models.selection import load_catalog
from kizu_core.settings import Settings, load_settings
from kizu_core.types import RECLUSTER, JobTable
from kizu_core.worker import answering, frames
from kizu_core.worker.asking import AskedLibrary
from kizu_core.worker.messages import Answer, from_wire, to_wire
from kizu_core.worker.options import WorkerOptions
from kizu_core.worker.supervisor import Worker
from kizu_support.faces import made_faces
from kizu_support.filled import copy_vectors
from kizu_support.made import seeds

LOOK_S = 0.05
SOME = 20_000
"""Photos whose vectors and facts are asked for: moments want those of their own photos only."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings({"home": Path(home) / "kizu", "load_plugins": "core"})
        with open_database(settings) as database:
            user = database.worker.ensure_user("me")
            assets = fill(database, user, chosen.photos)
            found = views(database, user, assets) | {"worker": grouping(settings, database, user)}
    print(json.dumps(found, indent=2) if chosen.json else "\n".join(_told(found)))
    return 0


def fill(database: OpenDatabase, user: UUID, count: int) -> Sequence[UUID]:
    """Photos with all that is found in them; ids in the order of their numbers."""
    assert database.embedded is not None
    faces = made_faces(count, seeds()[0])
    assets = [uuid5(user, str(number)) for number in range(max(count, int(faces.photos.max()) + 1))]
    with psycopg.connect(database.embedded.urls().owner) as connection:
        with connection.cursor().copy(
            "copy public.assets (id, user_id, sha256, file_name, taken_local, taken_source, latitude, longitude, city,"
            " state, country) from stdin"
        ) as copy:
            for number, asset in enumerate(assets):
                taken = f"20{number % 20 + 5:02}-{number % 12 + 1:02}-{number % 28 + 1:02} 12:30"
                place = (48.1, 11.5, "Munich", "Bavaria", "Germany")
                copy.write_row((asset, user, asset.hex, f"{number}.jpg", taken, "ExifIFD:DateTimeOriginal", *place))
        photos = [assets[number] for number in faces.photos.tolist()]
        copy_vectors(connection, "face_embeddings", user, photos, faces.vectors, "faces")
        copy_vectors(connection, "image_embeddings", user, assets[:count], faces.vectors, "looks")
        connection.execute(
            "insert into public.detected_objects (user_id, asset_id, label, score)"
            " select user_id, id, l, 0.9 from public.assets, unnest(array['person', 'dog']) l"
        )
    return assets


def views(database: OpenDatabase, user: UUID, assets: Sequence[UUID]) -> dict[str, dict[str, float]]:
    """Each view of a handler: how many rows, how long, how much memory."""

    def ask(what: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        reply = Answer(question=1, value=answering.answer(database, user, what, dict(arguments)))
        said = from_wire(frames.decode(frames.encode(to_wire(reply))[frames.HEADER.size :]))
        assert isinstance(said, Answer)
        return said.value or {}

    library, some = AskedLibrary(ask), assets[:SOME]
    asked: dict[str, Callable[[], int]] = {
        "photos": lambda: len(library.photos()),
        "faces": lambda: len(library.faces().ids),
        "vectors": lambda: len(library.vectors(some)),
        "facts": lambda: len(library.facts(some)),
    }
    return {name: _measured(look) for name, look in asked.items()}


def _measured(look: Callable[[], int]) -> dict[str, float]:
    here = psutil.Process()
    before, started, cpu = here.memory_info().rss, time.perf_counter(), time.process_time()
    with largest(lambda: here.memory_info().rss) as sizes:
        rows = look()
    return {
        "rows": rows,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "grew_mb": (max(sizes) - before) / 2**20,
    }


def grouping(settings: Settings, database: OpenDatabase, user: UUID) -> dict[str, float]:
    """A job `recluster` by a real worker."""
    database.worker.enqueue(JobTable.AI, [{"user_id": user, "job_type": RECLUSTER}])
    options = WorkerOptions(only=("recluster",), drain=True)
    worker = Worker(settings, database, LocalBlobs(settings.blobs_dir), load_catalog(settings), options)
    here = psutil.Process()

    def child() -> int:
        found = [one for one in here.children(recursive=True) if "kizu_core.worker.child" in " ".join(one.cmdline())]
        return max((one.memory_info().rss for one in found), default=0)

    with largest(child) as children, largest(lambda: here.memory_info().rss) as parents:
        summary = worker.run()
    tally = summary.operations[RECLUSTER]
    return {
        "people": tally.found,
        "seconds": summary.seconds,
        "of_them_in_the_handler": tally.seconds,
        "worker_mb": max(parents) / 2**20,
        "child_mb": max(children) / 2**20,
    }


@contextmanager
def largest(size: Callable[[], int]) -> Iterator[list[int]]:
    """Sizes seen while inside, the last one at its end."""
    sizes, over = [size()], threading.Event()

    def look() -> None:
        while not over.wait(LOOK_S):
            try:
                sizes.append(size())
            except psutil.Error:  # it ended meanwhile
                continue

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield sizes
    finally:
        over.set()
        watcher.join()


def _told(found: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    for name, figures in found.items():
        yield f"{name:<8} " + ", ".join(f"{key} {value:,.1f}" for key, value in figures.items())


if __name__ == "__main__":
    raise SystemExit(main())
