"""A folder changes; the library follows, and touches nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from kizu_core.errors import LibraryError
from kizu_support.library import Library, draw, tree_hash


def test_new_photos_are_read_once(library: Library) -> None:
    for shade in range(5):
        draw(library.photos / f"{shade}.jpg", shade)
    first, second = library.scan(), library.scan()
    assert (first.new, first.read, first.found) == (5, 5, {"image": 5})
    assert (second.new, second.read, second.unchanged) == (0, 0, 5)
    assert len(library.assets()) == 5


def test_only_new_photos_are_read(library: Library) -> None:
    draw(library.photos / "a.jpg", 1)
    library.scan()
    draw(library.photos / "b.jpg", 2)
    report = library.scan()
    assert (report.new, report.read, report.unchanged) == (1, 1, 1)


def test_a_moved_photo_stays_the_same_photo(library: Library) -> None:
    photo = draw(library.photos / "a.jpg", 1)
    library.scan()
    before = library.assets()["a.jpg"]
    (library.photos / "2020").mkdir()
    photo.rename(library.photos / "2020" / "beach.jpg")
    report = library.scan()
    assert (report.moved, report.new, report.missing) == (1, 0, 0)
    assert library.assets() == {"beach.jpg": before}


def test_an_edited_photo_stays_the_same_photo_with_new_facts(library: Library) -> None:
    photo = draw(library.photos / "a.jpg", 1)
    library.scan()
    before = library.assets()
    draw(photo, 2, size=(50, 40))
    report = library.scan()
    assert (report.edited, report.new) == (1, 0)
    assert library.assets() == before
    assert library.rows("select width, height from public.assets where user_id = %s", library.user) == [(50, 40)]


def test_editing_one_of_two_copies_makes_a_photo_of_its_own(library: Library) -> None:
    photo = draw(library.photos / "a.jpg", 1)
    shutil.copy(photo, library.photos / "b.jpg")
    first = library.scan()
    assert (first.new, first.copies) == (1, 1)
    [shared] = library.assets().values()
    draw(library.photos / "b.jpg", 2)
    assert library.scan().new == 1
    assert library.assets()["a.jpg"] == shared
    assert len(library.assets()) == 2


@pytest.mark.parametrize("backup", ["0-backup.jpg", "z-backup.jpg"])
def test_a_backup_made_at_the_time_of_the_edit_keeps_the_photo(library: Library, backup: str) -> None:
    photo = draw(library.photos / "a.jpg", 1)
    library.scan()
    original = library.assets()["a.jpg"]
    shutil.copy(photo, library.photos / backup)
    draw(photo, 2)
    report = library.scan()
    assert (report.copies, report.new, report.edited) == (1, 1, 0)
    assert library.assets()[backup] == original


def test_two_photos_that_swap_names_keep_their_identity(library: Library) -> None:
    one, other = draw(library.photos / "a.jpg", 1), draw(library.photos / "b.jpg", 2)
    library.scan()
    before = library.assets()
    one.rename(library.photos / "c")
    other.rename(one)
    (library.photos / "c").rename(other)
    library.scan()
    assert library.assets() == {"a.jpg": before["b.jpg"], "b.jpg": before["a.jpg"]}


def test_a_deleted_photo_is_missing_until_it_returns(library: Library) -> None:
    photo = draw(library.photos / "a.jpg", 1)
    draw(library.photos / "b.jpg", 2)
    library.scan()
    before = library.assets()
    content = photo.read_bytes()
    photo.unlink()
    assert library.scan().missing == 1
    assert library.missing() == {"a.jpg"}
    assert library.scan().missing == 0
    photo.write_bytes(content)
    assert library.scan().returned == 1
    assert library.assets() == before


def test_another_photo_under_a_deleted_name_is_a_new_photo(library: Library) -> None:
    photo = draw(library.photos / "DSC_0001.jpg", 1)
    draw(library.photos / "b.jpg", 2)
    library.scan()
    photo.unlink()
    library.scan()
    draw(photo, 3)
    assert library.scan().new == 1
    assert library.missing() == {"DSC_0001.jpg"}


def test_a_file_replaced_by_one_of_the_same_size_and_time_is_read_again(library: Library) -> None:
    photo = draw(library.photos / "a.jpg", 1)
    other = draw(library.photos / "b.jpg", 1)
    library.scan()
    replacement = photo.with_name("c")
    replacement.write_bytes(photo.read_bytes().replace(b"\xff\xd9", b"\xff\xd8"))
    shutil.copystat(photo, replacement)
    replacement.rename(photo)
    report = library.scan()
    assert (report.read, report.unchanged) == (1, 1), other


def test_only_the_time_changed(library: Library) -> None:
    photo = draw(library.photos / "a.jpg", 1)
    library.scan()
    os.utime(photo, (1, 1))
    report = library.scan()
    assert (report.read, report.unchanged, report.edited) == (1, 1, 0)
    assert library.scan().read == 0


def test_originals_are_not_touched(library: Library) -> None:
    for shade in range(3):
        draw(library.photos / f"{shade}.jpg", shade)
    (library.photos / "broken.jpg").write_bytes(b"\xff\xd8\xffnothing")
    before = tree_hash(library.photos)
    library.scan()
    library.scan()
    assert tree_hash(library.photos) == before


def test_a_folder_that_never_was(library: Library) -> None:
    with pytest.raises(LibraryError, match="There is no folder"):
        library.scan(library.photos / "nowhere")


def test_a_file_in_place_of_a_folder(library: Library) -> None:
    with pytest.raises(LibraryError, match="is a file"):
        library.scan(draw(library.photos / "a.jpg"))


@pytest.mark.parametrize("name", ["x" * 300, "loop", "~nobody-of-this-name/photos", "a\0b"])
def test_a_name_that_can_be_no_folder(library: Library, name: str) -> None:
    (library.photos / "loop").symlink_to(library.photos / "loop")
    folder = Path(name) if name.startswith("~") else library.photos / name
    with pytest.raises(LibraryError):
        library.scan(folder)
