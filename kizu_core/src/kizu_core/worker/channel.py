"""A socket that carries messages. Sending is safe from several threads; one thread receives."""

from __future__ import annotations

import select
import socket
import threading
import time

from kizu_core.worker import frames
from kizu_core.worker.messages import Message, from_wire, to_wire

_CHUNK = 1 << 16


class Channel:
    """`send_timeout`: seconds after which a peer that reads nothing counts as gone; None waits for ever."""

    def __init__(self, sock: socket.socket, *, send_timeout: float | None = None) -> None:
        self._socket = sock
        self._socket.settimeout(send_timeout)
        self._sending = threading.Lock()
        self._received = bytearray()

    def send(self, message: Message) -> None:
        """Raises `WorkerError` for a message that has no form in a frame, `OSError` when the peer is gone."""
        frame = frames.encode(to_wire(message))
        with self._sending:
            self._socket.sendall(frame)

    def receive(self, timeout: float | None = None) -> Message | None:
        """The next message; None when the peer has closed.

        Raises `TimeoutError` after `timeout` seconds (what has arrived so far is kept) and `WorkerError` for
        garbage, after which the stream can't be trusted any more.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (body := self._take_frame()) is None:
            self._wait(deadline)
            try:
                chunk = self._socket.recv(_CHUNK)
            except ConnectionError:
                chunk = b""
            if not chunk:
                return None
            self._received += chunk
        return from_wire(frames.decode(body))

    def close(self) -> None:
        self._socket.close()

    def _take_frame(self) -> bytes | None:
        start = frames.HEADER.size
        if len(self._received) < start:
            return None
        end = start + frames.body_length(bytes(self._received[:start]))
        if len(self._received) < end:
            return None
        body = bytes(self._received[start:end])
        del self._received[:end]
        return body

    def _wait(self, deadline: float | None) -> None:
        poll = select.poll()  # select() refuses descriptors above 1023, which a busy program may have
        poll.register(self._socket, select.POLLIN)
        if not poll.poll(None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError
