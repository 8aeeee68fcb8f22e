"""Taking jobs: each once, in the right order, fairly, only what the worker can do."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from kizu_support.queue import AI, IMAGE, Queue, Row, done

EMBED = "embedding"


def test_eight_workers_never_take_the_same_job(queue: Queue) -> None:
    user = queue.user()
    photo = queue.photo(user)
    jobs = [{"user_id": str(user), "asset_id": str(photo), "params": {"operations": ["ocr"]}} for _ in range(120)]
    queue.call("enqueue", table=AI, jobs=jobs)

    def drain(worker: str) -> list[Row]:
        taken: list[Row] = []
        while claimed := queue.claim("ocr", limit=5, worker=worker):
            taken += claimed
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = [job for jobs in pool.map(drain, "abcdefgh") for job in jobs]
    assert len({job["id"] for job in taken}) == len(taken) == 120
    assert {job["attempt"] for job in taken} == {1}
    assert len({job["lease_token"] for job in taken}) == 120


def test_a_repeated_claim_returns_the_same_jobs(queue: Queue) -> None:
    user = queue.user()
    for _ in range(3):
        queue.ask(user, queue.photo(user), "ocr")
    request = uuid4()
    first = queue.claim("ocr", limit=2, request=request)
    again = queue.claim("ocr", limit=2, request=request)
    assert {job["id"]: job["lease_token"] for job in again} == {job["id"]: job["lease_token"] for job in first}
    assert len(queue.claim("ocr", limit=2)) == 1


def test_a_claim_carries_what_the_worker_needs(queue: Queue) -> None:
    user = queue.user()
    photo = queue.photo(user, "abc", file_name="a.jpg")
    root = uuid4()
    queue.run("insert into library_roots (id, user_id, path) values (%s, %s, '/photos')", root, user)
    for path, sha256, missing in [
        ("a.jpg", "abc", None),
        ("old.jpg", "other", None),
        ("gone.jpg", "abc", "2020-01-01"),
    ]:
        queue.run(
            """insert into asset_files (root_id, user_id, asset_id, path, size, sha256, missing_since)
               values (%s, %s, %s, %s, 9, %s, %s)""",
            root, user, photo, path, sha256, missing,
        )  # fmt: skip
    queue.ask(user, photo, "ocr", params={"image_url": "https://example.org/a.jpg"})
    (job,) = queue.claim("ocr")
    assert job["todo"] == ["ocr"]
    assert (job["user_id"], job["asset_id"]) == (str(user), str(photo))
    assert job["url"] == "https://example.org/a.jpg"
    assert job["asset"]["sha256"] == "abc"
    assert job["files"] == [{"root": "/photos", "path": "a.jpg", "size": 9}]

    queue.ask(user, photo, table=IMAGE, params={"input_url": "u", "needs_web_version": False, "input_orientation": 6})
    (image,) = queue.claim("optimize", table=IMAGE)
    assert (image["url"], image["needs_web_version"], image["input_orientation"]) == ("u", False, 6)
    row = queue.job(image["id"], IMAGE)
    assert row["started_at"] is not None
    assert row["picked_up_at"] is not None


def test_a_job_that_the_worker_cannot_do_is_not_touched(queue: Queue) -> None:
    user = queue.user()
    job = queue.ask(user, queue.photo(user), "ocr", "describe")
    before = queue.job(job)
    assert queue.claim("embedding", "faces") == []
    assert queue.claim("optimize", table=IMAGE) == []
    assert queue.job(job) == before


def test_best_priority_first_and_a_batch_stays_in_its_class(queue: Queue) -> None:
    user, other = queue.user(), queue.user("other")
    bulk = [queue.ask(user, queue.photo(user), "ocr", priority=200) for _ in range(3)]
    urgent = queue.ask(other, queue.photo(other), "ocr", priority=50)
    assert [job["id"] for job in queue.claim("ocr", limit=8)] == [str(urgent)]
    assert {job["id"] for job in queue.claim("ocr", limit=8)} == {str(job) for job in bulk}


def test_first_come_first_served_within_a_user(queue: Queue) -> None:
    user = queue.user()
    jobs = [queue.ask(user, queue.photo(user), "ocr") for _ in range(4)]
    assert [queue.claim("ocr")[0]["id"] for _ in jobs] == [str(job) for job in jobs]


def test_users_take_turns(queue: Queue) -> None:
    """A has much more to do, B comes later, and each of B's jobs is next or next but one."""
    a, b = queue.user("a"), queue.user("b")
    for _ in range(12):
        queue.ask(a, queue.photo(a), "ocr")
    for _ in range(3):
        queue.complete(queue.claim("ocr")[0], done("ocr"))
    for _ in range(4):
        queue.ask(b, queue.photo(b), "ocr")
    order = []
    for _ in range(8):
        (job,) = queue.claim("ocr")
        order.append("a" if job["user_id"] == str(a) else "b")
        queue.complete(job, done("ocr"))
    assert "".join(order) == "babababa"


def test_a_batch_is_shared_by_the_users_who_wait(queue: Queue) -> None:
    users = [queue.user(name) for name in "abc"]
    for user, number in zip(users, [9, 9, 1], strict=True):
        for _ in range(number):
            queue.ask(user, queue.photo(user), "ocr")
    shares = Counter(job["user_id"] for job in queue.claim("ocr", limit=9))
    assert sorted(shares.values()) == [1, 4, 4]
    assert len(queue.claim("ocr", limit=20)) == 10


def test_who_has_least_running_goes_first(queue: Queue) -> None:
    a, b = queue.user("a"), queue.user("b")
    for user in (a, a, a, b):
        queue.ask(user, queue.photo(user), "ocr")
    users = [queue.claim("ocr")[0]["user_id"] for _ in range(4)]
    assert set(users[:2]) == {str(a), str(b)}


def test_more_users_than_one_claim_looks_at(queue: Queue) -> None:
    photos = [(user := uuid4(), queue.photo(user)) for _ in range(70)]
    for user, photo in photos:
        queue.ask(user, photo, "ocr")
    taken: list[Row] = []
    while claimed := queue.claim("ocr", limit=20):
        taken += claimed
    assert len({job["user_id"] for job in taken}) == len(taken) == 70


def test_a_job_is_not_taken_before_its_time(queue: Queue) -> None:
    user = queue.user()
    queue.ask(user, queue.photo(user), "ocr", run_after="2999-01-01T00:00:00Z")
    assert queue.claim("ocr") == []
    queue.make_due()
    assert len(queue.claim("ocr")) == 1


def test_a_job_for_another_users_photo_ends_invalid(queue: Queue) -> None:
    a, b = queue.user("a"), queue.user("b")
    forged = queue.ask(a, queue.photo(b), "ocr")
    nothing = queue.ask(a, None, "ocr")
    unknown = queue.ask(a, uuid4(), table=IMAGE)
    good = queue.ask(a, queue.photo(a), "ocr")
    assert [job["id"] for job in queue.claim("ocr", limit=8)] == [str(good)]
    assert queue.claim("optimize", table=IMAGE) == []
    for row in (queue.job(forged), queue.job(nothing), queue.job(unknown, IMAGE)):
        assert (row["status"], row["outcome"]) == ("failed", "invalid")
        assert row["error_message"] == "The job asks for a photo that is not in its user's library."
    assert queue.rows("select * from plugin_results") == []


def test_jobs_without_a_photo(queue: Queue) -> None:
    user = queue.user()
    queue.ask(user, None, job_type="generate_moments")
    assert queue.claim(EMBED) == []
    (job,) = queue.claim("generate_moments")
    assert (job["job_type"], job["todo"], job["asset"]) == ("generate_moments", ["generate_moments"], None)
    assert queue.complete(job, result={"moments": 3}) == "ok"
    assert queue.job(job["id"])["result"]["moments"] == 3


def test_video_jobs_are_for_video_workers(queue: Queue) -> None:
    user = queue.user()
    for url, metadata in [
        ("https://x/a.MP4?token=1", "{}"),
        ("https://x/a", '{"mime": "video/mp4"}'),
        ("https://x/a.jpg", "{}"),
    ]:
        queue.run(
            "insert into image_processing_jobs (user_id, asset_id, input_url, metadata) values (%s, %s, %s, %s)",
            user, queue.photo(user), url, metadata,
        )  # fmt: skip
    assert len(queue.claim("optimize", table=IMAGE, limit=9)) == 1
    assert len(queue.claim("video", table=IMAGE, limit=9)) == 2
