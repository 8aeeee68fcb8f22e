"""Formats by their first bytes; RAW behind a TIFF header in all its layouts."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizu_core.media.sniff import sniff, sniff_file

SIGNATURES = {
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00": ("JPEG", "image"),
    b"\xff\xd8\xff\xe2\x00\x08MPF\x00\x00\x00": ("MPO", "image"),
    b"\x89PNG\r\n\x1a\n": ("PNG", "image"),
    b"GIF89a": ("GIF", "image"),
    b"RIFF\x00\x00\x00\x00WEBPVP8 ": ("WEBP", "image"),
    b"BM" + bytes(12) + b"\x28\x00\x00\x00": ("BMP", "image"),
    b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic": ("HEIF", "image"),
    b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic": ("HEIF", "image"),
    b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif": ("AVIF", "image"),
    b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1avif": ("AVIF", "image"),
    b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom": ("CR3", "raw"),
    b"II*\x00\x10\x00\x00\x00CR\x02\x00": ("CR2", "raw"),
    b"IIRO\x08\x00\x00\x00": ("ORF", "raw"),
    b"IIU\x00\x18\x00\x00\x00": ("RW2", "raw"),
    b"FUJIFILMCCD-RAW 0201": ("RAF", "raw"),
    b"\x00MRM\x00\x00": ("MRW", "raw"),
    b"FOVb\x00\x00": ("X3F", "raw"),
    b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42": ("MP4", "video"),
    b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ": ("QuickTime", "video"),
    b"\x00\x00\x00\x08wide\x00\x00\x00\x08mdat": ("QuickTime", "video"),
    b"\x00\x00\x00\x18ftyp3gp4\x00\x00\x00\x00isom3gp4": ("3GPP", "video"),
    b"RIFF\x00\x00\x00\x00AVI LIST": ("AVI", "video"),
    b"\x1aE\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1fB\x82\x84webm": ("WebM", "video"),
    b"\x1aE\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x23B\x82\x88matroska": ("Matroska", "video"),
    (b"G" + bytes(187)) * 3: ("MPEG-TS", "video"),
    (bytes(4) + b"G" + bytes(187)) * 3: ("MPEG-TS", "video"),
    b"\x00\x00\x01\xba": ("MPEG", "video"),
    b"8BPS\x00\x01": ("Photoshop", "other"),
    b"\xff\x0a\x00": ("JPEG XL", "other"),
    b"%!PS-Adobe-3.0": ("EPS", "other"),
    b"%PDF-1.7": ("PDF", "other"),
    b' <?xml version="1.0"?><svg xmlns="x">': ("SVG", "other"),
}


@pytest.mark.parametrize(("head", "want"), SIGNATURES.items(), ids=[name for name, _ in SIGNATURES.values()])
def test_signature(head: bytes, want: tuple[str, str]) -> None:
    found = sniff(head)
    assert found is not None
    assert (found.name, found.kind) == want


@pytest.mark.parametrize(
    "head", [b"", b"BM and other text that is no bitmap", b"<!DOCTYPE html><p>", b"hello", bytes(99)]
)
def test_what_is_nothing(head: bytes) -> None:
    assert sniff(head) is None


def test_photos_are_what_the_manifest_says(shared: Path) -> None:
    files = json.loads((shared / "photos" / "manifest.json").read_text())["files"]
    found = {file["file"]: sniff_file(shared / "photos" / file["file"]) for file in files}
    assert {name: one.mime for name, one in found.items() if one} == {file["file"]: file["mime"] for file in files}


Entry = tuple[int, int, int, int]
"""Tag, type (3 short, 4 long), number of values, the value or its offset."""


def tiff(*directories: tuple[list[Entry], int], order: str = "<", at: int = 8) -> bytes:
    """A TIFF whose directories follow each other from offset `at`; each is its entries and its link."""
    head = (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(order + "I", at)
    body = bytes(at - 8)
    for entries, link in directories:
        body += struct.pack(order + "H", len(entries))
        for tag, kind, number, value in entries:
            inline = struct.pack(order + "HH", value, 0) if kind == 3 else struct.pack(order + "I", value)
            body += struct.pack(order + "HHI", tag, kind, number) + inline
        body += struct.pack(order + "I", link)
    return head + body


SIZE = [(256, 3, 1, 160), (257, 3, 1, 120), (262, 3, 1, 2)]
AFTER_ONE = 8 + 2 + 12 * 5 + 4  # where the second directory lies behind a first one of five entries
RAW_LAYOUTS = {
    "DNG: a version tag": tiff(([*SIZE, (50706, 1, 4, 0x00000401)], 0)),
    "NEF: the sensor in a sub-directory": tiff(
        ([(254, 4, 1, 1), *SIZE, (330, 4, 1, AFTER_ONE)], 0), ([(254, 4, 1, 0), (262, 3, 1, 32803)], 0)
    ),
    "unknown maker: reduced copy with sub-directories": tiff(([(254, 4, 1, 1), *SIZE, (330, 4, 1, 9999)], 0)),
    "ARW: Sony's compression": tiff(([*SIZE, (259, 3, 1, 32767)], 0)),
    "PEF: in the second directory, big endian": tiff(
        ([*SIZE, (271, 3, 1, 0), (272, 3, 1, 0)], AFTER_ONE), ([(259, 3, 1, 65535)], 0), order=">"
    ),
}


@pytest.mark.parametrize("data", RAW_LAYOUTS.values(), ids=RAW_LAYOUTS.keys())
def test_raw_behind_a_tiff_header(data: bytes) -> None:
    found = sniff(data)
    assert found is not None
    assert found.kind == "raw"


def test_raw_with_its_directory_at_the_end_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "late.tif"
    path.write_bytes(tiff(([*SIZE, (50706, 1, 4, 1)], 0), at=200_000))
    found = sniff_file(path)
    assert found is not None
    assert found.kind == "raw"


PLAIN_LAYOUTS = {
    "one picture": tiff((SIZE, 0)),
    "a directory that links to itself": tiff((SIZE, 8)),
    "a sub-directory that is its parent": tiff(([*SIZE, (330, 4, 1, 8)], 0)),
    "a link to nowhere": tiff((SIZE, 0xFFFFFFF0)),
    "a picture and its smaller copy": tiff(
        ([*SIZE, (254, 4, 1, 0), (330, 4, 1, AFTER_ONE)], 0), ([(254, 4, 1, 1), (262, 3, 1, 2)], 0)
    ),
    "cut in the first directory": tiff((SIZE, 0))[:20],
    "header only": b"II*\x00",
}


@pytest.mark.parametrize("data", PLAIN_LAYOUTS.values(), ids=PLAIN_LAYOUTS.keys())
def test_plain_tiff(data: bytes) -> None:
    found = sniff(data)
    assert found is not None
    assert found.name == "TIFF"


@given(
    st.sampled_from([b"II*\x00", b"MM\x00*", b"II+\x00\x08\x00\x00\x00", b"\xff\xd8\xff", b"1234ftyp", b""]),
    st.binary(),
)
def test_any_bytes_are_something_or_nothing(start: bytes, rest: bytes) -> None:
    data = start + rest
    assert sniff(data) == sniff(data, io.BytesIO(data))
