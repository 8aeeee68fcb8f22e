"""Folders that are not there, folders inside each other, folders of others."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from kizu_core.library import place, reconcile
from kizu_core.library.compare import KnownFile, compare, is_other_disk
from kizu_core.library.scan import FileSeen
from kizu_support.library import Library, draw, open_library
from kizu_support.postgres import KizuDatabase


def fill(folder: Path, count: int = 4) -> None:
    for shade in range(count):
        draw(folder / f"{shade}.jpg", shade)


def another_disk(library: Library, mocker: MockerFixture, below: str = "") -> None:
    """From now on the folder seems to lie on another device."""
    real = {path: str(path.stat().st_dev) for path in (library.photos, library.photos.parent)}
    devices = {**real, library.photos / below: "another"}
    for module in (place, reconcile):
        mocker.patch.object(module, "device_of", side_effect=devices.get)


def test_an_absent_root_is_offline(library: Library) -> None:
    fill(library.photos)
    library.scan()
    library.photos.rename(library.photos.with_name("away"))
    report = library.scan()
    assert report.offline == f"{library.photos} is not there now. Its 4 files stay in the library as they are."
    assert (report.missing, library.missing()) == (0, set())
    assert library.state() == "offline"
    library.photos.with_name("away").rename(library.photos)
    back = library.scan()
    assert (back.offline, back.unchanged, back.read) == (None, 4, 0)
    assert library.state() == "online"


def test_an_empty_root_is_offline(library: Library) -> None:
    fill(library.photos)
    library.scan()
    shutil.rmtree(library.photos)
    library.photos.mkdir()
    report = library.scan()
    assert report.offline is not None
    assert "is empty now" in report.offline
    assert library.missing() == set()


def test_an_empty_root_that_was_always_empty_is_online(library: Library) -> None:
    report = library.scan()
    assert (report.offline, report.found) == (None, {})
    assert library.state() == "online"


def test_another_disk_with_other_photos_is_offline(library: Library, mocker: MockerFixture) -> None:
    fill(library.photos)
    library.scan()
    shutil.rmtree(library.photos)
    draw(library.photos / "other.jpg", 99)
    another_disk(library, mocker)
    report = library.scan()
    assert report.offline is not None
    assert "another disk" in report.offline
    assert (report.new, library.missing()) == (0, set())


def test_the_same_photos_on_a_new_disk_are_not_read_again(library: Library, mocker: MockerFixture) -> None:
    fill(library.photos)
    library.scan()
    shutil.copytree(library.photos, library.photos.with_name("copy"))
    shutil.rmtree(library.photos)
    library.photos.with_name("copy").rename(library.photos)
    another_disk(library, mocker)
    report = library.scan()
    assert (report.offline, report.read, report.unchanged) == (None, 0, 4)
    assert library.scan().read == 0


def test_a_part_that_is_empty_is_offline_alone(library: Library) -> None:
    fill(library.photos / "usb")
    draw(library.photos / "a.jpg", 50)
    library.scan()
    shutil.rmtree(library.photos / "usb")
    assert library.scan(library.photos / "usb").offline is not None
    assert library.missing() == set()
    assert library.scan().missing == 4


def test_a_disk_inside_the_root_that_is_not_mounted(library: Library, mocker: MockerFixture) -> None:
    fill(library.photos / "usb")
    draw(library.photos / "a.jpg", 50)
    library.scan()
    library.rows("update public.asset_files set mount = 'usb' where path like 'usb/%%' and user_id = %s returning 1",
                 library.user)  # fmt: skip
    shutil.rmtree(library.photos / "usb")
    (library.photos / "usb").mkdir()
    assert library.scan().missing == 0
    another_disk(library, mocker, below="usb")
    assert library.scan().missing == 4


def test_files_below_a_place_that_can_not_be_looked_at_stay(library: Library) -> None:
    outside = library.photos.with_name("outside")
    fill(outside)
    draw(library.photos / "a.jpg", 50)
    (library.photos / "disk").symlink_to(outside)
    assert library.scan().new == 5
    outside.rename(outside.with_name("unplugged"))
    report = library.scan()
    assert (report.missing, report.offline) == (0, None)
    assert [problem.path for problem in report.problems] == ["disk"]


def test_a_folder_inside_a_root_is_a_part_of_it(library: Library) -> None:
    fill(library.photos / "2020")
    draw(library.photos / "a.jpg", 50)
    whole = library.scan()
    draw(library.photos / "2020" / "new.jpg", 60)
    draw(library.photos / "unseen.jpg", 70)
    part = library.scan(library.photos / "2020")
    assert (part.root_id, part.below) == (whole.root_id, "2020")
    assert (part.new, part.unchanged, part.missing) == (1, 4, 0)


def test_a_folder_around_a_root_takes_it_over(library: Library) -> None:
    fill(library.photos / "2020")
    library.scan(library.photos / "2020")
    before = library.assets()
    draw(library.photos / "a.jpg", 50)
    report = library.scan()
    assert (report.read, report.new, report.unchanged) == (1, 1, 4)
    assert before.items() <= library.assets().items()
    assert library.rows("select path from public.library_roots where user_id = %s", library.user) == [
        (str(library.photos),)
    ]


def test_names_that_only_begin_alike_are_other_roots(library: Library) -> None:
    fill(library.photos)
    fill(library.photos.with_name("photos-2"))
    assert library.scan().root_id != library.scan(library.photos.with_name("photos-2")).root_id


def test_a_root_is_known_by_its_real_path(library: Library) -> None:
    fill(library.photos)
    library.photos.with_name("link").symlink_to(library.photos)
    first, second = library.scan(), library.scan(library.photos.with_name("link"))
    assert (first.root_id, second.read) == (second.root_id, 0)


def test_moving_between_roots_keeps_the_photo(library: Library) -> None:
    fill(library.photos)
    other = library.photos.with_name("archive")
    other.mkdir()
    library.scan()
    before = library.assets()["0.jpg"]
    (library.photos / "0.jpg").rename(other / "old.jpg")
    library.scan(other)
    library.scan()
    assert library.assets()["old.jpg"] == before


def test_two_users_share_nothing(library: Library, shared_database: KizuDatabase) -> None:
    fill(library.photos)
    library.scan()
    with open_library(shared_database, library.photos.parent) as other:
        assert other.scan().new == 4
        assert not set(other.assets().values()) & set(library.assets().values())


def seen(path: str, inode: int) -> FileSeen:
    return FileSeen(path, "image", 1, 1, inode)


def known(path: str, inode: int = 1) -> KnownFile:
    return KnownFile(
        path=path,
        size=1,
        mtime_ns=1,
        inode=inode,
        mount="",
        sha256=path,
        asset_id="a",
        error=None,
        missing=False,
        forgotten=False,
    )


@pytest.mark.parametrize(("replaced", "kept", "read"), [(1, 3, 1), (19, 0, 19), (20, 0, 0), (20, 25, 20), (30, 25, 0)])
def test_inodes_that_all_change_at_once_mean_nothing(replaced: int, kept: int, read: int) -> None:
    before = {f"{n}": known(f"{n}") for n in range(replaced + kept)}
    now = [seen(f"{n}", 2 if n < replaced else 1) for n in range(replaced + kept)]
    result = compare(now, before, other_device=False)
    assert len(result.changed) == read
    assert len(result.same) + len(result.renumbered) == replaced + kept - read


def test_a_file_that_is_on_another_disk_now_is_remembered_so() -> None:
    """Else it would never count as gone: the disk that it was on is not there to be looked at."""
    before = {"a": replace(known("a"), mount="usb")}
    result = compare([seen("a", 1)], before, other_device=False)
    assert [file.path for file, _ in result.renumbered] == ["a"]
    assert (result.same, result.changed) == ([], [])


def test_half_of_the_photos_tell_the_disk() -> None:
    before = {f"{n}": known(f"{n}") for n in range(4)}
    assert is_other_disk([seen("0", 1)], before)
    assert not is_other_disk([seen("0", 1), seen("1", 1)], before)
