"""A library follows a folder that moved: nothing is read again, and nothing is changed where that can't be right."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from kizu_core.errors import LibraryError
from kizu_core.library.relocate import Move, folders, relocate
from kizu_support.library import Library, draw, open_library
from kizu_support.postgres import KizuDatabase


def fill(folder: Path, first: int = 0, count: int = 4) -> Path:
    for shade in range(first, first + count):
        draw(folder / f"{shade}.jpg", shade)
    return folder


def move(library: Library, old: Path, new: Path, *, dry_run: bool = False) -> list[Move]:
    return relocate(library.opened, library.user, old, new, dry_run=dry_run)


def roots(library: Library) -> list[str]:
    return [row["path"] for row in folders(library.opened, library.user)]


def test_a_moved_folder_is_not_read_again(library: Library) -> None:
    fill(library.photos)
    assert library.scan().new == 4
    new = library.photos.rename(library.photos.with_name("Ünder new name"))
    assert move(library, library.photos, new) == [
        Move(old=str(library.photos), new=str(new), files=4, looked_at=4, there=4)
    ]
    report = library.scan(new)
    assert (report.read, report.unchanged, report.missing, report.offline) == (0, 4, 0, None)
    assert roots(library) == [str(new)]
    assert len(library.assets()) == 4


def test_a_copy_on_another_disk_is_not_read_again(library: Library) -> None:
    """Its files have other numbers, of another device that may by chance be called like the old one."""
    fill(library.photos)
    library.scan()
    new = library.photos.with_name("copy")
    shutil.copytree(library.photos, new)
    shutil.rmtree(library.photos)
    move(library, library.photos, new)
    report = library.scan(new)
    assert (report.read, report.unchanged, report.missing) == (0, 4, 0)


def test_a_copy_with_new_times_is_read_once_more_and_is_the_same(library: Library) -> None:
    fill(library.photos)
    library.scan()
    before = library.assets()
    new = library.photos.with_name("copy")
    shutil.copytree(library.photos, new, copy_function=shutil.copyfile)
    shutil.rmtree(library.photos)
    move(library, library.photos, new)
    report = library.scan(new)
    assert (report.read, report.unchanged, report.new, report.edited) == (4, 4, 0, 0)
    assert library.assets() == before
    assert library.scan(new).read == 0


def test_all_folders_below_move_along(library: Library) -> None:
    disk = library.photos
    for name in ("a", "b/c", "outside"):
        fill(disk / name, len(name) * 10)
        library.scan(disk / name)
    (disk.parent / "new").mkdir()
    for name in ("a", "b"):
        (disk / name).rename(disk.parent / "new" / name)
    shutil.copytree(disk / "outside", disk.parent / "new" / "outside")
    assert len(move(library, disk, disk.parent / "new")) == 3
    assert roots(library) == [str(disk.parent / "new" / name) for name in ("a", "b/c", "outside")]
    assert library.scan(disk.parent / "new" / "b/c").read == 0


def test_a_dry_run_changes_nothing(library: Library) -> None:
    fill(library.photos)
    library.scan()
    new = Path(shutil.copytree(library.photos, library.photos.with_name("copy")))
    assert [one.there for one in move(library, library.photos, new, dry_run=True)] == [4]
    assert roots(library) == [str(library.photos)]


def test_a_link_left_in_the_old_place(library: Library) -> None:
    fill(library.photos)
    library.scan()
    new = library.photos.rename(library.photos.with_name("new"))
    library.photos.symlink_to(new)
    assert [one.new for one in move(library, library.photos, new)] == [str(new)]


def test_a_place_without_the_photos(library: Library) -> None:
    fill(library.photos)
    library.scan()
    wrong = fill(library.photos.with_name("wrong"), 70, 1)
    with pytest.raises(LibraryError, match=r"Of 4 photos looked for in .*wrong, 0 are there, so nothing was changed"):
        move(library, library.photos, wrong)
    with pytest.raises(LibraryError, match="There is no folder"):
        move(library, library.photos, library.photos.with_name("nowhere"))
    assert roots(library) == [str(library.photos)]


def test_files_of_another_size_are_not_the_photos(library: Library) -> None:
    fill(library.photos)
    library.scan()
    other = Path(shutil.copytree(library.photos, library.photos.with_name("other")))
    for path in other.iterdir():
        path.write_bytes(b"x")
    with pytest.raises(LibraryError, match="0 are there"):
        move(library, library.photos, other)


def test_what_is_no_library_folder(library: Library) -> None:
    fill(library.photos / "sub")
    library.scan()
    with pytest.raises(LibraryError, match=r"is a part of the library folder .* which only moves as a whole"):
        move(library, library.photos / "sub", library.photos.parent)
    namesake = library.photos.with_name(f"{library.photos.name}-2")
    with pytest.raises(LibraryError, match="No library folder is at or below"):
        move(library, namesake, library.photos)


@pytest.mark.parametrize("place", ["other", "other/inner", "."])
def test_folders_of_a_library_never_overlap(library: Library, place: str) -> None:
    fill(library.photos)
    library.scan()
    other = fill(library.photos.parent / "other", 50)
    library.scan(other)
    target = Path(os.path.normpath(library.photos.parent / place))
    for path in library.photos.iterdir():
        draw(target / path.name, int(path.stem))
    with pytest.raises(LibraryError, match="overlaps the library folder"):
        move(library, library.photos, target)
    assert roots(library) == sorted([str(library.photos), str(other)])


def test_into_itself(library: Library) -> None:
    """A folder may get a level deeper, or come up again."""
    fill(library.photos)
    library.scan()
    (library.photos / "deeper").mkdir()
    for path in library.photos.glob("*.jpg"):
        path.rename(library.photos / "deeper" / path.name)
    move(library, library.photos, library.photos / "deeper")
    assert library.scan(library.photos / "deeper").read == 0
    assert roots(library) == [str(library.photos / "deeper")]


def test_nobody_elses_folder_moves(library: Library, shared_database: KizuDatabase, tmp_path: Path) -> None:
    fill(library.photos)
    library.scan()
    new = Path(shutil.copytree(library.photos, tmp_path / "new"))
    with open_library(shared_database, tmp_path) as other:
        other.scan()
        move(other, other.photos, new)
        assert roots(other) == [str(new)]
        assert roots(library) == [str(library.photos)]
        with pytest.raises(LibraryError, match="No library folder"):
            move(other, library.photos, new)


def test_names_that_are_no_text(library: Library) -> None:
    odd = library.photos.parent / os.fsdecode(b"caf\xe9")
    fill(odd)
    library.scan(odd)
    new = odd.rename(odd.with_name(os.fsdecode(b"caf\xe8")))
    move(library, odd, new)
    assert library.scan(new).read == 0


def test_folders_and_what_is_in_them(library: Library) -> None:
    fill(library.photos)
    draw(library.photos / "copy.jpg", 0)
    (library.photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much")
    library.scan()
    (library.photos / "1.jpg").unlink()
    library.scan()
    [row] = folders(library.opened, library.user)
    assert (row["photos"], row["missing"], row["unreadable"], row["there"], row["state"]) == (3, 1, 1, True, "online")
