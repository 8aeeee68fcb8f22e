"""Sweeping: what nothing refers to goes after a day; nothing fresh, foreign or outside the folder is ever touched."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from kizu_core.blobs.local import DAY_S, LocalBlobs

USER, ASSET = str(uuid4()), str(uuid4())
OLD_S = DAY_S + 60


def key(name: str, user: str = USER, asset: str = ASSET) -> str:
    return f"{user}/processed/{asset}/{name}"


THUMB, WEB, KEPT = key("thumb-0123456789ab.jpg"), key("web-0123456789ab.jpg"), key("thumb-ffffffffffff.jpg")
REMAINS = key(".0123456789abcdef.part")


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    """A folder with derived pictures and other things, all of them two days old."""
    root = tmp_path / "blobs"
    foreign = ["notes.txt", "me/processed/you/thumb-0123456789ab.jpg", f"{USER}/originals/{ASSET}/{Path(THUMB).name}"]
    foreign += [key("video-0123456789ab.mp4"), key("thumb-0123456789ab.jpg.bak"), key("notes.txt")]
    for name in [THUMB, WEB, KEPT, REMAINS, *foreign]:
        write(root / name)
    return LocalBlobs(root)


def write(path: Path, age_s: float = OLD_S) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"picture")
    os.utime(path, (time.time() - age_s,) * 2)


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != ".swept"}


def all_but_kept(keys: Sequence[str]) -> list[str]:
    return [one for one in keys if one != KEPT]


def test_only_orphans_of_the_known_kinds_go(blobs: LocalBlobs) -> None:
    before = everything(blobs.root)
    assert sum(blobs.sweep(all_but_kept)) == 3
    assert before - everything(blobs.root) == {THUMB, WEB, REMAINS}


def test_what_is_not_an_orphan_stays(blobs: LocalBlobs) -> None:
    before = everything(blobs.root)
    assert sum(blobs.sweep(lambda keys: [])) == 0
    assert everything(blobs.root) == before


def test_fresh_files_are_not_even_asked_about(blobs: LocalBlobs) -> None:
    os.utime(blobs.root / THUMB)
    write(blobs.root / WEB, DAY_S - 600)
    asked: list[str] = []

    def orphans(keys: Sequence[str]) -> list[str]:
        asked.extend(keys)
        return []

    list(blobs.sweep(orphans))
    assert sorted(asked) == sorted([KEPT, REMAINS])


def test_a_file_that_is_stored_anew_meanwhile_stays(blobs: LocalBlobs, tmp_path: Path) -> None:
    """The same content comes back under the same key between the question and the removal."""
    fresh = tmp_path / "fresh.jpg"
    fresh.write_bytes(b"anew")

    def orphans(keys: Sequence[str]) -> list[str]:
        blobs.put(THUMB, fresh)
        return all_but_kept(keys)

    assert sum(blobs.sweep(orphans)) == 2
    assert blobs.path(THUMB).read_bytes() == b"anew"
    assert not list(blobs.root.rglob("*.part"))


@pytest.mark.parametrize(
    "lie",
    ["../../etc/passwd", "/etc/passwd", "notes.txt", key("../../../../notes.txt"), key("notes.txt"), key("x\0"), ""],
    ids=range(7),  # the keys have other numbers each time
)
def test_an_answer_that_names_other_things_removes_nothing(blobs: LocalBlobs, lie: str) -> None:
    before = everything(blobs.root)
    assert sum(blobs.sweep(lambda keys: [lie])) == 0
    assert everything(blobs.root) == before


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_links_are_not_followed(blobs: LocalBlobs, tmp_path: Path, depth: int) -> None:
    """A folder on the way, or the file itself, may have become a link to somewhere else."""
    other = uuid4()
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere / "processed" / str(other) / "thumb-0123456789ab.jpg")
    place = blobs.root / str(other)
    if depth == 1:
        place.symlink_to(elsewhere)
    elif depth == 2:
        place.mkdir()
        (place / "processed").symlink_to(elsewhere / "processed")
    else:
        (place / "processed").mkdir(parents=True)
        (place / "processed" / str(other)).symlink_to(elsewhere / "processed" / str(other))
    before = everything(elsewhere)
    assert sum(blobs.sweep(lambda keys: keys)) == 4
    assert everything(elsewhere) == before


def test_a_linked_file_is_left_alone(blobs: LocalBlobs, tmp_path: Path) -> None:
    original = tmp_path / "original.jpg"
    write(original)
    link = blobs.root / key("thumb-aaaaaaaaaaaa.jpg")
    link.symlink_to(original)
    list(blobs.sweep(lambda keys: keys))
    assert original.exists()
    assert link.is_symlink()


def test_once_a_day_is_enough(blobs: LocalBlobs) -> None:
    assert sum(blobs.sweep(all_but_kept)) == 3
    write(blobs.root / THUMB)
    assert list(blobs.sweep(all_but_kept)) == []
    os.utime(blobs.root / ".swept", (time.time() - OLD_S,) * 2)
    assert sum(blobs.sweep(all_but_kept)) == 1


def test_a_folder_that_nobody_made_yet(tmp_path: Path) -> None:
    assert list(LocalBlobs(tmp_path / "none").sweep(lambda keys: keys)) == []
    assert not (tmp_path / "none").exists()


def test_a_large_folder_goes_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kizu_core.blobs.local.SWEPT_AT_ONCE", 10)
    blobs = LocalBlobs(tmp_path / "blobs")
    for _ in range(25):
        write(blobs.root / key("thumb-0123456789ab.jpg", asset=str(uuid4())))
    assert list(blobs.sweep(lambda keys: keys)) == [10, 10, 5]
