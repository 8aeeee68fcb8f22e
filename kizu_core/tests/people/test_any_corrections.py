"""Whatever a user says, in whatever order, between detections, groupings and resets: it holds and can be undone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizu_support.album import Album
from kizu_support.postgres import KizuDatabase
from kizu_support.queue import Queue, Row

Place = tuple[UUID, int]
NUMBERS = st.tuples(st.integers(0, 99), st.integers(0, 99))
MACHINE, USER = ("photo", "detect", "group", "guess", "reset"), ("name", "merge", "split", "assign", "reject", "undo")
STEPS = st.lists(st.tuples(st.sampled_from(MACHINE + USER * 2), NUMBERS), min_size=4, max_size=14)
PEOPLE = [(0, 1), (1, 0), (0,), (1, 2), (2, 0, 1)]


@dataclass(frozen=True)
class Said:
    """What must be true: names by person, whose a face is, and whose it is not."""

    names: dict[UUID, str] = field(default_factory=dict)
    is_: dict[Place, UUID] = field(default_factory=dict)
    is_not: frozenset[tuple[Place, UUID]] = frozenset()


class Story:
    """Does steps and knows what must follow from them. A step that has nothing to work on does nothing."""

    def __init__(self, album: Album) -> None:
        self.album = album
        self.said = Said()
        self._before: list[Said] = []
        self._names = 0
        album.photos(*PEOPLE)
        album.group()

    def step(self, name: str, one: int, other: int) -> None:
        faces = self.album.faces()
        getattr(self, f"_{name}")(faces[one % len(faces)], faces[other % len(faces)], faces)

    def check(self) -> None:
        faces = self.album.faces()
        found = {place(row): row["cluster_id"] for row in faces}
        assert {one: name for name, one in self.album.names().items()} == self.said.names
        assert {one: found[one] for one in self.said.is_} == self.said.is_
        assert [one for one in self.said.is_not if found[one[0]] == one[1]] == []
        taken: dict[tuple[UUID, UUID], Place] = {}
        for one, person in found.items():
            twin = taken.setdefault((one[0], person), one) if person else one
            assert twin == one or {twin, one} <= set(self.said.is_), "twice in a photo, by a machine"
        self.album.check_means()

    # ---- what machines do

    def _photo(self, one: Row, other: Row, faces: list[Row]) -> None:
        self.album.photo(*PEOPLE[one["face_index"]])

    def _detect(self, one: Row, other: Row, faces: list[Row]) -> None:
        self.album.detect(one["asset_id"], jitter=0.01)

    def _group(self, one: Row, other: Row, faces: list[Row]) -> None:
        self.album.group()

    def _guess(self, one: Row, other: Row, faces: list[Row]) -> None:
        """A grouping that knows nothing and respects nothing."""
        cut = faces.index(one)
        self.album.group(
            [part for part in ([row["id"] for row in faces[:cut]], [row["id"] for row in faces[cut:]]) if part]
        )

    def _reset(self, one: Row, other: Row, faces: list[Row]) -> None:
        self.album.reset()

    # ---- what the user says

    def _now(self, said: Said) -> None:
        self._before.append(self.said)
        self.said = said

    def _name(self, one: Row, other: Row, faces: list[Row]) -> None:
        self._names += 1
        name = f"Name {self._names}"
        answer = self.album.say("name", face=one["id"], name=name)
        person = UUID(answer["person"]["id"])
        self._now(self._is(self.said, [place(one)], person, names={**self.said.names, person: name}))

    def _split(self, one: Row, other: Row, faces: list[Row]) -> None:
        chosen = list({str(row["id"]) for row in (one, other)})
        person = UUID(self.album.say("split", faces=chosen)["person"]["id"])
        self._now(self._is(self.said, [place(one), place(other)], person))

    def _assign(self, one: Row, other: Row, faces: list[Row]) -> None:
        if other["cluster_id"]:
            self.album.say("assign", face=one["id"], person=other["cluster_id"])
            self._now(self._is(self.said, [place(one)], other["cluster_id"]))

    def _reject(self, one: Row, other: Row, faces: list[Row]) -> None:
        person = one["cluster_id"]
        if person:
            self.album.say("reject", face=one["id"])
            still = {at: who for at, who in self.said.is_.items() if (at, who) != (place(one), person)}
            self._now(replace(self.said, is_=still, is_not=self.said.is_not | {(place(one), person)}))

    def _merge(self, one: Row, other: Row, faces: list[Row]) -> None:
        gone, stays = one["cluster_id"], other["cluster_id"]
        if not gone or not stays or gone == stays:
            return
        self.album.say("merge", from_=[gone], into=stays)
        shared = {row["asset_id"] for row in faces if row["cluster_id"] == gone}
        own = [row for row in faces if row["cluster_id"] == stays]
        meant = [place(row) for row in faces if row["cluster_id"] == gone]
        meant += [place(row) for row in own if row["asset_id"] in shared or (place(row), gone) in self.said.is_not]
        names = {
            stays if one == gone and stays not in self.said.names else one: name
            for one, name in self.said.names.items()
        }
        said = Said(
            {one: name for one, name in names.items() if one != gone},
            {at: stays if who == gone else who for at, who in self.said.is_.items()},
            frozenset((at, stays if who == gone else who) for at, who in self.said.is_not),
        )
        self._now(self._is(said, meant, stays))

    def _undo(self, one: Row, other: Row, faces: list[Row]) -> None:
        if self._before:
            self.album.undo()
            self.said = self._before.pop()

    def _is(self, said: Said, places: list[Place], person: UUID, names: dict[UUID, str] | None = None) -> Said:
        is_not = frozenset(one for one in said.is_not if not (one[0] in places and one[1] == person))
        return Said(said.names if names is None else names, said.is_ | dict.fromkeys(places, person), is_not)


def place(row: Row) -> Place:
    return row["asset_id"], row["face_index"]


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_what_was_said_holds(shared_database: KizuDatabase, steps: list[tuple[str, tuple[int, int]]]) -> None:
    queue = Queue(shared_database)
    story = Story(Album(queue, queue.user(f"story {uuid4()}")))
    for name, (one, other) in steps:
        story.step(name, one, other)
        story.check()
    before = {place(row): row["cluster_id"] for row in story.album.faces()}
    people = story.album.people(hidden=True)
    queue.rows("select kizu.replay_people(%s)", story.album.user)
    assert {place(row): row["cluster_id"] for row in story.album.faces()} == before, "replaying changes nothing"
    assert story.album.people(hidden=True) == people
