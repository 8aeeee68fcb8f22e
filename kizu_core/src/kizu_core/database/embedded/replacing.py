"""A finished database takes the place of another: at every moment one of the two is there, whole.

    database.restored   finished, on its way in
    database.replaced   on its way out

Whatever stops this half-way, the next start of the server ends it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from kizu_core.database.embedded.filesystem import make_durable


def put_in_place(finished: Path, database: Path, keep: Path | None = None) -> None:
    """Move the folder `finished` to `database`; what was there is deleted, or moved to `keep`.

    No server runs on either.
    """
    coming, going = _coming(database), _going(database)
    finished.rename(coming)
    if database.exists():
        database.rename(keep or going)
    make_durable(database.parent)
    finish(database)


def finish(database: Path) -> None:
    """End what `put_in_place` began, if it was stopped; without that, remove what it had not come to use."""
    coming, going = _coming(database), _going(database)
    if coming.exists() and not database.exists():
        coming.rename(database)
        make_durable(database.parent)
    for remains in (coming, going):
        if remains.exists():
            shutil.rmtree(remains)


def _coming(database: Path) -> Path:
    return database.with_name(f"{database.name}.restored")


def _going(database: Path) -> Path:
    return database.with_name(f"{database.name}.replaced")
