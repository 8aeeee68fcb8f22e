"""What the user said holds, whatever a clusterer finds; and who was known stays who he is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizu_core.errors import ModelFailed
from kizu_core.people.leader import LeaderClusterer
from kizu_core.people.means import Vectors, unit
from kizu_core.people.service import ClusteringService, Grouping
from kizu_core.testing.library import GivenLibrary, face_table
from kizu_core.types import FaceTable
from kizu_support.faces import b_cubed, made_faces

Clusterer = Callable[[Vectors, Sequence[int]], Any]


class Saying:
    """A clusterer that says the same whatever it is shown; remembers what it was shown."""

    def __init__(self, says: Clusterer) -> None:
        self._says = says
        self.shown = 0

    def cluster(self, vectors: Vectors, photos: Sequence[int]) -> Any:
        self.shown = len(vectors)
        return self._says(vectors, photos)

    def close(self) -> None:
        """Nothing to do."""


ALL_ONE = Saying(lambda vectors, photos: [0] * len(vectors))
ALL_ALONE = Saying(lambda vectors, photos: [None] * len(vectors))
LEADER = LeaderClusterer()
ANNA, BEN, CARL = (UUID(int=10**9 + number) for number in range(3))


def face(number: int) -> UUID:
    return UUID(int=number + 1)


def drawn(*counts: int, likeness: float = 0.0, seed: int = 1) -> Vectors:
    """Faces of so many people, each with so many, one after the other; all centres are so similar to each other."""
    noise = np.random.default_rng(seed)
    common = unit(noise.standard_normal((1, 512), np.float32))
    own = unit(noise.standard_normal((len(counts), 512), np.float32))
    centres = np.sqrt(likeness) * common + np.sqrt(1 - likeness) * own
    people = np.repeat(np.arange(len(counts)), counts)
    return unit(centres[people] + 0.6 * unit(noise.standard_normal((len(people), 512), np.float32)))


def table_of(vectors: Vectors, photos: Sequence[int] | None = None, **more: Any) -> FaceTable:
    """Each face in a photo of its own unless said otherwise. `persons`: row -> person."""
    persons = {face(row): person for row, person in dict(more.pop("persons", {})).items()}
    photos = range(len(vectors)) if photos is None else photos
    return face_table([face(row) for row in range(len(vectors))], list(photos), [*vectors], persons=persons, **more)


def grouped(clusterer: Any, table: FaceTable, **said: Any) -> Grouping:
    return ClusteringService(clusterer).group(table, GivenLibrary(said=said).people())


def rows_of(grouping: Grouping) -> dict[UUID, list[int]]:
    return {person: sorted(rows) for person, rows in grouping.persons.items()}


def of(person: UUID, *rows: int) -> dict[int, UUID]:
    return dict.fromkeys(rows, person)


# ---- ids -------------------------------------------------------------------------------------------------


def test_whoever_was_found_stays_when_faces_are_grouped_anew() -> None:
    made = made_faces(800, 1)
    first = grouped(LEADER, table_of(made.vectors, made.photos.tolist()))
    persons = {row: person for person, rows in first.persons.items() for row in rows}
    again = grouped(LEADER, table_of(made.vectors, made.photos.tolist(), persons=persons))
    assert rows_of(again) == rows_of(first)


def test_the_same_faces_give_the_same_new_ids_and_others_others() -> None:
    vectors = drawn(5, 5)
    assert rows_of(grouped(LEADER, table_of(vectors))) == rows_of(grouped(LEADER, table_of(vectors)))
    assert len(rows_of(grouped(LEADER, table_of(vectors)))) == 2


def test_an_id_goes_with_most_of_its_faces() -> None:
    vectors = drawn(6, 4)
    old = of(ANNA, *range(10))
    found = rows_of(grouped(LEADER, table_of(vectors, persons=old)))
    assert found[ANNA] == [0, 1, 2, 3, 4, 5]
    assert len(found) == 2


def test_a_person_who_has_no_faces_left_gives_the_id_to_nobody() -> None:
    found = rows_of(grouped(LEADER, table_of(drawn(6), persons=of(ANNA, 0, 1, 2, 3) | of(BEN, 4, 5))))
    assert found == {ANNA: [0, 1, 2, 3, 4, 5]}


def test_faces_that_come_one_at_a_time_are_one_person() -> None:
    """Grouped anew after each: nobody stays alone because the others came before, and the person stays the same."""
    vectors, persons = drawn(20, seed=4), dict[int, UUID]()
    seen: set[UUID] = set()
    for count in range(1, 21):
        found = rows_of(grouped(LEADER, table_of(vectors[:count], persons=persons)))
        persons = {row: person for person, rows in found.items() for row in rows}
        seen |= set(found)
    assert len(seen) == 1
    assert len(persons) >= 18


# ---- names -----------------------------------------------------------------------------------------------


def test_two_with_names_are_never_joined_by_a_clusterer() -> None:
    table = table_of(drawn(6, 6, likeness=0.5), persons=of(ANNA, *range(6)) | of(BEN, *range(6, 12)))
    found = rows_of(grouped(ALL_ONE, table, named=[ANNA, BEN]))
    assert found == {ANNA: [*range(6)], BEN: [*range(6, 12)]}


def test_who_has_a_name_keeps_the_faces_that_a_clusterer_leaves_alone() -> None:
    table = table_of(drawn(6, 4), persons=of(ANNA, *range(6)) | of(BEN, *range(6, 10)))
    assert rows_of(grouped(ALL_ALONE, table, named=[ANNA])) == {ANNA: [*range(6)]}


def test_who_has_a_name_keeps_it_when_a_clusterer_tears_the_faces_apart() -> None:
    halves = Saying(lambda vectors, photos: [row % 2 for row in range(len(vectors))])
    table = table_of(drawn(8), persons=of(ANNA, *range(8)))
    assert rows_of(grouped(halves, table, named=[ANNA])) == {ANNA: [*range(8)]}
    assert len(rows_of(grouped(halves, table))) == 2, "nobody said anything of that person"


def test_new_faces_join_who_has_a_name() -> None:
    table = table_of(drawn(12), persons=of(ANNA, 0, 1, 2))
    assert rows_of(grouped(LEADER, table, named=[ANNA])) == {ANNA: [*range(12)]}


def test_a_sibling_of_whom_some_faces_were_matched_to_somebody_becomes_a_person() -> None:
    """Until now nobody knew the sibling: more than half of the faces are taken for Anna's."""
    table = table_of(drawn(30, 10, likeness=0.45), persons=of(ANNA, *range(30)) | of(ANNA, *range(30, 36)))
    found = rows_of(grouped(LEADER, table, named=[ANNA]))
    assert len(found) == 2
    assert len(set(found[ANNA]) & set(range(30))) >= 29
    assert len(set(found[ANNA]) & set(range(30, 40))) <= 1


def test_a_single_named_face_names_the_group() -> None:
    table = table_of(drawn(9), persons=of(ANNA, 4), fixed=[face(4)])
    assert rows_of(grouped(LEADER, table, named=[ANNA], fixed=[[face(4), ANNA]])) == {ANNA: [*range(9)]}


def test_a_name_extends_to_a_larger_group_that_turns_out_to_be_the_same_person() -> None:
    table = table_of(drawn(30), persons=of(ANNA, *range(8)) | of(BEN, *range(8, 25)))
    assert rows_of(grouped(LEADER, table, named=[ANNA])) == {ANNA: [*range(30)]}
    together = table_of(drawn(30), [*range(22), *range(8)], persons=of(ANNA, *range(8)) | of(BEN, *range(8, 30)))
    assert set(rows_of(grouped(ALL_ONE, together, named=[ANNA]))) == {ANNA, BEN}, "they are in photos together"


# ---- pins, rejections ------------------------------------------------------------------------------------


def test_a_face_that_was_assigned_leaves_its_group_and_takes_nobody_along() -> None:
    table = table_of(drawn(8, 8), persons=of(ANNA, *range(8), 15) | of(BEN, *range(8, 15)))
    found = rows_of(grouped(LEADER, table, named=[ANNA], fixed=[[face(15), ANNA]]))
    assert found == {ANNA: [*range(8), 15], BEN: [*range(8, 15)]}


def test_what_was_merged_by_hand_stays_merged() -> None:
    """A child and the same person grown up look like two people to any model."""
    table = table_of(drawn(8, 8), persons=of(ANNA, *range(16)))
    pins = [[face(row), ANNA] for row in (0, 1, 2, 8, 9, 10)]
    assert rows_of(grouped(LEADER, table, named=[ANNA], fixed=pins)) == {ANNA: [*range(16)]}


def test_faces_split_off_by_hand_take_nobody_along() -> None:
    table = table_of(drawn(12), persons=of(ANNA, 0, 1) | of(BEN, *range(2, 12)))
    found = rows_of(grouped(LEADER, table, fixed=[[face(0), ANNA], [face(1), ANNA]]))
    assert {0, 1} <= set(found[ANNA])
    assert len(found[BEN]) >= 8


def test_what_was_split_by_hand_stays_split() -> None:
    table = table_of(drawn(10, 10, likeness=0.6), persons=of(ANNA, *range(10)) | of(BEN, *range(10, 20)))
    pins = [[face(row), BEN] for row in range(10, 20)] + [[face(row), ANNA] for row in range(10)]
    assert rows_of(grouped(ALL_ONE, table, named=[ANNA, BEN], fixed=pins)) == {
        ANNA: [*range(10)],
        BEN: [*range(10, 20)],
    }


def test_a_face_is_never_given_back_to_whom_it_is_not() -> None:
    table = table_of(drawn(8), persons=of(ANNA, *range(7)))
    for clusterer in (LEADER, ALL_ONE):
        found = rows_of(grouped(clusterer, table, named=[ANNA], rejected=[[face(7), ANNA], [face(0), ANNA]]))
        assert found == {ANNA: [*range(1, 7)]}


def test_what_was_said_of_faces_and_people_that_are_gone_does_no_harm() -> None:
    gone = UUID(int=7)
    table = table_of(drawn(4))
    said = {
        "rejected": [[gone, ANNA]],
        "fixed": [[gone, BEN]],
        "apart": [[ANNA, CARL]],
        "named": [CARL],
        "hidden": [gone],
    }
    assert [len(rows) for rows in grouped(LEADER, table, **said).persons.values()] == [4]


# ---- photos ----------------------------------------------------------------------------------------------


def test_nobody_is_in_a_photo_twice_whatever_a_clusterer_says() -> None:
    vectors = drawn(5, 5, likeness=0.3)
    found = rows_of(grouped(ALL_ONE, table_of(vectors, [0, 1, 2, 3, 4] * 2)))
    assert [len(rows) for rows in found.values()] == [5]


def test_in_a_mirror_one_person_is_there_twice_if_the_user_says_so() -> None:
    table = table_of(drawn(6), [0, 0, 1, 2, 3, 4], persons=of(ANNA, *range(6)))
    found = grouped(LEADER, table, named=[ANNA], fixed=[[face(0), ANNA], [face(1), ANNA]])
    assert rows_of(found) == {ANNA: [*range(6)]}


def test_faces_that_are_not_good_enough_are_nobodys_unless_the_user_says_so() -> None:
    usable = [True] * 6 + [False] * 2
    table = table_of(drawn(8), usable=usable, persons=of(ANNA, *range(8)))
    clusterer = Saying(lambda vectors, photos: [0] * len(vectors))
    found = rows_of(grouped(clusterer, table, named=[ANNA], fixed=[[face(7), ANNA]]))
    assert clusterer.shown == 6
    assert found == {ANNA: [*range(6), 7]}


# ---- reviews ---------------------------------------------------------------------------------------------


def test_siblings_are_parted_or_asked_about() -> None:
    """Ten times as many faces of one as of the other, and some photos with both."""
    vectors = drawn(100, 10, likeness=0.5)
    grouping = grouped(LEADER, table_of(vectors, [*range(100), *range(95, 105)]))
    people = [0] * 100 + [1] * 10
    groups = {row: number for number, rows in enumerate(grouping.persons.values()) for row in rows}
    assert b_cubed(people, [groups.get(row) for row in range(110)]) > 0.95


@pytest.mark.parametrize(("photos", "kind"), [([*range(20)], "merge"), ([*range(10), *range(5, 15)], "twins")])
def test_people_who_look_alike_are_asked_about(photos: list[int], kind: str) -> None:
    table = table_of(drawn(10, 10, likeness=0.55), photos, persons=of(ANNA, *range(10)) | of(BEN, *range(10, 20)))
    two = Saying(lambda vectors, photos: [0] * 10 + [1] * 10)
    (review,) = grouped(two, table).reviews
    assert (review.kind, {review.a, review.b}) == (kind, {ANNA, BEN})
    assert 0.5 < review.score < 0.8
    (named,) = grouped(two, table, named=[ANNA]).reviews
    assert named.kind == kind
    assert grouped(two, table, named=[ANNA, BEN]).reviews == []
    assert grouped(two, table, apart=[[BEN, ANNA]]).reviews == []
    assert grouped(two, table, hidden=[BEN]).reviews == []


# ---- clusterers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [[0], [0.5] * 4, ["a"] * 4, [None] * 5])
def test_a_clusterer_that_gives_something_else_has_failed(wrong: list[Any]) -> None:
    with pytest.raises(ModelFailed):
        grouped(Saying(lambda vectors, photos: wrong), table_of(drawn(4)))


def test_no_faces_are_no_people() -> None:
    assert grouped(LEADER, table_of(np.empty((0, 512), np.float32)), named=[ANNA]).persons == {}


@pytest.mark.parametrize("count", [119, 121])
def test_a_job_never_waits_for_more_faces(count: int) -> None:
    assert len(grouped(LEADER, table_of(drawn(*[7] * (count // 7)))).persons) == 17


@st.composite
def libraries(draw: st.DrawFn) -> tuple[FaceTable, Mapping[str, Any], list[int | None]]:
    """Any few faces, what was said of them, and what a clusterer says."""
    count = draw(st.integers(1, 14))
    rows, person = st.integers(0, count - 1), st.sampled_from([ANNA, BEN, CARL])
    each: Any = {"min_size": count, "max_size": count}
    vectors = drawn(*[1] * count, seed=draw(st.integers(0, 9)))
    pairs = st.lists(st.tuples(rows.map(face), person), max_size=4, unique_by=lambda pair: pair[0]).map(
        lambda p: [*map(list, p)]
    )
    table = table_of(
        vectors,
        draw(st.lists(st.integers(0, 6), **each)),
        usable=draw(st.lists(st.booleans(), **each)),
        persons=draw(st.dictionaries(rows, person)),
    )
    people = st.lists(person, unique=True)
    said = {"named": draw(people), "hidden": draw(people), "rejected": draw(pairs), "fixed": draw(pairs)}
    said["apart"] = draw(st.lists(st.lists(person, min_size=2, max_size=2, unique=True), max_size=2))
    says = draw(st.lists(st.none() | st.integers(0, 3), **each))
    return table, said, [one for one, usable in zip(says, table.usable, strict=True) if usable]


@settings(max_examples=150, deadline=None)
@given(libraries())
def test_whatever_was_said_holds(library: tuple[FaceTable, Mapping[str, Any], list[int | None]]) -> None:
    table, said, says = library
    persons = rows_of(grouped(Saying(lambda vectors, photos: says), table, **said))
    whose = {row: person for person, rows in persons.items() for row in rows}
    assert len(whose) == sum(map(len, persons.values())), "a face is one person's"
    pinned = {UUID(str(one)).int - 1: person for one, person in said["fixed"]}
    assert {row: whose.get(row) for row in pinned} == pinned
    for one, person in said["rejected"]:
        assert whose.get(one.int - 1) != person or pinned.get(one.int - 1) == person
    free = [(person, int(table.assets[row])) for row, person in whose.items() if row not in pinned]
    assert len(set(free)) == len(free), "nobody is in a photo twice"
    assert not set(free) & {(person, int(table.assets[row])) for row, person in pinned.items()}
    assert all(table.usable[row] for row in set(whose) - set(pinned))
    kept = {*said["named"], *said["hidden"], *pinned.values(), *(one for pair in said["apart"] for one in pair)}
    assert all(
        len(rows) > 1 for person, rows in persons.items() if person not in kept | {p for _, p in said["rejected"]}
    )
