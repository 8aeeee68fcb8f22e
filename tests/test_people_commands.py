"""`kizu people` as a family uses it: names, wrong faces, doubtful ones, pages to look at; all of it taken back."""

from __future__ import annotations

import re
import shlex
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kizu_support.command import Kizu
from kizu_support.embedded import copied
from kizu_support.family import COLOURS, PHOTOS, Family, QuickKizu, make_family

PICTURE = re.compile(r'src="data:image/jpeg;base64,([^"]+)"')


@pytest.fixture(scope="module")
def family(database_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    folder = tmp_path_factory.mktemp("family")
    with copied(database_template, folder / "home") as home:
        kizu = Kizu(home, {"KIZU_LOAD_PLUGINS": "core", "COLUMNS": "200"})
        kizu("db", "start")
        family = make_family(kizu, folder / "photos")
        family.kizu = QuickKizu(home, kizu.variables)
        yield family
        kizu("db", "stop")


@pytest.fixture
def kizu(family: Family) -> Iterator[Kizu]:
    """Whatever a test says is taken back, which is tested on the way: everybody is as before."""
    before = people(family.kizu)
    yield family.kizu
    said = lines(family.kizu, "people", "log", "--limit", "100")
    numbers = [str(one["id"]) for one in said if one["undoes"] is None and not one["undone"]]
    if numbers:
        undone = family.kizu("people", "undo", *numbers)
        assert undone.code == 0, undone.err
    assert people(family.kizu) == before


def lines(kizu: Kizu, *arguments: str) -> list[dict[str, Any]]:
    """What a command says to a script."""
    result = kizu(*arguments, "--json")
    assert result.code == 0, result.err
    return result.events


def people(kizu: Kizu) -> dict[str, tuple[str | None, int]]:
    """Short id -> name and photos, of those of whom there are photos."""
    return {one["short"]: (one["name"], one["photos"]) for one in lines(kizu, "people", "list") if one["photos"]}


def of_photo(kizu: Kizu, family: Family, name: str) -> list[str | None]:
    """Who is in a photo, from left to right."""
    shown = kizu.json("assets", "show", family.folder / name)
    names = {one["id"]: one["name"] or one["short"] for one in lines(kizu, "people", "list")}
    return [names.get(face["cluster_id"]) for face in shown["faces"]]


def page(kizu: Kizu, *arguments: str) -> tuple[str, list[Image.Image]]:
    """The page that a command writes, and the pictures in it."""
    [answer] = lines(kizu, *arguments)
    content = Path(answer["page"]).read_text()
    return content, [Image.open(BytesIO(b64decode(one))) for one in PICTURE.findall(content)]


def who(picture: Image.Image) -> int:
    """Whose drawn face is in the middle."""
    middle = np.asarray(picture.convert("RGB"), dtype=float)
    size = len(middle)
    colour = np.median(middle[size * 2 // 5 : size * 3 // 5, size * 2 // 5 : size * 3 // 5], axis=(0, 1))
    return int(np.argmin([np.abs(colour - other).sum() for other in COLOURS]))


def test_who_there_is_and_what_they_are_called(kizu: Kizu, family: Family) -> None:
    assert people(kizu) == {family.short(0): (None, 5), family.short(1): (None, 4), family.short(2): (None, 3),
                            family.short(3): (None, 2)}  # fmt: skip
    told = kizu("people", "list").out
    assert f"{family.short(0)}  (who is this?)  5" in told
    assert f"kizu people name {family.short(0)} NAME" in told
    named = kizu("people", "name", family.short(0)[:6], " Änna ")
    assert named.out.startswith(f"{family.short(0)[:6]} is now called Änna.\nTo take that back: kizu people undo ")
    refused = kizu("people", "name", family.short(1), "anna")
    assert refused.code == 1
    assert "There is somebody called Änna already." in refused.err
    assert "kizu people merge" in refused.err


def test_names_by_their_beginning_and_what_is_said_where_that_is_not_enough(kizu: Kizu, family: Family) -> None:
    kizu("people", "name", family.short(0), "Anna")
    kizu("people", "name", family.short(1), "Annabel")
    assert kizu.json("people", "show", "anna")["id"] == str(family.people[0])
    assert kizu.json("people", "show", "ANNAB")["id"] == str(family.people[1])
    several = kizu("people", "show", "ann")
    assert several.code == 1
    assert f"Anna ({family.short(0)}, 5 photos)" in several.err
    assert f"Annabel ({family.short(1)}, 4 photos)" in several.err
    nobody = kizu("people", "hide", "Zoe")
    assert (nobody.code, "There is nobody called 'Zoe'." in nobody.err) == (1, True)
    assert "There is no face 'ffffffff'." in kizu("people", "reject", "ffffffff").err


def test_a_wrong_face(kizu: Kizu, family: Family) -> None:
    wrong, short = family.face("market.jpg", 0), family.short(0)
    shown = kizu("people", "show", short).out
    assert f"A wrong one:      kizu people reject {wrong}" in shown, "the least alike is named"
    done = kizu("people", "reject", wrong)
    assert "1 face will not be taken for that person again." in done.out
    assert people(kizu)[short] == (None, 4)
    assert of_photo(kizu, family, "market.jpg") == [None, family.short(3)]
    assert kizu("people", "assign", wrong, "--to", family.short(2)).code == 0
    assert of_photo(kizu, family, "market.jpg") == [family.short(2), family.short(3)]
    assert kizu("people", "name", family.short(2), "Carl").code == 0
    log = kizu("people", "log").out
    assert "1 face said to be Carl" in log
    assert kizu("people", "undo").out == f"Taken back: {family.short(2)} was named Carl.\n"
    assert "(taken back)" in kizu("people", "log").out


def test_a_person_made_of_some_faces(kizu: Kizu, family: Family) -> None:
    faces = [family.face("market.jpg", 0), family.face("hike.jpg", 0)]
    done = kizu("people", "split", *faces)
    [new] = re.findall(r"2 faces became a new person. Who is it\? kizu people name (\w+) NAME", done.out)
    assert people(kizu)[new] == (None, 2)
    assert kizu("people", "name", new, "Dora").code == 0
    assert kizu("people", "cover", faces[1]).code == 0
    [dora] = [one for one in lines(kizu, "people", "list") if one["name"] == "Dora"]
    assert dora["cover"]["face_id"] == str(family.faces["hike.jpg", 0])


def test_one_person_of_several_keeps_the_name(kizu: Kizu, family: Family) -> None:
    kizu("people", "name", family.short(1), "Ben")
    done = kizu("people", "merge", family.short(2), "ben", family.short(3))
    assert "are one person now" in done.out
    assert people(kizu)[family.short(1)] == ("Ben", 6)  # some photos show two of them
    twice = kizu("people", "merge", "Ben", family.short(1))
    assert (twice.code, "That is Ben twice." in twice.err) == (1, True)


def test_hidden_people(kizu: Kizu, family: Family) -> None:
    kizu("people", "hide", family.short(3))
    assert family.short(3) not in people(kizu)
    hidden = kizu("people", "list", "--hidden").out
    assert f"kizu people hide {family.short(3)} --undo" in hidden
    assert kizu("people", "hide", family.short(3), "--undo").code == 0
    assert kizu("people", "list", "--hidden").out == "Nobody is hidden.\n"


def test_questions_have_commands_that_answer_them(kizu: Kizu, family: Family) -> None:
    assert kizu("people", "review").out == "Nothing is uncertain.\n"
    kizu("people", "name", family.short(0), "Anna")
    family.sql(
        "insert into public.face_reviews (user_id, kind, a, b, score) select user_id, 'merge', %s, %s, 0.5"
        " from public.face_clusters where id = %s",
        family.people[0], family.people[3], family.people[0],
    )  # fmt: skip
    try:
        [asked] = lines(kizu, "people", "review")
        assert asked["question"] == "Anna (5 photos) and somebody without a name (2 photos): the same person?"
        assert set(asked["commands"]) == {"The same person", "Two people"}
        told = kizu("people", "review", "--no-open").out
        assert all(command in told for command in asked["commands"].values())
        opened = kizu("people", "review")
        content = Path(opened.out.strip().rsplit(": ", 1)[1]).read_text()
        assert all(command in content for command in asked["commands"].values())
        shown = [who(Image.open(BytesIO(b64decode(one)))) for one in PICTURE.findall(content)]
        assert shown == [0, 0, 0, 0, 3, 3]
        _, *words = shlex.split(asked["commands"]["Two people"])
        assert kizu(*words).code == 0
        assert lines(kizu, "people", "review") == []
    finally:
        family.sql("delete from public.face_reviews")


def test_doubtful_faces_are_asked_about(kizu: Kizu, family: Family) -> None:
    """One that came after the name was given, and is hardly like the others of that person."""
    kizu("people", "name", family.short(0), "Anna")
    [(stranger,)] = family.sql(
        "insert into public.face_embeddings (user_id, asset_id, cluster_id, embedding, dim, space, model, bbox)"
        " select f.user_id, f.asset_id, %s, o.embedding, f.dim, f.space, f.model, %s"
        " from public.face_embeddings f, public.face_embeddings o where f.id = %s and o.id = %s returning id",
        family.people[0],
        '{"left": 0.8, "top": 0.1, "right": 0.9, "bottom": 0.3}',
        family.faces["garden.jpg", 0],
        family.faces["snow.jpg", 3],
    )
    try:
        [asked] = lines(kizu, "people", "review")
        assert (asked["kind"], asked["person"]["name"]) == ("faces", "Anna")
        assert [face["face_id"] for face in asked["faces"]] == [str(stranger)]
        told = kizu("people", "review", "--no-open").out
        assert f"people assign {str(stranger)[:8]} --to Anna" in told
        assert f"people reject {str(stranger)[:8]}" in told
    finally:
        family.sql("delete from public.face_embeddings where id = %s", stranger)


def test_pages_of_faces(kizu: Kizu, family: Family) -> None:
    kizu("people", "name", family.short(1), "<b>Ben</b>")
    content, pictures = page(kizu, "people", "show", family.short(1), "--open")
    assert [who(picture) for picture in pictures] == [1] * 4
    assert "&lt;b&gt;Ben&lt;/b&gt;" in content
    assert "<b>Ben</b>" not in content
    for photo in ("beach.jpg", "birthday.jpg", "lake.jpg", "snow.jpg"):
        assert (family.folder / photo).as_uri() in content
        assert f"people reject {family.face(photo, 1)}" in content
    _, everybody = page(kizu, "people", "list", "--open")
    assert [who(picture) for picture in everybody] == [1, 0, 2, 3]


def test_a_missing_original_leaves_the_rest_of_the_page(kizu: Kizu, family: Family) -> None:
    (family.folder / "beach.jpg").rename(family.folder / "beach.away")
    try:
        content, pictures = page(kizu, "people", "show", family.short(1), "--open")
        assert (len(pictures), content.count("can&rsquo;t be shown")) == (3, 1)
    finally:
        (family.folder / "beach.away").rename(family.folder / "beach.jpg")


def test_nobody_elses_people(kizu: Kizu, family: Family) -> None:
    kizu("people", "name", family.short(0), "Anna")
    assert kizu("people", "list", "--user", "Zoe").out == "No photos here yet. Add some with: kizu run FOLDER\n"
    for command in (["show", "Anna"], ["reject", family.face("market.jpg", 0)], ["hide", str(family.people[0])]):
        assert kizu("people", *command, "--user", "Zoe").code == 1
    assert lines(kizu, "people", "log", "--user", "Zoe") == []
    assert kizu("people", "undo", "--user", "Zoe").code == 1


def test_grouping_anew_keeps_what_was_said(kizu: Kizu, family: Family) -> None:
    kizu("people", "name", family.short(0), "Anna")
    asked = kizu("people", "reset")
    assert (asked.code, "nobody can be asked here" in asked.err) == (1, True)
    groups = family.sql("select id, cluster_id from public.face_embeddings")
    clusters = family.sql("select id, user_id from public.face_clusters")
    done = kizu("people", "reset", "--yes")
    assert done.out.startswith("1 person whom you named or corrected stays; ")
    assert people(kizu) == {family.short(0): ("Anna", 5)}
    for person, user in clusters:
        family.sql(
            "insert into public.face_clusters (id, user_id) values (%s, %s) on conflict do nothing", person, user
        )
    for face, person in groups:
        family.sql("update public.face_embeddings set cluster_id = %s where id = %s", person, face)


def test_why_there_is_nobody(kizu: Kizu, family: Family) -> None:
    """No plugin for faces; faces that were not grouped yet."""
    run = kizu("run", family.folder, "--operations", "optimize", "--user", "Yan")
    assert run.code == 0, run.err
    told = kizu("people", "list", "--user", "Yan").out
    assert told.startswith("Faces are not looked for yet. ")
    assert "kizu plugins" in told or "pip install" in told
    family.sql(
        "insert into public.face_embeddings (user_id, asset_id, embedding, space, bbox, usable)"
        " select a.user_id, a.id, f.embedding, f.space, f.bbox, true from public.face_embeddings f, public.assets a"
        " join public.profiles p on p.id = a.user_id where p.display_name = 'Yan' limit 1"
    )
    told = kizu("people", "list", "--user", "Yan").out
    assert told.startswith("1 face was found, but nobody is in two photos yet.")


def test_a_photo_says_who_is_in_it(kizu: Kizu, family: Family) -> None:
    kizu("people", "name", family.short(0), "Anna")
    told = kizu("assets", "show", family.folder / "birthday.jpg").out
    assert f"face       {family.face('birthday.jpg', 0)}   90 %  Anna, " in told
    assert f"face       {family.face('birthday.jpg', 1)}   90 %  a face, " in told
    there = [family.short(one) for one, _ in PHOTOS["birthday.jpg"]]
    assert of_photo(kizu, family, "birthday.jpg") == ["Anna", *there[1:]]
