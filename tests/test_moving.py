"""A library that moves: to another folder, to another machine. Nothing is read or worked out again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from kizu_support.command import Kizu, Result
from kizu_support.reader import reader_plugin

PHOTOS = 6


@pytest.fixture
def reading(kizu: Kizu, tmp_path: Path) -> Kizu:
    """A plugin that finds text, so that there is something to search for."""
    kizu.variables |= reader_plugin(tmp_path / "site", "boarding pass")
    return kizu


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "old place" / "Fotos"
    folder.mkdir(parents=True)
    for number in range(PHOTOS):
        Image.effect_noise((320, 240), 20 + number).convert("RGB").save(folder / f"{number}.jpg")
    return folder


def run(kizu: Kizu, folder: Path) -> Result:
    result = kizu("run", folder, "--json")
    assert result.code == 0, result.err
    return result


def jobs(result: Result) -> int:
    return sum(event["event"] == "job_done" for event in result.events)


def hits(kizu: Kizu) -> list[str]:
    result = kizu("search", "boarding", "--json")
    assert result.code == 0, result.err
    return sorted(hit["path"] for line in result.events for hit in line.get("hits", [line]))


def test_a_moved_folder(reading: Kizu, photos: Path, tmp_path: Path) -> None:
    assert jobs(run(reading, photos)) > 0
    new = tmp_path / "new place"
    new.mkdir()
    shutil.move(photos, new / "Fotos")
    said = reading("library", "relocate", photos.parent, new, "--dry-run")
    assert "Nothing was changed." in said.out
    said = reading("library", "relocate", photos.parent, new)
    assert said.code == 0, said.err
    assert f"{PHOTOS} of {PHOTOS} looked for are there" in said.out
    again = run(reading, new / "Fotos")
    assert (again.summary["report"]["read"], jobs(again)) == (0, 0)
    assert hits(reading) == sorted(str(new / "Fotos" / f"{number}.jpg") for number in range(PHOTOS))
    [folder] = reading.json("library", "list")
    assert (folder["path"], folder["photos"], folder["there"]) == (str(new / "Fotos"), PHOTOS, True)


def test_another_machine(reading: Kizu, photos: Path, tmp_path: Path) -> None:
    """Backup, another data folder, photos copied to another disk: search works at once, only thumbnails are made."""
    run(reading, photos)
    backup = tmp_path / "kizu.dump"
    assert reading("db", "backup", backup).code == 0
    other = Kizu(tmp_path / "other home", reading.variables)
    restored = other("db", "restore", backup)
    assert restored.code == 0, restored.err
    assert f"Restored {PHOTOS} photos.\n{PHOTOS} have no thumbnail here" in restored.out
    new = Path(shutil.copytree(photos, tmp_path / "disk"))
    shutil.rmtree(photos)
    assert other("library", "relocate", photos, new).code == 0
    assert len(hits(other)) == PHOTOS
    again = run(other, new)
    assert again.summary["report"]["read"] == 0
    assert jobs(again) == PHOTOS
    assert len(list((other.home / "blobs").rglob("thumb-*.jpg"))) == PHOTOS
    final = run(other, new)
    assert (final.summary["report"]["read"], jobs(final)) == (0, 0)
