"""Thumbnails and web versions: sizes, colours, nothing of the original's metadata, never half a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from kizu_core.errors import DiskFull, StorageError
from kizu_core.media.render import render

from .conftest import Save, corners_of, corners_picture

UPRIGHT = ["red", "green", "blue", "yellow"]


def segments(path: Path) -> list[bytes]:
    """The header segments of a JPEG: marker and start of the content."""
    data, at, found = path.read_bytes(), 2, []
    while data[at + 1] != 0xDA:
        found.append(data[at + 1 : at + 2] + data[at + 4 : at + 8])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return found


def test_both_versions_from_one_picture(save: Save, tmp_path: Path) -> None:
    done = render(save(corners_picture(1200, 800), "JPEG"), tmp_path, web=True)
    assert done.web is not None
    assert (done.width_px, done.height_px, done.web.width_px, done.web.height_px) == (1200, 800, 1200, 800)
    with Image.open(done.thumbnail.path) as thumbnail, Image.open(done.web.path) as web:
        assert (thumbnail.size, web.size) == ((300, 300), (1200, 800))
        assert corners_of(thumbnail) == corners_of(web) == UPRIGHT
    assert done.thumbnail.sha12 != done.web.sha12
    assert not list(tmp_path.glob("*.part"))


def test_only_a_thumbnail_where_no_web_version_is_needed(save: Save, tmp_path: Path) -> None:
    done = render(save(corners_picture(4000, 3000), "JPEG"), tmp_path, web=False)
    assert done.web is None
    assert (done.width_px, done.height_px) == (4000, 3000)
    with Image.open(done.thumbnail.path) as thumbnail:
        assert corners_of(thumbnail) == UPRIGHT
    assert not (tmp_path / "web.jpg").exists()


@pytest.mark.parametrize("size", [(1, 1), (299, 2), (301, 5000), (4097, 30)])
def test_odd_sizes(save: Save, tmp_path: Path, size: tuple[int, int]) -> None:
    done = render(save(Image.new("RGB", size, "teal"), "PNG"), tmp_path, web=True)
    assert (done.thumbnail.width_px, done.thumbnail.height_px) == (300, 300)
    assert done.web is not None
    scale = min(1.0, 4096 / max(size))
    assert (done.web.width_px, done.web.height_px) == tuple(max(1, round(side * scale)) for side in size)


def test_half_of_48_megapixels_is_taken_as_it_is(save: Save, tmp_path: Path) -> None:
    done = render(save(Image.new("L", (8064, 60), 99), "JPEG"), tmp_path, web=True)
    assert done.web is not None
    assert done.web.width_px == 4032


def test_nothing_of_the_original_s_metadata_remains(save: Save, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif.get_ifd(0x8825)[1] = "Secret maker", "N"
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>secret</x:xmpmeta>"
    path = save(corners_picture(), "JPEG", exif=exif, comment="secret", xmp=xmp, dpi=(300, 300))
    assert {content[:1] for content in segments(path)} >= {b"\xe1", b"\xfe"}
    done = render(path, tmp_path, web=True)
    for version in (done.thumbnail, done.web):
        assert version is not None
        assert [one for one in segments(version.path) if one[0] >= 0xE0] == [b"\xe0JFIF"]


def test_a_wide_gamut_stays_in_the_web_version_only(shared: Path, tmp_path: Path) -> None:
    done = render(shared / "images-odd" / "own__icc_p3.jpg", tmp_path, web=True)
    assert done.web is not None
    assert [one for one in segments(done.web.path) if one[0] >= 0xE0] == [b"\xe0JFIF", b"\xe2ICC_"]
    assert [one for one in segments(done.thumbnail.path) if one[0] >= 0xE0] == [b"\xe0JFIF"]


def test_encoding_is_baseline_with_halved_colour(save: Save, tmp_path: Path) -> None:
    done = render(save(corners_picture(), "PNG"), tmp_path, web=True)
    for version in (done.thumbnail, done.web):
        assert version is not None
        data = version.path.read_bytes()
        frame = data.index(b"\xff\xc0")  # baseline; progressive would be C2
        assert data[frame + 11] == 0x22  # luma sampled twice as finely both ways: 4:2:0


def test_a_full_disk_leaves_no_half_file(save: Save, tmp_path: Path) -> None:
    path = save(corners_picture(1200, 800), "PNG")
    (tmp_path / "web.jpg.part").symlink_to("/dev/full")
    with pytest.raises(DiskFull, match="No space is left"):
        render(path, tmp_path, web=True)
    assert not (tmp_path / "web.jpg").exists()
    assert not (tmp_path / "web.jpg.part").is_symlink()


def test_a_missing_workdir_is_said(save: Save, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"thumb\.jpg can't be written"):
        render(save(corners_picture(), "PNG"), tmp_path / "gone", web=False)
