"""The job `recluster`: from the faces in the database, through a worker and its child, to people in the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest

from kizu_core.database import Database, OpenDatabase
from kizu_core.database.direct import DirectTransport
from kizu_core.errors import JobError
from kizu_core.jobs.recluster import ReclusterHandler
from kizu_core.people.leader import LeaderClusterer
from kizu_core.plugins.protocols import JobContext
from kizu_core.plugins.specs import FaceClustererSpec
from kizu_core.testing.handler import NoModels
from kizu_core.testing.library import GivenLibrary, face_table
from kizu_core.types import RECLUSTER, FaceTable, Job, JobOutcome, JobTable, ModelType
from kizu_support.bench import Bench, bench_for
from kizu_support.embedded import settings_for
from kizu_support.faces import Faces, b_cubed, made_faces
from kizu_support.postgres import KizuDatabase
from kizu_support.queue import Queue

SPACE = "made-faces"


# ---- the handler alone -----------------------------------------------------------------------------------


class OneClusterer(NoModels):
    """An installation with the leader method, declared for these spaces."""

    def __init__(self, *spaces: str) -> None:
        self._spaces = spaces

    def get(self, kind: ModelType, name: str | None = None) -> Any:
        return LeaderClusterer()

    def spec(self, kind: ModelType, name: str | None = None) -> FaceClustererSpec:
        return FaceClustererSpec(name="fake", summary="", factory="a:b", output_version="1", spaces=self._spaces)


def job() -> Job:
    return Job(
        id=UUID(int=1), table=JobTable.AI, job_type=RECLUSTER, user_id=UUID(int=2), asset_id=None, todo=(RECLUSTER,)
    )


def done(table: FaceTable, folder: Path, *spaces: str) -> tuple[Any, list[int]]:
    """The result of one job, and what it reported on the way."""
    reports: list[int] = []
    context = JobContext(
        source=None,
        workdir=folder,
        models=OneClusterer(*spaces),
        progress=lambda percent, step: reports.append(percent),
        cancelled=lambda: False,
        library=GivenLibrary(table=table),
    )
    (result,) = ReclusterHandler().run([job()], [context])
    return result, reports


def faces_of(made: Faces) -> FaceTable:
    ids = [UUID(int=100 + number) for number in range(len(made))]
    return face_table(ids, made.photos.tolist(), [*made.vectors], space=SPACE)


def test_its_rows_are_people_and_what_to_ask(tmp_path: Path) -> None:
    made = made_faces(400, 2)
    outcome, reports = done(faces_of(made), tmp_path)
    assert isinstance(outcome, JobOutcome)
    people = [row for row in outcome.rows if row.table == "face_clusters"]
    assert all(len(row.values["faces"]) > 1 and row.asset_id is None for row in people)
    assert outcome.result["people"] == len(people)
    assert outcome.result["grouped"] + outcome.result["alone"] == outcome.result["faces"] == 400
    (operation,) = outcome.operations
    assert (operation.operation, operation.plugin, operation.space) == (RECLUSTER, "fake", SPACE)
    assert reports == sorted(reports)
    assert reports[-1] > 90


def test_a_library_without_faces_is_done_at_once(tmp_path: Path) -> None:
    outcome, _ = done(face_table([], [], [], space=""), tmp_path, "other-faces")
    assert isinstance(outcome, JobOutcome)
    assert outcome.rows == ()


def test_a_clusterer_for_other_faces_is_refused(tmp_path: Path) -> None:
    error, _ = done(faces_of(made_faces(10, 2)), tmp_path, "other-faces")
    assert isinstance(error, JobError)
    assert "leader" in str(error.hint)


# ---- the whole way ---------------------------------------------------------------------------------------


@pytest.fixture
def bench(kizu_database: KizuDatabase, tmp_path: Path) -> Iterator[Bench]:
    worker, api = (Database(DirectTransport(url)) for url in (kizu_database.worker, kizu_database.api))
    database = OpenDatabase(worker, api, listen_url=kizu_database.worker, embedded=None)
    with bench_for(settings_for(tmp_path / "home"), database, tmp_path) as made:
        yield made
    worker.close()
    api.close()


def stored(queue: Queue, database: KizuDatabase, user: UUID, made: Faces) -> list[UUID]:
    """Photos with these faces; ids of the faces."""
    photos = {number: queue.photo(user) for number in sorted(set(made.photos.tolist()))}
    with psycopg.connect(database.owner, autocommit=True) as connection:
        return [
            connection.execute(
                "insert into face_embeddings (user_id, asset_id, embedding, dim, space, bbox, score, usable,"
                " created_at) values (%s, %s, %s, %s, %s, %s, 0.9, true, now() - interval '1 hour') returning id",
                [user, photos[photo], str(vector.tolist()), len(vector), SPACE, box(number)],
            ).fetchone()[0]  # type: ignore[index]
            for number, (photo, vector) in enumerate(zip(made.photos.tolist(), made.vectors, strict=True))
        ]


def box(number: int) -> str:
    """No two faces of a photo lie in the same place."""
    left = number % 10 / 10
    return f'{{"left": {left}, "top": 0.1, "right": {left + 0.08}, "bottom": 0.3}}'


def persons(bench: Bench) -> dict[UUID, UUID | None]:
    return {row["id"]: row["cluster_id"] for row in bench.query("select id, cluster_id from face_embeddings")}


def recluster(bench: Bench) -> dict[str, Any]:
    """One job through a worker; its row."""
    (job,) = bench.enqueue({}, job_type=RECLUSTER)
    bench.drain(only=("recluster",))
    row = bench.row(job)
    assert row["status"] == "completed", row["error_message"]
    return row


def test_a_worker_makes_people_of_faces_and_knows_them_again(
    bench: Bench, queue: Queue, kizu_database: KizuDatabase
) -> None:
    made = made_faces(240, 5)
    parts = [Faces(made.vectors[rows], made.people[rows], made.photos[rows]) for rows in np.split(np.arange(240), 2)]
    other = stored(queue, kizu_database, queue.user("other"), made_faces(20, 4))
    ids = stored(queue, kizu_database, bench.user, parts[0])
    assert recluster(bench)["result"]["faces"] == 120
    before = {one: person for one, person in persons(bench).items() if person and one in ids}
    assert len(before) > 60

    ids += stored(queue, kizu_database, bench.user, parts[1])
    recluster(bench)
    after = persons(bench)
    assert sum(after[one] == person for one, person in before.items()) >= 0.95 * len(before)
    mine = sorted({person for one in ids if (person := after[one])})
    groups = [mine.index(person) if (person := after[one]) else None for one in ids]
    assert b_cubed(made.people, groups) > 0.97
    assert not {after[one] for one in other} & set(mine), "nobody is of two users"
