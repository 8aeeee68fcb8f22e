"""Read files one after the other in a process of its own: what it is, its content hash, the facts in its headers.

    python -P -m kizu_core.library.inspect

Requests are `{"path", "kind"}` (see `reader`); `readers` asks them.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
import stat
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Any

from kizu_core.errors import KizuError, LibraryError, PictureTooLarge, UnreadablePicture, UnsupportedFormat
from kizu_core.library.answers import Answer, error_entry
from kizu_core.library.reader import serve
from kizu_core.library.sidecar import sidecar_of
from kizu_core.media.facts import PictureFacts, read_facts
from kizu_core.media.memory import bounded
from kizu_core.media.sniff import HEAD_BYTES, Format, sniff


def inspect_file(path: Path, kind: str) -> Answer:
    """What one file holds. `kind` is what its name says: image, video or raw. Never raises for a bad file."""
    try:
        # Not blocking: a pipe may have been put in the file's place since it was listed.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file, bounded():
            asset, sha256 = _inspect(path, kind, file)
    except KizuError as error:
        return {"error": error_entry(error)}
    except OSError as error:
        return {"error": error_entry(LibraryError(f"It can't be opened: {error.strerror or error}."), retryable=True)}
    except MemoryError:
        return {"error": error_entry(PictureTooLarge("Reading its headers needs more memory than there is."))}
    except Exception as error:  # noqa: BLE001 (a parser's own bug costs this file only)
        return {"error": error_entry(UnreadablePicture(f"Its headers can't be read ({type(error).__name__})."))}
    if sha256 is None:
        return {"error": error_entry(LibraryError("It was being written while Kizu read it."), retryable=True)}
    return {"asset": asset, "sha256": sha256}


def _inspect(path: Path, kind: str, file: BufferedReader) -> tuple[dict[str, Any], str | None]:
    """Columns of the asset row and the content hash, None if the content changed meanwhile."""
    before = os.fstat(file.fileno())
    if not stat.S_ISREG(before.st_mode):
        raise UnsupportedFormat("This is no regular file.")
    if before.st_size == 0:
        raise UnreadablePicture("The file is empty (0 bytes).", hint="Copy it again from where it came from.")
    asset = _asset(path, kind, sniff(file.read(HEAD_BYTES), file))
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    after = os.fstat(file.fileno())
    unchanged = (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    return {**asset, "bytes": before.st_size}, sha256 if unchanged else None


def _asset(path: Path, kind: str, found: Format | None) -> dict[str, Any]:
    """Columns of the asset row. Raises `KizuError` for what is no picture or video that Kizu reads."""
    if found is not None and found.kind == "video":
        return {"media_kind": "video", "mime": found.mime}
    if found is None and kind == "video":  # the containers of old cameras are too many to know them all
        return {"media_kind": "video", "mime": mimetypes.guess_type(path.name)[0]}
    return picture_columns(read_facts(path, sidecar=sidecar_of(path)))


def picture_columns(facts: PictureFacts) -> dict[str, Any]:
    """Facts of a picture as columns of `assets`, ready for JSON."""
    taken, position = facts.taken, facts.position
    return {
        "media_kind": "image",
        "mime": facts.mime,
        "width": facts.width_px,
        "height": facts.height_px,
        "orientation": facts.orientation,
        "taken_local": _iso(taken.local) if taken else None,
        "taken_offset_min": taken.offset_min if taken else None,
        "taken_at": _iso(taken.utc) if taken else None,
        "taken_source": taken.source if taken else None,
        "latitude": position.latitude if position else None,
        "longitude": position.longitude if position else None,
        "altitude": position.altitude if position else None,
        "camera": facts.camera,
        "metadata": {
            "format": facts.format.name,
            "offset_source": taken.offset_source if taken else None,
            "position_certain": position.certain if position else None,
        },
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def main() -> None:
    """Answer requests until stdin ends."""
    serve(lambda request: inspect_file(Path(request["path"]), request["kind"]))


if __name__ == "__main__":
    main()
