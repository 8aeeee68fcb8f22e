"""`Library.people`: the people in one user's photos, and what the user says about them and about photos.

People are named as a person would: by name, by its beginning, or by the beginning of an id; faces by theirs. Whatever
is said here is a correction: written down for good, kept through every later run, and undone by its number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from kizu_core.database.opening import OpenDatabase
from kizu_core.errors import LibraryError

Json = dict[str, Any]

SHORT: Final = 8
"""Digits of an id that are shown: among a million faces, one in four thousand shares them with another."""

MOST: Final = 1000
"""People of one list; the others are found by their whole name or id."""

_ID = re.compile(r"[0-9a-f]{4}[0-9a-f-]{0,32}")
_SEE = "`kizu people list` shows everybody, `kizu people show NAME` the faces of one."


class People:
    """The people in the user's photos. Methods that change something return what the correction changed, and its id."""

    def __init__(self, database: OpenDatabase, user: UUID) -> None:
        self._api = database.api
        self._worker = database.worker
        self._user = user

    def all(self, *, hidden: bool = False) -> list[Json]:
        """Everybody, most photos first and at most `MOST`; with `hidden` also those who are hidden.

        `{id, short, name, contact, photos, faces, hidden, cover}`; `short`: the beginning of the id.
        """
        return self._people({"hidden": hidden})

    def find(self, person: str) -> Json:
        """The person meant by a name, the beginning of one, or the beginning of an id.

        Raises `LibraryError` if there is none, or more than one, naming those.
        """
        found = self._meant(person)
        if not found:
            raise LibraryError(f"There is nobody called {person!r}.", hint=_SEE)
        if len(found) > 1:
            raise LibraryError(f"{person!r} could be {_either(found)}.", hint="Give more of the name, or the id.")
        return found[0]

    def show(self, person: str, limit: int = 100, after: Any = None) -> Json:
        """The person with a page of faces, newest first: `{..., faces, next}`; `next` is the next page's `after`."""
        found = self.find(person)
        return found | (self._api.person(self._user, UUID(found["id"]), limit, after) or {})

    def name(self, who: str, name: str, *, anyway: bool = False) -> Json:
        """Give a person, or the person of a face, a name. Two of the same name are refused unless `anyway`."""
        return self._correct("name", {**self._person_or_face(who), "name": name, "anyway": anyway})

    def merge(self, into: str, others: Sequence[str]) -> Json:
        """Make one person of several: `into`, or the only one among them who has a name."""
        people = [self.find(one) for one in (into, *others)]
        named = [one for one in people if one["name"]]
        kept = named[0] if len(named) == 1 else people[0]
        gone = list(dict.fromkeys(one["id"] for one in people if one["id"] != kept["id"]))
        if not gone:
            raise LibraryError(f"That is {label(kept)} twice.", hint="Name two people, such as two ids of the list.")
        return self._correct("merge", {"from": gone, "into": kept["id"]})

    def split(self, faces: Sequence[str]) -> Json:
        """Make a new person of some faces."""
        return self._correct("split", {"faces": [self.face(one) for one in faces]})

    def assign(self, face: str, person: str) -> Json:
        """Say that a face is this person's."""
        return self._correct("assign", {"face": self.face(face), "person": self.find(person)["id"]})

    def reject(self, face: str, person: str | None = None) -> Json:
        """Say that a face is not this person's, or not the one's it counts as now."""
        subject = {"face": self.face(face)}
        return self._correct("reject", {**subject, "person": self.find(person)["id"]} if person else subject)

    def apart(self, one: str, other: str) -> Json:
        """Say that two people are not the same, however alike."""
        return self._correct("apart", {"a": self.find(one)["id"], "b": self.find(other)["id"]})

    def hide(self, person: str) -> Json:
        """Show a person nowhere: not in lists, searches or moments."""
        return self._correct("hide", {"person": self.find(person)["id"]})

    def show_again(self, person: str) -> Json:
        """The opposite of `hide`."""
        return self._correct("show", {"person": self.find(person)["id"]})

    def cover(self, face: str) -> Json:
        """Take a face as the picture of its person."""
        return self._correct("cover", {"face": self.face(face)})

    def contact(self, person: str, contact: UUID) -> Json:
        """Link a person with an entry of the address book. Whoever gets a name has one of that name already."""
        return self._correct("contact", {"person": self.find(person)["id"], "contact": str(contact)})

    def face(self, face: str) -> str:
        """The id of the face whose id begins so. Raises `LibraryError` if there is none, or more than one."""
        found = self._faces(face)
        if not found:
            raise LibraryError(f"There is no face {face!r}.", hint=_SEE)
        if len(found) > 1:
            raise LibraryError(f"{face!r} is the beginning of several faces.", hint="Give more of the id.")
        return str(found[0]["face_id"])

    def review(self, limit: int = 20) -> Json:
        """What is worth a look, the least certain first: `{pairs: [{kind, a, b, score}], faces: [{face, person,
        certainty}]}`, at most `limit` of each.
        """
        return self._api.people_review(self._user, limit)

    def undo(self, correction: int | None = None) -> Json:
        """Take back a correction, or the last one; of photos, too: `{id, undone, kind}`."""
        return self._worker.undo(self._user, correction)

    def corrections(self, limit: int = 50, after: Any = None) -> Json:
        """What was corrected, the newest first: `{corrections: [{id, kind, at, subject, undone, undoes}], next}`."""
        return self._api.corrections(self._user, limit, after)

    def reset(self) -> Json:
        """Forget how faces were grouped, and nothing that anybody said: the next run groups them anew.

        `{people, faces}`: who is left by what was said, and how many faces are nobody's until then.
        """
        return self._worker.people_reset(self._user)

    def _people(self, where: Json) -> list[Json]:
        people: list[Json] = self._api.people(self._user, {"limit": MOST, **where})["people"]
        return [{**one, "short": one["id"][:SHORT]} for one in people]

    def _faces(self, begins: str) -> list[Json]:
        """Faces whose ids begin so; none for what can't be an id."""
        digits = begins.strip().lower()
        return self._api.faces(self._user, digits) if _ID.fullmatch(digits) else []

    def _meant(self, person: str) -> list[Json]:
        """Everybody whom it may mean: those of exactly that name or id, else those whose name or id begins so."""
        wanted = folded(person)
        if not wanted:
            return []
        with suppress(ValueError):
            return self._people({"ids": [str(UUID(wanted))]})
        return self._people({"name": person}) or [
            one
            for one in self.all(hidden=True)
            if folded(one["name"] or "").startswith(wanted) or (_ID.fullmatch(wanted) and one["id"].startswith(wanted))
        ]

    def _person_or_face(self, who: str) -> Json:
        """The person, else the face of that id, which may be nobody's yet."""
        if not self._meant(who) and self._faces(who):
            return {"face": self.face(who)}
        return {"person": self.find(who)["id"]}

    def _correct(self, kind: str, subject: Json) -> Json:
        return self._worker.correct(self._user, kind, subject)


def folded(name: str) -> str:
    """The same for names that count as one: without accents, capitals and spaces around it."""
    plain = "".join(letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter))
    return " ".join(plain.casefold().split())


def label(person: Json) -> str:
    """What a person is called in sentences."""
    return str(person["name"] or f"the person {person['id'][:SHORT]}")


def _either(people: Sequence[Json]) -> str:
    """`Anna (3f2a, 120 photos) or Annabel (77b0, 3 photos)`."""
    shown = [f"{one['name'] or 'a person without a name'} ({one['short']}, {one['photos']:,} photos)" for one in people]
    some = shown[:5] + ([f"{len(shown) - 5} others"] if len(shown) > 5 else [])
    return f"{', '.join(some[:-1])} or {some[-1]}"
