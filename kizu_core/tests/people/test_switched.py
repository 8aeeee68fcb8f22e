"""Another face model, by the change that keeps the present one answering: people, names and corrections come along."""

from __future__ import annotations

from typing import Any

from kizu_support.album import OTHER_SPACE, SPACE, Album
from kizu_support.queue import Queue, Row, done

NEXT: Row = {
    "operation": "next-faces", "plugin": "p", "version": "1", "space": OTHER_SPACE, "job": "next", "priority": 300,
}  # fmt: skip


def fill(album: Album, photos: int) -> None:
    """Faces of the model to come, slightly elsewhere than those of the present one."""
    album.queue.call("enqueue_stale", user=album.user, wanted=[NEXT])
    jobs = album.queue.claim("next-faces", limit=photos)
    assert len(jobs) == photos
    for job in jobs:
        rows = album.rows(next(one for one in album.truth if str(one) == job["asset_id"]), OTHER_SPACE, 0.01)
        result = done("next-faces", space=OTHER_SPACE, found=len(rows))
        assert album.queue.complete(job, result, rows={"face_embeddings": rows}, face_threshold=0.6) == "ok"


def seen(album: Album) -> list[tuple[Any, ...]]:
    return [(one["id"], one["name"], one["photos"], one["faces"]) for one in album.people()]


def test_people_are_the_same_before_meanwhile_and_after(queue: Queue) -> None:
    album = Album(queue, queue.user())
    photos = album.photos((1, 2), (1,), (2, 3), (1, 3), (3,))
    queue.call("model_adopt", kind="face", space=SPACE, model="m", settings={})
    album.group()
    for slot, name in enumerate(("Anna", "Ben")):
        album.say("name", person=album.person(photos[0], slot), name=name)
    album.say("reject", face=album.face(photos[3], 0), person=album.names()["Anna"])
    before = seen(album)

    queue.call("model_next", kind="face", space=OTHER_SPACE, model="n", settings={})
    fill(album, 3)
    assert seen(album) == before, "while it is filled, the present space answers"
    assert queue.call("model_switch", kind="face") == {"switched": False, "left": 2}
    fill(album, 2)
    assert queue.call("model_switch", kind="face") == {"switched": True, "left": 0}

    assert album.active() == OTHER_SPACE
    assert seen(album) == before
    assert album.person(photos[3], 0, OTHER_SPACE) != album.names()["Anna"], "what was rejected stays rejected"
    album.group()
    assert [one for one in seen(album) if one[1]] == [one for one in before if one[1]]
    album.check_means()

    queue.call("model_next", kind="face", space=SPACE, model="m", settings={})
    assert queue.call("model_switch", kind="face")["switched"]
    assert [one for one in seen(album) if one[1]] == [one for one in before if one[1]]
