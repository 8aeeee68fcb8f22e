"""Backups: a database as one file in pg_dump's own format, which any PostgreSQL tool can read.

A backup is written beside its final name and renamed when it is whole, so a file with that name is complete.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from kizu_core.database.client import run_client
from kizu_core.database.direct import connect
from kizu_core.database.embedded.account import account_for
from kizu_core.database.embedded.filesystem import make_durable, make_private
from kizu_core.database.embedded.holders import exclusive
from kizu_core.database.embedded.launcher import BACKUP_LOCK
from kizu_core.database.embedded.server import Say
from kizu_core.database.migrate import is_behind, migrate, migrations
from kizu_core.errors import DatabaseError, DiskFull, KizuError, SchemaMismatch
from kizu_core.settings import Paths, Settings

SUFFIX = ".dump"
SEAL = (
    b"\nkizu backup sha256 "  # and the digest of all before it: pg_dump's format notices only part of what damages it
)
SEAL_LENGTH = len(SEAL) + 2 * hashlib.sha256().digest_size + 1
AUTOMATIC = "before-"
AUTOMATIC_KEPT = 3
SAY_EVERY_S = 5.0

# The extensions are there before a restore: making them takes rights that nobody has who connects.
_CONTENT = ("--format=custom", "--schema=public", "--schema=kizu", "--no-subscriptions", "--no-publications")
_FULL = ("No space left on device", "Disk quota exceeded")


def backup_path(paths: Paths, wanted: Path | None, prefix: str = "kizu-") -> Path:
    """Where a backup goes: the file `wanted`, or a file named by the time in it or in the data folder's `backups/`."""
    if wanted is not None and not wanted.is_dir():
        return wanted.absolute()
    folder = paths.backups if wanted is None else wanted.absolute()
    name = f"{prefix}{time.strftime('%Y%m%d-%H%M%S')}"
    taken = {path.stem for path in folder.glob(f"{name}*{SUFFIX}")} if folder.exists() else set()
    return folder / f"{name}{f'-{len(taken) + 1}' if taken else ''}{SUFFIX}"


def back_up(address: str, target: Path, say: Say = lambda _: None) -> int:
    """Write the database at `address` to the new file `target`, readable by its owner only; its size in bytes.

    Others may go on using the database: a backup holds what was there when it began. Raises `DatabaseError` or
    `DiskFull`; then there is no file.
    """
    if target.exists():
        raise DatabaseError(f"{target} exists already.", hint="Choose another name; a backup is never overwritten.")
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        done = run_client("pg_dump", address, *_CONTENT, f"--file={temporary}", on_tick=_progress(temporary, say))
        if done.returncode != 0:
            raise failure(done.stderr, "The database could not be backed up", f"the disk of {target.parent}")
        _seal(temporary)
        temporary.rename(target)
        make_durable(target.parent)
        return target.stat().st_size
    except OSError as error:
        raise _unwritable(error, target) from error
    finally:
        temporary.unlink(missing_ok=True)


def examine(file: Path) -> str:
    """The schema of a backup, after reading all of it. Changes nothing.

    Raises `DatabaseError` for a file that is not a whole backup of Kizu, `SchemaMismatch` for one of a newer Kizu.
    """
    try:
        is_whole = _is_sealed(file)
    except OSError as error:
        raise DatabaseError(f"{file} can't be read: {error.strerror or error}.") from error
    if not is_whole:
        raise DatabaseError(
            f"{file} is no backup of Kizu, or it is damaged or cut short; nothing was changed.",
            hint="Backups are made with `kizu db backup`; copy this one again, or take an older one.",
        )
    options = ("--data-only", "-n", "kizu", "-t", "schema_version", "-f", "-", str(file))
    record = run_client("pg_restore", None, *options)
    if record.returncode != 0:
        why = "was made by a newer PostgreSQL" if "unsupported version" in record.stderr else "can't be understood"
        raise SchemaMismatch(f"{file} {why}.", hint="Update Kizu on this machine.")
    schema: str | None = max(re.findall(r"^(\d{14})\t", record.stdout, re.MULTILINE), default=None)
    if schema is None:
        raise DatabaseError(f"{file} is a backup of another database, not of Kizu's.")
    if schema > migrations()[-1].version:
        raise SchemaMismatch(f"{file} is a backup of a newer Kizu ({schema}).", hint="Update Kizu on this machine.")
    return schema


def bring_up_to_date(
    settings: Settings, address: str, say: Say, *, with_policies: bool = False, backup: bool = True
) -> list[str]:
    """`migrate`; the embedded database, if it holds photos and an older schema, is backed up first.

    Without that backup nothing changes. A database of the user's own is backed up by whoever keeps it.
    """
    if not backup or settings.database_url is not None or not is_behind(address):
        return migrate(address, with_policies=with_policies)
    lock = settings.paths.run / BACKUP_LOCK
    with exclusive(lock, lambda: say("Waiting for another process that updates the database.")):
        if is_behind(address) and holds_photos(address):
            say("The database is brought to a new version; a backup comes first.")
            _back_up_automatically(settings.paths, address, say)
        return migrate(address, with_policies=with_policies)


def holds_photos(address: str) -> bool:
    """Whether anything would be lost with the database."""
    with connect(address) as connection:
        there = connection.execute("select to_regclass('public.assets'), to_regclass('public.library_roots')")
        if None in (there.fetchone() or (None,)):
            return False
        found = connection.execute("select exists (select from assets) or exists (select from library_roots)")
        return found.fetchone() == (True,)


def make_backups_folder(paths: Paths) -> None:
    """Create the data folder's `backups/`, for its owner only."""
    make_private(paths.backups, account_for(paths.home, paths.database))


def _back_up_automatically(paths: Paths, address: str, say: Say) -> None:
    target = backup_path(paths, None, f"{AUTOMATIC}{migrations()[-1].version}-")
    try:
        make_backups_folder(paths)
        back_up(address, target, say)
    except (DiskFull, OSError) as error:
        raise DiskFull(
            "There is no space for the backup that comes before a new version of the database, so nothing was changed.",
            hint=f"Free some space for {paths.backups}, or run `kizu db migrate --no-backup`.",
        ) from error
    for old in sorted(paths.backups.glob(f"{AUTOMATIC}*{SUFFIX}"), key=_age)[:-AUTOMATIC_KEPT]:
        old.unlink(missing_ok=True)


def _age(path: Path) -> tuple[float, str]:
    return path.stat().st_mtime, path.name


def _progress(file: Path, say: Say) -> Callable[[], None]:
    """Says now and then how much has been written."""
    last = time.monotonic()

    def tick() -> None:
        nonlocal last
        if time.monotonic() - last >= SAY_EVERY_S:
            last = time.monotonic()
            say(f"Writing the backup: {file.stat().st_size / 1e6:,.0f} MB so far.")

    return tick


def failure(said: str, what: str, place: str) -> KizuError:
    """One sentence that begins with `what`, out of what a program of PostgreSQL's said. `place`: where it wrote."""
    if any(sign in said for sign in _FULL):
        return _no_space(place)
    told = re.search(r"(?:error|ERROR|FATAL): +(.+)", said)
    why = told[1].rstrip(".") if told else "no reason given"
    return DatabaseError(f"{what}: {why}.")


def _seal(file: Path) -> None:
    """Put the digest of its content at the end of a file, where pg_restore does not look, and make it durable."""
    with file.open("r+b") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        opened.seek(0, os.SEEK_END)
        opened.write(SEAL + digest.encode() + b"\n")
        opened.flush()
        os.fsync(opened.fileno())


def _is_sealed(file: Path) -> bool:
    """Whether a file is exactly what `_seal` left."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        left = os.fstat(opened.fileno()).st_size - SEAL_LENGTH
        while left > 0:
            piece = opened.read(min(left, 1 << 20))
            digest.update(piece)
            left -= len(piece) or left
        return opened.read() == SEAL + digest.hexdigest().encode() + b"\n"


def _unwritable(error: OSError, target: Path) -> KizuError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _no_space(f"the disk of {target.parent}")
    return DatabaseError(
        f"The backup can't be written to {target}: {error.strerror or error}.", hint="Name another file or folder."
    )


def _no_space(place: str) -> DiskFull:
    return DiskFull(f"No space is left on {place}.", hint="Free some space, then run the same command again.")
