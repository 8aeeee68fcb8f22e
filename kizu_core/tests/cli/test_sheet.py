"""Contact sheets: what is in a page, who may read it, and that foreign text stays text."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kizu_core.cli import sheet
from kizu_core.cli.sheet import Section, Tile, open_sheet, photo_tile, write_sheet
from kizu_core.errors import StorageError
from kizu_core.types import Box

ALLOWED = {"html", "head", "meta", "title", "style", "body", "header", "main", "section", "h1", "h2", "p", "div"}
ALLOWED |= {"dl", "dt", "dd", "code", "ul", "li", "figure", "figcaption", "a", "img", "span", "bdi", "b"}
VOID = {"meta", "img"}


class Page(HTMLParser):
    """Every element and all text of a page; fails if an element is not closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"] and data.strip():
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def photo(path: Path, colour: tuple[int, int, int] = (200, 30, 30)) -> Path:
    Image.new("RGB", (120, 90), colour).save(path)
    return path


def test_a_page_holds_its_pictures_and_asks_nobody(tmp_path: Path) -> None:
    whole = photo(tmp_path / "Größe #1 & more?.png")
    tiles = [
        Tile(whole, "Anna", box=Box(0.2, 0.2, 0.6, 0.6), note="3 May", commands={"Not Anna": "kizu people reject 1f"}),
        Tile(tmp_path / "gone.jpg", "gone"),
        Tile(None, "nowhere"),
    ]
    section = Section("Same?", "Look.", {"Yes": "kizu people merge Anna 3f2a"}, tiles, beside=tiles[:1])
    path = write_sheet(tmp_path / "sheets", "Anna & Ben", [section], "Only you.")
    page = Page(path)
    assert {name for name, _ in page.elements} <= ALLOWED
    images = [str(one["src"]) for one in page.all("img")]
    assert len(images) == 2
    assert all(one.startswith("data:image/jpeg;base64,/9j/") for one in images)
    assert [one["alt"] for one in page.all("img")] == ["Anna", "Anna"]
    assert [one["href"] for one in page.all("a")] == [whole.as_uri()] * 2
    assert not [name for _, attributes in page.elements for name in attributes if name in {"style", "onclick"}]
    for words in ("Anna & Ben", "Only you.", "Same?", "Look.", "kizu people merge Anna 3f2a", "kizu people reject 1f"):
        assert words in page.text
    assert page.text.count("The file can’t be shown") == 2


def test_its_own_policy_forbids_scripts_and_the_network_and_allows_its_style(tmp_path: Path) -> None:
    path = write_sheet(tmp_path / "sheets", "x", [])
    content = path.read_text(encoding="utf-8")
    [policy] = [one["content"] for one in Page(path).all("meta") if "http-equiv" in one]
    [style] = re.findall(r"<style>(.*)</style>", content, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy is not None
    assert policy.split("; ") == [
        "default-src 'none'",
        "img-src data:",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert "url(" not in style
    assert "@import" not in style


def test_only_its_owner_may_read_it_and_old_ones_go(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "sheets"
    old, young = (write_sheet(folder, "x", []) for _ in range(2))
    aside = folder / "mine.txt"
    aside.write_text("kept")
    before = time.time() - sheet.KEPT_S - 60
    for path in (old, aside):
        os.utime(path, (before, before))
    new = write_sheet(folder, "x", [])
    assert sorted(folder.iterdir()) == sorted([young, aside, new])
    assert (new.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_folder_that_can_not_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="can't be written"):
        write_sheet(tmp_path / "file" / "sheets", "x", [])


def test_a_thumbnail_is_taken_as_it_is_and_stands_in_for_an_original_that_is_gone(tmp_path: Path) -> None:
    asset = "11111111-1111-1111-1111-111111111111"
    key = f"{asset}/processed/{asset}/thumb-0123456789ab.jpg"
    thumbnail = tmp_path / "blobs" / key
    thumbnail.parent.mkdir(parents=True)
    Image.new("RGB", (300, 300), (10, 200, 10)).save(thumbnail, "JPEG")
    row = {"path": str(photo(tmp_path / "a.png")), "thumbnail": key}
    gone = {"path": str(tmp_path / "gone.png"), "thumbnail": key}
    web = {"path": row["path"], "thumbnail": "https://photos.example.org/thumb.jpg"}
    tiles = [
        photo_tile(tmp_path / "blobs", row, "as it is"),
        photo_tile(tmp_path / "blobs", gone, "in its place", box=Box(0.1, 0.1, 0.2, 0.2)),
        photo_tile(tmp_path / "blobs", web, "the original"),
    ]
    pictures = [one["src"] for one in Page(write_sheet(tmp_path / "s", "x", [Section("", tiles=tiles)])).all("img")]
    own = "data:image/jpeg;base64," + base64.b64encode(thumbnail.read_bytes()).decode()
    assert pictures[:2] == [own, own]
    assert pictures[2] not in (own, None)


def test_what_is_no_jpeg_is_not_put_into_a_page(tmp_path: Path) -> None:
    (tmp_path / "thumb.jpg").write_text("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    path = write_sheet(tmp_path / "s", "x", [Section("", tiles=[Tile(None, "x", thumbnail=tmp_path / "thumb.jpg")])])
    assert Page(path).all("img") == []


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=60) | st.sampled_from(["</style><script>alert(1)</script>", '"><img src=x onerror=y>', "--><!--"])
)
def test_foreign_text_stays_text(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "pages"
    tile = Tile(None, text, note=text, commands={text: text})
    path = write_sheet(folder, text, [Section(text, text, {text: text}, [tile], [tile])], text)
    try:
        page = Page(path)
        assert {name for name, _ in page.elements} <= ALLOWED
        assert not {"\u202e", "\x1b", "\x00", "\u2066"} & set("".join(page.text))
        plain = text.strip()
        if plain.isprintable() and plain:
            assert plain in "".join(page.text)
    finally:
        path.unlink()


def test_it_opens_in_the_desktops_browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(
        f'#!/bin/sh\necho noise; echo noise >&2; printf %s "$1" > {tmp_path}/part\nmv {tmp_path}/part {tmp_path}/seen\n'
    )
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{opener.parent}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("BROWSER", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    page = tmp_path / "a page.html"
    open_sheet(page)
    assert capsys.readouterr().out == f"Shown in your browser: {page}\n"
    for _ in range(200):
        if (tmp_path / "seen").exists():
            break
        time.sleep(0.05)
    assert (tmp_path / "seen").read_text() == str(page)


def test_without_a_desktop_it_says_where_the_page_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    open_sheet(Path("/data/sheets/anna.html"))
    assert capsys.readouterr().out == "Open this page in a browser: /data/sheets/anna.html\n"
