"""What a child may say about a job, right, wrong or mad: the parent stores it or refuses it, and lives."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizu_core.database.wire import dumps
from kizu_core.errors import KizuError, WorkerError
from kizu_core.types import Job, JobTable
from kizu_core.worker import frames
from kizu_core.worker.messages import MOST_CODE, MOST_TEXT, Failed, Finished, from_wire
from kizu_core.worker.results import payload_of
from kizu_support.bench import Bench

JOB = Job(
    id=UUID(int=1), table=JobTable.AI, job_type="image_ai", user_id=UUID(int=2), asset_id=UUID(int=3), todo=("ocr",)
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.uuids()
    | st.builds(lambda size: np.full(size, np.nan, dtype="f4"), st.integers(0, 5))
    | st.builds(Path, st.text("abc/.\0", max_size=10)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(["ocr", "embedding", "", "\0", "x" * 3000]) | st.text(max_size=5)
users = st.sampled_from([JOB.user_id, UUID(int=9)])
row = st.fixed_dictionaries(
    {
        "table": st.sampled_from(["extracted_text", "image_embeddings", "profiles"]),
        "user_id": users,
        "asset_id": st.just(JOB.asset_id) | st.uuids(),
        "values": st.dictionaries(names, anything, max_size=3),
    }
)
operation = st.fixed_dictionaries(
    {"operation": names, "plugin": names, "version": names},
    optional={
        "found": st.integers(-(2**63), 2**63 - 1),
        "seconds": st.floats(),
        "error": st.none() | st.dictionaries(st.sampled_from(["code", "message", "retryable", "x"]), anything),
    },
)
outcome = st.fixed_dictionaries(
    {},
    optional={
        "operations": st.lists(operation, max_size=3) | anything,
        "rows": st.lists(row, max_size=3) | anything,
        "files": st.dictionaries(names, anything, max_size=3) | anything,
        "asset": st.dictionaries(names, anything, max_size=3) | anything,
        "result": st.dictionaries(names, anything, max_size=3),
        "enqueue": st.lists(st.dictionaries(names, anything, max_size=3), max_size=2) | anything,
    },
)


def told(kind: str, **fields: Any) -> Any:
    """The message as the parent takes it from the socket."""
    return from_wire(frames.decode(frames.encode({"type": kind, "job_id": JOB.id, **fields})[4:]))


@settings(max_examples=200)
@given(outcome)
def test_an_outcome_is_storable_or_refused(said: dict[str, Any]) -> None:
    try:
        message = told("Finished", outcome=said)
        assert isinstance(message, Finished)
        stored = dumps(payload_of(JOB, message.outcome, Path("/nonexistent")))
    except KizuError:
        return
    assert "\\u0000" not in stored
    assert str(UUID(int=9)) not in stored, "another user's id in a row"


@given(st.dictionaries(st.sampled_from(["code", "message", "hint", "retryable", "more"]), anything))
def test_an_error_becomes_four_fields_of_their_types(said: dict[str, Any]) -> None:
    try:
        message = told("Failed", error=said)
    except WorkerError:
        return
    assert isinstance(message, Failed)
    assert message.error.keys() == {"code", "message", "hint", "retryable"}
    assert len(str(message.error["code"])) <= MOST_CODE
    assert len(str(message.error["message"])) <= MOST_TEXT
    assert isinstance(message.error["retryable"], bool)


@given(st.sampled_from(["Executing", "Progress", "Ask", "Refused", "Ready", "Refusals", "Hello"]), outcome | anything)
def test_other_messages_are_what_they_say_or_refused(kind: str, said: Any) -> None:
    fields = said if isinstance(said, dict) else {"error": said, "percent": said, "handlers": said}
    try:
        from_wire(frames.decode(frames.encode({**fields, "type": kind})[4:]))
    except WorkerError:
        return


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


OWN = f"{JOB.user_id}/processed/{JOB.asset_id}/"


@pytest.mark.parametrize(
    "said",
    [
        {"asset": nested(900)},
        {"files": {f"{OWN}a.jpg": Path("a" * 5000)}},
        {"files": {f"{OWN}a.jpg": Path("/etc/hostname")}},
        {"files": {f"{OWN}../a.jpg": Path("/proc/self/mem")}},
        {"files": {f"{OWN}{number}.jpg": Path("a.jpg") for number in range(101)}},
        {"rows": [{"table": "extracted_text", "user_id": UUID(int=9), "asset_id": JOB.asset_id, "values": {}}]},
        {"operations": [{"operation": "faces", "plugin": "p", "version": "1"}]},
    ],
    ids=["nested", "long name", "outside", "memory", "many files", "another user", "another operation"],
)
def test_what_reaches_too_far(said: dict[str, Any]) -> None:
    with pytest.raises(KizuError):
        dumps(payload_of(JOB, told("Finished", outcome=said).outcome, Path("/nonexistent")))


LIES = {
    "truncated": "child_crashed",
    "stranger": None,
    "unasked": "child_crashed",
    "deep": "database",
    "mood": "error",
    "undefined": "database",
    "huge": None,
    "column": None,
    "climb": "storage",
    "link": "worker",
    "pipe": "worker",
    "steal": "worker",
    "crowd": "worker",
}
"""What the probe's handler sends in the place of a result -> the code of the error that its job gets.

Columns of a photo are nobody's where a job has none, so nothing becomes of `huge` and `column`.
"""


def test_the_worker_outlives_every_lie_and_charges_its_job_only(bench: Bench) -> None:
    jobs = bench.enqueue(*({"do": lie} for lie in LIES), max_attempts=1)
    good = bench.enqueue({}, {}, {})
    bench.drain()
    rows = {lie: bench.row(job) for lie, job in zip(LIES, jobs, strict=True)}
    assert {lie: row["errors"][0]["code"] if row["errors"] else None for lie, row in rows.items()} == LIES
    assert {row["status"] for lie, row in rows.items() if LIES[lie]} == {"failed"}
    assert {bench.row(job)["outcome"] for job in good} == {"ok"}
    assert not [path for path in bench.settings.paths.blobs.rglob("*") if path.is_file()]
