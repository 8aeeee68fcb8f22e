"""Faces as pages to look at, and the questions of `kizu people review`, each with its commands."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from kizu_core.cli.context import print_json, program
from kizu_core.cli.progress import plural
from kizu_core.cli.sheet import Section, Tile, open_sheet, photo_tile, write_sheet

if TYPE_CHECKING:
    from kizu_core.api import Library

Json = dict[str, Any]

FACES_COMPARED: Final = 4
"""Of each of two people side by side: one may be a bad likeness."""

DOUBTFUL: Final = 0.5
"""Likeness to the mean face below which a face is asked about. Halfway between the least that is taken for the same
person and what most faces have; chosen, not measured."""

NOBODY: Final = "Who is this?"
FIRST: Final = 12
"""Faces of a person that are shown first, the least certain."""

PRIVATE: Final = "Only you can read this page; nothing of it leaves this computer. A click on a face shows the photo."
COPY: Final = "To answer, click a command to select it, and paste it into the terminal."


class Commands:
    """Commands about people as they work when copied: with names where those are clear, else with ids."""

    def __init__(self, library: Library) -> None:
        from kizu_core.api.people import folded

        people = library.people.all(hidden=True)
        self._listed = {one["id"] for one in people}
        self._names = Counter(folded(one["name"]) for one in people if one["name"])
        self._user = "" if library.user_name == library.settings.user else f" --user {quote(library.user_name)}"

    def __call__(self, action: str, *words: str) -> str:
        return f"{quote(program())} people {' '.join([action, *words])}{self._user}"

    def of(self, person: Json) -> str:
        """How to name a person in a command."""
        from kizu_core.api.people import folded

        name = person["name"] or "-"
        if name.isprintable() and not name.startswith("-") and self._names[folded(name)] == 1:
            return quote(name)
        return str(person["id"][:8] if person["id"] in self._listed else person["id"])


@dataclass(frozen=True, slots=True)
class Question:
    """`answers`: what each says -> its command. `faces` and `others`: to compare, as tiles."""

    kind: str
    title: str
    note: str
    answers: Mapping[str, str]
    faces: Sequence[Tile]
    others: Sequence[Tile]
    about: Json

    def as_dict(self) -> Json:
        """For scripts."""
        return {"kind": self.kind, "question": self.title, "commands": dict(self.answers), **self.about}

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        yield self.title
        answers = {**self.answers, **{answer: line for tile in self.faces for answer, line in tile.commands.items()}}
        yield from (f"    {answer + ':':<24} {line}" for answer, line in answers.items())


def show_everybody(library: Library, people: Sequence[Json], *, as_json: bool) -> None:
    """A page with a face of each."""
    commands = Commands(library)
    named = [_person_tile(library, one, commands) for one in people if one["name"]]
    unnamed = [_person_tile(library, one, commands) for one in people if not one["name"]]
    sections = [
        Section("People you named", tiles=named),
        Section("Who is this?", "With a name, they are found by search and shown in moments.", tiles=unnamed),
    ]
    _show(library, "People", [one for one in sections if one.tiles], f"{COPY} {PRIVATE}", as_json=as_json)


def show_person(library: Library, person: Json, limit: int, *, as_json: bool) -> None:
    """A page with faces of one, the least certain first."""
    commands = Commands(library)
    who, name = person["name"], commands.of(person)
    wrong = f"Not {who}" if who else "Somebody else"
    faces = sorted(person["faces"], key=lambda face: face["certainty"])[:limit]
    tiles = [
        _face_tile(library, face, who or NOBODY, {wrong: commands("reject", face["face_id"][:8])}) for face in faces
    ]
    answers = {"Another name" if who else "Name": commands("name", name, "NAME"), "Hide": commands("hide", name)}
    first = "The least certain come first: if a face is somebody else's, it is probably among these."
    sections = [Section(f"Is this {who}?" if who else "Is this one person?", first, answers, tiles[:FIRST])]
    if tiles[FIRST:]:
        sections.append(Section("More certain", tiles=tiles[FIRST:]))
    more = (
        " There are more than this page shows: --limit shows others."
        if person["faces"][limit:] or person["next"]
        else ""
    )
    _show(library, who or NOBODY, sections, f"{_photos(person)}.{more} {COPY} {PRIVATE}", as_json=as_json)


def questions(library: Library, found: Json) -> list[Question]:
    """What a person can decide about what the machine was not sure of."""
    commands = Commands(library)
    pairs = [_pair(library, pair, commands) for pair in found["pairs"]]
    doubtful: defaultdict[str, list[Json]] = defaultdict(list)
    for one in found["faces"]:
        if one["certainty"] < DOUBTFUL:
            doubtful[one["person"]["id"]].append(one["face"])
    people = {one["person"]["id"]: one["person"] for one in found["faces"]}
    return pairs + [_faces(library, people[person], faces, commands) for person, faces in doubtful.items()]


def show_questions(library: Library, asked: Sequence[Question]) -> None:
    """All of them on one page."""
    sections = [Section(one.title, one.note, one.answers, one.faces, one.others) for one in asked]
    _show(library, "Who is who?", sections, f"{COPY} {PRIVATE}", as_json=False)


def _pair(library: Library, pair: Json, commands: Commands) -> Question:
    one, other = pair["a"], pair["b"]
    names = [commands.of(one), commands.of(other)]
    if pair["kind"] == "twins":
        title = f"{_about(one)} and {_about(other)}: two people?"
        note = "They are in photos together, but so alike that faces of one may count as the other's."
    else:
        title = f"{_about(one)} and {_about(other)}: the same person?"
        note = "Alike, but not so much that it could be decided without you."
    answers = {"The same person": commands("merge", *names), "Two people": commands("apart", *names)}
    about = {"a": one, "b": other, "score": pair["score"]}
    return Question(pair["kind"], title, note, answers, _some(library, one), _some(library, other), about)


def _faces(library: Library, person: Json, faces: Sequence[Json], commands: Commands) -> Question:
    """All doubtful faces of one person."""
    name, who = commands.of(person), str(person["name"])
    tiles = []
    for face in faces:
        digits = face["face_id"][:8]
        answers = {"Yes": commands("assign", digits, "--to", name), "No": commands("reject", digits)}
        tiles.append(_face_tile(library, face, f"Is this {who}?", answers))
    note = f"On the left faces that may be somebody else's, on the right those of {who} that are certain."
    return Question(
        "faces", f"Is this {who}?", note, {}, tiles, _some(library, person), {"person": person, "faces": faces}
    )


def _some(library: Library, person: Json) -> list[Tile]:
    """The most certain faces of somebody."""
    faces = library.people.show(person["id"], 50)["faces"]
    best = sorted(faces, key=lambda face: face["certainty"], reverse=True)[:FACES_COMPARED]
    return [_face_tile(library, face, person["name"] or NOBODY, {}) for face in best]


def _about(person: Json) -> str:
    return f"{person['name'] or 'somebody without a name'} ({_photos(person)})"


def _photos(person: Json) -> str:
    return plural(person["photos"], "photo")


def _person_tile(library: Library, person: Json, commands: Commands) -> Tile:
    name = commands.of(person)
    actions = {} if person["name"] else {"Name": commands("name", name, "NAME")}
    actions["All faces"] = commands("show", name, "--open")
    caption = person["name"] or NOBODY
    return _face_tile(library, person["cover"] or {}, caption, actions, _photos(person))


def _face_tile(library: Library, face: Json, caption: str, commands: Mapping[str, str], note: str = "") -> Tile:
    from kizu_core.pipeline.pixels import is_box
    from kizu_core.types import Box

    box = Box(**face["bbox"]) if is_box(face.get("bbox")) else None
    when = (face.get("taken_local") or "")[:10]
    note = note or when
    return photo_tile(library.settings.blobs_dir, face, caption, box=box, note=note, commands=commands)


def _show(library: Library, title: str, sections: Sequence[Section], note: str, *, as_json: bool) -> None:
    path: Path = write_sheet(library.settings.paths.sheets, title, sections, note)
    if as_json:
        print_json({"page": path})
    else:
        open_sheet(path)
