"""`kizu run` for every day: the plan first, a dry run that changes nothing, only what was asked for, newest first."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from PIL import Image

from kizu_support.command import Kizu
from kizu_support.reader import reader_plugin

PHOTOS = 8


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Pictures taken a year after each other, the numbers in the names and the times of the files in no order."""
    folder = tmp_path / "Photos é"
    folder.mkdir()
    for year in range(PHOTOS):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = f"{2010 + year}:06:01 12:00:00"
        path = folder / f"{year * 5 % PHOTOS}-{2010 + year}.jpg"
        Image.effect_noise((320, 240), 20 + year).convert("RGB").save(path, exif=exif)
        os.utime(path, (1_700_000_000 + year * 7 % 11,) * 2)
    (folder / ".hidden.jpg").touch()
    (folder / "notes.txt").touch()
    return folder


@pytest.fixture
def reader(kizu: Kizu, tmp_path: Path) -> Kizu:
    """The command with a plugin that reads text."""
    return with_reader(kizu, tmp_path, 0)


def with_reader(kizu: Kizu, tmp_path: Path, seconds: float) -> Kizu:
    kizu.variables |= reader_plugin(tmp_path / "site", "welcome", seconds)
    return kizu


def tree(folder: Path) -> dict[str, str]:
    """Path -> content of all files of a folder, without what a database server writes of itself."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_relative_to(folder / "database") and path.parent.name not in ("run", "logs")
    }


def rows(kizu: Kizu) -> dict[str, int]:
    """Writes to each table so far, those that were undone included."""
    url = kizu("db", "url").out.strip()
    counters = "select relname, n_tup_ins + n_tup_upd + n_tup_del from pg_stat_user_tables"
    with psycopg.connect(url) as connection:
        connection.execute("select pg_stat_force_next_flush()")
        return dict(connection.execute(counters).fetchall())


# ---- the plan ------------------------------------------------------------------------------------------------


def test_the_plan_comes_before_the_work(reader: Kizu, photos: Path) -> None:
    lines = reader("run", photos).out.splitlines()
    plan = lines[: next(number for number, line in enumerate(lines) if "reading files" in line)]
    text = "\n".join(plan)
    for part in ("Found 8 photos", "8 new", "1 hidden", "1 .txt", "thumbnails, text with reader", str(reader.home)):
        assert part in text
    assert "Something is needed first for: search by content, people, objects, captions." in plan
    assert "Disk, roughly: " in text


def test_the_plan_is_an_event(reader: Kizu, photos: Path) -> None:
    events = reader("run", photos, "--json").events
    names = [event["event"] for event in events]
    plan = events[names.index("plan")]
    assert names.index("plan") < names.index("imported") < names.index("queued")
    assert plan["types"]["JPEG"]["files"] == PHOTOS
    assert plan["files"] == {"new": PHOTOS, "changed": 0, "known": 0, "gone": 0}
    assert {one["operation"]: one["photos"] for one in plan["operations"]} == {"ocr": PHOTOS, "optimize": PHOTOS}
    assert [place["fits"] for place in plan["disk"]["places"]] == [True]
    again = reader("run", photos, "--json").events
    (plan,) = [event for event in again if event["event"] == "plan"]
    assert plan["files"] == {"new": 0, "changed": 0, "known": PHOTOS, "gone": 0}


def test_examples_of_what_is_passed_over_are_named_on_request(reader: Kizu, photos: Path) -> None:
    said = reader("run", photos, "--dry-run", "-v").out
    assert ".hidden.jpg" in said
    assert "notes.txt" in said
    assert ".hidden.jpg" not in reader("run", photos).out


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_that_is_too_small_is_refused_before_anything_is_read(kizu: Kizu, photos: Path) -> None:
    blobs = kizu.home / "blobs"
    blobs.mkdir(exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "kizu", blobs], capture_output=True).returncode:
        pytest.skip("this machine does not let tests mount anything")
    try:
        result = kizu("run", photos)
    finally:
        subprocess.run(["umount", blobs], check=True)
    assert result.code == 1
    assert f"{blobs} would need about 168 kB" in result.err
    assert "--anyway" in result.err
    assert kizu("assets", "list", "--json").out == ""


# ---- the dry run ---------------------------------------------------------------------------------------------


def test_a_dry_run_without_a_library_makes_none(reader: Kizu, photos: Path, tmp_path: Path) -> None:
    reader.home = tmp_path / "not there yet"
    before = tree(photos)
    result = reader("run", photos, "--dry-run")
    assert (result.code, result.err) == (0, "")
    for part in ("8 new", "reading files", "thumbnails", "s each)", "nothing was changed"):
        assert part in result.out
    assert not reader.home.exists()
    assert tree(photos) == before
    assert not [path for path in tmp_path.rglob("*") if "probe" in path.name]


def test_a_dry_run_changes_nothing_in_a_library(reader: Kizu, photos: Path) -> None:
    reader("run", photos)
    Image.effect_noise((320, 240), 90).convert("RGB").save(photos / "new.jpg")
    reader("db", "start")
    try:
        before, files = rows(reader), tree(reader.home)
        shown = reader.json("run", photos, "--dry-run")
        other = reader.json("run", photos, "--dry-run", "--user", "nobody yet")
        after = rows(reader)
    finally:
        reader("db", "stop")
    assert (after, tree(reader.home)) == (before, files)
    assert shown["files"] == {"new": 1, "changed": 0, "known": PHOTOS, "gone": 0}
    assert other["files"]["new"] == PHOTOS + 1
    assert set(shown["forecast"]["stages"]) == {"ocr", "optimize"}
    assert (shown["forecast"]["pictures"], other["forecast"]["pictures"]) == (1, PHOTOS + 1)
    assert all(photo["photos"] == 1 for photo in shown["operations"])


def test_a_dry_run_knows_what_is_still_to_be_done(reader: Kizu, photos: Path) -> None:
    reader("run", photos, "--operations", "optimize")
    shown = reader.json("run", photos, "--dry-run")
    assert {one["operation"]: one["photos"] for one in shown["operations"]} == {"ocr": PHOTOS, "optimize": 0}
    assert shown["forecast"]["stages"]["ocr"]["hours"] >= 0
    assert "There is nothing to do on any photo." in reader("run", photos, "--dry-run", "--operations", "optimize").out


def test_the_times_of_a_dry_run_are_those_of_the_work(kizu: Kizu, photos: Path, tmp_path: Path) -> None:
    forecast = with_reader(kizu, tmp_path, 0.4).json("run", photos, "--dry-run")["forecast"]
    assert 0.4 <= forecast["stages"]["ocr"]["seconds_each"] < 4
    assert forecast["total_hours"] >= forecast["stages"]["ocr"]["hours"] >= PHOTOS * 0.4 / 3600 - 0.001


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_dry_run_leaves_nothing(
    kizu: Kizu, photos: Path, tmp_path: Path, number: signal.Signals
) -> None:
    kizu.home = tmp_path / "not there yet"
    kizu.variables["TMPDIR"] = str(tmp_path / "tmp")
    (tmp_path / "tmp").mkdir()
    out = tmp_path / "out.txt"
    process = with_reader(kizu, tmp_path, 60).start("run", photos, "--dry-run", out=out)
    children = list(_children(process.pid))
    process.send_signal(number)
    assert process.wait(timeout=30) == 130
    assert out.with_suffix(".err").read_text() == "Stopped. Run the same command again to go on.\n"
    assert not [child for child in children if child.is_running()]
    assert (list((tmp_path / "tmp").iterdir()), kizu.home.exists()) == ([], False)


def _children(pid: int) -> Iterator[psutil.Process]:
    """The model processes, once the pictures are being tried."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        children = psutil.Process(pid).children(recursive=True)
        if any("kizu_core.worker.child" in " ".join(child.cmdline()) for child in children):
            time.sleep(1)
            yield from children
            return
        time.sleep(0.1)


# ---- only some operations, newest first ----------------------------------------------------------------------


def test_only_what_was_asked_for_is_done(reader: Kizu, photos: Path) -> None:
    first = reader("run", photos, "--operations", "optimize", "--json").summary
    assert list(first["worked"]["operations"]) == ["optimize"]
    assert "ocr" not in first["jobs"]
    second = reader("run", photos, "--json").summary
    assert list(second["worked"]["operations"]) == ["ocr"]


def test_what_an_earlier_run_left_waiting_is_not_touched(reader: Kizu, photos: Path) -> None:
    reader("run", photos, "--operations", "optimize")
    user = reader.json("users", "list")[0]["id"]
    with psycopg.connect(_started(reader)) as connection:
        connection.execute(
            "insert into ai_processing_jobs (user_id, asset_id, todo)"
            " select user_id, id, '{ocr}' from assets where user_id = %s",
            [user],
        )
    reader("db", "stop")
    result = reader("run", photos, "--operations", "optimize", "--json")
    assert result.code == 0
    assert result.summary["jobs"]["ocr"]["waiting"] == PHOTOS


def _started(kizu: Kizu) -> str:
    kizu("db", "start")
    return kizu("db", "url").out.strip()


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        ("nonsense", ("'nonsense' can't be done here", "Possible here: ocr, optimize")),
        ("faces,ocr", ("'faces' can't be done here: No plugin", "Possible here: ocr, optimize")),
        (",", ("Possible here: ocr, optimize",)),
    ],
)
def test_an_operation_that_is_not_possible_is_a_wrong_use(
    reader: Kizu, photos: Path, names: str, parts: tuple[str, ...]
) -> None:
    refused = reader("run", photos, "--operations", names)
    assert (refused.code, refused.out) == (2, "")
    for part in parts:
        assert part in refused.err


def test_the_newest_photos_come_first(reader: Kizu, photos: Path) -> None:
    reader.variables["BATCH_SIZE"] = "2"
    events = reader("run", photos, "--json").events
    for operation in ("ocr", "optimize"):
        order = [one["photo"] for one in events if one["event"] == "job_started" and one["todo"] == [operation]]
        years = [name.split("-")[1] for name in order]
        assert years == sorted(years, reverse=True)
        assert len(years) == PHOTOS


# ---- users ---------------------------------------------------------------------------------------------------


def test_a_deleted_user_leaves_the_photos_and_nothing_else(reader: Kizu, photos: Path) -> None:
    before = tree(photos)
    reader("run", photos, "--user", "Anna")
    reader("run", photos)
    said = reader("users", "delete", "Anna", "--yes")
    assert said.code == 0, said.err
    for part in (f"{PHOTOS} photos and videos", f"{PHOTOS} thumbnails", f"{PHOTOS} lines of text", "1 folder"):
        assert part in said.out
    assert tree(photos) == before
    assert [(user["name"], user["photos"]) for user in reader.json("users", "list")] == [("me", PHOTOS)]
    assert len(list((reader.home / "blobs").rglob("*.jpg"))) == PHOTOS
    assert len([path for path in (reader.home / "blobs").iterdir() if path.is_dir()]) == 1
