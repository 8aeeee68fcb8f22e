"""Seven ways to reach an address, tried in earnest against listeners on this machine: which one stops where.

Nothing here needs a network: every target is at 127.0.0.1. That one is refused like any other, as nobody allowed it.
"""

from __future__ import annotations

import ctypes
import os
import selectors
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from kizu_core.errors import EgressRefused
from kizu_core.privacy.guard import rehearsal

HERE = "127.0.0.1"
PATIENCE_S = 2

StoppedBy = Literal["hook", "system", "nobody"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """One way: who stopped it, and in which words."""

    way: str
    stopped_by: StoppedBy
    words: str = ""


def _http(port: int) -> None:
    import httpx

    httpx.get(f"http://{HERE}:{port}/", timeout=PATIENCE_S, trust_env=False)


def _streams(port: int) -> None:
    import asyncio

    asyncio.run(asyncio.wait_for(asyncio.open_connection(HERE, port), PATIENCE_S))


def _datagram(port: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"kizu", (HERE, port))


def _look_up(port: int) -> None:
    socket.getaddrinfo("localhost", port)


def _libpq(port: int) -> None:
    import psycopg

    psycopg.connect(f"host={HERE} port={port} connect_timeout={PATIENCE_S} user=kizu").close()


def _native(port: int) -> None:
    """Past Python: the address as the system's own library takes it."""
    libc = ctypes.CDLL(None, use_errno=True)
    head = bytes([16, socket.AF_INET]) if sys.platform == "darwin" else socket.AF_INET.to_bytes(2, sys.byteorder)
    address = head + port.to_bytes(2, "big") + socket.inet_aton(HERE) + bytes(8)
    with socket.socket() as sock:
        if libc.connect(sock.fileno(), address, len(address)) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _program(port: int) -> None:
    curl = [shutil.which("curl") or "curl", "--silent", "--max-time", str(PATIENCE_S), f"http://{HERE}:{port}/"]
    subprocess.run(curl, check=True, capture_output=True, env={})


WAYS: Mapping[str, Callable[[int], None]] = {
    "an HTTP library": _http,
    "asyncio": _streams,
    "a UDP datagram": _datagram,
    "a name looked up": _look_up,
    "libpq to another database": _libpq,
    "a connection by libc": _native,
    "another program (curl)": _program,
}
BY_HOOK = ("an HTTP library", "asyncio", "a UDP datagram", "a name looked up")
"""Ways that go through Python wherever they are tried, so that its hook has to stop them."""


def probe(ports: Mapping[str, int]) -> list[Probed]:
    """Tries each way to its port, in this process. Refusals met here are not counted against anybody."""
    with rehearsal():
        return [_try(way, port) for way, port in ports.items()]


def _try(way: str, port: int) -> Probed:
    try:
        WAYS[way](port)
    except Exception as error:  # noqa: BLE001 - libraries wrap what they meet in errors of their own
        by: StoppedBy = "hook" if any(isinstance(one, EgressRefused) for one in _chain(error)) else "system"
        return Probed(way=way, stopped_by=by, words=f"{type(error).__name__}: {error}"[:200])
    return Probed(way=way, stopped_by="nobody")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class Listeners:
    """One listener a way, which hangs up on whoever comes. `reached`: the ways by which somebody came."""

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}
        self.reached: set[str] = set()
        self._selector = selectors.DefaultSelector()

    def judge(self, results: list[Probed]) -> list[Probed]:
        """Results as they were reported, but whoever reached his listener was stopped by nobody, whatever he met."""
        return [replace(one, stopped_by="nobody") if one.way in self.reached else one for one in results]

    def listen(self, way: str) -> socket.socket:
        """A socket for one way; its port is in `ports`."""
        sock = socket.socket(type=socket.SOCK_DGRAM if way == "a UDP datagram" else socket.SOCK_STREAM)
        sock.bind((HERE, 0))
        if sock.type is socket.SOCK_STREAM:
            sock.listen()
        self.ports[way] = sock.getsockname()[1]
        self._selector.register(sock, selectors.EVENT_READ, way)
        return sock

    def serve(self, over: threading.Event) -> None:
        """Counts until `over` is set and nobody waits any more."""
        while (ready := self._selector.select(0.05)) or not over.is_set():
            for key, _ in ready:
                self.reached.add(key.data)
                sock: socket.socket = key.fileobj  # type: ignore[assignment]
                if sock.type is socket.SOCK_STREAM:
                    sock.accept()[0].close()
                else:
                    sock.recv(100)


@contextmanager
def listening() -> Iterator[Listeners]:
    """Listeners for every way; ask for their judgement after the block, when all who came are counted."""
    listeners, over = Listeners(), threading.Event()
    with ExitStack() as stack:
        for way in WAYS:
            stack.enter_context(listeners.listen(way))
        thread = threading.Thread(target=listeners.serve, args=(over,), name="kizu-listeners")
        thread.start()
        try:
            yield listeners
        finally:
            over.set()
            thread.join()
