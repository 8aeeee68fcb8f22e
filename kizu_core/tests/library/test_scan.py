"""Which files of a folder are candidates, and what is passed over and why."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizu_core.database.paths import path_to_text, readable, text_to_path
from kizu_core.library import ignore
from kizu_core.library.scan import FileSeen, Scan


def make(folder: Path, paths: Iterable[str]) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"content")


def scanned(folder: Path, below: str = "") -> tuple[set[str], Scan]:
    scan = Scan(folder, below)
    return {file.path for file in scan}, scan


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg", ignore.NAS),
        ("2020/@eaDir/b.jpg", ignore.NAS),
        ("._a.jpg", ignore.APPLE_DOUBLE),
        (".hidden.jpg", ignore.HIDDEN),
        (".thumbnails/normal/a.png", ignore.HIDDEN),
        (".@__thumb/a.jpg", ignore.HIDDEN),
        (".Trash-1000/files/a.jpg", ignore.HIDDEN),
        ("#recycle/a.jpg", ignore.RECYCLE_BIN),
        ("$RECYCLE.BIN/a.jpg", ignore.RECYCLE_BIN),
        ("Catalog Previews.lrdata/0/a.jpg", ignore.OTHER_APPS),
        ("CaptureOne/Cache/a.jpg", ignore.OTHER_APPS),
        ("Thumbs.db", ignore.OTHER_APPS),
        ("site/node_modules/pkg/logo.png", ignore.PROGRAMS),
        ("My.photoslibrary/resources/derivatives/a.jpeg", ignore.PACKAGES),
    ],
)
def test_what_is_passed_over_is_counted_by_rule(tmp_path: Path, path: str, rule: str) -> None:
    make(tmp_path, [path, "kept.jpg"])
    paths, scan = scanned(tmp_path)
    assert paths == {"kept.jpg"}
    assert scan.ignored == {rule: 1}


def test_only_originals_of_a_photos_library_are_read(tmp_path: Path) -> None:
    make(tmp_path, ["L.photoslibrary/originals/0/a.heic", "L.photoslibrary/scopes/b.jpg", "L.photoslibrary/cover.jpg"])
    make(tmp_path, ["Old.photolibrary/Masters/c.jpg"])
    paths, _ = scanned(tmp_path)
    assert paths == {"L.photoslibrary/originals/0/a.heic", "Old.photolibrary/Masters/c.jpg"}
    assert scanned(tmp_path / "L.photoslibrary")[0] == {"originals/0/a.heic"}


def test_a_hidden_folder_that_is_asked_for_is_read(tmp_path: Path) -> None:
    make(tmp_path, [".private/a.jpg"])
    assert scanned(tmp_path / ".private")[0] == {"a.jpg"}


def test_kinds_and_unknown_types_are_counted(tmp_path: Path) -> None:
    make(tmp_path, ["a.JPG", "b.heic", "c.NEF", "d.mp4", "notes.txt", "README", "e.txt"])
    _, scan = scanned(tmp_path)
    assert scan.found == {"image": 2, "raw": 1, "video": 1}
    assert scan.unknown == {"txt": 2, "": 1}


def test_loops_of_links_end(tmp_path: Path) -> None:
    make(tmp_path, ["a/b/photo.jpg"])
    (tmp_path / "a/b/up").symlink_to(tmp_path / "a")
    (tmp_path / "a/top").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "above").symlink_to(tmp_path.parent)
    (tmp_path / "root").symlink_to("/")
    paths, scan = scanned(tmp_path)
    assert paths == {"a/b/photo.jpg"}
    assert scan.ignored == {ignore.LINKED_TWICE: 4}
    assert [problem.path for problem in scan.problems] == ["self"]


def test_links_are_followed_after_real_folders(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    make(tmp_path, ["outside/far.jpg", "root/z/near.jpg"])
    (tmp_path / "root/a-link").symlink_to(tmp_path / "root/z")
    (tmp_path / "root/b-link").symlink_to(outside)
    (tmp_path / "root/c-link").symlink_to(outside)
    (tmp_path / "root/file.jpg").symlink_to(outside / "far.jpg")
    paths, _ = scanned(tmp_path / "root")
    assert paths == {"z/near.jpg", "b-link/far.jpg", "file.jpg"}


def test_links_that_lead_nowhere_are_reported(tmp_path: Path) -> None:
    (tmp_path / "disk").symlink_to(tmp_path / "not mounted")
    (tmp_path / "photo.jpg").symlink_to(tmp_path / "gone.jpg")
    _, scan = scanned(tmp_path)
    assert {problem.path: problem.message for problem in scan.problems} == {
        "disk": "The link leads nowhere.",
        "photo.jpg": "The link leads nowhere.",
    }


def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.jpg"))
        (tmp_path / "folder.jpg").mkdir()
        paths, scan = scanned(tmp_path)
    assert paths == set()
    assert scan.ignored == {ignore.NOT_REGULAR: 2}


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for root")
def test_an_unreadable_folder_is_reported(tmp_path: Path) -> None:
    make(tmp_path, ["closed/a.jpg", "open/b.jpg"])
    (tmp_path / "closed").chmod(0)
    paths, scan = scanned(tmp_path)
    (tmp_path / "closed").chmod(0o700)
    assert paths == {"open/b.jpg"}
    assert [problem.path for problem in scan.problems] == ["closed"]


NAMES = [
    b"Urlaub \xc3\xa4\xc3\xb6.jpg", b"line\nbreak.jpg", b" leading and trailing .jpg", b"\xe6\x97\xa5\xe6\x9c\xac.jpg",
    b"caf\xe9.jpg", b"\xff\xfe.jpg", b"back\\slash.jpg", b"quote'\".jpg", b"-rf.jpg", b"%41.jpg", b"e\xcc\x81.jpg",
    "private \U0010f7e9.jpg".encode(),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_come_back_as_they_were(tmp_path: Path, name: bytes) -> None:
    (tmp_path / os.fsdecode(name)).write_bytes(b"content")
    [file] = Scan(tmp_path)
    file.path.encode()  # valid text, or it could not be stored
    assert os.fsencode(text_to_path(file.path)) == name
    assert (tmp_path / text_to_path(file.path)).read_bytes() == b"content"


@given(st.binary().filter(lambda name: b"\0" not in name))
def test_every_name_has_one_text_and_back(name: bytes) -> None:
    text = path_to_text(os.fsdecode(name))
    assert os.fsencode(text_to_path(text)) == name
    assert "\0" not in text
    readable(os.fsdecode(name)).encode()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFFF)))
def test_names_that_are_text_are_stored_as_they_are(name: str) -> None:
    assert path_to_text(name) == name


def test_a_part_of_a_root(tmp_path: Path) -> None:
    make(tmp_path, ["2020/may/a.jpg", "2021/b.jpg"])
    assert scanned(tmp_path, "2020")[0] == {"2020/may/a.jpg"}


def test_a_sidecar_changes_the_time_of_its_photo(tmp_path: Path) -> None:
    make(tmp_path, ["a.jpg", "a.jpg.xmp", "b.jpg", "b.xmp", "c.jpg"])
    for name, seconds in (("a.jpg", 10), ("a.jpg.xmp", 20), ("b.jpg", 10), ("b.xmp", 30), ("c.jpg", 10)):
        os.utime(tmp_path / name, (seconds, seconds))
    times = {file.path: file.mtime_ns // 10**9 for file in Scan(tmp_path)}
    assert times == {"a.jpg": 20, "b.jpg": 30, "c.jpg": 10}


def test_what_a_file_looks_like(tmp_path: Path) -> None:
    make(tmp_path, ["a.jpg"])
    status = (tmp_path / "a.jpg").stat()
    assert list(Scan(tmp_path)) == [FileSeen("a.jpg", "image", 7, status.st_mtime_ns, status.st_ino)]


def test_kizus_own_folder_is_left_out_unless_it_is_around(tmp_path: Path) -> None:
    make(tmp_path, ["a.jpg", "kizu/blobs/thumb.jpg", "kizu/demo/scene.jpg"])
    scan = Scan(tmp_path, without=[tmp_path / "kizu", tmp_path / "nothing"])
    assert [file.path for file in scan] == ["a.jpg"]
    assert scan.ignored == {ignore.OWN: 1}
    assert [file.path for file in Scan(tmp_path / "kizu" / "demo", without=[tmp_path / "kizu"])] == ["scene.jpg"]
