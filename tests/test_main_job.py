"""`kizu run` from end to end, as a user runs it: what it finds, what a second run does, what it says."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from kizu_support.command import Kizu


def tree_hash(folder: Path) -> str:
    """Names, contents and times of everything below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(f"{path.relative_to(folder)} {path.stat().st_mtime_ns}".encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def draw(path: Path, text: str) -> None:
    """A small photo with a number on it, so that every one has content of its own."""
    image = Image.new("RGB", (160, 120), (200, 220, 240))
    ImageDraw.Draw(image).text((10, 40), text, fill="black", font_size=30)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=80)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "Photos é"
    for number in range(6):
        draw(folder / f"{2020 + number % 2}" / f"IMG_{number}.jpg", str(number))
    return folder


def test_a_run_makes_thumbnails_and_leaves_the_originals_alone(kizu: Kizu, photos: Path) -> None:
    before = tree_hash(photos)
    result = kizu("run", photos)
    assert (result.code, result.err) == (0, "")
    assert "Found 6 photos" in result.out
    assert "thumbnails         6 done" in result.out
    assert tree_hash(photos) == before
    thumbnails = list((kizu.home / "blobs").rglob("thumb-*.jpg"))
    assert len(thumbnails) == 6
    for thumbnail in thumbnails:
        with Image.open(thumbnail) as image:
            assert (image.size, image.format) == ((300, 300), "JPEG")


def test_a_run_without_plugins_says_what_is_missing_and_how_to_get_it(kizu: Kizu, photos: Path) -> None:
    lines = kizu("run", photos).out.splitlines()
    (text,) = [number for number, line in enumerate(lines) if line.strip().startswith("text")]
    assert "not done: No plugin" in lines[text]
    assert "`kizu plugins enable rapidocr`" in lines[text + 1]  # it is installed here, and only switched off


def test_a_second_run_reads_nothing_and_adds_nothing(kizu: Kizu, photos: Path) -> None:
    first, second = kizu("run", photos, "--json"), kizu("run", photos, "--json")
    assert (first.code, second.code) == (0, 0)
    assert (first.summary["report"]["read"], second.summary["report"]["read"]) == (6, 0)
    assert second.summary["worked"]["jobs"] == 0
    assert second.summary["jobs"] == first.summary["jobs"]


def test_moved_edited_deleted_and_returned_files(kizu: Kizu, photos: Path, tmp_path: Path) -> None:
    kizu("run", photos)
    before = {row["file_name"]: row["id"] for row in _assets(kizu)}
    (photos / "2020/IMG_0.jpg").rename(photos / "2021/moved.jpg")
    draw(photos / "2020/IMG_2.jpg", "edited")
    shutil.move(photos / "2020/IMG_4.jpg", tmp_path / "away.jpg")
    report = kizu("run", photos, "--json").summary["report"]
    assert {key: report[key] for key in ("moved", "edited", "missing", "new")} == {
        "moved": 1,
        "edited": 1,
        "missing": 1,
        "new": 0,
    }
    after = {row["file_name"]: row["id"] for row in _assets(kizu)}
    assert (after["moved.jpg"], after["IMG_2.jpg"]) == (before["IMG_0.jpg"], before["IMG_2.jpg"])
    assert "IMG_4.jpg" not in after
    shutil.move(tmp_path / "away.jpg", photos / "2020/IMG_4.jpg")
    summary = kizu("run", photos, "--json").summary
    assert summary["report"]["returned"] == 1
    assert {row["file_name"]: row["id"] for row in _assets(kizu)}["IMG_4.jpg"] == before["IMG_4.jpg"]


def _assets(kizu: Kizu) -> list[dict[str, str]]:
    result = kizu("assets", "list", "--json")
    assert result.code == 0, result.err
    import json

    return [json.loads(line) for line in result.out.splitlines()]


def test_an_absent_folder_that_was_known_changes_nothing(kizu: Kizu, photos: Path) -> None:
    kizu("run", photos)
    photos.rename(photos.with_name("unplugged"))
    result = kizu("run", photos)
    assert "stay in the library" in result.out
    assert len(_assets(kizu)) == 6


def test_json_is_one_object_a_line_and_ends_with_the_summary(kizu: Kizu, photos: Path) -> None:
    result = kizu("run", photos, "--json")
    assert len(result.events) == len(result.out.splitlines())
    assert result.events[-1]["event"] == "summary"
    assert {"imported", "queued", "job_done", "summary"} <= {event["event"] for event in result.events}


def test_one_photo_can_be_looked_at(kizu: Kizu, photos: Path) -> None:
    kizu("run", photos)
    shown = kizu("assets", "show", photos / "2020/IMG_0.jpg")
    assert shown.code == 0, shown.err
    assert "160 x 120 pixels" in shown.out
    assert "optimize by core 1" in shown.out
    missing = kizu("assets", "show", "nothing.jpg")
    assert (missing.code, missing.out) == (1, "")
    assert missing.err.startswith("kizu: There is no photo 'nothing.jpg'")


def test_unreadable_files_are_named_with_the_cause_and_the_run_goes_on(kizu: Kizu, photos: Path) -> None:
    whole = io.BytesIO()
    Image.effect_noise((400, 300), 90).convert("RGB").save(whole, "JPEG")
    (photos / "cut.jpg").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    (photos / "page.jpg").write_text("<html>not a photo</html>")
    result = kizu("run", photos)
    assert result.code == 3
    assert "2 files could not be read" in result.out
    assert "cut.jpg" in result.out
    assert "page.jpg" in result.out
    assert "thumbnails         6 done" in result.out
    again = kizu("run", photos, "--json")
    assert (again.code, again.summary["worked"]["jobs"]) == (3, 0)


def test_two_users_do_not_see_each_others_photos(kizu: Kizu, photos: Path) -> None:
    kizu("run", photos, "--user", "Anna")
    assert kizu("assets", "list", "--user", "Anna", "--json").out.count("\n") == 6
    assert kizu("assets", "list", "--user", "Ben", "--json").out == ""


def test_a_plugin_that_comes_later_fills_only_its_own_operation(kizu: Kizu, photos: Path) -> None:
    kizu("run", photos)
    kizu.variables["KIZU_LOAD_PLUGINS"] = "core,histogram"
    summary = kizu("run", photos, "--json").summary
    assert summary["report"]["read"] == 0
    assert {name: tally["done"] for name, tally in summary["worked"]["operations"].items()} == {"embedding": 6}


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_photos_on_a_read_only_mount(kizu: Kizu, photos: Path, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    if subprocess.run(["mount", "--bind", "-o", "ro", photos, mount], capture_output=True).returncode:
        pytest.skip("this machine does not let tests mount anything")
    try:
        with pytest.raises(OSError, match="Read-only"):
            (mount / "probe").touch()
        before = tree_hash(mount)
        result = kizu("run", mount)
        assert result.code == 0, result.out
        assert tree_hash(mount) == before
    finally:
        subprocess.run(["umount", mount], check=True)
