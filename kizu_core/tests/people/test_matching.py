"""New faces join the people who are known, inside the completion of their photo."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from kizu_support.album import OTHER_SPACE, SPACE, Album
from kizu_support.queue import Row, done


def test_faces_added_one_at_a_time_become_one_person(album: Album) -> None:
    """Two are nobody's until they are grouped; the others find their person by themselves (F8)."""
    first = album.photos([1], [1])
    assert [album.person(one) for one in first] == [None, None]
    (person,) = album.group()
    rest = [album.photo(1) for _ in range(18)]
    assert {album.person(one) for one in first + rest} == {person}
    stranger = album.photo(2)
    assert album.person(stranger) is None
    album.check_means()


def test_nobody_is_twice_in_a_photo(album: Album) -> None:
    album.photos([1], [1])
    (person,) = album.group()
    twins = album.photo(1, 1)
    assert sorted([album.person(twins, 0), album.person(twins, 1)], key=str) == sorted([person, None], key=str)


def test_what_is_not_usable_waits_for_its_user(album: Album) -> None:
    album.photos([1], [1])
    (person,) = album.group()
    blurred = album.photo(1, detect=False)
    album.detect(blurred, usable=False)
    assert album.person(blurred) is None
    album.say("assign", face=album.face(blurred), person=person)
    album.group()
    assert album.person(blurred) == person


def test_without_a_threshold_new_faces_are_nobodys(album: Album) -> None:
    album.photos([1], [1])
    album.group()
    photo = album.photo(1, detect=False)
    album.queue.ask(album.user, photo, "faces")
    (job,) = album.queue.claim("faces")
    rows = {"face_embeddings": album.rows(photo)}
    assert album.queue.complete(job, done("faces", space=SPACE), rows=rows) == "ok"
    assert album.person(photo) is None


def test_faces_found_again_keep_their_person(album: Album) -> None:
    photos = album.photos([1, 2], [2, 1], [1])
    album.group()
    before = {(one, slot): album.person(one, slot) for one in photos for slot in range(len(album.truth[one]))}
    for photo in photos:
        album.detect(photo, jitter=0.01)
    assert {key: album.person(*key) for key in before} == before
    album.check_means()


def test_somebody_else_in_the_same_place_is_not_taken_for_who_was_there(album: Album) -> None:
    """A file was edited: the same photo, another picture."""
    photo, _ = album.photos([1], [1])
    (person,) = album.group()
    album.truth[photo] = (2,)
    album.detect(photo)
    assert album.person(photo) is None
    album.truth[photo] = (1,)
    album.detect(photo)
    assert album.person(photo) == person


def test_another_models_faces_stand_beside_the_first_and_are_the_same_people(album: Album) -> None:
    photos = album.photos([1, 2], [2, 1])
    album.group()
    for photo in photos:
        album.detect(photo, space=OTHER_SPACE, jitter=0.01)
    assert len(album.faces(SPACE)) == len(album.faces(OTHER_SPACE)) == 4
    for photo in photos:
        assert [album.person(photo, n, SPACE) for n in (0, 1)] == [album.person(photo, n, OTHER_SPACE) for n in (0, 1)]
    album.check_means()


def test_faces_that_are_gone_are_nobodys_size(album: Album) -> None:
    photos = album.photos([1], [1], [1])
    (person,) = album.group()
    album.queue.run("delete from assets where id = %s", photos[0])
    album.check_means()
    for photo in photos[1:]:
        album.truth[photo] = ()
        album.detect(photo)
    album.check_means()
    assert album.queue.rows("select * from face_centroids where user_id = %s", album.user) == []
    assert album.queue.rows("select id from face_clusters where user_id = %s", album.user) == [{"id": person}]


def test_the_same_photo_completed_three_times_at_once_has_one_row_a_box(album: Album) -> None:
    """Old clients may ask several times for the same (F11)."""
    album.photos([1, 2], [1, 2])
    album.group()
    photo = album.photo(1, 2, detect=False)
    for number in range(3):
        album.queue.ask(album.user, photo, "faces", dedupe_key=str(number))
    jobs = album.queue.claim("faces", limit=3)
    assert len(jobs) == 3
    rows = album.rows(photo)
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda job: album.queue.finish("complete", job, payload=album.payload(rows)), jobs))
    assert answers == ["ok"] * 3
    found = [one for one in album.faces() if one["asset_id"] == photo]
    assert [one["face_index"] for one in found] == [0, 1]
    assert all(one["cluster_id"] for one in found)
    album.check_means()


def test_completions_of_many_photos_at_once_do_not_wait_for_each_other_in_a_circle(album: Album) -> None:
    """Workers that complete other parts of the same photos, in batches."""
    album.photos([1, 2], [1, 2])
    album.group()
    photos = [album.photo(1, 2, detect=False) for _ in range(12)]
    for photo in photos:
        album.queue.ask(album.user, photo, "faces")
        album.queue.ask(album.user, photo, "ocr")
    jobs = album.queue.claim("faces", "ocr", limit=24)
    faces = [one for one in jobs if "faces" in one["todo"]]
    texts = [one for one in jobs if "ocr" in one["todo"]]
    mixed = [faces[0::2] + texts[1::2], faces[1::2] + texts[0::2]]

    rows = album.rows(photos[0])

    def finish(part: list[Row]) -> list[str]:
        items = []
        for job in part:
            payload = album.payload(rows) if "faces" in job["todo"] else {"operations": [done("ocr")]}
            items.append({"id": job["id"], "token": job["lease_token"], "payload": payload})
        return [one["answer"] for one in album.queue.call("complete_many", table="ai_processing_jobs", items=items)]

    with ThreadPoolExecutor(2) as pool:
        answers = [one for part in pool.map(finish, mixed) for one in part]
    assert answers == ["ok"] * 24
    album.check_means()


def test_two_users_never_mix(album: Album) -> None:
    album.photos([1], [1])
    (person,) = album.group()
    other = Album(album.queue, album.queue.user(f"other {album.user}"))
    photos = other.photos([1], [1])
    assert [other.person(one) for one in photos] == [None, None]
    # A grouping that names a stranger's person and a stranger's face takes neither.
    stolen = {"face_clusters": [{"id": str(person), "faces": [str(other.face(one)) for one in photos]}]}
    other.queue.ask(other.user, None, job_type="recluster")
    (job,) = other.queue.claim("recluster")
    assert other.queue.complete(job, done("recluster"), rows=stolen) == "ok"
    assert [other.person(one) for one in photos] == [None, None]
    mine = album.faces()[0]["id"]
    other.group([[mine, other.face(photos[0])]])
    assert album.faces()[0]["cluster_id"] == person
    for kind, subject in [
        ("name", {"person": person, "name": "Mine"}),
        ("assign", {"face": mine, "person": person}),
        ("merge", {"from": [person], "into": other.person(photos[0])}),
        ("hide_photo", {"asset": mine}),
    ]:
        with pytest.raises(Exception, match="There is no such"):
            other.say(kind, **subject)
    assert other.queue.call("person", as_user=other.user, id=person) is None
    assert other.queue.call("faces", as_user=other.user, id=str(mine)) == []
    album.check_means()
    other.check_means()


def test_rows_of_a_person_that_nobody_knows(album: Album) -> None:
    with pytest.raises(Exception, match="no such person"):
        album.say("hide", person=uuid4())
