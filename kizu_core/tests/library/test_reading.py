"""Files that can't be read, that lie about themselves, that break the reader."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from pytest_mock import MockerFixture

from kizu_core.errors import LibraryError
from kizu_core.library.inspect import inspect_file
from kizu_core.library.readers import Readers
from kizu_core.library.scan import Scan
from kizu_support.library import Library, draw

ISO_VIDEO = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(64)


def errors(library: Library) -> dict[str, str]:
    return {one.path: one.error["message"] for one in library.scan().unreadable}


def test_what_can_not_be_read_is_said_each_time_and_read_once(library: Library) -> None:
    (library.photos / "empty.jpg").write_bytes(b"")
    (library.photos / "page.jpg").write_bytes(b"<html>not found</html>" * 9)
    (library.photos / "drawing.png").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    draw(library.photos / "good.jpg")
    first = library.scan()
    assert (first.new, len(first.unreadable), first.read) == (1, 3, 4)
    again = library.scan()
    assert again.read == 0
    assert {one.path for one in again.unreadable} == {"empty.jpg", "page.jpg", "drawing.png"}
    assert {one.error["code"] for one in again.unreadable} == {"unreadable_picture", "unsupported_format"}


def test_a_repaired_file_is_taken_in(library: Library) -> None:
    (library.photos / "a.jpg").write_bytes(b"")
    library.scan()
    draw(library.photos / "a.jpg")
    report = library.scan()
    assert (report.new, report.unreadable) == (1, [])


def test_a_file_that_becomes_damaged_is_missing(library: Library) -> None:
    photo = draw(library.photos / "a.jpg")
    draw(library.photos / "b.jpg", 1)
    library.scan()
    photo.write_bytes(b"damaged")
    assert len(library.scan().unreadable) == 1
    assert library.missing() == {"a.jpg"}


def test_a_file_that_can_not_be_opened_now_stays_and_is_tried_again(library: Library) -> None:
    photo = draw(library.photos / "a.jpg")
    library.scan()
    os.utime(photo, (1, 1))
    answer = {"error": {"code": "library", "message": "It can't be opened: Permission denied.", "retryable": True}}
    [file] = Scan(library.photos)
    root = library.scan().root_id
    library.opened.worker.import_files(root, [{"path": file.path, "size": 1, "mtime_ns": 1, "inode": 1, **answer}])
    assert (library.missing(), len(library.assets())) == (set(), 1)
    report = library.scan()
    assert (report.read, report.unchanged, report.unreadable) == (1, 1, [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(library: Library) -> None:
    draw(library.photos / "a.jpg").chmod(0)
    assert "Permission denied" in errors(library)["a.jpg"]
    (library.photos / "a.jpg").chmod(0o600)
    assert library.scan().new == 1


def test_videos_are_taken_in_and_raw_photos_are_named(library: Library) -> None:
    (library.photos / "clip.mp4").write_bytes(ISO_VIDEO)
    (library.photos / "old.mpg").write_bytes(b"unknown container")
    (library.photos / "named.jpg").write_bytes(ISO_VIDEO + b"1")
    (library.photos / "a.cr2").write_bytes(b"II*\0\x10\0\0\0CR\x02\0" + bytes(64))
    report = library.scan()
    assert report.found == {"video": 2, "image": 1, "raw": 1}
    assert report.new == 3
    assert "RAW" in report.unreadable[0].error["message"]
    kinds = library.rows("select distinct media_kind from public.assets where user_id = %s", library.user)
    assert kinds == [("video",)]


def test_facts_are_stored(library: Library) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769).update({0x9003: "2020:05:17 14:03:00", 0x9011: "+02:00"})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 0.0, 0.0), 3: "E", 4: (7.0, 30.0, 0.0)})
    Image.new("RGB", (40, 20)).save(library.photos / "a.jpg", exif=exif)
    library.scan()
    [row] = library.rows(
        "select width, height, orientation, taken_local::text, taken_offset_min, (taken_at at time zone 'UTC')::text,"
        " taken_source, latitude, longitude, mime, bytes, sha256 is not null, media_kind"
        " from public.assets where user_id = %s",
        library.user,
    )
    size = (library.photos / "a.jpg").stat().st_size
    taken = ("2020-05-17 14:03:00", 120, "2020-05-17 12:03:00", "ExifIFD:DateTimeOriginal")
    assert row == (20, 40, 6, *taken, 48.0, 7.5, "image/jpeg", size, True, "image")


def test_a_new_sidecar_changes_the_date(library: Library) -> None:
    photo = draw(library.photos / "a.jpg")
    library.scan()
    before = library.assets()
    photo.with_name("a.jpg.xmp").write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:DateTimeOriginal="1987-06-05T04:03:02"/>'
        "</rdf:RDF></x:xmpmeta>"
    )
    os.utime(photo.with_name("a.jpg.xmp"), (2e9, 2e9))
    assert library.scan().unchanged == 1
    query = "select taken_local::text from public.assets where user_id = %s"
    assert library.rows(query, library.user) == [("1987-06-05 04:03:02",)]
    assert library.assets() == before


def test_a_pipe_in_place_of_a_file_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    assert "regular" in inspect_file(tmp_path / "a.jpg", "image")["error"]["message"]


def test_a_file_that_vanished(tmp_path: Path) -> None:
    answer = inspect_file(tmp_path / "a.jpg", "image")
    assert answer["error"]["retryable"]


@pytest.fixture
def broken_reader(tmp_path: Path, mocker: MockerFixture) -> Path:
    """Replaces the reader process by a script that the test writes to the returned path."""
    script = tmp_path / "reader.py"
    popen = subprocess.Popen
    mocker.patch("subprocess.Popen", side_effect=lambda command, **options: popen([sys.executable, script], **options))
    return script


LOOP = """
import os, sys, time
print('{"ready": true}', flush=True)
for line in sys.stdin:
    if "bad" in line: %s
    print('{"sha256": "1", "asset": {}}', flush=True)
"""


@pytest.mark.parametrize(
    ("fault", "message", "retryable"),
    [
        ("os.abort()", "The reader crashed on this file.", False),
        ("os._exit(0)", "The reader crashed on this file.", False),
        ("time.sleep(60)", "Reading it took longer than 1 s.", True),
    ],
)
def test_a_crash_or_a_hang_costs_one_file(
    tmp_path: Path, broken_reader: Path, fault: str, message: str, retryable: bool
) -> None:
    broken_reader.write_text(LOOP % fault)
    photos = tmp_path / "photos"
    for name in ("a", "bad", "c", "d"):
        draw(photos / f"{name}.jpg")
    with Readers(photos, 1, seconds_a_file=1) as pool:
        answers = {file.path: answer for file, answer in pool.read(Scan(photos))}
    error = answers.pop("bad.jpg")["error"]
    assert (error["message"], error["retryable"]) == (message, retryable)
    assert all("sha256" in answer for answer in answers.values())
    assert len(answers) == 3


def test_readers_that_can_not_start_say_why(tmp_path: Path, broken_reader: Path) -> None:
    broken_reader.write_text("raise ImportError('libjpeg is missing')")
    draw(tmp_path / "a.jpg")
    with Readers(tmp_path, 1) as pool, pytest.raises(LibraryError, match="libjpeg is missing"):
        list(pool.read(Scan(tmp_path)))


def test_readers_end_when_the_caller_fails(tmp_path: Path, mocker: MockerFixture) -> None:
    for number in range(20):
        draw(tmp_path / f"{number}.jpg", number)
    started = mocker.spy(subprocess, "Popen")
    with pytest.raises(RuntimeError, match="stop"):  # noqa: PT012 (the readers must be in use when it happens)
        with Readers(tmp_path, 2) as pool:
            next(pool.read(Scan(tmp_path)))
            raise RuntimeError("stop")
    assert started.spy_return_list
    assert all(process.poll() is not None for process in started.spy_return_list)
