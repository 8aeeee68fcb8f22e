"""What a file is, by its first bytes. Names and extensions are never believed."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from kizu_core.media.tiff import is_raw

Kind = Literal["image", "raw", "video", "other"]

HEAD_BYTES = 65_536
"""Enough for every signature, and for the directories of nearly all TIFF and RAW files."""


@dataclass(frozen=True, slots=True)
class Format:
    """`name`: as shown to people, and Pillow's name for pictures; `kind`: image = Kizu reads it."""

    name: str
    mime: str
    kind: Kind


JPEG = Format("JPEG", "image/jpeg", "image")
MPO = Format("MPO", "image/jpeg", "image")  # a JPEG with more pictures behind it: browsers show the first
PNG = Format("PNG", "image/png", "image")
GIF = Format("GIF", "image/gif", "image")
WEBP = Format("WEBP", "image/webp", "image")
BMP = Format("BMP", "image/bmp", "image")
TIFF = Format("TIFF", "image/tiff", "image")
HEIF = Format("HEIF", "image/heif", "image")
HEIC = Format("HEIF", "image/heic", "image")
AVIF = Format("AVIF", "image/avif", "image")
MP4 = Format("MP4", "video/mp4", "video")
MOV = Format("QuickTime", "video/quicktime", "video")
SVG = Format("SVG", "image/svg+xml", "other")

_SIGNATURES: tuple[tuple[re.Pattern[bytes], Format], ...] = tuple(
    (re.compile(pattern, re.DOTALL), found)
    for pattern, found in (
        (rb"\x89PNG\r\n\x1a\n", PNG),
        (rb"GIF8[79]a", GIF),
        (rb"RIFF....WEBP", WEBP),
        (rb"RIFF....AVI ", Format("AVI", "video/x-msvideo", "video")),
        # "BM" alone would claim any text that starts so: the size of the next header must be a known one.
        (rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00", BMP),
        (rb"II\*\x00.{4}CR\x02", Format("CR2", "image/x-canon-cr2", "raw")),
        (rb"II\x1a\x00\x00\x00HEAPCCDR", Format("CRW", "image/x-canon-crw", "raw")),
        (rb"IIR[OS]|MMOR", Format("ORF", "image/x-olympus-orf", "raw")),
        (rb"IIU\x00", Format("RW2", "image/x-panasonic-rw2", "raw")),
        (rb"FUJIFILMCCD-RAW", Format("RAF", "image/x-fuji-raf", "raw")),
        (rb"\x00MRM", Format("MRW", "image/x-minolta-mrw", "raw")),
        (rb"FOVb", Format("X3F", "image/x-sigma-x3f", "raw")),
        (rb"\x1aE\xdf\xa3.{0,64}webm", Format("WebM", "video/webm", "video")),
        (rb"\x1aE\xdf\xa3", Format("Matroska", "video/x-matroska", "video")),
        (rb"\x00\x00\x01[\xba\xb3]", Format("MPEG", "video/mpeg", "video")),
        (rb"G.{187}G.{187}G|.{4}G.{191}G.{191}G", Format("MPEG-TS", "video/mp2t", "video")),
        (rb"FLV\x01", Format("FLV", "video/x-flv", "video")),
        (rb"0&\xb2u\x8ef\xcf\x11", Format("WMV", "video/x-ms-wmv", "video")),
        (rb"OggS", Format("Ogg", "video/ogg", "video")),
        (rb"\x06\x0e\+4\x02\x05\x01\x01", Format("MXF", "application/mxf", "video")),
        (rb"....(moov|mdat|wide|free|skip|pnot)", MOV),
        (rb"8BPS", Format("Photoshop", "image/vnd.adobe.photoshop", "other")),
        (rb"\xff\x0a|\x00\x00\x00\x0cJXL ", Format("JPEG XL", "image/jxl", "other")),
        (rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51", Format("JPEG 2000", "image/jp2", "other")),
        (rb"%!PS|\xc5\xd0\xd3\xc6", Format("EPS", "application/postscript", "other")),
        (rb"%PDF-", Format("PDF", "application/pdf", "other")),
        (rb"\x00\x00\x01\x00[\x01-\x40]\x00", Format("Icon", "image/x-icon", "other")),
    )
)

_TIFF = re.compile(rb"II\*\x00|MM\x00\*|II\+\x00|MM\x00\+")
_TIFF_RAW = Format("RAW", "image/x-dcraw", "raw")

_BRANDS: tuple[tuple[frozenset[bytes], Format], ...] = (
    (frozenset({b"crx "}), Format("CR3", "image/x-canon-cr3", "raw")),
    (frozenset({b"avif", b"avis"}), AVIF),
    (frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}), HEIC),
    (frozenset({b"mif1", b"msf1"}), HEIF),
    (frozenset({b"qt  "}), MOV),
)


def _iso_media(head: bytes) -> Format:
    """HEIF, AVIF, CR3 and the MP4 family share one container and tell themselves apart by brands."""
    size = min(max(int.from_bytes(head[:4], "big"), 16), 256)
    major, rest = head[8:12], head[16:size]
    compatible = {rest[at : at + 4] for at in range(0, len(rest) - 3, 4)}
    # The generic major brands say "a picture"; which codec is in it stands in the compatible ones.
    candidates = {major} | (compatible if major in (b"mif1", b"msf1") else set())
    for brands, found in _BRANDS:
        if candidates & brands:
            return found
    if major.startswith(b"3g"):
        return Format("3GPP", "video/3gpp", "video")
    return MP4


def _jpeg(head: bytes) -> Format:
    """MPO differs from JPEG by one APP2 segment in the header."""
    at = 2
    while head[at : at + 1] == b"\xff" and len(head) >= at + 8 and head[at + 1] not in (0xD9, 0xDA):
        if head[at + 1] == 0xE2 and head[at + 4 : at + 8] == b"MPF\x00":
            return MPO
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return JPEG


def sniff(head: bytes, file: BinaryIO | None = None) -> Format | None:
    """The format of a file that starts with `head`; None if it is nothing that is known here.

    `file`: the whole file, if it is at hand, for TIFF directories that lie beyond the head.
    """
    if head[:3] == b"\xff\xd8\xff":
        return _jpeg(head)
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    for pattern, found in _SIGNATURES:
        if pattern.match(head):
            return found
    if _TIFF.match(head):
        return _TIFF_RAW if is_raw(file or io.BytesIO(head)) else TIFF
    return SVG if head.lstrip()[:1] == b"<" and b"<svg" in head else None


def sniff_file(path: Path) -> Format | None:
    """`sniff` of a file on disk. Raises `OSError` if it can't be opened."""
    with path.open("rb") as file:
        return sniff(file.read(HEAD_BYTES), file)
