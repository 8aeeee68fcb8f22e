"""The position in a picture's GPS directory, with the bad values that cameras write."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL.ExifTags import GPS

MAX_ALTITUDE_M = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """WGS 84: `latitude` north positive, `longitude` east positive, degrees; `altitude` metres above the sea.

    `certain` is false when the file does not say which hemisphere it means.
    """

    latitude: float
    longitude: float
    altitude: float | None
    certain: bool


def read_position(gps: Mapping[int, Any]) -> Position | None:
    """The position that a library should show; None if there is none or it can't be true."""
    latitude, sure_north = _coordinate(gps, GPS.GPSLatitude, GPS.GPSLatitudeRef, "NS", 90)
    longitude, sure_east = _coordinate(gps, GPS.GPSLongitude, GPS.GPSLongitudeRef, "EW", 180)
    if latitude is None or longitude is None:
        return None
    if latitude == 0 and longitude == 0:  # receivers without a fix; one zero alone is a place on the equator
        return None
    return Position(latitude=latitude, longitude=longitude, altitude=_altitude(gps), certain=sure_north and sure_east)


def read_gps_time(gps: Mapping[int, Any]) -> datetime | None:
    """Date and time of the fix, UTC. A date without a time says too little."""
    date = re.fullmatch(r"(\d{4})[:\-/](\d{1,2})[:\-/](\d{1,2})", _text(gps.get(GPS.GPSDateStamp)))
    clock = numbers(gps.get(GPS.GPSTimeStamp))
    if date is None or clock is None or len(clock) != 3 or not all(0 <= part < 61 for part in clock):
        return None
    hours, minutes, seconds = clock
    try:
        day = datetime(int(date[1]), int(date[2]), int(date[3]), tzinfo=UTC)
        return day + timedelta(hours=hours, minutes=minutes, seconds=seconds) if hours < 24 else None
    except (ValueError, OverflowError):
        return None


def numbers(value: Any) -> list[float] | None:
    """A tag's value as finite numbers; None if one of them is none (0/0 is how cameras write "unknown")."""
    parts = value if isinstance(value, tuple | list) else (value,)
    found = []
    for part in parts:
        try:
            number = float(part)
        except (TypeError, ValueError, ZeroDivisionError, OverflowError):
            return None
        if not math.isfinite(number):
            return None
        found.append(number)
    return found


def _coordinate(
    gps: Mapping[int, Any], value_tag: int, ref_tag: int, signs: str, limit: int
) -> tuple[float | None, bool]:
    """Degrees (with minutes and seconds, or without) times the sign of the hemisphere, and whether that was given."""
    parts = numbers(gps.get(value_tag))
    if parts is None or not 1 <= len(parts) <= 3:
        return None, False
    degrees = sum(abs(part) / 60**power for power, part in enumerate(parts))
    negative = any(math.copysign(1, part) < 0 for part in parts)
    ref = _text(gps.get(ref_tag))[:1].upper()
    if ref == signs[1]:
        negative = True  # also where the degrees are negative already: nobody means twice
    if degrees > limit:
        return None, False
    return -degrees if negative else degrees, ref in signs and ref != ""


def _altitude(gps: Mapping[int, Any]) -> float | None:
    parts = numbers(gps.get(GPS.GPSAltitude))
    if parts is None or len(parts) != 1 or abs(parts[0]) > MAX_ALTITUDE_M:
        return None
    below = gps.get(GPS.GPSAltitudeRef) in (1, b"\x01", (1,))
    return -abs(parts[0]) if below else parts[0]


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.strip("\x00 \t") if isinstance(value, str) else ""
