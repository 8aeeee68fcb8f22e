"""Small pictures by processes of their own: in order, whatever the files do."""

from __future__ import annotations

import base64
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from pytest_mock import MockerFixture

from kizu_core.library import clips as module
from kizu_core.library.clips import clips
from kizu_core.types import Box


def shade(path: Path, grey: int) -> Path:
    Image.new("L", (64, 48), grey).save(path)
    return path


def test_pictures_come_in_order_and_what_can_not_be_shown_is_none(tmp_path: Path) -> None:
    greys = (10, 60, 110, 160, 210)
    good = [shade(tmp_path / f"{grey}.png", grey) for grey in greys]
    (tmp_path / "page.jpg").write_bytes(b"<html>" * 9)
    wanted: list[tuple[Path, Box | None]] = [(path, Box(0.2, 0.2, 0.8, 0.8)) for path in good]
    wanted[1:1] = [(tmp_path / "page.jpg", None), (tmp_path / "gone.jpg", None)]
    found = [content and Image.open(BytesIO(content)).getpixel((16, 16)) for content in clips(wanted, 32, 2)]
    assert found == [(10,) * 3, None, None, *((grey,) * 3 for grey in greys[1:])]


def test_a_process_that_dies_costs_one_picture(tmp_path: Path, mocker: MockerFixture) -> None:
    """As a decoder with a bug would: it ends in the midst of its work, and the next picture gets a new process."""
    (tmp_path / "deadly.py").write_text(
        "import os\nfrom kizu_core.library.clip import clip_file\nfrom kizu_core.library.reader import serve\n"
        "serve(lambda request: os._exit(1) if 'bad' in request['path'] else clip_file(request))\n"
    )
    real = subprocess.Popen
    script = str(tmp_path / "deadly.py")
    mocker.patch("subprocess.Popen", lambda command, **options: real([command[0], script], **options))
    good = shade(tmp_path / "good.png", 100)
    found = list(clips([(tmp_path / "bad.jpg", None), (good, None), (tmp_path / "bad.jpg", None), (good, None)], 32, 1))
    assert [content is not None for content in found] == [False, True, False, True]


@pytest.mark.parametrize("said", [None, 7, "no base64!", base64.b64encode(b"<svg onload=...>").decode()])
def test_what_is_no_jpeg_is_not_taken_for_one(said: object) -> None:
    assert module._jpeg(said) is None
