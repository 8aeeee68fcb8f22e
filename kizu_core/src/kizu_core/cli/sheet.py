"""Contact sheets: a page of small pictures on this machine, to look at in a browser.

    tiles = [photo_tile(settings.blobs_dir, hit, hit["file_name"]) for hit in hits]
    open_sheet(write_sheet(settings.paths.sheets, "Sunset", [Section("12 photos", tiles=tiles)]))

A page is one file that only its owner may read. Pictures are inside it; nothing of it is a script or asks the network,
which its own policy forbids as well. Originals are decoded by guarded processes, never by this one.
"""

from __future__ import annotations

import base64
import hashlib
import html
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

if TYPE_CHECKING:
    from kizu_core.types import Box

SIDE_PX: Final = 280
"""Of a small picture: sharp at the size shown, also on screens with twice the pixels."""

MOST_PROCESSES: Final = 4
LARGEST_THUMBNAIL: Final = 1_000_000
KEPT_S: Final = 24 * 60 * 60
"""Pages hold faces: those that are older go when the next one is made."""

_JOINERS = "\u200c\u200d"  # invisible, but Arabic, Indic scripts and emoji need them


@dataclass(frozen=True, slots=True)
class Tile:
    """One small picture.

    `path`: the original, which a click shows; `box`: only this part of it (a face), with some air. `thumbnail`: a JPEG
    of Kizu's own, taken as it is where there is no box, and where the original can't be read. `caption`: also what a
    screen reader says; `note`: a second, softer line; `commands`: what each is for -> a command to copy.
    """

    path: Path | None
    caption: str
    box: Box | None = None
    thumbnail: Path | None = None
    note: str = ""
    commands: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """Tiles that belong together. `commands`: what each is for -> a command to copy.

    `beside`: tiles of a second column, to be compared with those of the first.
    """

    title: str
    note: str = ""
    commands: Mapping[str, str] = field(default_factory=dict)
    tiles: Sequence[Tile] = ()
    beside: Sequence[Tile] = ()


def photo_tile(blobs: Path, row: Mapping[str, Any], caption: str, **more: Any) -> Tile:
    """The tile of a row of the database with `path` and `thumbnail`, as far as it has them; thumbnails are in `blobs`.

    `more`: other fields of `Tile`.
    """
    from kizu_core.blobs.local import LocalBlobs
    from kizu_core.database.paths import text_to_path
    from kizu_core.errors import StorageError

    thumbnail = None
    if row.get("thumbnail"):
        with suppress(StorageError):  # on a web storage, or removed: the original will do
            thumbnail = LocalBlobs(blobs).path(row["thumbnail"])
    path = Path(text_to_path(row["path"])) if row.get("path") else None
    return Tile(path, caption, thumbnail=thumbnail, **more)


def write_sheet(folder: Path, title: str, sections: Sequence[Section], note: str = "") -> Path:
    """Write a page into `folder` (of the settings: `paths.sheets`); its path. `note`: below the title.

    On a terminal it shows how far it is: each original takes a moment. Raises `StorageError` if it can't be written,
    `LibraryError` if no process can read pictures.
    """
    from kizu_core.errors import StorageError

    pictures = _pictures([tile for section in sections for tile in (*section.tiles, *section.beside)])
    page = "".join(_page(title, note, sections, pictures))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _remove_old(folder)
        path = folder / f"{_slug(title)}-{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(2).hex()}.html"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(page)
    except OSError as error:
        raise StorageError(f"The page can't be written to {folder}: {error.strerror}.") from error
    return path


def open_sheet(path: Path) -> None:
    """Show a page in the desktop's browser, and say where it is; without a desktop only the latter."""
    opened = _has_desktop() and _open(path)
    typer.echo(f"{'Shown in your browser' if opened else 'Open this page in a browser'}: {path}")


def _has_desktop() -> bool:
    if sys.platform == "darwin":
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(path: Path) -> bool:
    """Whether a browser was started; by the desktop's own opener where there is one, which keeps the terminal clean."""
    opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if opener is None or os.environ.get("BROWSER"):
        import webbrowser

        return webbrowser.open(path.as_uri())
    quiet = subprocess.DEVNULL
    started = subprocess.Popen([opener, str(path)], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    threading.Thread(target=started.wait, daemon=True).start()  # a browser may be what ends last
    return True


def _remove_old(folder: Path) -> None:
    before = time.time() - KEPT_S
    for page in folder.glob("*.html"):
        with suppress(OSError):  # another command was quicker
            if page.stat().st_mtime < before:
                page.unlink()


def _slug(title: str) -> str:
    """A file name that any program can be given."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "sheet"


Pictures = Mapping[int, bytes]
"""id() of a tile -> its JPEG; tiles whose picture can't be had are not in it."""


def _pictures(tiles: Sequence[Tile]) -> Pictures:
    from kizu_core.library.clips import clips

    found = {id(tile): content for tile in tiles if tile.box is None and (content := _thumbnail(tile))}
    wanted = [(tile, tile.path) for tile in tiles if id(tile) not in found and tile.path is not None]
    if not wanted:
        return found
    processes = min(os.cpu_count() or 1, MOST_PROCESSES, len(wanted))
    cut = clips(((path, tile.box) for tile, path in wanted), SIDE_PX, processes)
    for (tile, _), picture in zip(wanted, _watched(cut, len(wanted)), strict=True):
        if content := picture or _thumbnail(tile):
            found[id(tile)] = content
    return found


def _thumbnail(tile: Tile) -> bytes | None:
    """As it is: it is never decoded here."""
    from kizu_core.library.clips import JPEG_START

    with suppress(OSError):
        if tile.thumbnail is not None and tile.thumbnail.stat().st_size <= LARGEST_THUMBNAIL:
            content = tile.thumbnail.read_bytes()
            return content if content.startswith(JPEG_START) else None
    return None


def _watched(pictures: Iterable[bytes | None], count: int) -> Iterator[bytes | None]:
    """The same, with a bar on a terminal."""
    hidden = not sys.stderr.isatty()
    with typer.progressbar(pictures, length=count, label="Cutting out pictures", file=sys.stderr, hidden=hidden) as bar:
        yield from bar


def _page(title: str, note: str, sections: Sequence[Section], pictures: Pictures) -> Iterator[str]:
    style = Path(__file__).with_name("sheet.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="referrer" content="no-referrer">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{_text(title)} - Kizu</title>\n<style>{style}</style>\n</head>\n<body>\n"
    yield f"<header>\n<h1>{_text(title)}</h1>\n{_paragraph(note)}</header>\n<main>\n"
    for section in sections:
        yield from _section(section, pictures)
    yield "</main>\n</body>\n</html>\n"


def _section(section: Section, pictures: Pictures) -> Iterator[str]:
    yield f"<section>\n<h2>{_text(section.title)}</h2>\n"
    yield _paragraph(section.note, "note")
    yield _commands(section.commands)
    if section.beside:
        yield '<div class="pair">\n'
    for tiles in filter(None, (section.tiles, section.beside)):
        yield "<ul>\n"
        yield from (_tile(tile, pictures.get(id(tile))) for tile in tiles)
        yield "</ul>\n"
    yield "</div>\n</section>\n" if section.beside else "</section>\n"


def _tile(tile: Tile, picture: bytes | None) -> str:
    if picture is None:
        shown = '<div class="gone">The file can&rsquo;t be shown</div>'
    else:
        data = base64.b64encode(picture).decode("ascii")
        shown = f'<img src="data:image/jpeg;base64,{data}" alt="{_text(tile.caption)}">'
    if tile.path is not None and picture is not None:
        shown = f'<a href="{html.escape(tile.path.as_uri())}">{shown}</a>'
    note = f"<span>{_text(tile.note)}</span>" if tile.note else ""
    caption = f"<bdi>{_text(tile.caption)}</bdi>{note}{_commands(tile.commands)}"
    return f"<li><figure>{shown}<figcaption>{caption}</figcaption></figure></li>\n"


def _commands(commands: Mapping[str, str]) -> str:
    """Copied with one click: it selects the whole line."""
    if not commands:
        return ""
    lines = (
        f'<dt class="label">{_text(purpose)}</dt><dd><code tabindex="0">{_line(line)}</code></dd>'
        for purpose, line in commands.items()
    )
    return f'<dl class="do">{"".join(lines)}</dl>\n'


def _line(command: str) -> str:
    """The command, in which no option is broken after its dashes."""
    words = (f"<b>{_text(word)}</b>" if word.startswith("-") else _text(word) for word in command.split(" "))
    return " ".join(words)


def _paragraph(text: str, kind: str = "") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f"<p{mark}>{_text(text)}</p>\n" if text else ""


def _text(text: str) -> str:
    """Foreign text as text: no markup, nothing invisible that turns what follows around."""
    return html.escape("".join(c if c.isprintable() or c in _JOINERS else " " for c in text))
