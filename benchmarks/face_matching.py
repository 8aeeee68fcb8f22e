"""What it costs to find out who is in a new photo, when 100,000 faces are known.

    PYTHONPATH=tests/support python benchmarks/face_matching.py [--faces 100000] [--photos 200] [--seeds 5] [--hnsw]

A library of made-up faces (`kizu_support.faces`) is written into an embedded PostgreSQL with Kizu's own settings, its
people as they truly are: everybody with two faces or more. Then photos with four faces each, of the same people, are
completed one by one as a worker does it. Counted is the CPU time of the database's processes and of the client
together, a photo; the milliseconds that pass are beside it. Of the seeds, which follow from the commit,
the worst counts.

- `completion`: all of it: rows stored, faces matched, mean faces moved, ledger and job written
- `matching`: what matching adds to that: the same without it (no FACE_THRESHOLD) is taken off
- `nearest faces`: the peer: for each of the four faces its four nearest among all known faces, as clustering by
  neighbours asks for each new face (Immich groups faces so); an exact scan, and with `--hnsw` pgvector's index
- `right`: of the faces of people who are known, how many were given to that person; `wrong`: to another one
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psycopg

from kizu_core.database import Database, OpenDatabase, open_database
from kizu_core.database.database import Claim
from kizu_core.database.embedded.launcher import Embedded
from kizu_core.database.embedded.processes import server_pid
from kizu_core.settings import load_settings
from kizu_core.types import JobTable
from kizu_support.faces import Faces, made_faces
from kizu_support.filled import copy_vectors
from kizu_support.made import seeds

SPACE = "made-faces"
A_PHOTO = 4
TICKS = os.sysconf("SC_CLK_TCK")
THRESHOLD = 0.6
NEAREST = """
select id from face_embeddings where user_id = %s and space = %s
order by embedding operator(extensions.<=>) %s::real[]::extensions.halfvec limit 4
"""
SHORT = "(embedding::extensions.halfvec(512))"


@dataclass(frozen=True)
class Known:
    """A library in a database: `faces` of which `new` are not in it yet; `persons`: id of each true person.

    `server`: the process whose children work for clients.
    """

    database: OpenDatabase
    owner: str
    server: int
    user: UUID
    faces: Faces
    new: range
    persons: dict[int, UUID]

    @property
    def photos(self) -> Iterator[range]:
        """Four new faces each."""
        return (self.new[start : start + A_PHOTO] for start in range(0, len(self.new), A_PHOTO))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--hnsw", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = []
    for seed in seeds()[: arguments.seeds]:
        with library(arguments.faces, arguments.photos, seed) as known:
            found.append(measured(known, hnsw=arguments.hnsw))
        if not arguments.json:
            print(f"seed {seed}:", *(f"{name} {value}" for name, value in found[-1].items()), sep="  ", flush=True)
    worst = {name: (min if name == "right" else max)(one[name] for one in found) for name in found[0]}
    print(json.dumps(worst) if arguments.json else f"worst: {worst}")


@contextmanager
def library(count: int, photos: int, seed: int) -> Iterator[Known]:
    """A database with so many known faces, and as many new photos."""
    faces = made_faces(count + photos * A_PHOTO, seed)
    with tempfile.TemporaryDirectory(prefix="kizu-benchmark-") as folder:
        settings = load_settings({"home": Path(folder)}, environ={})
        with open_database(settings) as database, Embedded(settings.paths) as server:
            user = database.worker.ensure_user("me")
            owner = server.urls().owner
            persons = write(owner, user, faces, count)
            yield Known(
                database,
                owner,
                server_pid(settings.paths.database) or 0,
                user,
                faces,
                range(count, len(faces)),
                persons,
            )


def write(owner: str, user: UUID, faces: Faces, count: int) -> dict[int, UUID]:
    """The first `count` faces, with everybody of whom there are two."""
    people, sizes = np.unique(faces.people[:count], return_counts=True)
    persons = {int(one): uuid4() for one in people[sizes > 1]}
    photos = {int(one): uuid4() for one in np.unique(faces.photos)}
    with psycopg.connect(owner) as connection:
        with connection.cursor().copy("copy face_clusters (id, user_id) from stdin") as copy:
            for person in persons.values():
                copy.write_row((person, user))
        with connection.cursor().copy("copy assets (id, user_id, sha256) from stdin") as copy:
            for photo in photos.values():
                copy.write_row((photo, user, photo.hex))
        connection.execute("alter table face_embeddings disable trigger user")
        assets = [photos[int(one)] for one in faces.photos[:count]]
        for wanted in (True, False):
            part = [n for n in range(count) if (int(faces.people[n]) in persons) is wanted]
            more = {"cluster_id": [persons[int(faces.people[n])] for n in part]} if wanted else {}
            copy_vectors(
                connection, "face_embeddings", user, [assets[n] for n in part], faces.vectors[part], SPACE, more
            )
        connection.execute("alter table face_embeddings enable trigger user")
        connection.execute(
            """insert into face_centroids (cluster_id, space, user_id, size, total)
               select cluster_id, space, user_id, count(*), extensions.sum(embedding::extensions.vector)
               from face_embeddings where cluster_id is not null group by 1, 2, 3"""
        )
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("vacuum analyze")
    return persons


def measured(known: Known, *, hnsw: bool) -> dict[str, Any]:
    """Milliseconds a photo."""
    without, _ = spent(known, completions(known, None))
    completion, passed = spent(known, completions(known, THRESHOLD))
    right, wrong = judged(known)
    with psycopg.connect(known.owner) as connection:
        nearest, nearest_passed = spent(known, looks(known, connection, NEAREST))
        found: dict[str, Any] = {
            "people": len(known.persons),
            "completion_cpu_ms": completion,
            "completion_ms": passed,
            "matching_cpu_ms": round(completion - without, 2),
            "nearest_faces_cpu_ms": nearest,
            "nearest_faces_ms": nearest_passed,
            "right": right,
            "wrong": wrong,
        }
        if hnsw:
            connection.execute(
                "create index on face_embeddings using hnsw (" + SHORT + " extensions.halfvec_cosine_ops)"
            )
            indexed = looks(known, connection, NEAREST.replace("by embedding", f"by {SHORT}"))
            found["nearest_by_index_cpu_ms"], _ = spent(known, indexed)
    return found


def spent(known: Known, work: Sequence[Callable[[], None]]) -> tuple[float, float]:
    """Milliseconds of CPU a photo, of the client and the database; median of the milliseconds that passed."""
    took = []
    before = time.process_time() + backends(known)
    for photo in work:
        began = time.perf_counter()
        photo()
        took.append(time.perf_counter() - began)
    cpu = time.process_time() + backends(known) - before
    return round(cpu / len(took) * 1000, 2), round(statistics.median(took) * 1000, 2)


def backends(known: Known) -> float:
    """CPU seconds of the server's processes so far."""
    stats = [one / "stat" for one in Path("/proc").iterdir() if one.name.isdigit()]
    fields = [text.rpartition(")")[2].split() for text in map(_text, stats)]
    return sum(int(one[11]) + int(one[12]) for one in fields if one and int(one[1]) == known.server) / TICKS


def _text(stat: Path) -> str:
    try:
        return stat.read_text()
    except OSError:  # it has ended
        return ""


def completions(known: Known, threshold: float | None) -> list[Callable[[], None]]:
    """A completion for each new photo; what comes before one is done already."""
    worker = known.database.worker
    photos = {uuid4(): faces for faces in known.photos}
    with psycopg.connect(known.owner) as connection, connection.cursor() as cursor:
        cursor.executemany("insert into assets (id, user_id) values (%s, %s)", [(one, known.user) for one in photos])
    jobs = [{"user_id": known.user, "asset_id": one, "params": {"operations": ["faces"]}} for one in photos]
    worker.enqueue(JobTable.AI, jobs)
    made: list[Callable[[], None]] = []
    while claims := worker.claim(JobTable.AI, "benchmark", uuid4(), ["faces"], 50, 3600):
        for claim in claims:
            faces = photos[claim.job.asset_id or uuid4()]
            rows = [face(known, number, place) for place, number in enumerate(faces)]
            result = {"operation": "faces", "plugin": "made", "version": "1", "space": SPACE, "error": None}
            payload = {"operations": [result], "rows": {"face_embeddings": rows}, "face_threshold": threshold}
            made.append(partial(finish, worker, claim, payload))
    return made


def finish(worker: Database, claim: Claim, payload: Mapping[str, Any]) -> None:
    if worker.complete(claim, payload) != "ok":
        raise RuntimeError("a completion was not taken")


def face(known: Known, number: int, place: int) -> dict[str, Any]:
    box = {"left": place / 5, "top": 0.1, "right": place / 5 + 0.1, "bottom": 0.3}
    vector = known.faces.vectors[number]
    return {"embedding": vector, "dim": len(vector), "space": SPACE, "bbox": box, "score": number, "usable": True}


def looks(known: Known, connection: psycopg.Connection[Any], query: str) -> list[Callable[[], None]]:
    """The queries for the faces of each photo."""
    vectors = [[known.faces.vectors[number].tolist() for number in faces] for faces in known.photos]

    def look(faces: Sequence[Sequence[float]]) -> None:
        for vector in faces:
            connection.execute(query.encode(), (known.user, SPACE, vector)).fetchall()

    connection.execute("select 1")
    return [partial(look, faces) for faces in vectors]


def judged(known: Known) -> tuple[float, float]:
    """Shares of the new faces of known people that were given to them, and to others."""
    with psycopg.connect(known.owner) as connection:
        query = """select score::int, cluster_id from face_embeddings
                   where score >= %s and usable and created_at > (
                     select max(created_at) from face_embeddings where score = %s) - interval '1 h'
                   order by created_at"""
        rows: dict[int, UUID | None] = dict(connection.execute(query, (known.new.start, known.new.stop - 1)).fetchall())
    real = {number: known.persons.get(int(known.faces.people[number])) for number in known.new}
    known_faces = [number for number, person in real.items() if person]
    right = sum(rows[number] == real[number] for number in known_faces)
    wrong = sum(rows[number] not in (None, real[number]) for number in known.new)
    return round(right / len(known_faces), 4), round(wrong / len(known.new), 4)


if __name__ == "__main__":
    main()
