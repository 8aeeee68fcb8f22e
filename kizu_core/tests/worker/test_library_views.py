"""What a handler sees of its user's library: all of that, nothing of another's, whatever it asks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizu_core.database import OpenDatabase
from kizu_core.errors import DatabaseError, KizuError, WorkerError, from_dict
from kizu_core.worker import answering, frames
from kizu_core.worker.asking import AskedLibrary
from kizu_core.worker.messages import Answer, Ask, from_wire, to_wire
from kizu_support.bench import Bench

SPACE = "arc"


class Filled:
    """A user with some photos, each with as many faces as asked for."""

    def __init__(self, bench: Bench, name: str) -> None:
        self.bench = bench
        self.user = bench.database.worker.ensure_user(name)

    def photo(self, faces: int = 0, **columns: Any) -> UUID:
        asset = uuid4()
        self.insert("assets", id=asset, sha256=asset.hex, **columns)
        for _ in range(faces):
            self.face(asset)
        return asset

    def face(self, asset: UUID, person: UUID | None = None, **columns: Any) -> UUID:
        face = uuid4()
        vector = np.random.default_rng(face.int % 2**32).normal(size=8)
        fixed = {"embedding": str((vector / np.linalg.norm(vector)).tolist()), "space": SPACE, **columns}
        self.insert("face_embeddings", id=face, asset_id=asset, cluster_id=person, **fixed)
        return face

    def person(self, name: str | None = None, **columns: Any) -> UUID:
        person = uuid4()
        self.insert("face_clusters", id=person, name=name, **columns)
        return person

    def insert(self, table: str, **columns: Any) -> None:
        columns = {"user_id": self.user, **columns}
        marks = ", ".join(["%s"] * len(columns))
        statement = f"insert into {table} ({', '.join(columns)}) values ({marks}) returning user_id"
        self.bench.query(statement, *columns.values())

    @property
    def library(self) -> AskedLibrary:
        """As a child sees it, every question and answer through the form of a frame."""
        return AskedLibrary(lambda what, arguments: asked(self.bench.database, self.user, what, arguments))


def asked(database: OpenDatabase, user: UUID, what: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    question = through_a_frame(Ask(question=1, job_id=UUID(int=1), what=what, arguments=arguments))
    try:
        reply = Answer(question=1, value=answering.answer(database, user, question.what, question.arguments))
    except KizuError as error:
        reply = Answer(question=1, error=error.as_dict())
    said = through_a_frame(reply)
    if said.error is not None:
        raise from_dict(dict(said.error))
    return said.value or {}


def through_a_frame(message: Any) -> Any:
    return from_wire(frames.decode(frames.encode(to_wire(message))[frames.HEADER.size :]))


@pytest.fixture
def me(bench: Bench) -> Filled:
    return Filled(bench, "me")


@pytest.fixture
def other(bench: Bench) -> Filled:
    other = Filled(bench, "bob")
    asset = other.photo(place_name="Bob's garden")
    other.face(asset, other.person("Bob's friend"))
    return other


def test_photos_with_when_where_and_who(me: Filled, other: Filled) -> None:
    ann, hidden, nobody = me.person("Ann"), me.person("Her", hidden=True), me.person()
    contact = uuid4()
    me.insert("contacts", id=contact, name="Carl")
    carl = me.person(contact_id=contact)
    photo = me.photo(
        taken_local=datetime(2024, 7, 13, 9, 30),  # noqa: DTZ001 - local
        taken_source="ExifIFD:DateTimeOriginal",
        latitude=20.7,
        longitude=-156.2,
        place_name="The rim",
        city="Pukalani",
        state="Hawaii",
        country="United States",
    )
    for person in (ann, ann, hidden, nobody, carl, None):
        me.face(photo, person)
    for label in ("dog", "dog", "surfboard"):
        me.insert("detected_objects", asset_id=photo, label=label)
    (seen,) = me.library.photos()
    assert (seen.asset_id, seen.taken, seen.trusted) == (photo, datetime(2024, 7, 13, 9, 30), True)  # noqa: DTZ001
    assert (seen.latitude, seen.longitude, seen.county) == (20.7, -156.2, None)
    assert (seen.place, seen.city, seen.state, seen.country) == ("The rim", "Pukalani", "Hawaii", "United States")
    assert (seen.people, seen.labels, seen.kind) == (("Ann", "Carl"), ("dog", "surfboard"), "image")


def test_photos_leave_out_the_hidden_and_the_gone_and_positions_that_say_nothing(me: Filled) -> None:
    me.photo(hidden=True)
    me.photo(missing_since=datetime(2024, 1, 1))  # noqa: DTZ001
    kept = me.photo(latitude=0, longitude=0, media_kind="video", taken_local="0044-03-15 BC")
    (seen,) = me.library.photos()
    assert (seen.asset_id, seen.latitude, seen.kind) == (kept, None, "video")
    assert (seen.taken, seen.trusted) == (None, False)


def test_a_date_that_a_program_wrote_is_not_trusted(me: Filled) -> None:
    me.photo(taken_local=datetime(2024, 1, 1), taken_source="IFD0:ModifyDate")  # noqa: DTZ001
    assert [one.trusted for one in me.library.photos()] == [False]


def test_faces_page_by_page(me: Filled, other: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = me.person("Ann")
    photos = [me.photo(faces=2), me.photo(faces=3, hidden=True)]
    me.face(photos[0], space="another", created_at=datetime(2020, 1, 1))  # noqa: DTZ001
    sure = me.face(photos[0], ann, score=0.9, usable=False)
    view = me.bench.database.api.view_faces
    monkeypatch.setattr(
        me.bench.database.api,
        "view_faces",
        lambda user, space, after: me.bench.database.api._view(user, "faces", space=space, after=after, limit=2),
    )
    table = me.library.faces()
    monkeypatch.setattr(me.bench.database.api, "view_faces", view)
    assert (table.space, len(table.ids), table.vectors.shape) == (SPACE, 6, (6, 8))
    assert table.vectors.dtype == np.float32
    assert sorted(np.bincount(table.assets)) == [3, 3]
    assert np.allclose(np.linalg.norm(table.vectors, axis=1), 1, atol=1e-6)
    position = table.ids.index(sure)
    assert (table.persons[position], bool(table.usable[position])) == (ann, False)
    assert table.scores[position] == pytest.approx(0.9)
    assert table.persons.count(None) == 5
    assert not table.fixed.any()
    whole = me.library.faces()
    assert whole.ids == table.ids
    assert np.array_equal(whole.vectors, table.vectors)


def test_faces_hold_the_vectors_that_are_stored(me: Filled) -> None:
    photo = me.photo()
    me.face(photo, embedding="[0,0.6,-0.8]")
    assert np.allclose(me.library.faces().vectors, [[0, 0.6, -0.8]], atol=1e-3)


def test_more_moments_than_a_page_holds(me: Filled, other: Filled) -> None:
    for number in range(1001):
        me.insert("moments", strategy="trips", title=f"Moment {number}", grouping_type="trips")
    other.insert("moments", strategy="trips", title="Bob's", grouping_type="trips")
    known = me.library.moments()
    titles = [moment["title"] for moment in known["existing"]]
    assert sorted(titles) == sorted(f"Moment {number}" for number in range(1001))
    assert {"now", "settings", "blocked", "history"} <= known.keys()


def test_no_faces_and_no_photos(me: Filled, other: Filled) -> None:
    table = me.library.faces()
    assert (list(table.ids), table.vectors.shape, table.space) == ([], (0, 0), "")
    assert me.library.photos() == []


def test_vectors_of_different_lengths_are_an_error(me: Filled) -> None:
    photo = me.photo()
    for vector in ("[1,0]", "[1,0,0]"):
        me.face(photo, embedding=vector)
    with pytest.raises(DatabaseError, match="different lengths"):
        me.library.faces()


def test_vectors_and_facts_of_own_photos_only(me: Filled, other: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kizu_core.worker.asking.AT_ONCE", 2)
    photos = [me.photo(width=40, height=30, file_name=f"{n}.jpg", bytes=n) for n in range(5)]
    theirs = other.photo()
    for owner, asset in [*((me, one) for one in photos[:4]), (other, theirs)]:
        owner.insert("image_embeddings", asset_id=asset, embedding="[0.6,0.8]", space="clip")
    me.insert("detected_objects", asset_id=photos[0], label="dog", score=0.5)
    me.insert("detected_objects", asset_id=photos[0], label="dog", score=0.75)
    me.insert("extracted_text", asset_id=photos[0], text="welcome")
    me.face(photos[0], score=0.9, sharpness=12.5)
    wanted = [*photos, theirs, uuid4(), photos[0]]
    vectors, facts = me.library.vectors(wanted), me.library.facts(wanted)
    assert set(vectors) == set(photos[:4])
    assert np.allclose(vectors[photos[0]], [0.6, 0.8], atol=1e-3)
    assert set(facts) == set(photos)
    first = facts[photos[0]]
    assert (first["width"], first["height"], first["file_name"], first["bytes"]) == (40, 30, "0.jpg", 0)
    assert (first["labels"], first["text_length"], first["faces"], first["sharpness"]) == ({"dog": 0.75}, 7, 1, 12.5)
    assert (facts[photos[1]]["labels"], facts[photos[1]]["faces"], facts[photos[1]]["taken"]) == (None, None, None)


def test_an_asset_of_another_user_is_none(me: Filled, other: Filled) -> None:
    mine, theirs = me.photo(), other.photo()
    assert me.library.asset(mine)["id"] == str(mine)
    assert me.library.asset(theirs) == {}


anything = st.none() | st.integers() | st.text(max_size=10) | st.uuids() | st.lists(st.uuids(), max_size=3)
views = st.sampled_from(["asset", "names", "photos", "faces", "vectors", "facts", "people", "moments"])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    views | st.text(max_size=8),
    st.dictionaries(
        st.sampled_from(["asset_id", "asset_ids", "after", "user", "user_id", "p_user", "limit"]), anything, max_size=3
    ),
)
def test_whatever_is_asked_nothing_of_another_user_is_shown(
    me: Filled, other: Filled, what: str, arguments: dict[str, Any]
) -> None:
    if "user" in " ".join(arguments):
        arguments = {name: other.user if "user" in name else value for name, value in arguments.items()}
    try:
        shown = asked(me.bench.database, me.user, what, arguments)
    except (WorkerError, DatabaseError):
        return
    assert str(other.user) not in str(shown)
    assert "Bob" not in str(shown)


@pytest.mark.parametrize(
    ("what", "arguments"),
    [
        ("users", {}),
        ("", {}),
        ("__class__", {}),
        ("names", {"user": str(UUID(int=1))}),
        ("asset", {}),
        ("asset", {"asset_id": "1' or true"}),
        ("facts", {"asset_ids": [UUID(int=1)] * (answering.MOST_ASSETS + 1)}),
        ("facts", {"asset_ids": "all"}),
        ("faces", {"after": [UUID(int=1)]}),
        ("photos", {"after": None, "limit": 10**9}),
    ],
)
def test_what_is_no_question_is_refused(me: Filled, what: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(WorkerError, match="A handler asked for"):
        asked(me.bench.database, me.user, what, arguments)


def test_a_handler_in_a_child_sees_its_users_library(bench: Bench, me: Filled, other: Filled) -> None:
    me.photo(faces=2, width=77)
    (job,) = bench.enqueue({"do": "view"})
    bench.drain()
    row = bench.row(job)
    assert row["status"] == "completed"
    assert row["result"]["seen"] == {"photos": 1, "faces": 2, "vectors": 0, "widths": [77], "wrong": "WorkerError"}


def test_an_answer_that_is_too_large_is_an_error_and_no_wait(
    bench: Bench, me: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kizu_core.worker.frames.MAX_BYTES", 4096)
    for _ in range(40):
        me.photo()
    (job,) = bench.enqueue({"do": "view"})
    bench.drain()
    assert "too large" in str(bench.row(job)["errors"])
