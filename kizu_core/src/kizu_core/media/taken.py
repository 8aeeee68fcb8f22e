"""When a picture was taken: which of the many dates to believe, and in which zone.

Local time is what people remember and what "on this day" needs, so it is always there; the offset and with it the
instant (UTC) only where something in the file says so. Sources are named as ExifTool names them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

from PIL.ExifTags import Base

from kizu_core.media.exif import Metadata, xmp_value
from kizu_core.media.gps import Position, numbers, read_gps_time

EARLIEST_YEAR = 1826
"""The year of the oldest photograph that still exists."""
MAX_OFFSET = timedelta(hours=14)
SUBSECOND_TAGS = {Base.DateTimeOriginal: 0x9291, Base.DateTimeDigitized: 0x9292, Base.DateTime: 0x9290}
OFFSET_TAGS = (0x9011, 0x9012, 0x9010)  # of the original, of the digitised picture, of the last change
TIME_ZONE_OFFSET = 0x882A


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenAt:
    """`local`: naive, as a clock at the place showed. `offset_min`: minutes east of UTC, None if unknown.

    `utc`: aware, None without an offset. `source`: the tag that `local` came from; `offset_source`: what told
    the offset (a tag, `GPSPosition`, the date itself, `GPSDateTime`), None without one.
    """

    local: datetime
    offset_min: int | None
    utc: datetime | None
    source: str
    offset_source: str | None


@dataclass(frozen=True, slots=True)
class Written:
    """A date as a file writes it: local time and, in ISO forms, its own offset."""

    local: datetime
    offset_min: int | None = None


def read_taken(
    metadata: Metadata, position: Position | None, file_name: str, *, sidecar_xmp: str = "", now: datetime | None = None
) -> TakenAt | None:
    """The first valid date in order of trust, with the best offset known for it; None if there is none.

    `sidecar_xmp`: an XMP file that the user keeps beside the picture; its date wins over all.
    `now` (aware, default the clock): dates more than a day later are no dates.
    """
    latest = (now or datetime.now(UTC)).replace(tzinfo=None) + timedelta(days=1)
    gps_time = read_gps_time(metadata.gps)
    for source, written in _dates(metadata, gps_time, file_name, sidecar_xmp):
        if written is not None and written.local.year >= EARLIEST_YEAR and written.local <= latest:
            return _with_offset(source, written, metadata, position, gps_time)
    return None


def parse_date(text: object) -> Written | None:
    """A date in EXIF or ISO 8601 form, whole or date only; None for blanks, zeros and days that never were."""
    if isinstance(text, bytes):
        text = text.decode("ascii", "replace")
    if not isinstance(text, str):
        return None
    found = _DATE.fullmatch(text.split("\x00", 1)[0].strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = (
        int(found[part] or 0) for part in ("year", "month", "day", "hour", "minute", "second")
    )
    end_of_day = (hour, minute, second) == (24, 0, 0)
    try:
        start = datetime(year, month, day, 0 if end_of_day else hour, minute, second)  # noqa: DTZ001 - naive on purpose
        local = start + timedelta(days=end_of_day, microseconds=_microseconds(found["fraction"]))
    except (ValueError, OverflowError):
        return None
    return Written(local, parse_offset(found["offset"]))


_DATE = re.compile(
    r"(?P<year>\d{4})[:\-/.](?P<month>\d{1,2})[:\-/.](?P<day>\d{1,2})"
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    # Some programs append a malformed offset; the time before it stands all the same.
    r"\s*(?P<offset>Z|[+-]\d{1,2}:?\d{2})?(?!\d).*|[ :]*)",
    re.ASCII | re.DOTALL,
)


def parse_offset(text: object) -> int | None:
    """Minutes east of UTC from `+01:00`, `-0330` or `Z`; None if it is none or beyond 14 hours."""
    if not isinstance(text, str):
        return None
    text = text.strip("\x00 ")
    if text in ("Z", "z"):
        return 0
    found = re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})", text, re.ASCII)
    if found is None or int(found[3]) > 59:
        return None
    minutes = int(found[2]) * 60 + int(found[3])
    return (-minutes if found[1] == "-" else minutes) if timedelta(minutes=minutes) <= MAX_OFFSET else None


def _microseconds(digits: object) -> int:
    """Decimal places of a second as written: "5" is half a second."""
    digits = digits.strip("\x00 ") if isinstance(digits, str) else ""
    return int(digits[:6].ljust(6, "0")) if digits.isascii() and digits.isdigit() else 0


def _dates(
    metadata: Metadata, gps_time: datetime | None, file_name: str, sidecar: str
) -> Iterator[tuple[str, Written | None]]:
    """Every date there is, the most trustworthy first."""

    def exif(tags: Mapping[int, Any], tag: int) -> Written | None:
        written = parse_date(tags.get(tag))
        if written is None or written.local.microsecond:
            return written
        fraction = _microseconds(metadata.exif.get(SUBSECOND_TAGS[Base(tag)]))
        return Written(written.local.replace(microsecond=fraction), written.offset_min)

    for name in _XMP_DATES:
        yield f"Sidecar:XMP-{name}", parse_date(xmp_value(sidecar, name))
    yield "ExifIFD:DateTimeOriginal", exif(metadata.exif, Base.DateTimeOriginal)
    yield f"XMP-{_XMP_DATES[0]}", parse_date(xmp_value(metadata.xmp, _XMP_DATES[0]))
    yield "ExifIFD:CreateDate", exif(metadata.exif, Base.DateTimeDigitized)
    for name in _XMP_DATES[1:]:
        yield f"XMP-{name}", parse_date(xmp_value(metadata.xmp, name))
    yield "GPS:GPSDateTime", Written(gps_time.replace(tzinfo=None), 0) if gps_time else None
    yield "IFD0:ModifyDate", exif(metadata.main, Base.DateTime)
    yield "FileName", date_in_name(file_name)


# `photoshop:DateCreated` is when the scene was caught, `xmp:CreateDate` when the file was made: a scan of an old
# print, or an export, differs. Metadata Working Group guidelines 2.0, "Date/Time".
_XMP_DATES = ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate")


_NAME_PATTERN = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<sep>[-_.]?)(?P<m>\d\d)(?P=sep)(?P<d>\d\d)"
    r"(?:(?:[-_ T.]| at )(?P<H>\d\d)(?P<tsep>[-_.:]?)(?P<M>\d\d)(?P=tsep)(?P<S>\d\d)(?P<f>\d{3})?)?(?!\d)",
    re.ASCII,
)


def date_in_name(file_name: str) -> Written | None:
    """The date that phones and messengers put into names: IMG_20190512_143015, Screenshot 2021-03-04 at 10.11.12.

    Without a time in the name it is midnight of that day. Names that start with PXL_ give UTC.
    """
    found = _NAME_PATTERN.search(file_name)
    if found is None:
        return None
    text = f"{found['y']}:{found['m']}:{found['d']} {found['H'] or '00'}:{found['M'] or '00'}:{found['S'] or '00'}"
    written = parse_date(text + (f".{found['f']}" if found["f"] else ""))
    if written is not None and file_name.startswith("PXL_") and found["H"]:
        return Written(written.local, 0)
    return written


def _with_offset(
    source: str, written: Written, metadata: Metadata, position: Position | None, gps_time: datetime | None
) -> TakenAt:
    if source in ("GPS:GPSDateTime", "FileName") and written.offset_min == 0:
        return _from_utc(source, written.local, position)
    offset, told_by = _offset(written, metadata, position, gps_time)
    if offset is None:
        return TakenAt(local=written.local, offset_min=None, utc=None, source=source, offset_source=None)
    zone = timezone(timedelta(minutes=offset))
    utc = written.local.replace(tzinfo=zone).astimezone(UTC)
    return TakenAt(local=written.local, offset_min=offset, utc=utc, source=source, offset_source=told_by)


def _from_utc(source: str, utc_naive: datetime, position: Position | None) -> TakenAt:
    """A source that writes UTC: local time needs the zone of the place; without one UTC stands in for it."""
    utc = utc_naive.replace(tzinfo=UTC)
    zone = _zone_of(position)
    local = utc.astimezone(zone) if zone else utc
    offset = local.utcoffset() or timedelta()
    return TakenAt(
        local=local.replace(tzinfo=None),
        offset_min=int(offset.total_seconds()) // 60,
        utc=utc,
        source=source,
        offset_source="GPSPosition" if zone else source,
    )


def _offset(
    written: Written, metadata: Metadata, position: Position | None, gps_time: datetime | None
) -> tuple[int | None, str | None]:
    """The best known offset of a local time, and what told it."""
    for tag in OFFSET_TAGS:
        minutes = parse_offset(metadata.exif.get(tag))
        if minutes is not None:
            return minutes, f"ExifIFD:{Base(tag).name}"
    hours = numbers(metadata.exif.get(TIME_ZONE_OFFSET, metadata.main.get(TIME_ZONE_OFFSET)))
    if hours and abs(hours[0]) <= 14:
        return int(hours[0] * 60), "ExifIFD:TimeZoneOffset"
    zone = _zone_of(position)
    if zone is not None:
        offset = written.local.replace(tzinfo=zone).utcoffset()
        return int((offset or timedelta()).total_seconds()) // 60, "GPSPosition"
    if written.offset_min is not None:
        return written.offset_min, "date"
    return _offset_by_gps_clock(written.local, gps_time)


def _offset_by_gps_clock(local: datetime, gps_time: datetime | None) -> tuple[int | None, str | None]:
    """Local time minus GPS time, to the quarter of an hour that zones are cut by."""
    if gps_time is None:
        return None, None
    quarters = round((local - gps_time.replace(tzinfo=None)) / timedelta(minutes=15))
    if abs(quarters) * timedelta(minutes=15) > MAX_OFFSET:
        return None, None
    return quarters * 15, "GPSDateTime"


def _zone_of(position: Position | None) -> Any:
    return _zone_at(round(position.latitude, 3), round(position.longitude, 3)) if position else None


@cache
def _zone_at(latitude: float, longitude: float) -> Any:
    """The time zone of a place, offline; None where there is none or the system does not know it."""
    from zoneinfo import ZoneInfo

    import tzfpy

    name = tzfpy.get_tz(longitude, latitude)
    try:
        return ZoneInfo(name) if name else None
    except (OSError, ValueError, KeyError):  # no zone database on this machine, or one older than the map
        return None
