"""What the user says of people: what it means, that grouping respects it, and that it is undone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from kizu_support.album import Album
from kizu_support.queue import Row


@pytest.fixture
def two(album: Album) -> tuple[Album, UUID, UUID]:
    """Three photos of each of two people, grouped."""
    album.photos([1, 2], [1, 2], [1], [2])
    album.group()
    ones, twos = (album.person(one) for one in list(album.truth)[2:])
    assert ones
    assert twos
    return album, ones, twos


def hands(album: Album) -> dict[tuple[UUID, int], Any]:
    return {(row["asset_id"], row["face_index"]): row["cluster_id"] for row in album.faces()}


def sizes(album: Album) -> dict[str, int]:
    return {one["id"]: one["faces"] for one in album.people()}


def contacts(album: Album) -> list[Row]:
    return album.queue.rows(
        "select name, face_cluster_id as person from contacts where user_id = %s order by name", album.user
    )


def test_a_name_is_kept_and_comes_with_a_contact(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, _ = two
    answer = album.say("name", person=ones, name="  Anna\tMaria ")
    assert answer["person"]["name"] == "Anna Maria"
    assert album.names() == {"Anna Maria": ones}
    assert contacts(album) == [{"name": "Anna Maria", "person": ones}]
    album.undo()
    assert album.names() == {}
    assert contacts(album) == [{"name": "Anna Maria", "person": None}]
    album.undo(answer["id"] + 1)
    assert album.names() == {"Anna Maria": ones}
    assert contacts(album) == [{"name": "Anna Maria", "person": ones}]


def test_a_face_that_is_nobodys_is_named(album: Album) -> None:
    photo = album.photo(7)
    answer = album.say("name", face=album.face(photo), name="Zoe")
    assert album.names() == {"Zoe": album.person(photo)}
    assert answer["faces"] == 1
    second = album.photo(7)
    assert album.person(second) == album.person(photo)
    album.undo()
    assert album.names() == {}
    assert album.person(photo) is None


@pytest.mark.parametrize("name", ["B", "B ", "b", " \u0411".replace("\u0411", "B"), "Ｂ"])
def test_a_name_that_somebody_has_is_refused_unless_asked_for(two: tuple[Album, UUID, UUID], name: str) -> None:
    """A rename never merges silently, and nobody gets lost by one (F6)."""
    album, ones, twos = two
    album.say("name", person=twos, name="B")
    before = hands(album)
    with pytest.raises(psycopg.Error, match="somebody called B already") as caught:
        album.say("name", person=ones, name=name)
    assert caught.value.sqlstate == "KZ001"
    assert "merge" in str(caught.value.diag.message_hint)
    assert hands(album) == before
    album.say("name", person=twos, name=name)  # to name somebody anew is no twin
    album.say("name", person=ones, name=name, anyway=True)
    assert len([one for one in album.people() if one["name"]]) == 2


@pytest.mark.parametrize("name", ["", "   ", "\u0007", "x" * 201])
def test_a_name_that_is_none(two: tuple[Album, UUID, UUID], name: str) -> None:
    album, ones, _ = two
    with pytest.raises(psycopg.Error, match="between 1 and 200"):
        album.say("name", person=ones, name=name)


def test_people_are_merged_counts_add_up_and_undo_restores(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, twos = two
    album.say("name", person=ones, name="Anna")
    before, counted = hands(album), sizes(album)
    answer = album.say("merge", from_=[ones], into=twos)
    assert answer["person"] == {
        "id": str(twos),
        "name": "Anna",
        "hidden": False,
        "contact": answer["person"]["contact"],
    }
    assert sizes(album) == {str(twos): sum(counted.values())}
    assert answer["faces"] == 3
    assert album.queue.call("person", as_user=album.user, id=ones)["id"] == str(twos), "an old id finds who it is now"
    album.check_means()
    album.group()
    assert sizes(album) == {str(twos): sum(counted.values())}
    album.undo(answer["id"])
    assert hands(album) == before
    assert album.names() == {"Anna": ones}
    album.check_means()


def test_a_merge_of_people_without_names_holds_too(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, twos = two
    album.say("merge", from_=[str(ones)], into=twos)
    album.reset()
    album.group()
    assert sizes(album) == {str(twos): 6}
    album.undo()
    album.group()
    assert sorted(sizes(album).values()) == [3, 3]


def test_a_merge_takes_two(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, _ = two
    for others in ([], [str(ones)]):
        with pytest.raises(psycopg.Error, match="at least two different"):
            album.say("merge", from_=others, into=ones)


def test_faces_are_split_off(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, _ = two
    photos = [one for one in album.truth if 1 in album.truth[one]]
    before = hands(album)
    answer = album.say("split", faces=[album.face(photos[0]), album.face(photos[1])])
    new = UUID(answer["person"]["id"])
    assert [album.person(one) for one in photos] == [new, new, ones]
    album.check_means()
    album.group([[row["id"] for row in album.faces() if album.who(row) == 1]])
    assert [album.person(one) for one in photos[:2]] == [new, new], "a machine does not put them back"
    album.undo()
    assert [hands(album)[one, 0] for one in photos[:2]] == [before[one, 0] for one in photos[:2]]


def test_a_face_is_somebody_and_no_machine_knows_better(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, twos = two
    photo = album.photo(3)
    album.say("assign", face=album.face(photo), person=ones)
    assert album.person(photo) == ones
    for repeat in (album.detect, lambda one: album.group()):
        repeat(photo)
        assert album.person(photo) == ones
    album.say("assign", face=album.face(photo), person=twos)
    assert album.person(photo) == twos
    album.undo()
    assert album.person(photo) == ones
    album.undo()
    assert album.person(photo) is None


def test_who_is_said_to_be_in_a_photo_is_there_once(two: tuple[Album, UUID, UUID]) -> None:
    """A machine's guess gives way; what the user says of both stays: mirrors exist."""
    album, ones, twos = two
    photo = next(iter(album.truth))
    album.say("assign", face=album.face(photo, 1), person=ones)
    assert (album.person(photo, 0), album.person(photo, 1)) == (None, ones)
    album.say("assign", face=album.face(photo, 0), person=ones)
    assert (album.person(photo, 0), album.person(photo, 1)) == (ones, ones)
    album.detect(photo, jitter=0.01)
    assert (album.person(photo, 0), album.person(photo, 1)) == (ones, ones)
    album.undo()
    album.undo()
    assert (album.person(photo, 0), album.person(photo, 1)) == (ones, twos)


def test_a_rejected_face_never_comes_back(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, _ = two
    photo = next(one for one in album.truth if album.truth[one] == [1] or album.truth[one] == (1,))
    album.say("reject", face=album.face(photo))
    assert album.person(photo) is None
    album.detect(photo, jitter=0.01)
    assert album.person(photo) is None
    album.group([[row["id"] for row in album.faces() if album.who(row) == 1]])
    assert album.person(photo) != ones
    album.reset()
    album.group()
    assert album.person(photo) != ones
    album.undo()
    assert album.person(photo) == ones


def test_the_later_word_wins(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, _ = two
    photo = next(iter(album.truth))
    album.say("reject", face=album.face(photo))
    album.say("assign", face=album.face(photo), person=ones)
    assert album.person(photo) == ones
    album.say("reject", face=album.face(photo), person=ones)
    assert album.person(photo) is None
    album.undo()
    assert album.person(photo) == ones


def test_hidden_people_are_listed_only_if_asked_for(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, twos = two
    album.say("hide", person=ones)
    assert [one["id"] for one in album.people(named=False)] == [str(twos)]
    assert {one["id"]: one["hidden"] for one in album.people(hidden=True)} == {str(ones): True, str(twos): False}
    album.reset()
    assert [one["hidden"] for one in album.people(ids=[str(ones)])] == [True]
    album.say("show", person=ones)
    assert len(album.people(hidden=False)) == 2 or album.group()
    album.undo()
    assert [one["hidden"] for one in album.people(ids=[str(ones)])] == [True]


def test_a_cover_stays_what_the_user_chose(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, _ = two
    photo = [one for one in album.truth if 1 in album.truth[one]][-1]
    album.queue.run("update face_embeddings set score = 0.1 where asset_id = %s", photo)
    assert album.people(ids=[str(ones)])[0]["cover"]["asset_id"] != str(photo)
    album.say("cover", face=album.face(photo))
    album.detect(photo, jitter=0.01)
    cover = album.people(ids=[str(ones)])[0]["cover"]
    assert (cover["asset_id"], cover["face_id"]) == (str(photo), str(album.face(photo)))
    album.queue.run("update face_embeddings set score = 0.1 where asset_id = %s", photo)
    album.undo()
    assert album.people(ids=[str(ones)])[0]["cover"]["asset_id"] != str(photo)


def test_two_who_are_apart_are_not_asked_about_again(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, twos = two
    reviews = [{"kind": "merge", "a": str(ones), "b": str(twos), "score": 0.5}]
    album.group(face_reviews=reviews)
    review = album.queue.call("people_review", as_user=album.user)
    assert [(one["a"]["id"], one["b"]["id"]) for one in review["pairs"]] == [(str(ones), str(twos))]
    album.say("apart", a=twos, b=ones)
    assert album.queue.call("people_review", as_user=album.user)["pairs"] == []
    assert album.queue.call("view_people", as_user=album.user)["apart"] == [sorted([str(ones), str(twos)])]
    album.group(face_reviews=reviews)
    assert album.queue.call("people_review", as_user=album.user)["pairs"] == []
    album.undo()
    album.group(face_reviews=reviews)
    assert len(album.queue.call("people_review", as_user=album.user)["pairs"]) == 1


def test_a_contact_is_linked_and_never_removed(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, twos = two
    album.queue.run("insert into contacts (user_id, name) values (%s, 'Anna Smith')", album.user)
    (known,) = album.queue.rows("select id from contacts where user_id = %s", album.user)
    album.say("contact", person=ones, contact=known["id"])
    album.say("contact", person=twos, contact=known["id"])
    assert contacts(album) == [{"name": "Anna Smith", "person": twos}]
    assert {one["id"]: one["contact"] for one in album.people()} == {str(ones): None, str(twos): str(known["id"])}
    album.undo()
    assert contacts(album) == [{"name": "Anna Smith", "person": ones}]
    album.undo()
    assert contacts(album) == [{"name": "Anna Smith", "person": None}]
    album.say("name", person=twos, name="anna  smith")
    assert contacts(album) == [{"name": "Anna Smith", "person": twos}]


def test_the_least_certain_faces_are_asked_about(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, _ = two
    album.say("name", person=ones, name="Anna")
    for _ in range(20):
        album.photo(1)
    faces = album.queue.call("people_review", as_user=album.user, limit=5)["faces"]
    assert len(faces) == 5
    assert {one["person"]["name"] for one in faces} == {"Anna"}
    certain = [one["certainty"] for one in faces]
    assert certain == sorted(certain)


def test_the_log_is_read_page_by_page_and_never_changed(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, _ = two
    for name in ("A", "B", "C"):
        album.say("name", person=ones, name=name)
    album.undo()
    page = album.queue.call("corrections", as_user=album.user, limit=3)
    assert [one["kind"] for one in page["corrections"]] == ["undo", "name", "name"]
    assert [one["undone"] for one in page["corrections"]] == [False, True, False]
    assert page["corrections"][1]["subject"]["name"] == "C"
    rest = album.queue.call("corrections", as_user=album.user, limit=3, after=page["next"])
    assert [one["subject"]["name"] for one in rest["corrections"]] == ["A"]
    assert rest["next"] is None
    with pytest.raises(psycopg.errors.InsufficientPrivilege), album.queue.database.transaction() as connection:
        connection.execute("update corrections set kind = 'name'")


def test_undoing_goes_back_step_by_step_and_ends(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, twos = two
    before = hands(album)
    first = album.say("name", person=ones, name="A")
    album.say("merge", from_=[twos], into=ones)
    album.say("hide", person=ones)
    for kind in ("hide", "merge", "name"):
        assert album.undo()["kind"] == kind
    assert hands(album) == before
    assert album.names() == {}
    for nothing in (None, first["id"]):
        with pytest.raises(psycopg.Error, match="nothing to undo"):
            album.undo(nothing)


def test_undoing_makes_no_two_of_one_name(two: tuple[Album, UUID, UUID]) -> None:
    album, ones, twos = two
    album.say("name", person=ones, name="Anna")
    rename = album.say("name", person=ones, name="Hanna")
    album.say("name", person=twos, name="Anna")
    with pytest.raises(psycopg.Error, match="two people would have one name"):
        album.undo(rename["id"])
    assert album.names() == {"Hanna": ones, "Anna": twos}


def test_there_is_no_such_correction(album: Album) -> None:
    with pytest.raises(psycopg.Error, match="no correction"):
        album.say("praise", person=album.user)
    with pytest.raises(psycopg.Error, match="no such face"):
        album.say("split", faces=[str(album.user)])
    photo = album.photo(1)
    album.say("name", face=album.face(photo), name="x")
    with pytest.raises(psycopg.Error, match="no such contact"):
        album.say("contact", person=album.person(photo), contact=album.user)
