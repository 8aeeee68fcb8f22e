"""The embedded PostgreSQL of a data folder: made on first use, shared by processes, stopped by the last one.

Every process that uses the server holds a shared lock. Whoever finds it dead starts it again, under a lock of its
own; at exit the last holder stops it, unless it was pinned by `kizu db start`.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from kizu_core.database.account import account_for
from kizu_core.database.bootstrap import PASSWORDS, build, major_version, set_passwords
from kizu_core.database.filesystem import make_private, plain_sentences, refuse_unfit, socket_folder_for
from kizu_core.database.holders import Holders, exclusive
from kizu_core.database.passwords import read_passwords
from kizu_core.database.processes import server_pid, stop_server
from kizu_core.database.programs import Programs
from kizu_core.database.server import SOCKET, Say, Server, Standing, foreign
from kizu_core.errors import DatabaseError
from kizu_core.settings import Paths

MAJOR_VERSION = "18"


@dataclass(frozen=True, slots=True)
class Urls:
    """libpq URLs with passwords, one a role."""

    owner: str
    worker: str
    api: str


@dataclass(frozen=True, slots=True)
class EmbeddedStatus:
    """What `kizu db status` shows. `pinned`: stays up when nobody uses it."""

    exists: bool
    running: bool
    pinned: bool
    pid: int | None


class Embedded:
    """The embedded server of one data folder, from the point of view of one process.

    `on_wait` is called with a sentence whenever something takes long. As a context manager: `ensure` on entry,
    `release` on exit.
    """

    def __init__(self, paths: Paths, on_wait: Say | None = None) -> None:
        home = Path(os.path.realpath(paths.home))
        self._paths = Paths(home)
        self._say: Say = on_wait or (lambda sentence: None)
        run = self._paths.run
        self._server = Server(self._paths.database, socket_folder_for(run), self._paths.logs / "database.log")
        self._holders = Holders(run / "holders.lock")
        self._start_lock = run / "start.lock"
        self._pin = run / "database.pinned"

    def __enter__(self) -> Self:
        self.ensure()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def ensure(self) -> Urls:
        """Count as a user of the server, which is created, started or joined as needed, and return its URLs.

        Raises `DatabaseError`, `DatabaseUnavailable` or `DiskFull`, each one sentence. Safe to call again: a
        server that died meanwhile is started again.
        """
        with plain_sentences(self._paths.home):
            self._prepare_folders()
            joined = self._holders.join()
            try:
                self._ensure_up()
            except BaseException:
                if joined:
                    self.release()
                raise
        return self.urls()

    def urls(self) -> Urls:
        """URLs of the server; they work while it runs."""
        return Urls(*(self._server.url(role) for role in ("kizu_owner", "kizu_worker", "kizu_api")))

    def release(self) -> None:
        """Stop counting as a user. The last one stops the server, unless it is pinned."""
        self._holders.leave(lambda: None if self._pin.exists() else self._stop())

    def pin(self) -> None:
        """Keep the server up when nobody uses it."""
        self._pin.touch(mode=0o600)

    def unpin(self) -> bool:
        """Undo `pin`, and stop the server unless somebody uses it; True if nobody does."""
        if not self._paths.run.exists():
            return True
        self._pin.unlink(missing_ok=True)
        self._holders.join()
        return self._holders.leave(self._stop)

    def status(self) -> EmbeddedStatus:
        """What is there now; starts nothing."""
        exists = self._exists()
        return EmbeddedStatus(
            exists=exists,
            running=exists and self._server.standing() is Standing.UP,
            pinned=self._pin.exists(),
            pid=server_pid(self._paths.database),
        )

    @cached_property
    def _programs(self) -> Programs:
        return Programs(account_for(self._paths.home, self._paths.database))

    def _stop(self) -> None:
        stop_server(self._paths.database)
        if self._server.sockets != self._paths.run:
            with suppress(OSError):  # not there, or not empty
                self._server.sockets.rmdir()

    def _exists(self) -> bool:
        return (self._paths.database / "PG_VERSION").exists()

    def _prepare_folders(self) -> None:
        account = self._programs.account
        for folder in (self._paths.run, self._paths.logs):
            make_private(folder, account)
        for file in (self._paths.run / "holders.lock", self._start_lock, self._server.log):
            if not file.exists():
                file.touch(mode=0o600)
                account.give(file)

    def _ensure_up(self) -> None:
        if self._is_up():
            return
        sentence = "Waiting for another process that starts the database."
        with exclusive(self._start_lock, lambda: self._say(sentence)):
            if not self._is_up():
                self._start()

    def _is_up(self) -> bool:
        """True when our server answers; waits for one that is coming up."""
        if not self._exists() or read_passwords(self._paths.database / PASSWORDS) is None:
            return False
        standing = self._server.standing()
        if standing is Standing.STARTING:
            self._server.wait_until_up(self._say)
            standing = self._server.standing()
        if standing is Standing.FOREIGN:
            raise foreign(self._server.sockets / SOCKET)
        return standing is Standing.UP

    def _start(self) -> None:
        database = self._paths.database
        refuse_unfit(self._paths.home)
        make_private(self._server.sockets, self._programs.account)
        # Ours, yet not reachable (its socket was swept away, say): it is of no use to anyone new.
        stop_server(database)
        self._server.refuse_foreign()
        if not self._exists():
            build(database, self._programs)
        elif major_version(database) != MAJOR_VERSION:
            raise DatabaseError(
                f"The database in {database} was made by PostgreSQL {major_version(database)}, "
                f"and this Kizu brings PostgreSQL {MAJOR_VERSION}.",
                hint="Open it with the Kizu that made it, or choose another data folder with --data or KIZU_HOME.",
            )
        elif read_passwords(database / PASSWORDS) is None:
            set_passwords(database, self._programs)
        self._server.start(self._programs, self._say)
