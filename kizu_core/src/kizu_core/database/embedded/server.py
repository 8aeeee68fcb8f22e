"""One embedded server: is it up, is it ours, start it, wait for it.

Whether a server is up is decided by talking to it, whose it is by the identity that it shares with the folder.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from urllib.parse import quote

from kizu_core.database.embedded.bootstrap import CONFIG, HBA, PASSWORDS, failure
from kizu_core.database.embedded.config import DATABASE, Tcp, access_rules, configuration
from kizu_core.database.embedded.passwords import read_passwords
from kizu_core.database.embedded.pin import Pin
from kizu_core.database.embedded.processes import PID_FILE, is_alive, server_pid, socket_address
from kizu_core.database.embedded.programs import Programs
from kizu_core.errors import DatabaseError, DatabaseUnavailable
from kizu_core.privacy.guard import permit

ANSWER_S = 5
PATIENCE_S = 600.0
DYING_S = 10.0
SAY_AFTER_S = 3.0
LARGEST_LOG = 10 * 1024 * 1024
STILL_ENDING = "pre-existing shared memory block"

Say = Callable[[str], None]


class Standing(Enum):
    """What answers on the socket of a data folder."""

    DOWN = auto()
    STARTING = auto()
    UP = auto()
    FOREIGN = auto()


@dataclass(frozen=True, slots=True)
class Server:
    """The server of the data folder `data`; `sockets` is where its socket goes when this process starts it."""

    data: Path
    sockets: Path
    log: Path
    pin: Pin

    def url(self, role: str) -> str:
        """libpq URL of the running server for one of the login roles."""
        folder, port = self._address()
        return f"postgresql://{role}:{self._password(role)}@/{DATABASE}?host={quote(str(folder), safe='')}&port={port}"

    def tcp_url(self, role: str, tcp: Tcp) -> str:
        """The same for other machines."""
        return f"postgresql://{role}:{self._password(role)}@{tcp.address}:{tcp.port}/{DATABASE}"

    @property
    def socket(self) -> Path:
        """The socket of the running server, else that of the next."""
        folder, port = self._address()
        return folder / f".s.PGSQL.{port}"

    def standing(self) -> Standing:
        """Ask the socket."""
        if not self._somebody_listens():
            return Standing.DOWN
        import psycopg

        url = self.url("kizu_worker")
        ours = server_pid(self.data) is not None
        if psycopg.pq.PGconn.ping(f"{url}&connect_timeout={ANSWER_S}".encode()) != psycopg.pq.Ping.OK:
            return Standing.STARTING if ours else Standing.FOREIGN
        try:
            with psycopg.connect(url, connect_timeout=ANSWER_S) as connection:
                row = connection.execute("select system_identifier from pg_control_system()").fetchone()
        except psycopg.OperationalError:
            # Ours but full, or with other passwords: what a caller meets next says more than a guess here.
            return Standing.UP if ours else Standing.FOREIGN
        return Standing.UP if row is not None and row[0] == self._identifier() else Standing.FOREIGN

    def start(self, programs: Programs, say: Say) -> None:
        """Start the server and wait until it answers, however long it replays its log.

        The caller holds the start lock, has stopped what was ours and refused what is not. Raises
        `DatabaseError` with the server's own reason.
        """
        tcp = self.pin.tcp
        for name, text in ((CONFIG, configuration(self.sockets, tcp)), (HBA, access_rules(tcp))):
            (self.data / name).touch()
            (self.data / name).chmod(0o600)
            (self.data / name).write_text(text, encoding="utf-8")
            programs.account.give(self.data / name)
        self._rotate_log()
        end = time.monotonic() + PATIENCE_S
        told = False
        while True:
            self._remove_stale_locks()
            begins = self.log.stat().st_size if self.log.exists() else 0
            pid = programs.start_server(self.data, self.log)
            if self._wait(pid, end, say):
                return
            said = self.log.read_bytes()[begins:].decode(errors="replace")
            if STILL_ENDING not in said or time.monotonic() > end:
                raise failure(said, self.data.parent)
            # A killed server's sessions end when they next look up; two servers on one folder would ruin it.
            if not told:
                say("Waiting for processes of the killed database to end.")
            told = True
            time.sleep(0.5)

    def settled(self) -> Standing:
        """`standing`, given a moment: a killed server takes connections until the system has taken its memory back."""
        end = time.monotonic() + DYING_S
        while (standing := self.standing()) is Standing.FOREIGN and time.monotonic() < end:
            time.sleep(0.05)
        return standing

    def refuse_foreign(self) -> None:
        """Raise `DatabaseError` if anybody listens, and goes on to, where our server, which does not run, will."""
        end = time.monotonic() + DYING_S
        while self._somebody_listens():
            if time.monotonic() > end:
                raise foreign(self.socket)
            time.sleep(0.05)

    def wait_until_up(self, say: Say) -> None:
        """Wait for a server that another process started. Returns also when it is gone again."""
        pid = server_pid(self.data)
        if pid is not None:
            self._wait(pid, time.monotonic() + PATIENCE_S, say)

    def _wait(self, pid: int, end: float, say: Say) -> bool:
        """True when the server is up, False when its process ended."""
        say_at = time.monotonic() + SAY_AFTER_S
        while is_alive(pid):
            standing = self.standing()
            if standing is Standing.UP:
                return True
            if standing is Standing.FOREIGN and server_pid(self.data) is None:
                raise foreign(self.socket)
            if time.monotonic() > end:
                raise DatabaseUnavailable(
                    "The embedded database is still not ready.",
                    hint=f"Try again later; what it does stands in {self.log}.",
                )
            if time.monotonic() > say_at:
                say("The database is repairing itself after a crash; waiting for it.")
                say_at = float("inf")
            time.sleep(0.03)
        return False

    def _address(self) -> tuple[Path, int]:
        return socket_address(self.data) or (self.sockets, self.pin.port)

    def _password(self, role: str) -> str:
        return (read_passwords(self.data / PASSWORDS) or {}).get(role, "")

    def _somebody_listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe, permit(str(self.socket)):
            probe.settimeout(ANSWER_S)
            try:
                probe.connect(str(self.socket))
            except (FileNotFoundError, ConnectionRefusedError):
                return False
            except (TimeoutError, BlockingIOError):
                return True
        return True

    def _identifier(self) -> int:
        """The cluster's random identity: the first eight bytes of its control file, signed as SQL shows it."""
        return int(struct.unpack("=q", (self.data / "global" / "pg_control").read_bytes()[:8])[0])

    def _remove_stale_locks(self) -> None:
        """Lock files of a dead server, which PostgreSQL would believe if their number lives again elsewhere.

        Nobody listens, no process is the server of this folder, and the start lock is held: they are stale.
        Sessions that outlived their server still hold its shared memory, which PostgreSQL checks without them.
        """
        if server_pid(self.data) is None:
            for path in (self.data / PID_FILE, Path(f"{self.socket}.lock"), self.socket):
                path.unlink(missing_ok=True)

    def _rotate_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".old"))


def foreign(address: Path) -> DatabaseError:
    """The error for a server that is not ours at our address."""
    return DatabaseError(
        f"A server that is not Kizu's answers on {address}.",
        hint="Stop it, or choose another data folder with --data or KIZU_HOME.",
    )
