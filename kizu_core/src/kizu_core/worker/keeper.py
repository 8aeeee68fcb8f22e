"""Keeps the model of searches loaded for the next one. `python -P -m kizu_core.worker.keeper FD`, started by `warm`.

It opens no database, holds no lock and knows no secret: it gets what any model process gets, and hands it on to one,
which is guarded as all are. It ends after some idle minutes, when its socket is gone, when it is told to, and when
somebody asks whose settings are others.
"""

from __future__ import annotations

import os
import queue
import resource
import signal
import socket
import sys
import threading
import time
from contextlib import closing, suppress
from typing import Any

from kizu_core.errors import KizuError, WorkerError
from kizu_core.models.selection import load_catalog
from kizu_core.plugins.specs import EmbedderSpec
from kizu_core.privacy.guard import install
from kizu_core.settings import Settings
from kizu_core.types import ModelType
from kizu_core.worker import frames
from kizu_core.worker.channel import Channel
from kizu_core.worker.messages import Embedded, EmbedTexts, Stop, Warm
from kizu_core.worker.peers import SOCKET, is_same_user
from kizu_core.worker.texts import TextEmbedder

TICK_S = 1.0
ASKING_S = 5.0
"""For a question to arrive after its connection; nobody else is heard meanwhile."""


class Keeper:
    """A thread hears who asks; the main thread has the model process, which ends with the thread that started it."""

    def __init__(self, listener: socket.socket, settings: Settings, digest: str, seconds: float) -> None:
        self._listener = listener
        self._settings = settings
        self._digest = digest
        self._seconds = seconds
        self._socket = settings.paths.run / SOCKET
        self._inode = self._socket.stat().st_ino
        self._until = time.monotonic() + seconds
        self._questions: queue.SimpleQueue[tuple[Channel, EmbedTexts]] = queue.SimpleQueue()

    def run(self) -> None:
        """Until nobody has asked for long enough."""
        threading.Thread(target=self._listen, name="listener", daemon=True).start()
        catalog = load_catalog(self._settings)
        with closing(TextEmbedder(self._settings, catalog)) as texts:
            while time.monotonic() < self._until and self._is_reachable():
                with suppress(queue.Empty):
                    channel, question = self._questions.get(timeout=TICK_S)
                    spec = catalog.model(ModelType.EMBEDDER, question.model)
                    with closing(channel), suppress(OSError):
                        channel.send(_answer(texts, spec, question))
                    self._until = time.monotonic() + self._seconds
            self._leave()

    def _listen(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if not is_same_user(sock):
                sock.close()
                continue
            channel = Channel(sock, send_timeout=ASKING_S)
            with suppress(OSError, WorkerError):
                if self._heard(channel):
                    continue
            channel.close()

    def _heard(self, channel: Channel) -> bool:
        """What a connection wants; whether it waits for the main thread's answer."""
        match channel.receive(ASKING_S):
            case Stop():
                self._end()
            case Warm(digest=digest) if digest == self._digest:
                question = channel.receive(ASKING_S)
                if isinstance(question, EmbedTexts):
                    self._questions.put((channel, question))
                    return True
            case Warm(digest=digest):
                if digest:
                    self._leave()
                left = max(0.0, self._until - time.monotonic())
                channel.send(Warm(digest=self._digest, pid=os.getpid(), seconds=left))
                if digest:
                    self._end()
        return False

    def _is_reachable(self) -> bool:
        try:
            return self._socket.stat().st_ino == self._inode
        except OSError:  # the data folder was removed or moved, or somebody replaced the socket
            return False

    def _leave(self) -> None:
        """From now on a search finds nobody here, and starts a keeper of its own."""
        if self._is_reachable():
            self._socket.unlink(missing_ok=True)

    def _end(self) -> None:
        """At once; the kernel ends the model process with this one."""
        self._leave()
        os._exit(0)


def _answer(texts: TextEmbedder, spec: Any, question: EmbedTexts) -> Embedded:
    assert isinstance(spec, EmbedderSpec)  # noqa: S101 - what the kind says
    try:
        return Embedded(vectors=(texts.embed(spec, question.texts[0]),))
    except KizuError as error:
        return Embedded(error=error.as_dict())


def main(arguments: list[str]) -> int:
    """Goes on in the background, so that whoever starts it has not to wait for its end."""
    given = frames.decode(sys.stdin.buffer.read()[frames.HEADER.size :])
    if os.fork():
        os._exit(0)
    os.setsid()
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # it would hold what was searched for
    install("parent")
    os.chdir("/")
    settings = Settings.from_child(given["values"])
    listener = socket.socket(fileno=int(arguments[0]))
    Keeper(listener, settings, str(given["digest"]), float(given["seconds"])).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
