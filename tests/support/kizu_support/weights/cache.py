"""What takes long to make is made once, and again when its recipe changes."""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from types import ModuleType


def cached(name: str, version: str, build: Callable[[Path], None]) -> Path:
    """The folder that `build` filled, now or earlier, in this process or another; read-only by convention.

    `version`: whatever the content follows from, see `version_of`; a new one gets a new folder. `build` gets an empty
    folder, which counts only once it returned: a killed build leaves nothing that anybody takes for whole.
    """
    base = cache_folder()
    folder = base / f"{name}-{hashlib.sha256(version.encode()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    with _locked(base / f"{name}.lock"):
        if not folder.is_dir():
            part = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=base))
            try:
                build(part)
                part.rename(folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return folder


def version_of(*sources: ModuleType | Callable[..., object], libraries: tuple[str, ...] = ()) -> str:
    """The text of the code that makes something, and the versions of the distributions whose part in it matters."""
    versions = [f"{library} {metadata.version(library)}" for library in libraries]
    return "\n".join([*versions, *(inspect.getsource(source) for source in sources)])


def cache_folder() -> Path:
    """`KIZU_TEST_CACHE`, else a folder of the user's cache."""
    named = os.environ.get("KIZU_TEST_CACHE")
    standard = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(named) if named else Path(standard) / "kizu-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One builder at a time on this machine; the system lets go of the lock of a process that dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
