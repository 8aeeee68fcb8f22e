"""Work for whole libraries: asked for when it is due, done at the end of a drain, and no harm to anything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from kizu_core.errors import DatabaseError, WorkerError
from kizu_core.types import GENERATE_MOMENTS, RECLUSTER, Job, JobOutcome, JobTable, OperationResult, ResultRow
from kizu_core.worker import frames
from kizu_core.worker.due import Due
from kizu_core.worker.messages import Finished, from_wire, to_wire
from kizu_core.worker.results import MOST_LIBRARY_ROWS, payload_of
from kizu_support.bench import Bench, eventually

BOTH = {RECLUSTER, GENERATE_MOMENTS}


class Calendar:
    """A database that says what it is asked, and that so many jobs are due."""

    def __init__(self, people: Any = 0, moments: Any = 0) -> None:
        self.due = {"people": people, "moments": moments}
        self.asked: list[str] = []

    def people_due(self, *, now: bool = False) -> int:
        return self._answer("people", "people now" if now else "people")

    def moments_due(self) -> int:
        return self._answer("moments", "moments")

    def _answer(self, what: str, said: str) -> int:
        self.asked.append(said)
        if isinstance(self.due[what], Exception):
            raise self.due[what]
        return int(self.due[what])


def due(calendar: Calendar, can: set[str]) -> Due:
    return Due(calendar, lambda: can)  # type: ignore[arg-type] # what it uses of a database


def test_while_a_worker_goes_on_it_asks_for_both() -> None:
    calendar = Calendar(people=1)
    due(calendar, BOTH).ask()
    assert calendar.asked == ["people", "moments"]


def test_nobody_asks_for_what_it_can_not_do() -> None:
    calendar = Calendar(people=1, moments=1)
    due(calendar, {"embedding"}).ask()
    assert not due(calendar, {"embedding"}).is_more_at_the_end()
    due(calendar, {GENERATE_MOMENTS}).ask()
    assert calendar.asked == ["moments"]


def test_at_the_end_people_come_before_moments_and_each_once() -> None:
    calendar = Calendar(people=1, moments=2)
    end = due(calendar, BOTH)
    assert end.is_more_at_the_end()
    assert calendar.asked == ["people now"]
    assert end.is_more_at_the_end()
    assert not end.is_more_at_the_end()
    assert not end.is_more_at_the_end()
    assert calendar.asked == ["people now", "moments"]


def test_a_failure_at_the_end_spoils_nothing() -> None:
    calendar = Calendar(people=DatabaseError("It is away."), moments=1)
    end = due(calendar, BOTH)
    assert end.is_more_at_the_end()
    assert not end.is_more_at_the_end()


def photo(bench: Bench, faces: int) -> UUID:
    asset = uuid4()
    bench.query(
        "insert into assets (id, user_id, sha256) values (%s, %s, %s) returning id", asset, bench.user, asset.hex
    )
    for _ in range(faces):
        bench.query(
            "insert into face_embeddings (user_id, asset_id, embedding, space) values (%s, %s, '[0.6,0.8]', 'arc')"
            " returning id",
            *(bench.user, asset),
        )
    return asset


LIBRARY = ("recluster", "moments")


def jobs(bench: Bench) -> dict[str, Any]:
    rows = bench.query("select * from ai_processing_jobs order by created_at")
    return {row["job_type"]: row for row in rows}


def test_a_drain_ends_with_people_and_moments(bench: Bench) -> None:
    pytest.importorskip("kizu_plugin_moments.events", reason="moments are made where somebody proposes them")
    for _ in range(3):
        photo(bench, 1)
    summary, _ = bench.drain(only=("probe", *LIBRARY))
    done = jobs(bench)
    assert {name: row["outcome"] for name, row in done.items()} == {RECLUSTER: "ok", GENERATE_MOMENTS: "ok"}
    assert done[RECLUSTER]["created_at"] < done[GENERATE_MOMENTS]["created_at"]
    assert all((row["asset_id"], row["todo"]) == (None, []) for row in done.values())
    assert {name: one.done for name, one in summary.operations.items()} == {RECLUSTER: 1, GENERATE_MOMENTS: 1}
    (person,) = {row["cluster_id"] for row in bench.query("select cluster_id from face_embeddings")}
    assert person is not None
    again, _ = bench.drain(only=("probe", *LIBRARY))
    assert not again.operations


def test_a_drain_for_something_else_asks_for_neither(bench: Bench) -> None:
    photo(bench, 3)
    bench.drain(only=("probe",))
    assert jobs(bench) == {}


def test_a_worker_that_goes_on_asks_by_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("kizu_plugin_moments.events", reason="moments are made where somebody proposes them")
    monkeypatch.setattr("kizu_core.worker.supervisor.UPKEEP_S", 0.1)
    photo(bench, 0)
    bench.start(only=LIBRARY)
    assert eventually(lambda: jobs(bench).get(GENERATE_MOMENTS, {}).get("outcome") == "ok")


def test_grouping_that_fails_is_told_by_name_until_it_succeeds(bench: Bench) -> None:
    (failed,) = bench.enqueue({}, job_type=RECLUSTER, max_attempts=1)
    bench.query(
        "update ai_processing_jobs set status = 'failed', outcome = 'dead', completed_at = now(),"
        ' errors = \'[{"code": "bug", "message": "It broke."}]\' where id = %s returning id',
        failed,
    )
    causes = bench.database.api.job_causes(bench.user)
    assert [(one["code"], one["operations"]) for one in causes] == [("bug", [RECLUSTER])]
    bench.enqueue({}, job_type=RECLUSTER)
    bench.drain(only=LIBRARY)
    assert bench.database.api.job_causes(bench.user) == []


def library_job(job_type: str = RECLUSTER) -> Job:
    return Job(
        id=uuid4(), table=JobTable.AI, job_type=job_type, user_id=uuid4(), asset_id=None, todo=(job_type,), params={}
    )


def row(job: Job, table: str, **values: Any) -> ResultRow:
    return ResultRow(table=table, user_id=job.user_id, asset_id=job.asset_id, values=values)


def test_the_people_of_a_hundred_thousand_faces_fit_into_a_message() -> None:
    job = library_job()
    pairs = [row(job, "face_clusters", id=uuid4(), faces=[uuid4(), uuid4()]) for _ in range(50_000)]
    reviews = [row(job, "face_reviews", kind="merge", a=uuid4(), b=uuid4(), score=0.5) for _ in range(200)]
    done = OperationResult(operation=RECLUSTER, plugin="leader", version="1")
    sent = Finished(job_id=job.id, outcome=JobOutcome(operations=(done,), rows=(*pairs, *reviews)))
    arrived = from_wire(frames.decode(frames.encode(to_wire(sent))[frames.HEADER.size :]))
    assert isinstance(arrived, Finished)
    payload = payload_of(job, arrived.outcome, Path())
    assert {table: len(rows) for table, rows in payload["rows"].items()} == {
        "face_clusters": 50_000,
        "face_reviews": 200,
    }
    assert payload["rows"]["face_clusters"][0]["faces"] == pairs[0].values["faces"]


@pytest.mark.parametrize(
    ("job", "table"),
    [
        (library_job(), "moments"),
        (library_job(), "face_embeddings"),
        (library_job(GENERATE_MOMENTS), "face_clusters"),
        (library_job(GENERATE_MOMENTS), "profiles"),
        (library_job("image_ai"), "face_clusters"),
        (library_job("probe"), "moments"),
    ],
)
def test_a_job_writes_to_its_own_tables_only(job: Job, table: str) -> None:
    with pytest.raises(WorkerError, match="wants to write to the table"):
        payload_of(job, JobOutcome(rows=(row(job, table),)), Path())


def test_rows_name_no_other_user_and_have_an_end() -> None:
    job = library_job()
    foreign = ResultRow(table="face_clusters", user_id=uuid4(), asset_id=None, values={})
    with pytest.raises(WorkerError, match="not of its own"):
        payload_of(job, JobOutcome(rows=(foreign,)), Path())
    rows = (row(job, "face_clusters"),) * (MOST_LIBRARY_ROWS + 1)
    with pytest.raises(WorkerError, match="more rows"):
        payload_of(job, JobOutcome(rows=rows), Path())
