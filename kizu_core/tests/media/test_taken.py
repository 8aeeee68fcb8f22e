"""Which date of a picture counts, and in which zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizu_core.media.exif import Metadata, xmp_value
from kizu_core.media.gps import Position
from kizu_core.media.taken import TakenAt, date_in_name, parse_date, parse_offset, read_taken

ORIGINAL, DIGITIZED, CHANGED = 0x9003, 0x9004, 0x0132
NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROME = Position(latitude=41.9, longitude=12.5, altitude=None, certain=True)
GPS_NOON = {29: "2024:05:01", 7: (12.0, 0.0, 0.0)}


def taken(
    exif: dict[int, Any] | None = None,
    *,
    main: dict[int, Any] | None = None,
    gps: dict[int, Any] | None = None,
    xmp: str = "",
    name: str = "x.jpg",
    position: Position | None = None,
    sidecar: str = "",
) -> TakenAt | None:
    metadata = Metadata(main=main or {}, exif=exif or {}, gps=gps or {}, xmp=xmp, orientation=None)
    return read_taken(metadata, position, name, sidecar_xmp=sidecar, now=NOW)


VALID = {
    "2024:05:01 10:20:30": "2024-05-01T10:20:30",
    "2024:05:01 10:20:30\x00": "2024-05-01T10:20:30",
    "2024-05-01T10:20:30+02:00": "2024-05-01T10:20:30",
    "2024-05-01T10:20:30.5Z": "2024-05-01T10:20:30.500000",
    "2024:05:01 10:20": "2024-05-01T10:20:00",
    "2024:05:01": "2024-05-01T00:00:00",
    "2024:05:01   :  :  ": "2024-05-01T00:00:00",
    "2024:02:29 24:00:00": "2024-03-01T00:00:00",
    "2009:09:09 20:27:09.60:04:00": "2009-09-09T20:27:09.600000",
}


@pytest.mark.parametrize(("text", "want"), VALID.items())
def test_dates_that_are_read(text: str, want: str) -> None:
    written = parse_date(text)
    assert written is not None
    assert written.local.isoformat() == want


INVALID = [
    "0000:00:00 00:00:00",
    "    :  :     :  :  ",
    "",
    "2024:02:30 25:61:61",
    "2023:02:29 10:00:00",
    "2024:05:01 24:00:01",
    "yesterday",
    None,
    7,
]


@pytest.mark.parametrize("text", INVALID)
def test_dates_that_are_none(text: object) -> None:
    assert parse_date(text) is None


TEXT = st.text("0123456789:-T+Z.<>=\"' \x00é")


@given(TEXT | st.binary() | st.from_regex(r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d.*"))
def test_no_text_breaks_the_reader(text: object) -> None:
    written = parse_date(text)
    assert written is None or written.local.tzinfo is None


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("+01:00", 60),
        ("-0330", -210),
        ("Z", 0),
        ("+5:45\x00", 345),
        ("+14:00", 840),
        ("+15:00", None),
        ("x", None),
        (3, None),
    ],
)
def test_offsets(text: object, minutes: int | None) -> None:
    assert parse_offset(text) == minutes


def test_the_first_valid_date_wins_in_order_of_trust() -> None:
    everything = {
        "sidecar": '<x exif:DateTimeOriginal="2001-01-01T00:00:00"/>',
        "exif": {ORIGINAL: "2002:01:01 00:00:00", DIGITIZED: "2004:01:01 00:00:00"},
        "xmp": "<exif:DateTimeOriginal>2003-01-01T00:00:00</exif:DateTimeOriginal>"
        "<photoshop:DateCreated>2005-01-01T00:00:00</photoshop:DateCreated>"
        "<xmp:CreateDate>2006-01-01T00:00:00</xmp:CreateDate>",
        "gps": {29: "2007:01:01", 7: (0.0, 0.0, 0.0)},
        "main": {CHANGED: "2008:01:01 00:00:00"},
        "name": "IMG_20090101_000000.jpg",
    }
    sources = []
    for part, without in (
        ("sidecar", {"sidecar": ""}),
        ("exif", {"exif": {DIGITIZED: "2004:01:01 00:00:00"}}),
        ("xmp", {"xmp": everything["xmp"].split("</exif:DateTimeOriginal>")[1]}),  # type: ignore[attr-defined]
        ("exif", {"exif": {}}),
        ("xmp", {"xmp": '<x xmp:CreateDate="2006-01-01T00:00:00"/>'}),
        ("xmp", {"xmp": ""}),
        ("gps", {"gps": {}}),
        ("main", {"main": {}}),
        ("name", {"name": "x.jpg"}),
    ):
        found = taken(**everything)  # type: ignore[arg-type]
        assert found is not None, part
        sources.append((found.local.year, found.source))
        everything |= without
    assert taken(**everything) is None  # type: ignore[arg-type]
    assert sources == [
        (2001, "Sidecar:XMP-exif:DateTimeOriginal"),
        (2002, "ExifIFD:DateTimeOriginal"),
        (2003, "XMP-exif:DateTimeOriginal"),
        (2004, "ExifIFD:CreateDate"),
        (2005, "XMP-photoshop:DateCreated"),
        (2006, "XMP-xmp:CreateDate"),
        (2007, "GPS:GPSDateTime"),
        (2008, "IFD0:ModifyDate"),
        (2009, "FileName"),
    ]


@pytest.mark.parametrize("bad", ["1825:12:31 23:59:59", "2026:06:03 00:00:00", "0000:00:00 00:00:00"])
def test_an_impossible_date_makes_room_for_the_next(bad: str) -> None:
    found = taken({ORIGINAL: bad, DIGITIZED: "2020:01:02 03:04:05"})
    assert found is not None
    assert found.source == "ExifIFD:CreateDate"


@pytest.mark.parametrize(
    ("digits", "micros"), [("5", 500_000), ("123", 123_000), ("000", 0), ("", 0), ("x", 0), (None, 0)]
)
def test_sub_seconds_are_decimal_places(digits: str | None, micros: int) -> None:
    found = taken({ORIGINAL: "2024:05:01 10:20:30", 0x9291: digits})
    assert found is not None
    assert found.local.microsecond == micros


def zone(found: TakenAt | None) -> tuple[int | None, str | None]:
    assert found is not None
    return found.offset_min, found.offset_source


def test_zone_from_the_best_teller() -> None:
    noon = {ORIGINAL: "2024:05:01 14:00:00"}
    everything: dict[int, Any] = {**noon, 0x9011: "+05:00", 0x9012: "+06:00", 0x9010: "+07:00", 0x882A: 8}
    told = []
    for tag in (0x9011, 0x9012, 0x9010, 0x882A):
        told.append(zone(taken(everything, position=ROME, gps=GPS_NOON)))
        del everything[tag]
    told.append(zone(taken(noon, position=ROME, gps=GPS_NOON)))
    told.append(zone(taken({}, xmp='<x exif:DateTimeOriginal="2024-05-01T14:00:00+03:00"/>', gps=GPS_NOON)))
    told.append(zone(taken({ORIGINAL: "2024:05:01 13:58:07"}, gps=GPS_NOON)))
    told.append(zone(taken({ORIGINAL: "2024:05:03 13:58:07"}, gps=GPS_NOON)))
    assert told == [
        (300, "ExifIFD:OffsetTimeOriginal"),
        (360, "ExifIFD:OffsetTimeDigitized"),
        (420, "ExifIFD:OffsetTime"),
        (480, "ExifIFD:TimeZoneOffset"),
        (120, "GPSPosition"),
        (180, "date"),
        (120, "GPSDateTime"),
        (None, None),
    ]


def test_local_time_offset_and_instant_agree() -> None:
    found = taken({ORIGINAL: "2024:01:01 00:30:00", 0x9011: "+01:00"})
    assert found is not None
    assert found.local == datetime(2024, 1, 1, 0, 30)  # noqa: DTZ001
    assert found.utc == datetime(2023, 12, 31, 23, 30, tzinfo=UTC)


def test_gps_time_becomes_local_where_the_place_is_known() -> None:
    found = taken(gps=GPS_NOON, position=ROME)
    assert found is not None
    assert (found.local.hour, found.offset_min, found.source) == (14, 120, "GPS:GPSDateTime")


NAMES = {
    "IMG_20190512_143015.jpg": "2019-05-12T14:30:15",
    "20190512_143015.jpg": "2019-05-12T14:30:15",
    "IMG_20190512_143015123_HDR.jpg": "2019-05-12T14:30:15.123000",
    "Screenshot_2020-01-02-03-04-05.png": "2020-01-02T03:04:05",
    "Screenshot 2021-03-04 at 10.11.12.png": "2021-03-04T10:11:12",
    "2019-05-12 14.30.15.jpg": "2019-05-12T14:30:15",
    "signal-2021-03-04-101112.jpg": "2021-03-04T10:11:12",
    "IMG-20190512-WA0003.jpg": "2019-05-12T00:00:00",
    "WhatsApp Image 2019-05-12 at 14.30.15.jpeg": "2019-05-12T14:30:15",
}


@pytest.mark.parametrize(("name", "want"), NAMES.items())
def test_dates_in_file_names(name: str, want: str) -> None:
    written = date_in_name(name)
    assert written is not None
    assert written.local.isoformat() == want


@pytest.mark.parametrize(
    "name", ["DSC_0042.jpg", "120190512.jpg", "IMG_20191332.jpg", "20201.jpg", "photo 1234567890.jpg"]
)
def test_numbers_in_names_that_are_no_dates(name: str) -> None:
    assert date_in_name(name) is None


def test_pixel_phones_write_utc_into_names() -> None:
    found = taken(name="PXL_20240501_120000123.jpg", position=ROME)
    assert found is not None
    assert (found.local.hour, found.utc.hour if found.utc else None) == (14, 12)


@given(TEXT, st.sampled_from(["exif:DateTimeOriginal", "tiff:Orientation"]))
def test_any_xmp_packet_can_be_searched(packet: str, name: str) -> None:
    assert xmp_value(f'<a {name} = "v"/>{packet}', name) == "v"
    xmp_value(packet, name)
