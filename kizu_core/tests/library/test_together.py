"""Two scans at once, scans that are killed, databases that go away, libraries that are large."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from kizu_core.errors import DatabaseUnavailable
from kizu_core.library import reconcile
from kizu_core.library.reconcile import Reconciler
from kizu_core.library.report import Progress, ReconcileReport
from kizu_core.settings import Paths
from kizu_support.library import Library, draw, tree_hash


def test_a_second_scan_waits_with_a_sentence(library: Library, tmp_path: Path) -> None:
    for shade in range(3):
        draw(library.photos / f"{shade}.jpg", shade)
    reached, go_on = threading.Event(), threading.Event()
    waiting = threading.Event()
    reports: list[ReconcileReport] = []

    def hold(event: Progress) -> None:
        if event.stage == "scanning":
            reached.set()
            go_on.wait(60)

    def notice(event: Progress) -> None:
        if event.stage == "waiting":
            assert "Another Kizu" in event.message
            waiting.set()

    def scan(on_event: Any) -> None:
        one = Reconciler(library.opened, library.user, paths=Paths(tmp_path / "home"), readers=1, on_event=on_event)
        reports.append(one.run(library.photos))

    first, second = (threading.Thread(target=scan, args=(on_event,)) for on_event in (hold, notice))
    first.start()
    assert reached.wait(60)
    second.start()
    assert waiting.wait(60)
    go_on.set()
    first.join()
    second.join()
    assert [(report.new, report.read) for report in reports] == [(3, 3), (0, 0)]


def test_a_scan_that_is_killed_is_taken_up(library: Library, mocker: MockerFixture) -> None:
    for shade in range(8):
        draw(library.photos / f"{shade}.jpg", shade)
    mocker.patch.object(reconcile, "BATCH", 3)
    imported = library.opened.worker.import_files

    def twice(*arguments: Any) -> list[dict[str, Any]]:
        if library.assets():
            raise KeyboardInterrupt
        return imported(*arguments)

    mocker.patch.object(library.opened.worker, "import_files", side_effect=twice)
    with pytest.raises(KeyboardInterrupt):
        library.scan()
    mocker.stopall()
    report = library.scan()
    assert (report.unchanged, report.read, report.new) == (3, 5, 5)
    assert len(library.assets()) == 8


def test_a_database_that_goes_away_is_waited_for(library: Library, mocker: MockerFixture) -> None:
    draw(library.photos / "a.jpg")
    imported = library.opened.worker.import_files
    answers: Iterator[Any] = iter([DatabaseUnavailable("It is gone."), None])

    def sometimes(*arguments: Any) -> Sequence[dict[str, Any]]:
        answer = next(answers)
        if answer:
            raise answer
        return imported(*arguments)

    mocker.patch.object(library.opened.worker, "import_files", side_effect=sometimes)
    assert library.scan().new == 1
    assert any(event.stage == "waiting" and "It is gone." in event.message for event in library.events)


def test_the_same_answer_twice_changes_nothing(library: Library) -> None:
    """A call whose answer was lost is repeated."""
    root = library.scan().root_id
    rows = [{"path": "a.jpg", "size": 1, "mtime_ns": 1, "inode": 1, "sha256": "x", "asset": {"media_kind": "image"}}]
    first = library.opened.worker.import_files(root, rows)
    second = library.opened.worker.import_files(root, rows)
    assert (first[0]["outcome"], second[0]["outcome"]) == ("new", "same")
    assert first[0]["asset_id"] == second[0]["asset_id"]


def test_copies_within_one_batch_share_the_photo(library: Library) -> None:
    for name in ("a", "b", "c"):
        draw(library.photos / f"{name}.jpg")
    report = library.scan()
    assert (report.new, report.copies) == (1, 2)
    assert len(library.assets()) == 1


def test_in_a_large_library_only_the_new_photos_are_read(library: Library) -> None:
    content = draw(library.photos / "first.jpg").read_bytes()
    for number in range(1500):
        folder = library.photos / f"{number // 500}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.jpg").write_bytes(content + str(number).encode())
    assert library.scan().new == 1501
    for number in range(20):
        (library.photos / f"late-{number}.jpg").write_bytes(content + b"late" + str(number).encode())
    before = tree_hash(library.photos)
    report = library.scan()
    assert (report.new, report.read, report.unchanged) == (20, 20, 1501)
    assert tree_hash(library.photos) == before
    reading = [event for event in library.events if event.stage == "reading"]
    assert reading[-1] == replace(reading[-1], done=20, total=20)


def test_the_rows_of_the_real_photos_are_those_of_the_manifest(library: Library, shared: Path) -> None:
    folder = shared / "photos"
    before = unchanged_marks(folder)
    report = library.scan(folder)
    assert report.found == {"image": 110, "video": 4}
    assert (report.new, report.unreadable, report.problems) == (114, [], [])
    assert library.scan(folder).read == 0
    assert before == unchanged_marks(folder)
    for file in json.loads((folder / "manifest.json").read_text())["files"]:
        assert stored(library, file["file"]) == wanted(file), file["file"]


def unchanged_marks(folder: Path) -> dict[str, tuple[int, ...]]:
    """What a write would change of each file. Reading may change the access time, which is left out."""
    status = {path.name: path.stat() for path in folder.iterdir()}
    return {name: (of.st_ino, of.st_mode, of.st_size, of.st_mtime_ns, of.st_ctime_ns) for name, of in status.items()}


def stored(library: Library, name: str) -> dict[str, Any]:
    """The row of a photo in the manifest's words."""
    [row] = library.rows(
        "select to_jsonb(a) from public.assets a where user_id = %s and file_name = %s", library.user, name
    )
    asset: dict[str, Any] = row[0]
    keys = ("bytes", "sha256", "mime", "media_kind", "width", "height", "orientation", "taken_local", "taken_source")
    if asset["taken_local"]:
        asset["taken_local"] = asset["taken_local"][:19]  # the manifest knows whole seconds
    return {key: asset[key] for key in keys} | {"gps": (asset["latitude"], asset["longitude"])}


def wanted(file: dict[str, Any]) -> dict[str, Any]:
    """A manifest entry as the row should be. Of videos only what needs no decoder is known."""
    is_image = file["kind"] == "image"
    taken = (is_image and file["taken_at"]) or {"value": None, "tag": None}
    gps = (is_image and file["gps"]) or {"lat": None, "lon": None}
    return {
        **{key: file[key] for key in ("bytes", "sha256", "mime")},
        "media_kind": file["kind"],
        **{key: file[key] if is_image else None for key in ("width", "height", "orientation")},
        "taken_local": taken["value"],
        "taken_source": taken["tag"],
        "gps": pytest.approx((gps["lat"], gps["lon"]), abs=1e-6),
    }
