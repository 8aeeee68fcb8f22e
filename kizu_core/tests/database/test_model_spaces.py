"""Which model's vectors answer: recorded once, changed only when no photo would be left behind."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from kizu_support.queue import AI, Queue, Row, done

OLD: Row = {"operation": "embedding", "plugin": "e", "version": "1", "space": "old", "job": "quick", "priority": 100}
NEW: Row = {**OLD, "operation": "next-embedding", "space": "new", "job": "next", "priority": 300}
VECTOR = {"embedding": [1.0, 0.0], "dim": 2}


def adopt(queue: Queue, space: str, model: str = "clip", **settings: str) -> dict[str, Any]:
    record: dict[str, Any] = queue.call("model_adopt", kind="embedder", space=space, model=model, settings=settings)
    return record


def begin(queue: Queue, space: str = "new") -> None:
    queue.call("model_next", kind="embedder", space=space, model="clip", settings={"CLIP_MODEL": space})


def vectors(queue: Queue) -> dict[str, int]:
    """Space -> photos that have a vector of it."""
    rows = queue.rows("select space, count(distinct asset_id) as photos from image_embeddings group by space")
    return {row["space"]: row["photos"] for row in rows}


def states(queue: Queue) -> dict[str, str]:
    return {one["space"]: one["state"] for one in queue.call("models_known")}


def work(queue: Queue, *wanted: Row, limit: int = 50, error: dict[str, Any] | None = None) -> None:
    """Do waiting jobs; vectors for those that succeed."""
    for one in wanted:
        for job in queue.claim(one["operation"], limit=limit):
            result = done(one["operation"], **{k: one[k] for k in ("plugin", "version", "space")}, error=error)
            rows = {} if error else {"image_embeddings": [{**VECTOR, "space": one["space"]}]}
            queue.complete(job, result, rows=rows)


@pytest.fixture
def user(queue: Queue) -> UUID:
    """Somebody with three photos that the model `old` knows."""
    user = queue.user()
    for _ in range(3):
        queue.photo(user)
    queue.call("enqueue_stale", user=user, wanted=[OLD])
    work(queue, OLD)
    adopt(queue, "old", CLIP_MODEL="A")
    return user


def test_the_first_model_is_recorded_and_another_space_changes_nothing(queue: Queue) -> None:
    assert adopt(queue, "old", CLIP_MODEL="A")["settings"] == {"CLIP_MODEL": "A"}
    assert adopt(queue, "new", CLIP_MODEL="B")["space"] == "old"
    assert states(queue) == {"old": "active"}
    assert adopt(queue, "old", "clip-onnx")["model"] == "clip-onnx", "the same space by another plugin"


def test_the_next_space_is_filled_beside_the_one_that_answers(queue: Queue, user: UUID) -> None:
    begin(queue)
    assert queue.call("model_progress", kind="embedder") | {"seconds": None} == {
        "photos": 3,
        "left": 3,
        "seconds": None,
    }
    assert queue.call("enqueue_stale", user=user, wanted=[OLD, NEW]) == {"next-embedding": 3}
    [job] = queue.rows(f"select distinct job_type, priority, todo from {AI} where status = 'pending'")
    assert job == {"job_type": "next_model", "priority": 300, "todo": ["next-embedding"]}
    assert queue.claim("embedding") == [], "who is set up for the present model does not fill the next one's space"

    work(queue, NEW, limit=2)
    assert vectors(queue) == {"old": 3, "new": 2}
    assert queue.call("model_switch", kind="embedder") == {"switched": False, "left": 1}
    assert states(queue) == {"old": "active", "new": "next"}

    work(queue, NEW)
    assert queue.call("model_switch", kind="embedder") == {"switched": True, "left": 0}
    assert states(queue) == {"old": "previous", "new": "active"}
    assert queue.call("enqueue_stale", user=user, wanted=[{**OLD, "space": "new"}]) == {}, "what was done counts"


def test_a_photo_that_the_next_model_can_not_see_holds_nothing_up(queue: Queue, user: UUID) -> None:
    begin(queue)
    queue.call("enqueue_stale", user=user, wanted=[NEW])
    work(queue, NEW, limit=2)
    work(queue, NEW, error={"code": "media", "message": "It is broken."})
    assert queue.call("model_switch", kind="embedder")["switched"]


def test_photos_that_came_or_changed_meanwhile_are_waited_for(queue: Queue, user: UUID) -> None:
    begin(queue)
    queue.call("enqueue_stale", user=user, wanted=[NEW])
    work(queue, NEW)
    edited = queue.rows("select id from assets limit 1")[0]["id"]
    queue.run("update assets set sha256 = 'edited' where id = %s", edited)
    assert queue.call("model_switch", kind="embedder")["left"] == 1
    assert queue.call("enqueue_stale", user=user, wanted=[NEW]) == {"next-embedding": 1}
    assert queue.call("model_switch", kind="embedder", anyway=True)["switched"]


def test_a_missing_photo_is_not_waited_for(queue: Queue, user: UUID) -> None:
    begin(queue)
    queue.run("update assets set missing_since = now()")
    assert queue.call("model_switch", kind="embedder")["switched"]


def test_there_and_back_and_no_way_back_after_pruning(queue: Queue, user: UUID) -> None:
    begin(queue)
    queue.call("enqueue_stale", user=user, wanted=[NEW])
    work(queue, NEW)
    queue.call("model_switch", kind="embedder")
    begin(queue, "old")
    assert queue.call("model_switch", kind="embedder") == {"switched": True, "left": 0}
    assert states(queue) == {"old": "active", "new": "previous"}

    removed = 0
    while (share := queue.call("model_prune", kind="embedder", limit=2))["more"]:
        removed += share["photos"]
    assert removed == 3
    assert vectors(queue) == {"old": 3}
    assert states(queue) == {"old": "active"}


def test_a_change_that_is_given_up_leaves_no_jobs(queue: Queue, user: UUID) -> None:
    begin(queue)
    queue.call("enqueue_stale", user=user, wanted=[NEW])
    assert queue.call("model_cancel", kind="embedder") == 3
    assert queue.claim("next-embedding") == []
    assert states(queue) == {"old": "active", "new": "old"}
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="Nothing is prepared"):
        queue.call("model_switch", kind="embedder")


def test_what_can_not_be_next_is_refused(queue: Queue, user: UUID) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="answers already"):
        begin(queue, "old")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="No model of the kind face"):
        queue.call("model_next", kind="face", space="x", model="m", settings={})


def test_users_read_which_model_answers_and_change_nothing(queue: Queue, user: UUID) -> None:
    assert queue.call("models_known", as_user=user)[0]["space"] == "old"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        queue.call("model_switch", as_user=user, kind="embedder")
