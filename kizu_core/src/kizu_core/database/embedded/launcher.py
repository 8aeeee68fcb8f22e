"""The embedded PostgreSQL of a data folder: made on first use, shared by processes, stopped by the last one.

Every process that uses the server holds a shared lock. Whoever finds it dead starts it again, under a lock of its
own; at exit the last holder stops it, unless it was pinned by `kizu db start`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from kizu_core.database.embedded.account import account_for
from kizu_core.database.embedded.bootstrap import PASSWORDS, build, major_version, set_passwords
from kizu_core.database.embedded.config import Tcp
from kizu_core.database.embedded.filesystem import make_private, plain_sentences, refuse_unfit, socket_folder_for
from kizu_core.database.embedded.holders import Holders, exclusive, exclusive_if_free
from kizu_core.database.embedded.passwords import LOGIN_ROLES, read_passwords
from kizu_core.database.embedded.pin import Pin
from kizu_core.database.embedded.processes import server_pid, stop_server
from kizu_core.database.embedded.programs import MAJOR_VERSION, Programs
from kizu_core.database.embedded.replacing import finish
from kizu_core.database.embedded.server import Say, Server, Standing, foreign
from kizu_core.errors import DatabaseError
from kizu_core.settings import Paths

RESTORE_LOCK, BACKUP_LOCK = "restore.lock", "backup.lock"


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
    tcp: Tcp | None


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
        self._pin = Pin(run / "database.pinned")
        self._server = Server(
            self._paths.database, socket_folder_for(run), self._paths.logs / "database.log", self._pin
        )
        self._holders = Holders(run / "holders.lock")
        self._start_lock = run / "start.lock"

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
        self._holders.leave(lambda: None if self._pin.exists() else self.stop())

    def tcp_urls(self) -> Urls | None:
        """URLs for programs elsewhere, if it was started with a port."""
        tcp = self._pin.tcp
        return None if tcp is None else Urls(*(self._server.tcp_url(role, tcp) for role in LOGIN_ROLES))

    def pin(self, tcp: Tcp | None = None) -> None:
        """Start the server and keep it up when nobody uses it, until `unpin`; with `tcp`, reachable there too.

        Raises `DatabaseError` if it would have to be started anew for that while others use it.
        """
        if tcp != self._pin.tcp:
            self.alone(lambda: None)
        with plain_sentences(self._paths.home):
            self._prepare_folders()
            self._pin.put(tcp)
            self._programs.account.give(self._pin.path)
        try:
            self.ensure()
        except BaseException:
            self._pin.remove()
            raise
        self.release()

    def alone(self, work: Callable[[], object]) -> None:
        """Run `work` as the only user, then stop the server, also a pinned one; newcomers wait meanwhile.

        Raises `DatabaseError` if another process uses the server.
        """

        def work_and_stop() -> None:
            try:
                work()
            finally:
                self.stop()

        with plain_sentences(self._paths.home):
            self._prepare_folders()
            self._holders.join()
            if not self._holders.leave(work_and_stop):
                raise DatabaseError(
                    "Another Kizu process uses the database.", hint="Let it end, then run the same command again."
                )

    def discard(self) -> None:
        """Remove the whole data folder, server and all, unless another process uses it or it is not there."""
        if self.unpin() and self._paths.home.exists():
            shutil.rmtree(self._paths.home)

    def unpin(self) -> bool:
        """Undo `pin`, and stop the server unless somebody uses it; True if nobody does."""
        if not self._paths.run.exists():
            return True
        with plain_sentences(self._paths.home):
            self._pin.remove()
            self._holders.join()
            return self._holders.leave(self.stop)

    def status(self) -> EmbeddedStatus:
        """What is there now; starts nothing."""
        exists = self._exists()
        return EmbeddedStatus(
            exists=exists,
            running=exists and self._server.standing() is Standing.UP,
            pinned=self._pin.exists(),
            pid=server_pid(self._paths.database),
            tcp=self._pin.tcp,
        )

    def stop(self) -> None:
        """Stop the server, whoever uses it."""
        stop_server(self._paths.database)
        if self._server.sockets != self._paths.run:
            with suppress(OSError):  # not there, or not empty
                self._server.sockets.rmdir()

    @cached_property
    def _programs(self) -> Programs:
        return Programs(account_for(self._paths.home, self._paths.database))

    def _exists(self) -> bool:
        return (self._paths.database / "PG_VERSION").exists()

    def _prepare_folders(self) -> None:
        account = self._programs.account
        for folder in (self._paths.run, self._paths.logs):
            make_private(folder, account)
        locks = (self._paths.run / name for name in ("holders.lock", RESTORE_LOCK, BACKUP_LOCK))
        for file in (*locks, self._start_lock, self._server.log):
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
        standing = self._server.settled()
        if standing is Standing.STARTING:
            self._server.wait_until_up(self._say)
            standing = self._server.settled()
        if standing is Standing.FOREIGN:
            raise foreign(self._server.socket)
        return standing is Standing.UP

    def _start(self) -> None:
        database = self._paths.database
        refuse_unfit(self._paths.home)
        finish(database)
        with exclusive_if_free(self._paths.run / RESTORE_LOCK) as free:
            if free:  # else a restore is under way
                Embedded(Paths(self._paths.restoring)).discard()
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
