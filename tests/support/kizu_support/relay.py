"""A stretch of the way to the database that can be cut without being closed, as a dead router does."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

CHUNK = 1 << 16


class Relay:
    """Passes bytes between a socket in `folder` and the server's. `url`: the same database by this way."""

    def __init__(self, url: str, folder: Path) -> None:
        host, port = (str(conninfo_to_dict(url).get(name) or "") for name in ("host", "port"))
        name = f".s.PGSQL.{port or 5432}"
        self.url = make_conninfo(url, host=str(folder))
        self._server = f"{host}/{name}"
        self._flows = threading.Event()
        self._flows.set()
        self._sockets: list[socket.socket] = []
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(folder / name))
        self._door.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """From now on everything is swallowed; connections stay open."""
        self._flows.clear()

    def heal(self) -> None:
        """What was swallowed arrives, late."""
        self._flows.set()

    def close(self) -> None:
        """Ends all connections."""
        self._flows.set()
        for one in (self._door, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._server)
                self._sockets += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                self._flows.wait()
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay_to(url: str) -> Iterator[Relay]:
    """A relay to the server that a URL names by its socket folder."""
    folder = Path(tempfile.mkdtemp(prefix="kizu-"))  # paths of sockets are limited to some 100 characters
    relay = Relay(url, folder)
    try:
        yield relay
    finally:
        relay.close()
        shutil.rmtree(folder, ignore_errors=True)
