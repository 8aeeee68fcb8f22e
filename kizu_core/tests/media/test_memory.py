"""Decoding is held to its memory by the kernel, and what would not fit is said beforehand."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kizu_core.errors import PictureTooLarge
from kizu_core.media import opening
from kizu_core.media.decode import decode
from kizu_core.media.facts import read_facts
from kizu_core.media.jpeg import scans
from kizu_core.media.memory import allowance, alone, bounded, busy

from .conftest import Save

linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel has no such limit")


@linux
def test_more_memory_is_refused_inside_and_given_after() -> None:
    with bounded(100):
        assert bytearray(50 * 2**20)
        with pytest.raises(MemoryError):
            bytearray(200 * 2**20)
    assert bytearray(200 * 2**20)


@linux
def test_the_limit_before_comes_back_also_after_an_error() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with contextlib.suppress(ZeroDivisionError), bounded(100), bounded(5000):
        assert resource.getrlimit(resource.RLIMIT_DATA)[0] != before[0]
        raise ZeroDivisionError
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


@linux
def test_threads_share_one_limit_that_grows_with_them_and_not_with_what_they_take() -> None:
    limits = []
    with bounded(100):
        limits.append(resource.getrlimit(resource.RLIMIT_DATA)[0])
        held = bytearray(60 * 2**20)
        with ThreadPoolExecutor(1) as pool:
            limits.append(pool.submit(_limit_inside).result())
        limits.append(resource.getrlimit(resource.RLIMIT_DATA)[0])
        del held
    assert limits[1] - limits[0] == pytest.approx(100 * 2**20, abs=2**20)
    assert limits[2] == limits[0], "counted from where the first began, whatever came and went meanwhile"


def _limit_inside() -> int:
    with bounded(100):
        return resource.getrlimit(resource.RLIMIT_DATA)[0]


@linux
def test_an_allowance_is_what_others_may_take_meanwhile() -> None:
    with allowance(300), bounded(100):
        assert bytearray(200 * 2**20)
    with bounded(100), pytest.raises(MemoryError):
        bytearray(200 * 2**20)


def test_alone_means_that_no_other_thread_decodes() -> None:
    order, inside = [], threading.Event()

    def other() -> None:
        with bounded():
            inside.set()
            time.sleep(0.1)
            order.append("other")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(other)
        assert inside.wait(10)
        with alone():
            second = pool.submit(other)
            order.append("alone")
            assert not busy()
        first.result()
        second.result()
    assert order == ["other", "alone", "other"]


LITTLE_MEMORY = """
import sys
from pathlib import Path
from kizu_core.errors import PictureTooLarge
from kizu_core.media import decode, memory, vips

decode.bounded = lambda: memory.bounded(20)
vips.library = lambda: None
try:
    decode.decode(Path(sys.argv[1]))
except PictureTooLarge as error:
    print(error.message)
"""


@linux
def test_a_decoder_that_gets_no_memory_says_too_large(save: Save) -> None:
    """In a process of its own: one that decoded a lot before has freed memory of its own to reuse."""
    path = save(Image.new("RGB", (6000, 6000)), "PNG")
    said = subprocess.run([sys.executable, "-c", LITTLE_MEMORY, path], capture_output=True, text=True, check=True)
    assert said.stdout == "It needs more memory than there is.\n"


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0"}),
        ("HEIF", {}),
        ("AVIF", {}),
        ("JPEG", {"progressive": True, "subsampling": "4:4:4"}),
    ],
)
def test_what_would_not_fit_is_said_beforehand(save: Save, mocker: Any, form: str, options: dict[str, Any]) -> None:
    path = save(Image.new("RGB", (640, 480)), form, **options)
    assert decode(path).image.size == (640, 480)
    mocker.patch.object(opening, "DECODE_MB", 1)
    with pytest.raises(PictureTooLarge, match="640 x 480"):
        decode(path)


def test_a_jpeg_of_one_scan_is_decoded_at_any_size(save: Save, mocker: Any) -> None:
    mocker.patch.object(opening, "DECODE_MB", 1)
    assert decode(save(Image.new("RGB", (2000, 2000)), "JPEG")).image.size == (2000, 2000)


@pytest.mark.parametrize(("options", "count"), [({}, 1), ({"progressive": True}, 10)])
def test_scans_are_counted(save: Save, options: dict[str, Any], count: int) -> None:
    exif = Image.Exif()
    exif[0x010E] = "\xff\xda looks like a scan \xff\xd9 and an end" * 30
    noise = Image.effect_noise((600, 400), 90).convert("RGB")
    path = save(noise, "JPEG", exif=exif, quality=98, **options)
    path.write_bytes(path.read_bytes() + b"\xff\xda\x00\x02" * 100)  # a video behind the picture may hold anything
    assert scans(path, 1000) == count
    assert decode(path).image.size == (600, 400)


def test_too_many_scans_are_refused_and_the_facts_still_read(save: Save, tmp_path: Path) -> None:
    data = save(Image.new("RGB", (4000, 3000)), "JPEG", progressive=True).read_bytes()
    last = data[data.rindex(b"\xff\xda") : -2]
    path = tmp_path / "scans.jpg"
    path.write_bytes(data[:-2] + last * 1000 + b"\xff\xd9")
    assert read_facts(path).width_px == 4000
    with pytest.raises(PictureTooLarge, match="more than 416 times"):
        decode(path)
