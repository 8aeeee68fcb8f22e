"""Puts a backup back. The embedded database is restored into a new one beside it, which takes its place at the end."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from kizu_core.database.backup import back_up, backup_path, examine, failure, holds_photos, make_backups_folder
from kizu_core.database.client import client, run_client
from kizu_core.database.direct import connect
from kizu_core.database.embedded.account import account_for
from kizu_core.database.embedded.filesystem import make_private, plain_sentences
from kizu_core.database.embedded.holders import exclusive
from kizu_core.database.embedded.launcher import RESTORE_LOCK, Embedded
from kizu_core.database.embedded.programs import MAJOR_VERSION
from kizu_core.database.embedded.replacing import put_in_place
from kizu_core.database.embedded.server import Say
from kizu_core.database.migrate import migrate
from kizu_core.errors import DatabaseError
from kizu_core.settings import Paths, Settings


@dataclass(frozen=True, slots=True)
class Restored:
    """`schema` of the backup; `photos` that are in the library now; `kept`: where what was there before is.

    `without_thumbnail`: so many of the photos get theirs from the next run, because the file is not here.
    """

    schema: str
    photos: int
    without_thumbnail: int
    kept: Path | None = None


def restore(settings: Settings, file: Path, say: Say, *, replace: bool = False) -> Restored:
    """Make the library what it was when `file` was written. Until all of it is restored, nothing changes.

    A library that holds photos is replaced only if `replace`, after a backup of it. Raises `DatabaseError`,
    `SchemaMismatch` or `DiskFull`.
    """
    say("Checking the backup.")
    file = file.absolute()
    schema = examine(file)
    if settings.database_url is not None:
        address = settings.database_url.get_secret_value()
        _into_own(address, file)
        return Restored(schema, _photos(address), _forget_thumbnails(address, settings.blobs_dir))
    exchange = _Exchange(settings.paths, file, say)
    exchange.run(replace=replace)
    with Embedded(settings.paths, say) as server:
        address = server.urls().owner
        return Restored(schema, _photos(address), _forget_thumbnails(address, settings.blobs_dir), exchange.kept)


def _into_own(address: str, file: Path) -> None:
    """Into a database of the user's own, which must not have Kizu's tables: nothing in it is ever removed."""
    with connect(address) as connection:
        version = str(connection.info.server_version // 10000)
        used = connection.execute(
            "select to_regnamespace('kizu') is not null or to_regclass('public.assets') is not null"
        )
        is_used = used.fetchone() == (True,)
    if version != MAJOR_VERSION:
        raise DatabaseError(
            f"The database is a PostgreSQL {version}, and this Kizu restores into PostgreSQL {MAJOR_VERSION}.",
            hint="Restore with its own pg_restore, or into a newer server.",
        )
    if is_used:
        raise DatabaseError(
            "The database holds a library already.", hint="Restore into an empty one, which KIZU_DATABASE_URL names."
        )
    _load(file, address)


class _Exchange:
    """The embedded database of a data folder and the new one, in a folder `restoring` inside it."""

    def __init__(self, paths: Paths, file: Path, say: Say) -> None:
        self._paths = paths
        self._file = file
        self._say = say
        self._present = Embedded(paths, say)
        self._new = Embedded(Paths(paths.restoring), say)
        self._damaged: DatabaseError | None = None
        self.kept: Path | None = None

    def run(self, *, replace: bool) -> None:
        """See `restore`."""
        self._present.alone(lambda: None)
        lock = self._paths.run / RESTORE_LOCK
        with plain_sentences(self._paths.home), exclusive(lock, lambda: self._say("Waiting for another restore.")):
            self._refuse(replace)
            try:
                self._build()
                self._present.alone(self._exchange)
            finally:
                self._new.discard()

    def _refuse(self, replace: bool) -> None:
        """Look at the present library; raise if it must stay. One that does not even open is kept as it is."""
        if not self._present.status().exists:
            return
        try:
            with self._present:
                holds = holds_photos(self._present.urls().owner)
        except DatabaseError as error:
            self._damaged, holds = error, True
        if holds and not replace:
            why = f"does not open ({self._damaged.message})" if self._damaged else "holds a library already"
            raise DatabaseError(
                f"The database in this data folder {why}, so nothing was restored.",
                hint="Restore into another folder with --data, or add --replace; what is there is kept.",
            )

    def _build(self) -> None:
        self._new.discard()
        self._say("Restoring into a new database.")
        make_private(self._paths.restoring, account_for(self._paths.home, self._paths.database))
        with self._new:
            _load(self._file, self._new.urls().owner)

    def _exchange(self) -> None:
        """The new database takes the place of the present one, of which a backup or the folder itself stays."""
        folder = None
        if self._damaged is not None:
            folder = self._paths.home / f"database.damaged-{time.strftime('%Y%m%d-%H%M%S')}"
            self._say(f"The present database, which does not open, is kept in {folder}.")
            self.kept = folder
        elif self._present.status().exists:
            self._back_up_present()
        self._say("Putting it in the place of the present one.")
        self._present.stop()
        put_in_place(Paths(self._paths.restoring).database, self._paths.database, folder)

    def _back_up_present(self) -> None:
        self._present.ensure()
        address = self._present.urls().owner
        if holds_photos(address):
            self.kept = backup_path(self._paths, None, "replaced-")
            self._say(f"Backing up the present library to {self.kept}.")
            make_backups_folder(self._paths)
            back_up(address, self.kept, self._say)


def _load(file: Path, address: str) -> None:
    """Put the content of a backup into an empty database, all or nothing, and bring it to this version's schema."""
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        if not _pour(file, address, said):
            said.seek(0)
            raise failure(said.read(), "The backup could not be restored", "the disk of the database")
    # Functions, policies and grants are this version's, whatever the file brought.
    with connect(address) as connection:
        connection.execute("update kizu.schema_version set checksum = ''")
    migrate(address)


def _pour(file: Path, address: str, said: TextIO) -> bool:
    """Let pg_restore write the backup as SQL, and psql run that in one transaction; `said` takes what they say.

    pg_restore alone would fail: functions may set parameters of an extension only once it is loaded.
    """
    contents = run_client("pg_restore", None, "--list", str(file)).stdout.splitlines(keepends=True)
    psql, environment = client("psql", address, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-")
    with tempfile.NamedTemporaryFile("w", prefix="kizu-", suffix=".list") as chosen:
        chosen.writelines(line for line in contents if not _is_there_before(line))
        chosen.flush()
        pg_restore, _ = client("pg_restore", None, "--no-owner", f"--use-list={chosen.name}", "-f", "-", str(file))
        made = False
        reading, writing = os.pipe()
        with (
            subprocess.Popen(psql, env=environment, stdin=reading, stdout=said, stderr=said) as run,
            suppress(BrokenPipeError),  # psql met an error and has said so
            os.fdopen(writing, "wb") as script,
        ):
            os.close(reading)
            script.write(b"begin;\nselect extensions.show_limit();\n")
            script.flush()
            made = subprocess.run(pg_restore, stdout=script, stderr=said, check=False).returncode == 0
            if made:
                script.write(b"commit;\n")
    return made and run.returncode == 0


def _is_there_before(line: str) -> bool:
    """Whether a line of the list of contents is of something that stands in the empty database, or is set anew."""
    return bool(re.match(r"\d+; \d+ \d+ (SCHEMA - public|(COMMENT|ACL) - SCHEMA public|DEFAULT ACL) ", line))


def _forget_thumbnails(address: str, blobs: Path) -> int:
    """Let those be made again whose file is not in the folder `blobs`, which no backup holds; how many photos."""
    with connect(address) as connection:
        rows = connection.execute("select id, thumbnail, web_uri from assets where thumbnail is not null").fetchall()
        keys = ((photo, [key for key in found if key and "://" not in key]) for photo, *found in rows)
        lost = [photo for photo, names in keys if not all((blobs / name).is_file() for name in names)]
        connection.execute("delete from plugin_results where operation = 'optimize' and asset_id = any(%s)", [lost])
        connection.execute("update assets set thumbnail = null, web_uri = null where id = any(%s)", [lost])
    return len(lost)


def _photos(address: str) -> int:
    with connect(address) as connection:
        row = connection.execute("select count(*) from assets where media_kind = 'image'").fetchone()
    return int(row[0]) if row else 0
