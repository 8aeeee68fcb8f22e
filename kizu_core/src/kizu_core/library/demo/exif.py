"""EXIF data as a phone writes it."""

from __future__ import annotations

from datetime import datetime

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

DATE = "%Y:%m:%d %H:%M:%S"


def exif_of(taken: datetime, place: tuple[float, float] | None, *, orientation: int) -> Image.Exif:
    """Camera, orientation, local time with its offset, and position. `taken` is aware."""
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model] = "Kizu", "Demo Camera"
    exif[Base.Orientation] = orientation
    exif[Base.DateTime] = taken.strftime(DATE)
    offset = taken.strftime("%z")
    exif.get_ifd(IFD.Exif).update(
        {
            Base.DateTimeOriginal: taken.strftime(DATE),
            Base.DateTimeDigitized: taken.strftime(DATE),
            Base.OffsetTimeOriginal: f"{offset[:3]}:{offset[3:]}",
        }
    )
    if place is not None:
        latitude, longitude = place
        exif.get_ifd(IFD.GPSInfo).update(
            {
                GPS.GPSLatitudeRef: "N" if latitude >= 0 else "S",
                GPS.GPSLatitude: _degrees(latitude),
                GPS.GPSLongitudeRef: "E" if longitude >= 0 else "W",
                GPS.GPSLongitude: _degrees(longitude),
            }
        )
    return exif


def _degrees(value: float) -> tuple[float, float, float]:
    """Degrees, minutes, seconds."""
    minutes, seconds = divmod(round(abs(value) * 3600, 2), 60)
    return float(minutes // 60), float(minutes % 60), seconds
