"""Moments in the database: stored once, ended in time, freed of what may not be shown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from kizu_support.queue import AI, Queue
from kizu_support.strategies import complete, moment_row, store

Row = dict[str, Any]


def shown(queue: Queue, user: UUID, **where: Any) -> list[Row]:
    moments: list[Row] = queue.call("moments", as_user=user, filter=where)["moments"]
    return moments


@pytest.fixture
def user(queue: Queue) -> UUID:
    return queue.user()


@pytest.fixture
def photos(queue: Queue, user: UUID) -> list[UUID]:
    return [queue.photo(user, taken_local=f"2024-07-{day:02} 19:30", city="Nice") for day in range(10, 20)]


def test_a_moment_is_stored_with_its_photos_days_and_reasons(queue: Queue, user: UUID, photos: list[UUID]) -> None:
    assert store(queue, user, moment_row(photos)) == "ok"
    (one,) = shown(queue, user)
    assert (one["title"], one["photos"], one["saved"], one["hidden"]) == ("Adventures in Nice", 10, False, False)
    assert (one["first_day"], one["last_day"]) == ("2024-07-10", "2024-07-19")
    assert [UUID(cover["asset_id"]) for cover in one["covers"]] == photos[:6]
    assert one["reasons"] == {"rule": "far from home"}
    full = queue.call("moment", as_user=user, id=UUID(one["id"]))
    assert [UUID(photo["asset_id"]) for photo in full["photo_list"]] == photos
    assert full["next"] is None
    first = queue.call("moment", as_user=user, id=UUID(one["id"]), limit=4)
    rest = queue.call("moment", as_user=user, id=UUID(one["id"]), after=first["next"])
    assert [UUID(photo["asset_id"]) for photo in first["photo_list"] + rest["photo_list"]] == photos


def test_the_same_run_twice_changes_nothing(queue: Queue, user: UUID, photos: list[UUID]) -> None:
    one = moment_row(photos)
    store(queue, user, one)
    before = queue.rows("select * from moments"), queue.rows("select asset_id, display_order from moment_assets")
    store(queue, user, one)
    assert (
        queue.rows("select * from moments"),
        queue.rows("select asset_id, display_order from moment_assets"),
    ) == before


def test_two_workers_at_once_make_each_moment_once(queue: Queue, user: UUID, photos: list[UUID]) -> None:
    rows = [moment_row(photos[n : n + 4], title=f"M{n}") for n in range(6)]
    for _ in range(2):
        queue.ask(user, None, job_type="generate_moments")
    jobs = queue.claim("generate_moments", limit=2)
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(lambda pair: complete(queue, pair[0], *pair[1]), [(jobs[0], rows), (jobs[1], rows[::-1])])
        )
    assert answers == ["ok", "ok"]
    assert len(shown(queue, user)) == 5, "the day's number holds for all workers together"


def test_changed_photos_change_the_moment_and_not_its_end(queue: Queue, user: UUID, photos: list[UUID]) -> None:
    one = moment_row(photos[:6])
    store(queue, user, one)
    queue.run("update moments set expires_at = expires_at - interval '3 days', day = day - 3")
    before = queue.rows("select expires_at, day, created_at from moments")
    store(queue, user, moment_row(photos, id=one["id"], asset_hash="h2", title="More of Nice"))
    (now,) = shown(queue, user)
    assert (now["title"], now["photos"]) == ("More of Nice", 10)
    assert queue.rows("select expires_at, day, created_at from moments") == before


@pytest.mark.parametrize("verb", ["save", "hide"])
def test_what_a_user_decided_on_is_left_as_it_is(queue: Queue, user: UUID, photos: list[UUID], verb: str) -> None:
    one = moment_row(photos[:6])
    store(queue, user, one)
    assert queue.call(f"moment_{verb}", user=user, id=UUID(one["id"])) == one["title"]
    store(queue, user, moment_row(photos, id=one["id"], asset_hash="h2", title="Other"))
    (kept,) = shown(queue, user, hidden=verb == "hide")
    assert (kept["title"], kept["photos"]) == (one["title"], 6)
    assert shown(queue, user, hidden=verb != "hide") == []


def test_expired_ones_end_and_rest_unless_their_photos_change(queue: Queue, user: UUID, photos: list[UUID]) -> None:
    one = moment_row(photos)
    store(queue, user, one)
    queue.run("update moments set expires_at = now() - interval '1 second', day = day - 8")
    assert shown(queue, user) == [], "over is over, also before anybody tidies up"
    queue.call("moments_due")
    assert queue.rows("select id from moments") == []
    store(queue, user, one)
    assert shown(queue, user) == []
    known = queue.call("view_moments", user=user)
    assert known["history"] == [{"id": one["id"], "hash": "h1"}]
    store(queue, user, moment_row(photos[:9], id=one["id"], asset_hash="h2"))
    assert len(shown(queue, user)) == 1
    queue.run("delete from moments")
    queue.run("update moment_history set ended_at = now() - interval '181 days'")
    store(queue, user, one)
    assert len(shown(queue, user)) == 1
    assert queue.rows("select * from moment_history") == []


def test_what_the_service_knows_comes_in_pages(queue: Queue, user: UUID, photos: list[UUID]) -> None:
    store(queue, user, *(moment_row(photos[number:], most_a_day=20, title=f"Moment {number}") for number in range(7)))
    whole = queue.call("view_moments", user=user)
    assert (len(whole["existing"]), whole["next"]) == (7, None)
    for size in (1, 3, 7, 50):
        page = queue.call("view_moments", user=user, limit=size)
        assert page["settings"] == whole["settings"]
        found = page["existing"]
        while page["next"]:
            page = queue.call("view_moments", user=user, after=UUID(page["next"]), limit=size)
            assert page.keys() == {"existing", "next"}
            assert 1 <= len(page["existing"]) <= size
            found += page["existing"]
        assert found == whole["existing"]


def test_saved_in_the_last_second_is_kept(queue: Queue, user: UUID, photos: list[UUID]) -> None:
    one = moment_row(photos)
    store(queue, user, one)
    queue.run("update moments set expires_at = now() - interval '1 second'")
    with queue.database.transaction() as saving:
        saving.execute("select kizu_moment_save(%s, %s)", (user, UUID(one["id"])))
        with ThreadPoolExecutor(1) as pool:
            tidied = pool.submit(queue.call, "moments_due")  # waits for the row
            saving.commit()
            tidied.result()
    queue.call("moments_due")
    (kept,) = shown(queue, user)
    assert kept["saved"]


def test_of_a_deleted_cover_a_spare_takes_the_place(queue: Queue, user: UUID, photos: list[UUID]) -> None:
    one = moment_row(photos)
    store(queue, user, one)
    queue.call("moment_save", user=user, id=UUID(one["id"]))
    gone, hidden, missing = photos[0], photos[1], photos[8]
    queue.run("delete from assets where id = %s", gone)
    queue.run("update assets set hidden = true where id = %s", hidden)
    queue.run("update assets set missing_since = now() where id = %s", missing)
    (now,) = shown(queue, user)
    assert now["photos"] == 7
    expected = [one for one in photos if one not in (gone, hidden, missing)][:6]
    assert [UUID(cover["asset_id"]) for cover in now["covers"]] == expected
    queue.call("moments_due")
    (stored,) = queue.rows("select cover_asset_ids from moments")
    assert stored["cover_asset_ids"] == expected, "other programs read the row"
    queue.run("update assets set hidden = false, missing_since = null")
    assert len(shown(queue, user)[0]["covers"]) == 6
    queue.run("update assets set hidden = id <> all(%s)", [hidden, missing])
    (back,) = shown(queue, user)
    assert {UUID(cover["asset_id"]) for cover in back["covers"]} == {hidden, missing}, "no cover is lost"


def test_an_empty_moment_goes(queue: Queue, user: UUID, photos: list[UUID]) -> None:
    one = moment_row(photos[:4])
    store(queue, user, one)
    queue.call("moment_save", user=user, id=UUID(one["id"]))
    queue.run("update assets set hidden = true")
    assert shown(queue, user) == []
    queue.call("moments_due")
    assert len(queue.rows("select id from moments")) == 1, "what is only hidden may come back"
    queue.run("delete from assets")
    queue.run("delete from kizu.chores")  # ten minutes later
    queue.call("moments_due")
    assert queue.rows("select id from moments") == []


def test_nobody_elses_photo_or_moment_is_taken(queue: Queue, users: tuple[UUID, UUID]) -> None:
    a, b = users
    queue.run(f"delete from {AI}")
    theirs = queue.rows("select id from assets where user_id = %s", b)[0]["id"]
    own = queue.rows("select id from assets where user_id = %s", a)[0]["id"]
    foreign = queue.rows("select id from moments where user_id = %s", b)[0]["id"]
    for bad in (moment_row([own, theirs]), moment_row([own], id=str(foreign))):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            store(queue, a, bad)
        queue.run(f"delete from {AI}")
    assert queue.call("moment", as_user=a, id=foreign) is None
    assert queue.call("moment_save", user=a, id=foreign) is None
    assert queue.call("moment_hide", user=a, id=foreign) is None
    person = queue.rows("select id from face_clusters where user_id = %s", b)[0]["id"]
    assert queue.call("moment_block", user=a, person=person) is None
    block = queue.rows("select id from moment_blocks where user_id = %s", b)[0]["id"]
    assert queue.call("moment_unblock", user=a, id=block) is False


def test_a_photo_that_went_meanwhile_is_left_out(queue: Queue, user: UUID, photos: list[UUID]) -> None:
    store(queue, user, moment_row([uuid4(), *photos]), moment_row([uuid4()], title="Nothing"))
    (one,) = shown(queue, user)
    assert one["photos"] == 10


class TestBlocks:
    """A person, a place, a range of days: none of their photos in any moment, those that exist included."""

    @pytest.fixture
    def person(self, queue: Queue, user: UUID, photos: list[UUID]) -> UUID:
        """Somebody in the first three photos."""
        person = uuid4()
        queue.run("insert into face_clusters (id, user_id, name) values (%s, %s, 'Eva')", person, user)
        for photo in photos[:3]:
            queue.run(
                "insert into face_embeddings (user_id, asset_id, cluster_id, embedding) values (%s, %s, %s, '[1,0]')",
                user, photo, person,
            )  # fmt: skip
        return person

    @pytest.mark.parametrize("kind", ["person", "place", "days", "hidden"])
    def test_leaves_every_moment(self, queue: Queue, user: UUID, photos: list[UUID], person: UUID, kind: str) -> None:
        store(queue, user, moment_row(photos))
        queue.run("update assets set city = 'Zürich' where id = any(%s)", photos[:3])
        if kind == "hidden":
            queue.run("update face_clusters set hidden = true")
        else:
            days: Row = {"first_day": date(2024, 7, 10), "last_day": date(2024, 7, 12)}
            kinds: dict[str, Row] = {"person": {"person": person}, "place": {"place": "ZURICH"}, "days": days}
            what = kinds[kind]
            assert queue.call("moment_block", user=user, **what) == queue.call("moment_block", user=user, **what)
            (block,) = queue.call("moment_blocks", as_user=user)
            assert block["photos"] == 3
        (one,) = shown(queue, user)
        assert one["photos"] == 7
        assert not {UUID(cover["asset_id"]) for cover in one["covers"]} & set(photos[:3])
        assert {UUID(x) for x in queue.call("view_moments", user=user)["blocked"]} == set(photos[:3])
        full = queue.call("moment", as_user=user, id=UUID(one["id"]))
        assert {UUID(photo["asset_id"]) for photo in full["photo_list"]} == set(photos[3:])
        if kind != "hidden":
            assert queue.call("moment_unblock", user=user, id=UUID(block["id"]))
            assert shown(queue, user)[0]["photos"] == 10

    def test_goes_along_with_a_person_who_is_made_one_with_another(
        self, queue: Queue, user: UUID, photos: list[UUID], person: UUID
    ) -> None:
        other = uuid4()
        queue.run("insert into face_clusters (id, user_id, name) values (%s, %s, 'Ava')", other, user)
        queue.run(
            "insert into face_embeddings (user_id, asset_id, cluster_id, embedding) values (%s, %s, %s, '[0,1]')",
            user, photos[9], other,
        )  # fmt: skip
        queue.call("moment_block", user=user, person=person)
        subject = {"from": [str(person)], "into": str(other)}
        queue.call("correct", user=user, kind="merge", subject=Jsonb(subject))
        assert {UUID(x) for x in queue.call("view_moments", user=user)["blocked"]} == {*photos[:3], photos[9]}
        assert queue.call("moment_blocks", as_user=user)[0]["person"]["id"] == str(other)

    @pytest.mark.parametrize(
        "what",
        [{}, {"place": " "}, {"place": "x", "first_day": date(2024, 1, 1), "last_day": date(2024, 1, 2)},
         {"first_day": date(2024, 1, 2), "last_day": date(2024, 1, 1)}, {"first_day": date(2024, 1, 2)}],
    )  # fmt: skip
    def test_is_of_one_thing(self, queue: Queue, user: UUID, what: Row) -> None:
        with pytest.raises(psycopg.Error):
            queue.call("moment_block", user=user, **what)


def test_pages_are_complete_and_in_order(queue: Queue, user: UUID, photos: list[UUID]) -> None:
    store(queue, user, *(moment_row(photos[n : n + 2], title=str(n), score=n / 10) for n in range(5)))
    page = queue.call("moments", as_user=user, filter={}, limit=2)
    titles = [one["title"] for one in page["moments"]]
    while page["next"]:
        page = queue.call("moments", as_user=user, filter={}, limit=2, after=page["next"])
        titles += [one["title"] for one in page["moments"]]
    assert titles == ["4", "3", "2", "1", "0"]
    assert len(shown(queue, user, today=True)) == 5
    queue.run("update moments set day = day - 1")
    assert shown(queue, user, today=True) == []
