"""Reconcile: exactly what is missing or stale becomes a job, however often and by however many it is asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

from kizu_support.queue import AI, IMAGE, Queue, Row, done

OCR: Row = {"operation": "ocr", "plugin": "r", "version": "1", "space": None, "job": "slow", "priority": 200}
EMBED: Row = {"operation": "embedding", "plugin": "e", "version": "1", "space": "s", "job": "quick", "priority": 100}
FACES: Row = {"operation": "faces", "plugin": "f", "version": "1", "space": "v", "job": "quick", "priority": 100}
OPTIMIZE: Row = {"operation": "optimize", "plugin": "kizu", "version": "1", "space": None, "job": "optimize"}
WANTED = [OCR, EMBED, FACES, OPTIMIZE]


def stale(queue: Queue, user: UUID, *wanted: Row, **arguments: Any) -> dict[str, int]:
    counts: dict[str, int] = queue.call("enqueue_stale", user=user, wanted=list(wanted), **arguments)
    return counts


def work(queue: Queue, *wanted: Row, error: dict[str, Any] | None = None) -> None:
    """Do all waiting AI jobs, with plugins as wanted."""
    results = {one["operation"]: {k: one[k] for k in ("plugin", "version", "space")} for one in wanted}
    while jobs := queue.claim(*results, limit=50):
        for job in jobs:
            queue.complete(job, *(done(name, **results[name], error=error) for name in job["todo"]))


def test_jobs_for_what_is_missing(queue: Queue) -> None:
    user = queue.user()
    photo = queue.photo(user)
    assert stale(queue, user, *WANTED) == {"ocr": 1, "embedding": 1, "faces": 1, "optimize": 1}
    jobs = queue.rows(f"select * from {AI} order by priority")
    assert [(job["todo"], job["priority"]) for job in jobs] == [(["embedding", "faces"], 100), (["ocr"], 200)]
    assert {job["asset_id"] for job in jobs} == {photo}
    assert {one["operation"]: one["version"] for one in jobs[0]["input_params"]["wanted"]} == {
        "embedding": "1",
        "faces": "1",
    }
    assert stale(queue, user, *WANTED) == {}


def test_nothing_is_stale_after_the_work(queue: Queue) -> None:
    user = queue.user()
    for _ in range(3):
        queue.photo(user)
    stale(queue, user, OCR, EMBED)
    work(queue, OCR, EMBED)
    assert stale(queue, user, OCR, EMBED) == {}
    assert stale(queue, user, OCR, EMBED, FACES) == {"faces": 3}


def test_a_changed_version_space_or_plugin_is_stale(queue: Queue) -> None:
    user = queue.user()
    queue.photo(user)
    stale(queue, user, EMBED)
    work(queue, EMBED)
    for change in ({"version": "2"}, {"space": "t"}):
        assert stale(queue, user, {**EMBED, **change}) == {"embedding": 1}
        queue.run(f"delete from {AI}")
    assert stale(queue, user, EMBED) == {}
    stale(queue, user, OCR)
    work(queue, OCR)
    assert stale(queue, user, {**OCR, "plugin": "x"}) == {"ocr": 1}


def test_another_plugin_for_the_same_space_makes_nothing_stale(queue: Queue) -> None:
    user = queue.user()
    queue.photo(user)
    stale(queue, user, EMBED)
    work(queue, EMBED)
    assert stale(queue, user, {**EMBED, "plugin": "x"}) == {}


def test_an_edited_photo_is_stale_even_if_edited_while_it_was_read(queue: Queue) -> None:
    user = queue.user()
    queue.photo(user)
    stale(queue, user, OCR)
    (job,) = queue.claim("ocr")
    assert stale(queue, user, OCR) == {}
    queue.run("update assets set sha256 = 'edited'")
    assert stale(queue, user, OCR) == {"ocr": 1}
    queue.complete(job, done("ocr", plugin="r"))
    work(queue, OCR)
    assert stale(queue, user, OCR) == {}


def test_what_failed_for_good_is_not_tried_again_on_the_same_bytes(queue: Queue) -> None:
    user = queue.user()
    for _ in range(2):
        queue.photo(user)
    stale(queue, user, OCR)
    first, second = queue.claim("ocr", limit=2)
    queue.fail(first)
    queue.complete(second, done("ocr", plugin="r", error={"code": "media", "message": "Broken."}))
    assert stale(queue, user, OCR) == {}
    assert stale(queue, user, {**OCR, "version": "2"}) == {"ocr": 2}


def test_only_what_no_waiting_job_covers(queue: Queue) -> None:
    user = queue.user()
    queue.photo(user)
    stale(queue, user, EMBED)
    assert stale(queue, user, EMBED, FACES) == {"faces": 1}
    assert [row["todo"] for row in queue.rows(f"select todo from {AI} order by created_at")] == [
        ["embedding"],
        ["faces"],
    ]


def test_racing_calls_make_each_job_once(queue: Queue) -> None:
    user = queue.user()
    for _ in range(10):
        queue.photo(user)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda wanted: stale(queue, user, *wanted), [WANTED, [EMBED], [OCR], [FACES, OCR]] * 2))
    assert sum(one.get("embedding", 0) for one in made) == sum(one.get("ocr", 0) for one in made) == 10
    operations = queue.rows(f"select asset_id, unnest(todo) as operation from {AI}")
    assert len({tuple(row.values()) for row in operations}) == len(operations) == 30


def test_newest_photos_come_first(queue: Queue) -> None:
    user = queue.user()
    years = [2003, 1969, 2024, 1850, 2011]
    photos = {str(queue.photo(user, taken_local=f"{year}-06-01 12:00")): year for year in years}
    stale(queue, user, OCR)
    assert [photos[queue.claim("ocr")[0]["asset_id"]] for _ in years] == sorted(years, reverse=True)


def test_a_call_makes_no_more_than_its_limit(queue: Queue) -> None:
    user = queue.user()
    for year in range(2000, 2005):
        queue.photo(user, taken_local=f"{year}-01-01")
    made = []
    while counts := stale(queue, user, OCR, limit=2):
        made.append(counts["ocr"])
    assert made == [2, 2, 1]


def test_videos_missing_and_unreachable_photos_are_left_out(queue: Queue) -> None:
    user = queue.user()
    queue.photo(user, media_kind="video")
    queue.photo(user, missing_since="2020-01-01")
    online, offline = uuid4(), uuid4()
    for root, state in [(online, "online"), (offline, "offline")]:
        queue.run(
            "insert into library_roots (id, user_id, path, state) values (%s, %s, %s, %s)", root, user, state, state
        )
    for root, missing in [(online, None), (offline, None), (online, "2020-01-01")]:
        photo = queue.photo(user)
        queue.run(
            "insert into asset_files (root_id, user_id, asset_id, path, missing_since) values (%s, %s, %s, %s, %s)",
            root, user, photo, str(photo), missing,
        )  # fmt: skip
    uploaded = queue.photo(user)
    assert stale(queue, user, OCR, root=online) == {"ocr": 1}
    assert stale(queue, user, OCR) == {"ocr": 1}
    assert queue.rows(f"select asset_id from {AI} order by created_at desc limit 1") == [{"asset_id": uploaded}]


def test_other_users_photos_are_not_touched(queue: Queue) -> None:
    queue.photo(queue.user("other"))
    assert stale(queue, queue.user(), *WANTED) == {}


def test_a_web_version_only_where_a_browser_needs_one(queue: Queue) -> None:
    user = queue.user()
    kinds = {
        ("image/jpeg", 4096): False,
        ("image/jpeg", 4097): True,
        ("image/heic", 100): True,
        ("image/webp", 100): False,
    }
    for number, (mime, width) in enumerate(kinds):
        queue.photo(user, mime=mime, width=width, file_name=str(number))
    stale(queue, user, OPTIMIZE)
    rows = queue.rows(f"select mime, width, needs_web_version from {IMAGE} j join assets a on a.id = j.asset_id")
    assert {(row["mime"], row["width"]): row["needs_web_version"] for row in rows} == kinds
