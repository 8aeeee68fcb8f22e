"""What becomes of a grouping job's outcome, when one is due, and what stays through it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from kizu_core.database import Database
from kizu_core.database.direct import DirectTransport
from kizu_core.errors import LibraryError
from kizu_support.album import OTHER_SPACE, Album
from kizu_support.postgres import KizuDatabase, Postgres, migrate
from kizu_support.queue import AI, Queue, done

OLD = (Path(__file__).parents[1] / "database" / "old_schema.sql").read_bytes()
OLD_USER = UUID("a0000000-0000-0000-0000-000000000000")


@pytest.fixture
def own(queue: Queue) -> Album:
    """An album in a database of its own."""
    return Album(queue, queue.user())


def test_names_and_links_are_the_same_after_a_forced_new_run(album: Album) -> None:
    """F4."""
    photos = album.photos([1, 2], [1, 2], [1])
    album.group()
    album.say("name", person=album.person(photos[0]), name="Anna")
    album.say("name", person=album.person(photos[0], 1), name="Bob")
    before, faces = album.people(), {(row["asset_id"], row["face_index"]): row["cluster_id"] for row in album.faces()}
    album.detect(*photos, jitter=0.01)
    album.group()
    album.detect(*photos, jitter=0.01)
    album.group()
    assert {(row["asset_id"], row["face_index"]): row["cluster_id"] for row in album.faces()} == faces
    after = album.people()
    assert [{**one, "cover": None} for one in after] == [{**one, "cover": None} for one in before]


def test_after_two_resets_there_are_no_ghosts(album: Album) -> None:
    """F5: one person of a name, and no row that nobody sees."""
    photos = album.photos([1], [1], [2], [2])
    for _ in range(2):
        album.group()
        album.reset()
    album.group()
    answer = album.say("name", person=album.person(photos[0]), name="Anna")
    assert album.reset() == {"people": 1, "faces": 2}
    album.group()
    assert album.names() == {"Anna": UUID(answer["person"]["id"])}
    rows = album.queue.rows("select id from face_clusters where user_id = %s", album.user)
    assert len(rows) == len(album.people()) == 2


def test_who_has_no_face_left_goes_unless_the_user_named_it(album: Album) -> None:
    album.photos([1], [1], [2], [2])
    album.group()
    named = album.people()[0]["id"]
    album.say("name", person=named, name="Anna")
    assert album.group([]) == []
    assert [(one["id"], one["faces"]) for one in album.people()] == [(named, 2)], "by what was said of her"


def test_faces_that_came_meanwhile_keep_whom_they_were_matched_with(album: Album) -> None:
    album.photos([1], [1])
    (person,) = album.group()
    album.queue.ask(album.user, None, job_type="recluster")
    (job,) = album.queue.claim("recluster")
    seen = [str(row["id"]) for row in album.faces()]
    late = album.photo(1)
    outcome = {"face_clusters": [{"id": str(person), "faces": seen}]}
    assert album.queue.complete(job, done("recluster"), rows=outcome) == "ok"
    assert album.person(late) == person
    album.check_means()


def test_what_was_merged_meanwhile_stays_merged(album: Album) -> None:
    photos = album.photos([1], [1], [2], [2])
    album.group()
    ones, twos = album.person(photos[0]), album.person(photos[2])
    groups = [[str(album.face(one)) for one in part] for part in (photos[:2], photos[2:])]
    album.queue.ask(album.user, None, job_type="recluster")
    (job,) = album.queue.claim("recluster")
    album.say("merge", from_=[ones], into=twos)
    outcome = {
        "face_clusters": [{"id": str(one), "faces": group} for one, group in zip((ones, twos), groups, strict=True)]
    }
    reviews = [{"kind": "merge", "a": str(ones), "b": str(twos), "score": 0.5}]
    assert album.queue.complete(job, done("recluster"), rows={**outcome, "face_reviews": reviews}) == "ok"
    assert [one["id"] for one in album.people()] == [str(twos)]
    assert album.queue.call("people_review", as_user=album.user)["pairs"] == []


def test_grouping_is_due_where_many_faces_are_new_or_at_once_if_asked(own: Album) -> None:
    queue = own.queue
    own.photos(*[(one,) for one in range(40)])
    assert queue.call("people_due") == 0
    own.photos(*[(one,) for one in range(40, 60)])
    assert queue.call("people_due") == 1
    assert queue.call("people_due") == 0, "one waits already"
    queue.run(f"delete from {AI}")
    own.group()
    assert (queue.call("people_due"), queue.call("people_due", now=True)) == (0, 0), "all were looked at"
    photo = own.photo(1, detect=False)
    own.detect(photo, usable=False)
    assert queue.call("people_due", now=True) == 0
    own.photo(99)
    assert (queue.call("people_due"), queue.call("people_due", now=True)) == (0, 1)
    queue.run(f"delete from {AI}")
    own.group()
    own.reset()
    assert queue.call("people_due") == 1


def test_another_space_is_looked_at_together(own: Album) -> None:
    photos = own.photos([1], [1])
    own.group()
    own.say("name", person=own.person(photos[0]), name="Anna")
    own.detect(*photos, space=OTHER_SPACE)
    own.queue.run("update face_embeddings set cluster_id = null where space = %s", OTHER_SPACE)
    own.queue.rows("select kizu.people_in_space(%s, %s)", own.user, OTHER_SPACE)
    assert {own.person(one, 0, OTHER_SPACE) for one in photos} == {own.names()["Anna"]}
    own.photo(7)
    assert own.queue.call("people_due", now=True) == 1


def test_a_refusal_is_a_sentence_with_a_hint(album: Album) -> None:
    worker = Database(DirectTransport(album.queue.database.worker))
    api = Database(DirectTransport(album.queue.database.api))
    with pytest.raises(LibraryError, match=r"^There is no such person\.$") as caught:
        worker.correct(album.user, "hide", {"person": str(uuid4())})
    assert "kizu people list" in str(caught.value.hint)
    photo = album.photo(1)
    made = worker.correct(album.user, "name", {"face": album.face(photo), "name": "Anna"})
    person = UUID(made["person"]["id"])
    assert [one["name"] for one in api.people(album.user)["people"]] == ["Anna"]
    shown = api.person(album.user, person)
    assert shown
    assert [one["face_id"] for one in shown["faces"]] == [str(album.face(photo))]
    assert api.faces(album.user, str(album.face(photo))[:8])[0]["person"] == str(person)
    assert api.people_review(album.user) == {"pairs": [], "faces": []}
    assert [one["kind"] for one in api.corrections(album.user)["corrections"]] == ["name"]
    assert worker.undo(album.user)["kind"] == "name"
    assert worker.people_reset(album.user) == {"people": 0, "faces": 1}
    assert worker.people_due(now=False) == 0
    for one in (worker, api):
        one.close()


@pytest.fixture
def old(postgres: Postgres) -> Iterator[KizuDatabase]:
    """A database that an older application made, with a person called Anna, and Kizu's schema laid over it."""
    database = postgres.create("kizu_old_people", extensions=True)
    with psycopg.connect(database.owner) as connection:
        connection.execute(OLD)
        connection.execute("grant all on all tables in schema public to service_role, authenticated")
    migrate(database)
    yield database
    postgres.drop(database)


def test_names_of_an_older_application_are_a_users_word_too(old: KizuDatabase) -> None:
    queue = Queue(old)
    box = '{"left": 0.02, "top": 0.3, "right": 0.14, "bottom": 0.5}'
    queue.run("update face_embeddings set bbox = %s, cluster_id = (select id from face_clusters)", box)
    album = Album(queue, OLD_USER)
    anna = queue.rows("select id from face_clusters")[0]["id"]
    assert album.reset()["people"] == 1
    assert album.names() == {"Anna": anna}
    photos = "select distinct asset_id, cluster_id from face_embeddings where cluster_id is not null"
    assert [row["cluster_id"] for row in queue.rows(photos)] == [anna, anna]
    album.undo()
    assert album.names() == {}
