"""`kizu assets edit|hide|forget`: what a family says about photos; later runs respect it, and it can be taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from kizu_support.command import Kizu
from kizu_support.embedded import copied
from kizu_support.family import QuickKizu

DATED = ("a.jpg", "b.jpg")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corrected") / "Fotos é"
    folder.mkdir()
    for number, name in enumerate((*DATED, "scan.jpg")):
        exif = Image.Exif()
        if name in DATED:
            exif.get_ifd(0x8769)[0x9003] = f"2020:05:0{number + 1} 08:3{number}:00"
        Image.new("RGB", (64, 48), (60 * number, 90, 120)).save(folder / name, exif=exif)
    return folder


@pytest.fixture(scope="module")
def kizu(database_template: Path, photos: Path) -> Iterator[Kizu]:
    with copied(database_template, photos.parent / "home") as home:
        kizu = Kizu(home, {"KIZU_LOAD_PLUGINS": "core", "COLUMNS": "200"})
        kizu("db", "start")
        yield QuickKizu(home, kizu.variables)
        kizu("db", "stop")


@pytest.fixture(autouse=True)
def before_and_after(kizu: Kizu, photos: Path) -> Iterator[None]:
    """All photos are read in and as their files say; no file was touched."""
    files = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in photos.iterdir()}
    if names(kizu) == set():
        assert kizu("run", photos).code == 0
    assert names(kizu) == {"a.jpg", "b.jpg", "scan.jpg"}
    yield
    said = [one for one in kizu("assets", "log", "--json").events if one["undoes"] is None and not one["undone"]]
    if said:
        assert kizu("assets", "undo", *[str(one["id"]) for one in said]).code == 0
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in photos.iterdir()} == files


def names(kizu: Kizu, *options: str) -> set[str]:
    return {row["file_name"] for row in kizu("assets", "list", *options, "--json").events}


def taken(kizu: Kizu, photos: Path, name: str) -> tuple[str | None, int | None]:
    shown = kizu.json("assets", "show", photos / name)
    return shown["taken_local"], shown["taken_offset_min"]


def test_a_day_keeps_the_time_of_day(kizu: Kizu, photos: Path) -> None:
    done = kizu("assets", "edit", photos / "a.jpg", photos / "b.jpg", photos / "scan.jpg", "--date", "1974-07-20")
    assert done.out.startswith("3 photos put right.\nTo take that back: kizu assets undo ")
    days = [taken(kizu, photos, name)[0] for name in ("a.jpg", "b.jpg")]
    assert days == ["1974-07-20T08:30:00", "1974-07-20T08:31:00"]
    kizu("run", photos)
    assert taken(kizu, photos, "a.jpg")[0] == "1974-07-20T08:30:00", "a later run keeps to it"
    kizu(*done.out.splitlines()[1].split(": kizu ")[1].split())
    assert taken(kizu, photos, "a.jpg")[0] == "2020-05-01T08:30:00"


def test_a_time_with_its_zone(kizu: Kizu, photos: Path) -> None:
    assert kizu("assets", "edit", photos / "a.jpg", "--date", "2019-12-31 23:30+02:00").code == 0
    assert taken(kizu, photos, "a.jpg") == ("2019-12-31T23:30:00", 120)
    assert "a.jpg was taken 2019-12-31 23:30" in kizu("assets", "log").out


def test_a_place_in_words_and_in_degrees(kizu: Kizu, photos: Path) -> None:
    edited = kizu("assets", "edit", "scan.jpg", "--place", "Grandma's garden", "--at", "-33.92, 18.42")
    assert edited.code == 0, edited.err
    shown = kizu("assets", "show", "scan.jpg").out
    assert "Grandma's garden" in shown
    assert "-33.92000, 18.42000" in shown
    assert "scan.jpg was taken at Grandma's garden -33.92000, 18.42000" in kizu("assets", "log").out
    assert kizu("assets", "undo").out.startswith("Taken back: scan.jpg was taken at Grandma's garden")
    assert kizu.json("assets", "show", "scan.jpg")["latitude"] is None


def test_what_is_no_date_and_no_place(kizu: Kizu) -> None:
    for arguments, said in (
        ([], "give --date, --place or --at"),
        (["--date", "last summer"], "a day such as 2024-07-13"),
        (["--date", "2023-02-30"], "a day such as 2024-07-13"),
        (["--at", "Paris"], "such as 48.8584,2.2945"),
        (["--at", "91,0"], "latitude is from -90 to 90"),
        (["--at", "nan,0"], "latitude is from -90 to 90"),
    ):
        refused = kizu("assets", "edit", "a.jpg", *arguments)
        assert (refused.code, said in " ".join(refused.err.split())) == (2, True), arguments


def test_nothing_is_said_of_any_unless_all_are_known(kizu: Kizu, photos: Path) -> None:
    before = kizu("assets", "log", "--json").events
    refused = kizu("assets", "hide", photos / "a.jpg", "c.jpg")
    assert (refused.code, "There is no photo 'c.jpg' in the library." in refused.err) == (1, True)
    assert kizu("assets", "log", "--json").events == before


def test_hidden_photos_are_listed_only_when_asked_for(kizu: Kizu, photos: Path) -> None:
    assert kizu("assets", "hide", photos / "a.jpg", "scan.jpg").out.startswith("2 photos hidden.")
    assert names(kizu) == {"b.jpg"}
    assert names(kizu, "--hidden") == {"a.jpg", "scan.jpg"}
    assert "kizu assets hide --undo" in kizu("assets", "show", photos / "a.jpg").out
    kizu("run", photos)
    assert names(kizu) == {"b.jpg"}, "a later run does not bring them back"
    assert kizu("assets", "hide", photos / "a.jpg", "--undo").out.startswith("1 photo shown again.")
    assert names(kizu) == {"a.jpg", "b.jpg"}


def test_forgotten_photos_stay_forgotten_until_taken_back(kizu: Kizu, photos: Path) -> None:
    asked = kizu("assets", "forget", photos / "b.jpg")
    assert (asked.code, "Nothing was forgotten: nobody can be asked here" in asked.err) == (1, True)
    assert names(kizu) == {"a.jpg", "b.jpg", "scan.jpg"}
    done = kizu("assets", "forget", photos / "b.jpg", "--yes")
    assert done.out.startswith("1 photo forgotten. The files are untouched.\n")
    assert names(kizu) == {"a.jpg", "scan.jpg"}
    kizu("run", photos)
    assert names(kizu) == {"a.jpg", "scan.jpg"}, "a later run passes over it"
    assert kizu("assets", "undo").out == "Taken back: b.jpg was forgotten.\n"
    kizu("run", photos)
    assert names(kizu) == {"a.jpg", "b.jpg", "scan.jpg"}


def test_nobody_elses_photos(kizu: Kizu, photos: Path) -> None:
    mine = kizu.json("assets", "show", photos / "a.jpg")["id"]
    for command in (["edit", mine, "--date", "2001-01-01"], ["hide", mine], ["forget", mine, "--yes"]):
        refused = kizu("assets", *command, "--user", "Zoe")
        assert (refused.code, "There is no photo" in refused.err) == (1, True)
    assert taken(kizu, photos, "a.jpg")[0] == "2020-05-01T08:30:00"
