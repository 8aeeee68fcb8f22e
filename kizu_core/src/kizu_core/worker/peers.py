"""The socket of a data folder, and who is at the other end of it."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SOCKET: Final = "search.sock"

_CREDENTIALS = struct.Struct("3i")


@contextmanager
def address(folder: Path) -> Iterator[str]:
    """The socket's name by way of its open folder: an address has 108 bytes at most, a path may have more. Linux."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)


def is_same_user(sock: socket.socket) -> bool:
    """Whether the process at the other end runs as this one's user, by what the kernel says. Linux."""
    answer = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(answer)
    return bool(user == os.geteuid())
