"""Contact sheets in a real browser: pictures and style are there, in light and dark; nothing runs, nothing is sent."""

from __future__ import annotations

import html
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kizu_core.cli.sheet import Section, Tile, write_sheet
from kizu_core.types import Box
from kizu_support.browser import Browser
from kizu_support.leaks import Listener

RED, GREEN = (220, 20, 20), (20, 180, 20)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    return Browser(tmp_path_factory.mktemp("browser"))


def photo(path: Path, colour: tuple[int, int, int]) -> Path:
    Image.new("RGB", (400, 300), colour).save(path)
    return path


def area(image: Image.Image, colour: tuple[int, int, int]) -> int:
    """Pixels of nearly that colour."""
    away = np.abs(np.asarray(image, dtype=np.int16) - np.array(colour)).max(axis=2)
    return int((away < 12).sum())


def test_pictures_and_style_are_shown_in_light_and_dark(browser: Browser, tmp_path: Path) -> None:
    tiles = [Tile(photo(tmp_path / "red.png", RED), "Anna", box=Box(0.2, 0.2, 0.5, 0.5))]
    beside = [Tile(photo(tmp_path / "green.png", GREEN), "Ben")]
    page = write_sheet(tmp_path / "s", "Anna", [Section("Same?", commands={"Yes": "kizu"}, tiles=tiles, beside=beside)])
    light, dark = browser.picture(page), browser.picture(page, dark=True)
    for image in (light, dark):
        assert area(image, RED) > 5000
        assert area(image, GREEN) > 5000
    assert sum(light.getpixel((3, 3))) > 650 > 150 > sum(dark.getpixel((3, 3)))  # type: ignore[arg-type]


def test_names_of_strangers_run_nothing_and_send_nothing(browser: Browser, tmp_path: Path) -> None:
    with Listener() as listener:
        there = f"http://127.0.0.1:{listener.port}/"
        hostile = (
            f'"><script>document.title="taken"</script><img src="{there}1"><link rel="stylesheet" href="{there}2">'
            f'<iframe src="{there}3"></iframe><style>@import url({there}4)</style>'
            f'<meta http-equiv="refresh" content="0;url={there}5">'
        )
        tile = Tile(photo(tmp_path / "a.png", RED), hostile, note=hostile, commands={hostile: hostile})
        page = write_sheet(tmp_path / "s", "Anna", [Section(hostile, hostile, {hostile: hostile}, [tile])], hostile)
        document = browser.document(page)
        assert listener.hits() == 0
    assert "<title>Anna - Kizu</title>" in document
    assert not [tag for tag in ("<script", "<iframe", "<link", "<style>@import") if tag in document]
    assert html.escape(hostile, quote=False) in document


def test_the_policy_alone_would_hold_if_text_were_not_escaped(browser: Browser, tmp_path: Path) -> None:
    page = write_sheet(tmp_path / "s", "Anna", [Section("here")])
    with Listener() as listener:
        there = f"http://127.0.0.1:{listener.port}/"
        attack = (
            f'<img src="{there}1"><script>document.title="taken"</script><script src="{there}2"></script>'
            f'<link rel="stylesheet" href="{there}3"><style>body{{background:url({there}4)}}</style>'
        )
        page.write_text(page.read_text().replace("here", attack))
        document = browser.document(page)
        assert listener.hits() == 0
    assert "<script>" in document
    assert "<title>Anna - Kizu</title>" in document
