"""20 names and 30 corrections survive whatever happens to a library: none is violated, and nothing differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from kizu_core.database.backup import back_up
from kizu_core.database.restore import restore
from kizu_support.album import OTHER_SPACE, SPACE, Album
from kizu_support.embedded import settings_for
from kizu_support.postgres import KizuDatabase, Postgres
from kizu_support.queue import Queue

Place = tuple[str, int]
"""A face, by content of the photo and number in it: what stays the same whatever ids it gets."""

MERGED, SPLIT, ASSIGNED, REJECTED, HIDDEN, COVERED, APART = 5, 4, 5, 5, 3, 3, 2
PHOTOS = 3


@dataclass
class Library:
    """An album with all that its user said."""

    album: Album
    names: dict[str, UUID]
    said_is: dict[Place, UUID]
    said_is_not: dict[Place, UUID]
    hidden: set[UUID]
    covers: dict[UUID, Place]
    apart: set[tuple[UUID, UUID]]
    dates: dict[str, str]
    corrections: int = 0

    def say(self, kind: str, **subject: Any) -> Any:
        self.corrections += 1
        return self.album.say(kind, **subject)

    def places(self) -> dict[Place, Any]:
        """Face -> person, in the space that answers."""
        rows = self.album.faces(self.album.active())
        return {(row["sha256"], row["face_index"]): row["cluster_id"] for row in rows}

    def violated(self) -> list[str]:
        """What the user said and is not so."""
        found, people = self.places(), {UUID(one["id"]): one for one in self.album.people(hidden=True)}
        sha256 = {str(row["id"]): row["sha256"] for row in self._photos()}
        wrong = [f"name {name}" for name, one in self.names.items() if people.get(one, {}).get("name") != name]
        wrong += [f"is {place}" for place, one in self.said_is.items() if found[place] != one]
        wrong += [f"is not {place}" for place, one in self.said_is_not.items() if found[place] == one]
        wrong += [f"hidden {one}" for one in self.hidden if not people[one]["hidden"]]
        wrong += [f"cover {one}" for one, place in self.covers.items() if self._cover(people[one], sha256) != place[0]]
        kept_apart = self.album.queue.call("view_people", as_user=self.album.user)["apart"]
        wrong += [f"apart {pair}" for pair in self.apart if sorted(map(str, pair)) not in kept_apart]
        dates = {row["sha256"]: str(row["taken_local"]) for row in self._photos()}
        return wrong + [f"date {one}" for one, date in self.dates.items() if dates[one] != date]

    def snapshot(self) -> dict[str, Any]:
        """All that a family sees of its people: who there is, and who is in which photo."""
        people = [
            {key: one[key] for key in ("id", "name", "hidden", "contact", "photos", "faces")}
            for one in self.album.people(hidden=True)
        ]
        return {"people": people, "faces": self.places()}

    def _photos(self) -> list[dict[str, Any]]:
        return self.album.queue.rows("select * from assets where user_id = %s", self.album.user)

    def _cover(self, person: dict[str, Any], sha256: dict[str, str]) -> str | None:
        return sha256.get(str((person["cover"] or {}).get("asset_id")))


@pytest.fixture
def library(album: Album) -> Library:
    """20 people with names, and 30 corrections."""
    made = Library(album, {}, {}, {}, set(), {}, set(), {})
    album.photos(*[(one, (one + 1) % 20) for one in range(20)], *[(one, (one + 7) % 20, 30 + one) for one in range(20)])
    _group_with_mistakes(album)
    by_person: dict[int, list[tuple[UUID, int, Place]]] = {}
    for row in album.faces():
        place = (row["sha256"], row["face_index"])
        by_person.setdefault(album.who(row), []).append((row["asset_id"], row["face_index"], place))
    for one in range(20):
        answer = album.say("name", face=album.face(*by_person[one][0][:2]), name=f"Person {one}")
        made.names[f"Person {one}"] = UUID(answer["person"]["id"])
    _correct(made, by_person)
    assert made.corrections == 30
    album.group()
    assert made.violated() == []
    return made


def _group_with_mistakes(album: Album) -> None:
    """The first five people are two each, as babies and grown."""
    groups = album.perfect()
    parts: list[list[UUID]] = []
    rows = {row["id"]: row for row in album.faces()}
    for faces in groups.values():
        halved = album.who(rows[faces[0]]) < MERGED
        parts += [faces[:2], faces[2:]] if halved else [faces]
    album.group(parts)


def _correct(made: Library, by_person: dict[int, list[tuple[UUID, int, Place]]]) -> None:
    album, names = made.album, list(made.names.values())
    for one in range(MERGED):
        other = next(found for photo, slot, _ in by_person[one] if (found := album.person(photo, slot)) != names[one])
        made.say("merge", from_=[other], into=names[one])
        made.said_is |= {place: names[one] for _, _, place in by_person[one]}
    for one in range(5, 5 + SPLIT):
        photo, slot, place = by_person[one][-1]
        answer = made.say("split", faces=[album.face(photo, slot)])
        made.said_is[place] = UUID(answer["person"]["id"])
    for one in range(9, 9 + ASSIGNED):
        photo, slot, place = by_person[30 + one][0]
        made.say("assign", face=album.face(photo, slot), person=names[(one + 4) % 20])
        made.said_is[place] = names[(one + 4) % 20]
    for one in range(14, 14 + REJECTED):
        photo, slot, place = by_person[one][-1]
        made.say("reject", face=album.face(photo, slot))
        made.said_is_not[place] = names[one]
    for one in range(HIDDEN):
        made.say("hide", person=names[one])
        made.hidden.add(names[one])
    for one in range(10, 10 + COVERED):
        photo, slot, place = by_person[one][1]
        made.say("cover", face=album.face(photo, slot))
        made.covers[names[one]] = place
    for one in range(APART):
        made.say("apart", a=names[one], b=names[one + 10])
        made.apart.add((names[one], names[one + 10]))
    for photo, _, place in [by_person[one][0] for one in range(PHOTOS)]:
        made.say("date", asset=photo, taken_local=f"200{len(made.dates)}-01-01T00:00:00")
        made.dates[place[0]] = f"200{len(made.dates)}-01-01 00:00:00"


@pytest.fixture
def another(postgres: Postgres) -> Iterator[KizuDatabase]:
    """An empty database that knows nothing of Kizu."""
    database = postgres.create("kizu_survived", extensions=True)
    yield database
    postgres.drop(database)


def test_names_and_corrections_survive_everything(library: Library, another: KizuDatabase, tmp_path: Path) -> None:
    album, before = library.album, library.snapshot()

    album.reset()
    assert library.violated() == []
    album.group()
    assert (library.violated(), library.snapshot()) == ([], before), "a: reset"

    old = {row["id"] for row in album.faces()}
    album.detect(*album.truth, jitter=0.01)
    assert old.isdisjoint(row["id"] for row in album.faces())
    assert (library.violated(), library.snapshot()) == ([], before), "b: detected again"

    album.detect(*album.truth, jitter=0.01, space=OTHER_SPACE)
    album.queue.run("delete from face_embeddings where user_id = %s and space = %s", album.user, SPACE)
    assert (album.active(), library.violated()) == (OTHER_SPACE, [])
    album.group()
    assert (library.violated(), library.snapshot()) == ([], before), "c: another model"

    back_up(album.queue.database.owner, tmp_path / "kizu.dump")
    restore(settings_for(tmp_path / "home", database_url=another.owner), tmp_path / "kizu.dump", lambda _: None)
    restored = replace(library, album=replace(album, queue=Queue(another)))
    assert (restored.violated(), restored.snapshot()) == ([], before), "d: restored"
    restored.album.reset()
    restored.album.group()
    assert (restored.violated(), restored.snapshot()) == ([], before), "d: restored, then reset"
    restored.album.check_means()


def test_a_library_that_is_read_in_again_is_corrected_as_before(library: Library) -> None:
    """All photos are gone and come back by content, with other ids."""
    album, before = library.album, library.snapshot()
    contents = {row["id"]: row["sha256"] for row in album.queue.rows("select * from assets")}
    album.queue.run("delete from assets where user_id = %s", album.user)
    old, album.truth = album.truth, {}
    for photo, people in old.items():
        album.truth[album.photo(*people, detect=False, sha256=contents[photo])] = people
    for photo in album.truth:
        album.queue.rows("select kizu.replay_photo(%s)", photo)
    album.detect(*album.truth, jitter=0.01)
    album.group()
    assert (library.violated(), library.snapshot()) == ([], before)
