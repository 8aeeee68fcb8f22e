"""What is known of the weights that came in: size and digest of each, recorded once and held from then on.

`manifest.json` in the models folder. A record counts for the declaration that it was made under (address, and the size
where that is declared exactly): a plugin whose next version declares another file starts anew.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from kizu_core.errors import StorageError
from kizu_core.plugins.specs import ModelSpec, WeightFile

NAME = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`source`: as declared when the file came in; `bytes`: its true size; `origin`: how it came; `recorded`: when, ISO
    8601, UTC.
    """

    source: str
    bytes: int
    sha256: str
    origin: str
    recorded: str


def key_of(spec: ModelSpec, weight: WeightFile) -> str:
    """Name of a file in the manifest and in bundles: `ocr/tiny/tiny.onnx`."""
    return f"{spec.kind}/{spec.name}/{weight.name}"


def recorded(folder: Path, spec: ModelSpec, weight: WeightFile) -> Record | None:
    """What was noted when this file came in, None if it never did.

    A damaged manifest vouches for nothing.
    """
    try:
        record = _load(folder / NAME).get(key_of(spec, weight))
    except StorageError:
        return None
    if record is None or record.source != weight.source or (weight.exact and record.bytes != weight.bytes):
        return None
    return record


def record(folder: Path, key: str, entry: Record) -> None:
    """Adds or replaces an entry; all or nothing, readable by the owner only. Call it under `locked`."""
    entries = {**_load(folder / NAME), key: entry}
    content = json.dumps({name: asdict(one) for name, one in sorted(entries.items())}, indent=2) + "\n"
    write_private(folder / NAME, content)


@contextmanager
def locked(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """One process at a time changes the folder; `waiting` is called once if another one is at it."""
    make_private(folder)
    lock = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def make_private(folder: Path) -> None:
    """Makes the models folder and, where it is not there yet, the data folder around it, for the owner only."""
    for one in (folder.parent, folder):
        one.mkdir(parents=True, exist_ok=True, mode=0o700)


def write_private(path: Path, content: str) -> None:
    """Writes beside and renames, so that there is never half a file; readable by the owner only."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(content, encoding="utf-8")
    fresh.replace(path)


def _load(path: Path) -> Mapping[str, Record]:
    try:
        return {str(key): Record(**entry) for key, entry in json.loads(path.read_text(encoding="utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise StorageError(
            f"{path} can't be read, so no digest in it can be trusted ({type(error).__name__}).",
            hint="Move it away and pull or import the weights again.",
        ) from error
