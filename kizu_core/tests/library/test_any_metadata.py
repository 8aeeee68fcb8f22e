"""Any EXIF and any XMP: a picture has facts that a database takes, or is refused in a sentence."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kizu_core.database.wire import dumps
from kizu_core.library.inspect import inspect_file
from kizu_support.library import Library

TAGS = [
    0x010F,
    0x0110,
    0x0112,
    0x0132,
    0x8769,
    0x8825,
    0x9003,
    0x9004,
    0x9011,
    0x9291,
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    29,
    0xEA1C,
]
EDGES = st.sampled_from([0, 1, 8, 26, 2**16 - 1, 2**31, 2**32 - 1]) | st.integers(0, 200)
directory = st.lists(
    st.tuples(
        st.sampled_from(TAGS) | st.integers(0, 65535),
        st.integers(0, 14),
        EDGES,
        EDGES | st.binary(min_size=4, max_size=4),
    ),
    max_size=12,
)
TEXTS = st.sampled_from(
    [
        "2020:01:01 00:00:00",
        "9999:99:99 99:99:99",
        "0000:00:00",
        "+99:99",
        "\0",
        "N",
        "1/0",
        "-1",
        "nan",
        "1e999",
        "😀" * 50,
    ]
)


def picture(form: str = "JPEG") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (16, 12), "teal").save(target, form)
    return target.getvalue()


JPEG = picture()


def with_segment(data: bytes) -> bytes:
    """A JPEG with one APP1 segment of this content."""
    data = data[:65_533]
    return JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data + JPEG[2:]


def tiff(entries: list[tuple[int, int, int, int | bytes]], order: str, rest: bytes) -> bytes:
    """The directory as EXIF holds it; values that are numbers are offsets or values as the type has it."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "IH", 8, len(entries))
    body = b"".join(
        struct.pack(order + "HHI", tag, kind, count)
        + (value if isinstance(value, bytes) else struct.pack(order + "I", value))
        for tag, kind, count, value in entries
    )
    return b"Exif\0\0" + head + body + struct.pack(order + "I", 8) + rest


def facts_of(content: bytes) -> dict[str, Any]:
    """What the reader says, checked to be what a row can hold."""
    with NamedTemporaryFile(suffix=".jpg") as file:
        file.write(content)
        file.flush()
        answer = inspect_file(Path(file.name), "image")
    assert json.loads(json.dumps(answer)) == json.loads(dumps(answer)), "plain JSON, nothing to be replaced"
    if "error" in answer:
        assert answer["error"]["message"].endswith(".")
        assert answer["error"]["code"] in {"unreadable_picture", "picture_too_large", "unsupported_format"}
        assert "can't be read (" not in answer["error"]["message"], "a parser's own bug"
    return answer


@settings(max_examples=300)
@given(directory, st.sampled_from("<>"), st.binary(max_size=120))
def test_any_directory(entries: list[Any], order: str, rest: bytes) -> None:
    answer = facts_of(with_segment(tiff(entries, order, rest)))
    assert answer["asset"]["width"] in {16, 12}


@settings(max_examples=150)
@given(st.data())
def test_real_exif_with_bytes_changed(data: st.DataObject) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Canon", "EOS", 6
    exif.get_ifd(0x8769).update({0x9003: "2020:01:02 03:04:05", 0x9011: "+02:00", 0x9291: "123"})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 1.0, 2.0), 3: "E", 4: (8.0, 1.0, 2.0), 5: b"\0", 6: 300.0})
    content = bytearray(exif.tobytes())
    for at, value in data.draw(st.lists(st.tuples(st.integers(6, len(content) - 1), st.integers(0, 255)), max_size=6)):
        content[at] = value
    facts_of(with_segment(bytes(content)))


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(["tiff:Orientation", "exif:DateTimeOriginal", "xmp:CreateDate", "exif:GPSLatitude"]),
        TEXTS | st.text(max_size=20),
    )
)
def test_any_xmp(properties: dict[str, str]) -> None:
    packet = "<x:xmpmeta>" + " ".join(f'{name}="{value}"' for name, value in properties.items())
    facts_of(with_segment(b"http://ns.adobe.com/xap/1.0/\0" + packet.encode("utf-8", "surrogatepass")))


@pytest.mark.parametrize("value", ["x" * 60_000, "\0\u202e<script>", "😀" * 2000, "\x1b[2J"])
def test_facts_of_odd_metadata_are_stored(library: Library, value: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = value
    exif.get_ifd(0x8825).update({1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (1e30, 0.0, 0.0), 6: 1e38})
    (library.photos / f"{uuid4()}.jpg").write_bytes(with_segment(exif.tobytes()))
    assert library.scan().new == 1
    [(camera, latitude)] = library.rows("select camera, latitude from assets where user_id = %s", library.user)
    assert latitude is None
    assert camera is None or (len(camera) <= 250 and camera.isprintable())
