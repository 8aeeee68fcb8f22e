"""The facts of a picture that a library keeps: shown size, orientation, capture time, place, camera."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL.ExifTags import Base

from kizu_core.media.exif import MAX_XMP_BYTES, Metadata, read_metadata, turn_of
from kizu_core.media.gps import Position, read_position
from kizu_core.media.opening import open_picture
from kizu_core.media.sniff import Format
from kizu_core.media.taken import TakenAt, read_taken


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFacts:
    """`width_px`, `height_px`: as shown, upright. `orientation`: the EXIF tag as written (0 and 9 too), None if none.

    `taken` is None if neither the file nor its name tells; when it was copied here is the library's business.
    """

    format: Format
    width_px: int
    height_px: int
    orientation: int | None
    taken: TakenAt | None
    position: Position | None
    camera: str | None

    @property
    def mime(self) -> str:
        return self.format.mime


def read_facts(path: Path, *, sidecar: Path | None = None) -> PictureFacts:
    """Reads headers only, no pixels. Bad metadata is missing metadata.

    `sidecar`: an XMP file of the user's own whose date wins over the picture's.
    Raises `UnsupportedFormat`, `UnreadablePicture`, `PictureTooLarge`, `SourceMissing`.
    """
    with open_picture(path) as opened:
        metadata = read_metadata(opened)
        width, height = opened.size
        if turn_of(opened, metadata) >= 5:
            width, height = height, width
        position = read_position(metadata.gps)
        return PictureFacts(
            format=opened.format,
            width_px=width,
            height_px=height,
            orientation=metadata.orientation,
            taken=read_taken(metadata, position, path.name, sidecar_xmp=_sidecar_text(sidecar)),
            position=position,
            camera=_camera(metadata),
        )


def _camera(metadata: Metadata) -> str | None:
    """Maker and model in one, without the maker twice: `Canon EOS 70D`, `Apple iPhone 8`."""
    make, model = (_plain(metadata.main.get(tag)) for tag in (Base.Make, Base.Model))
    if make and model.lower().startswith(make.split()[0].lower()):
        return model
    return f"{make} {model}".strip() or None


def _plain(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if not isinstance(text, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in text.split("\x00", 1)[0]).split())[:120]


def _sidecar_text(sidecar: Path | None) -> str:
    if sidecar is None:
        return ""
    try:
        with sidecar.open("rb") as file:
            return file.read(MAX_XMP_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
