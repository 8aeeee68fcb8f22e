"""Weights that their author hands out inside a zip archive: fetched once for all its members, never unpacked whole."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path

from kizu_core.errors import ModelUnavailable
from kizu_core.models.download import OnBytes, Span, discard, download
from kizu_core.models.sources import Source

MOST_BYTES = 4_000_000_000
"""Of an archive: nobody declares how large the whole is."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PIECE = 1 << 20


class Archives:
    """The archives of one pull, in a folder of their own; those that came whole are gone after `close`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._whole: set[Path] = set()

    def fetch(self, source: Source, member: str, span: Span, part: Path, on_bytes: OnBytes) -> None:
        """Brings `member` of the archive at `source` to `part`. Raises as `download`, `ModelUnavailable`."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        archive = self._folder / f"{hashlib.sha256(source.url.encode()).hexdigest()[:16]}.zip.part"
        download(source, Span(1, MOST_BYTES), archive, on_bytes)
        self._whole.add(archive)
        extract(archive, member, span, part)

    def close(self) -> None:
        """What arrived in part is kept, as for single files."""
        for archive in self._whole:
            discard(archive)


def extract(archive: Path, member: str, span: Span, part: Path) -> None:
    """Writes exactly that member to `part`, checked by the archive's own sum; its name decides nothing.

    Raises `ModelUnavailable`, and leaves no `part` then.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            _copy(opened, _found(opened, member, span), span, part)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        part.unlink(missing_ok=True)
        raise _refusal(member, f"the archive is damaged ({error})") from error
    except ModelUnavailable:
        part.unlink(missing_ok=True)
        raise


def _found(opened: zipfile.ZipFile, member: str, span: Span) -> zipfile.ZipInfo:
    infos = [info for info in opened.infolist() if info.filename == member]
    if len(infos) != 1 or infos[0].is_dir():
        raise _refusal(member, f"the archive holds {len(infos)} files of that name")
    (info,) = infos
    if info.flag_bits & 1 or info.compress_type not in _METHODS:
        raise _refusal(member, "the archive has it in a form that is not read here")
    if info.file_size not in span:
        raise _refusal(member, f"it has {info.file_size:,} bytes instead of {span}")
    return info


def _copy(opened: zipfile.ZipFile, info: zipfile.ZipInfo, span: Span, part: Path) -> None:
    """Counts what comes out: a header that lies about the size fills no disk."""
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    with opened.open(info) as content, part.open("wb") as file:
        while piece := content.read(_PIECE):
            if file.tell() + len(piece) > span.most:
                raise _refusal(info.filename, "it is larger than it says")
            file.write(piece)


def _refusal(member: str, why: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"{member} can't be taken out of its archive: {why}.", hint="Is there a newer version of the plugin?"
    )
