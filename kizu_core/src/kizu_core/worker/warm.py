"""The words of a search from a model that an earlier search left loaded: how its keeper is reached, started, ended.

The keeper (`keeper`) is a small process behind a socket in the data folder. Linux only: elsewhere, where it can't be
had, and with the setting `search_keep` at 0, a search has a process of its own.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kizu_core.errors import WorkerError, from_dict
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.specs import EmbedderSpec
from kizu_core.privacy.guard import permit
from kizu_core.settings import Paths, Settings
from kizu_core.worker import frames
from kizu_core.worker.channel import Channel
from kizu_core.worker.messages import Embedded, EmbedTexts, Stop, Warm
from kizu_core.worker.peers import address, is_same_user
from kizu_core.worker.process import child_environment, open_log
from kizu_core.worker.texts import LIMIT_S, TextEmbedder, checked
from kizu_core.worker.values import child_values

if TYPE_CHECKING:
    from kizu_core.types import Vector

LOCK: Final = "search.lock"
ANSWER_S: Final = 5.0
"""In which a keeper says something to a question that needs no model."""


class WarmTexts:
    """As `TextEmbedder`, from the keeper of this data folder, which is started if there is none."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._settings = settings
        self._catalog = catalog
        self._own = TextEmbedder(settings, catalog)

    def embed(self, spec: EmbedderSpec, text: str) -> Vector:
        """As `TextEmbedder.embed`, and raises the same."""
        answer = self._from_keeper(spec, text) if self._settings.search_keep and sys.platform == "linux" else None
        if answer is None:
            return self._own.embed(spec, text)
        if answer.error is not None:
            raise from_dict(dict(answer.error))
        return checked(answer.vectors, spec)

    def close(self) -> None:
        """Ends the process of its own, if there is one. The keeper stays."""
        self._own.close()

    def _from_keeper(self, spec: EmbedderSpec, text: str) -> Embedded | None:
        """None if no keeper could be had. One that was made with other settings ends, and another is started."""
        values = child_values(self._settings, self._catalog)
        digest = _digest(values, spec)
        with suppress(OSError, WorkerError):
            for _ in range(2):
                with closing(_reached(self._settings, values, digest)) as channel:
                    channel.send(Warm(digest=digest))
                    channel.send(EmbedTexts(model=spec.name, texts=(text,)))
                    answer = channel.receive(LIMIT_S)
                if isinstance(answer, Embedded):
                    return answer
        return None


def keeper_of(paths: Paths) -> Warm | None:
    """The keeper of a data folder as it is now; None if there is none, or it does not answer."""
    with suppress(OSError, WorkerError):
        channel = _connected(paths.run)
        if channel is not None:
            with closing(channel):
                channel.send(Warm())
                answer = channel.receive(ANSWER_S)
            return answer if isinstance(answer, Warm) else None
    return None


def end_keeper(paths: Paths) -> bool:
    """Ends the keeper of a data folder; whether there was one."""
    with suppress(OSError, WorkerError):
        channel = _connected(paths.run)
        if channel is not None:
            with closing(channel):
                channel.send(Stop())
                channel.receive(ANSWER_S)  # nothing: it is gone
            return True
    return False


def _reached(settings: Settings, values: Mapping[str, Any], digest: str) -> Channel:
    """A connection to the keeper, started if need be. Raises `OSError`."""
    run = settings.paths.run
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(run / LOCK):
        return _connected(run) or _started(settings, values, digest)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time, so that no two searches start a keeper each."""
    with os.fdopen(os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _connected(run: Path) -> Channel | None:
    """A connection to whoever listens in the folder, if that is a process of the same user. Raises `OSError`."""
    if sys.platform != "linux":
        return None
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with address(run) as name, permit(name):
            sock.connect(name)
        if is_same_user(sock):
            return Channel(sock, send_timeout=ANSWER_S)
    except (FileNotFoundError, ConnectionRefusedError):
        pass
    sock.close()
    return None


def _started(settings: Settings, values: Mapping[str, Any], digest: str) -> Channel:
    """Starts a keeper on a socket that listens already, so nobody has to wait until it is up. Raises `OSError`."""
    run = settings.paths.run
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, address(run) as name:
        Path(name).unlink(missing_ok=True)
        listener.bind(name)
        Path(name).chmod(0o600)  # before anybody can connect
        listener.listen()
        with open_log(settings.paths.logs / "search-keeper.log", debug=False) as log:
            started = subprocess.run(
                [sys.executable, "-P", "-m", "kizu_core.worker.keeper", str(listener.fileno())],
                check=False,
                pass_fds=[listener.fileno()],
                input=frames.encode({"values": values, "digest": digest, "seconds": settings.search_keep * 60}),
                stdout=log,
                stderr=log,
                env=child_environment(os.environ, settings.thread_count),
                timeout=ANSWER_S * 4,
            )
    found = _connected(run) if started.returncode == 0 else None
    if found is None:
        raise OSError("The process that keeps the model of searches did not start")
    return found


def _digest(values: Mapping[str, Any], spec: EmbedderSpec) -> str:
    """What decides what a model process would answer: settings, model, program, and where Python looks for modules."""
    python = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    made_with = (values, spec.name, spec.space, spec.output_version, version("kizu-core"), sys.executable, python)
    return hashlib.sha256(json.dumps(made_with, sort_keys=True, default=str).encode()).hexdigest()
