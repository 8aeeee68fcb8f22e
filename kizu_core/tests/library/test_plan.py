"""Plans: what is found and known without reading a file, what it takes on disk, and what is tried of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_mock import MockerFixture

from kizu_core.errors import DiskFull, LibraryError
from kizu_core.library import plan as plans
from kizu_core.library.known import known_in
from kizu_core.library.plan import Findings, Needed, Place, Plan, needed_for, needs_web_version, places_for
from kizu_core.library.preview import preview
from kizu_core.library.scan import FileSeen
from kizu_core.settings import Paths
from kizu_support.library import Library, draw

GB = 10**9


def file(name: str, size: int = 1000) -> FileSeen:
    return FileSeen(name, "image", size, 0, 0)


def looked(library: Library, folder: Path) -> Findings:
    """A preview with what the library knows."""
    database = library.opened.worker
    roots = database.status(library.user)["roots"]
    return preview(folder, Paths(folder / "home"), lambda path: known_in(database, roots, path))[1]


def test_a_preview_counts_types_sizes_and_reasons(library: Library) -> None:
    for name in ("a.jpg", "b.JPEG", "c.heic", "d.NEF", "e.mp4", "f.webp", ".g.jpg", "Thumbs.db", "h.txt", "README"):
        (library.photos / name).write_bytes(b"x" * 10)
    found = looked(library, library.photos)
    assert found.types == {"JPEG": (2, 20), "HEIC": (1, 10), "RAW": (1, 10), "video": (1, 10), "WEBP": (1, 10)}
    assert found.ignored == {"hidden": 1, "caches of other photo programs": 1}
    assert found.unknown == {"txt": 1, "": 1}
    assert found.examples == {
        "hidden": [".g.jpg"],
        "caches of other photo programs": ["Thumbs.db"],
        ".txt": ["h.txt"],
        ".": ["README"],
    }
    assert (found.new, found.changed, found.known, len(found.pictures)) == (6, 0, 0, 4)


def test_a_preview_reads_no_file(library: Library) -> None:
    os.mkfifo(library.photos / "pipe.jpg")
    draw(library.photos / "a.jpg").chmod(0)
    assert looked(library, library.photos).new == 1


def test_a_preview_knows_what_was_read_before(library: Library) -> None:
    for shade in range(4):
        draw(library.photos / "in" / f"{shade}.jpg", shade)
    library.scan()
    draw(library.photos / "in" / "0.jpg", 100)
    (library.photos / "in" / "1.jpg").unlink()
    draw(library.photos / "in" / "new.jpg", 101)
    for folder in (library.photos, library.photos / "in", library.photos.parent):
        found = looked(library, folder)
        assert (found.new, found.changed, found.known, found.gone) == (1, 1, 2, 1), folder


def test_the_sample_is_of_the_newest_new_pictures(library: Library, mocker: MockerFixture) -> None:
    mocker.patch.object(plans, "SAMPLE", 2)
    for shade in range(5):
        os.utime(draw(library.photos / f"{shade}.jpg", shade), (shade, shade))
    (library.photos / "5.mp4").touch()
    assert [one.path for one in looked(library, library.photos).sample] == ["4.jpg", "3.jpg"]
    library.scan()
    assert [one.path for one in looked(library, library.photos).sample] == ["4.jpg", "3.jpg"], "of the known ones"
    os.utime(draw(library.photos / "old.jpg", 9), (0, 0))
    assert [one.path for one in looked(library, library.photos).sample] == ["old.jpg"]


def test_places_that_can_not_be_looked_at_are_told(library: Library) -> None:
    (library.photos / "a.jpg").symlink_to(library.photos / "nothing")
    (problem,) = looked(library, library.photos).problems
    assert (problem.path, problem.message) == ("a.jpg", "The link leads nowhere.")


@pytest.mark.parametrize(("name", "part"), [("nowhere", "There is no folder"), ("a.jpg", "is a file")])
def test_what_can_not_be_previewed(library: Library, name: str, part: str) -> None:
    draw(library.photos / "a.jpg")
    with pytest.raises(LibraryError, match=part):
        looked(library, library.photos / name)


def test_the_findings_of_a_scan_are_told_before_it_reads(library: Library) -> None:
    draw(library.photos / "a.jpg")

    def refuse(found: Findings) -> None:
        assert (found.new, found.types["JPEG"][0]) == (1, 1)
        raise DiskFull("No.")

    with pytest.raises(DiskFull):
        library.reconciler.run(library.photos, refuse)
    assert library.assets() == {}
    assert library.scan().new == 1


def test_what_needs_a_web_version() -> None:
    assert not needs_web_version({"mime": "image/jpeg", "width": 4096, "height": 10})
    assert needs_web_version({"mime": "image/jpeg", "width": 10, "height": 4097})
    assert needs_web_version({"mime": "image/heic", "width": 10, "height": 10})
    assert needs_web_version({"mime": None})


def test_disk_is_expected_for_what_will_be_done() -> None:
    files = [file("a.jpg"), file("b.heic"), file("c.jpg", 20_000_000)]
    everything = needed_for(files, {"optimize", "ocr"})
    assert everything.thumbnails == 3 * plans.THUMBNAIL_BYTES
    assert everything.web == 2 * plans.WEB_BYTES
    assert needed_for(files, {"ocr"}) == Needed(thumbnails=0, web=0, database=everything.database)
    assert needed_for([], {"optimize"}) == Needed(thumbnails=0, web=0, database=0)


@given(st.lists(st.integers(0, 10**9), max_size=20), st.sets(st.sampled_from(["ocr", "faces", "optimize", "x"])))
def test_more_photos_never_need_less(sizes: list[int], operations: set[str]) -> None:
    files = [file(f"{number}.jpg", size) for number, size in enumerate(sizes)]
    less, more = needed_for(files, operations), needed_for([*files, file("z.tif")], operations)
    assert more.blobs + more.database > less.blobs + less.database


def test_places_are_disks(tmp_path: Path) -> None:
    needed = Needed(thumbnails=1, web=2, database=4)
    (one,) = places_for(needed, tmp_path / "not" / "there", tmp_path)
    assert (one.folder, one.needed) == (tmp_path / "not" / "there", 7)
    (blobs,) = places_for(needed, None, tmp_path)
    assert (blobs.folder, blobs.needed) == (tmp_path, 3)


@pytest.mark.parametrize(("free", "fits", "tight"), [(GB - 1, False, True), (GB, True, True), (2 * GB, True, False)])
def test_what_fits(tmp_path: Path, free: int, fits: bool, tight: bool) -> None:
    place = Place(folder=tmp_path, needed=GB, free=free)
    assert (place.fits, place.tight) == (fits, tight)


def test_a_plan_counts_known_photos_that_wait(library: Library) -> None:
    draw(library.photos / "a.jpg")
    found = looked(library, library.photos)
    needed = Needed(thumbnails=0, web=0, database=0)
    plan = Plan(findings=found, offers=(), gaps=(), needed=needed, places=(), backlog={"ocr": 5})
    assert (plan.photos("ocr"), plan.photos("optimize"), plan.is_idle) == (6, 1, True)
