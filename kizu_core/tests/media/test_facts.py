"""Facts of real photos against the manifest beside them; metadata that is broken or unusual."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from kizu_core.errors import SourceMissing, UnreadablePicture, UnsupportedFormat
from kizu_core.media.facts import PictureFacts, read_facts

from .conftest import Save, corners_picture

ORIENTATION = 0x0112


def taken_of(facts: PictureFacts, offset_known: bool) -> dict[str, Any] | None:
    """In the manifest's form; an offset that came from elsewhere than a tag (the place, say) is no offset there."""
    taken = facts.taken
    if taken is None:
        return None
    told = taken.offset_min if offset_known else None
    sign = "-" if (told or 0) < 0 else "+"
    offset = None if told is None else f"{sign}{abs(told) // 60:02}:{abs(told) % 60:02}"
    return {"value": taken.local.replace(microsecond=0).isoformat(), "tag": taken.source, "offset": offset}


def test_facts_of_every_photo_are_those_of_the_manifest(shared: Path) -> None:
    files = json.loads((shared / "photos" / "manifest.json").read_text())["files"]
    pictures = [file for file in files if file["kind"] == "image"]
    assert len(pictures) == 110
    for file in pictures:
        facts = read_facts(shared / "photos" / file["file"])
        offset_known = bool(file["taken_at"] and file["taken_at"]["offset"])
        wanted = (file["width"], file["height"], file["orientation"], file["taken_at"], file["mime"])
        found = (facts.width_px, facts.height_px, facts.orientation, taken_of(facts, offset_known), facts.mime)
        assert found == wanted, file["file"]
        place = facts.position and {"lat": facts.position.latitude, "lon": facts.position.longitude}
        assert place == (file["gps"] and pytest.approx(file["gps"], abs=1e-6)), file["file"]


def test_no_pixel_is_decoded(save: Save, mocker: Any) -> None:
    path = save(corners_picture(), "PNG")
    load = mocker.patch("PIL.ImageFile.ImageFile.load", side_effect=AssertionError)
    assert read_facts(path).width_px == 96
    assert not load.called


def test_camera_names_the_maker_once(save: Save) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS 70D\x00"
    assert read_facts(save(corners_picture(), "JPEG", exif=exif)).camera == "Canon EOS 70D"
    exif[0x0110] = "EOS 70D"
    assert read_facts(save(corners_picture(), "JPEG", exif=exif)).camera == "Canon EOS 70D"


@pytest.mark.parametrize("written", [0, 9, 65535])
def test_an_invalid_orientation_is_kept_as_written_and_turns_nothing(save: Save, written: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = written
    facts = read_facts(save(corners_picture(), "JPEG", exif=exif))
    assert (facts.orientation, facts.width_px, facts.height_px) == (written, 96, 64)


def test_orientation_in_xmp_turns_but_is_no_exif_tag(save: Save) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", '<rdf:Description tiff:Orientation="6"/>')
    facts = read_facts(save(corners_picture(), "PNG", pnginfo=info))
    assert (facts.orientation, facts.width_px, facts.height_px) == (None, 64, 96)


def test_png_metadata_behind_the_pixels_is_found(save: Save) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 8
    data = save(corners_picture(), "PNG", exif=exif).read_bytes()
    at = data.index(b"eXIf") - 4
    end = at + 12 + int.from_bytes(data[at : at + 4], "big")
    path = save(corners_picture(), "PNG")
    tail = data.index(b"\x00\x00\x00\x00IEND")
    path.write_bytes(data[:at] + data[end:tail] + data[at:end] + data[tail:])
    facts = read_facts(path)
    assert (facts.orientation, facts.width_px) == (8, 64)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_bad_metadata_is_missing_metadata(save: Save, form: str) -> None:
    junk = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff" + bytes(range(256))
    facts = read_facts(save(corners_picture(), form, exif=junk))
    assert (facts.width_px, facts.height_px, facts.taken, facts.position) == (96, 64, None, None)


def test_a_sidecar_of_the_user_wins(save: Save, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2004:05:06 07:08:09"
    path = save(corners_picture(), "JPEG", exif=exif)
    sidecar = tmp_path / "picture.jpg.xmp"
    assert read_facts(path, sidecar=sidecar).taken == read_facts(path).taken
    sidecar.write_text('<x exif:DateTimeOriginal="1999-12-31T23:00:00"/>')
    taken = read_facts(path, sidecar=sidecar).taken
    assert taken is not None
    assert taken.local.year == 1999


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", UnreadablePicture, "empty"),
        (b"hello", UnsupportedFormat, "not a picture in a format"),
        (b"II*\x00\x10\x00\x00\x00CR\x02\x00", UnsupportedFormat, "RAW photo"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42", UnsupportedFormat, "video"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", UnsupportedFormat, "EPS"),
        (b"\x89PNG\r\n\x1a\n", UnreadablePicture, "damaged"),
    ],
)
def test_hopeless_files_say_why(tmp_path: Path, content: bytes, error: type[Exception], words: str) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(content)
    with pytest.raises(error, match=f"^(The file|The picture|This) is .*{words}"):
        read_facts(path)


def test_a_file_that_went_away(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="not there any more"):
        read_facts(tmp_path / "gone.jpg")
