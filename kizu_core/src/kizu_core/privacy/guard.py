"""Refuses what Python code of this process tries to send to anybody but the database and storage of the user.

An audit hook of the interpreter: it sees every connection, look-up and program that Python code asks for, whatever
library asks, and can't be removed. It does not see native code that calls the system itself; for the process that
runs plugins the system refuses that (`isolation`). It stops libraries that are too helpful and names them; it is
no prison for code that means harm to the process it runs in.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points, packages_distributions
from ipaddress import ip_address
from types import FrameType
from typing import Any, Literal

from kizu_core.errors import EgressRefused

CORE = "kizu-core"
MOST = 100
"""Different refusals that are told apart; a plugin that tries random addresses must not fill the memory."""

LONGEST = 200
"""Characters of a name that are kept."""

Role = Literal["parent", "child"]
Action = Literal["reach", "look up", "start"]


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """`caller` wanted to do `action` to `target`, by way of the library `via` (the same as `caller` if it needed none).

    `caller` is the distribution of the plugin at work, else of the code that asked, else the name of its module.
    """

    caller: str
    via: str
    action: Action
    target: str

    def tidy(self) -> Attempt:
        """The same as it may be shown: whoever is refused chose the words, and may be hostile."""
        return Attempt(_shown(self.caller), _shown(self.via), self.action, _shown(self.target))


@dataclass(frozen=True, slots=True, order=True)
class Refusal(Attempt):
    """An attempt that was refused `count` times."""

    count: int

    @property
    def attempt(self) -> Attempt:
        """What was attempted, without the count."""
        return Attempt(self.caller, self.via, self.action, self.target)

    @property
    def sentence(self) -> str:
        """For people."""
        way = f" (through {self.via})" if self.via != self.caller else ""
        times = "once" if self.count == 1 else f"{self.count:,} times"
        return f"{self.caller}{way} tried to {self.action} {self.target}; refused {times}."


class Ledger:
    """What was refused, counted. Safe from several threads, and when a finaliser runs in the middle of it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._counts: dict[Attempt, int] = {}

    def add(self, attempt: Attempt, count: int = 1) -> bool:
        """Counts it; whether it is the first of its kind."""
        with self._lock:
            if attempt not in self._counts and len(self._counts) >= MOST:
                attempt = Attempt(attempt.caller, attempt.via, attempt.action, "further addresses")
            first = attempt not in self._counts
            self._counts[attempt] = self._counts.get(attempt, 0) + count
        return first

    def all(self) -> tuple[Refusal, ...]:
        with self._lock:
            return tuple(
                Refusal(one.caller, one.via, one.action, one.target, count)
                for one, count in sorted(self._counts.items())
            )

    def take(self) -> tuple[Refusal, ...]:
        """All, and forgets them."""
        with self._lock:
            taken = self.all()
            self._counts.clear()
        return taken


class _Guard:
    """State of the hook of this process. `role` is None until it is installed."""

    def __init__(self) -> None:
        self.role: Role | None = None
        self.allowed: set[str] = set()
        self.ledger = Ledger()
        self.news = Ledger()
        self.here = threading.local()

    def is_allowed(self, target: str) -> bool:
        return target in self.allowed or target in getattr(self.here, "permitted", ())

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        wanted = _WATCHED.get(event)
        if wanted is None:
            return
        action, target = wanted(arguments)
        if not target or self.is_allowed(target):
            return
        caller, via = _who()
        if action == "start" and self.role == "parent" and via == CORE:
            return  # the database server, the processes that read photos: ours
        if not getattr(self.here, "rehearsing", False):
            attempt = Attempt(caller, via, action, target).tidy()
            self.ledger.add(attempt)
            self.news.add(attempt)
        raise EgressRefused(
            f"{caller} tried to {action} {_shown(target)}, which Kizu refuses: nothing leaves this machine.",
            hint=f"See `kizu doctor --privacy`. Without {caller} it does not happen.",
        )


_guard = _Guard()


def install(role: Role, allowed: Iterable[str] = ()) -> None:
    """Begins to refuse everything but `allowed` in this process, for good. A second call only allows more.

    Allowed are places as `place` writes them. In the parent, programs are started by core alone; in the child, by
    nobody.
    """
    _guard.allowed |= set(allowed)
    if _guard.role is None:
        _guard.role = role
        sys.addaudithook(_guard.hook)


@contextmanager
def permit(*places: str) -> Iterator[None]:
    """Allows places to this thread while inside: for core's own connections, which it has checked itself."""
    before = getattr(_guard.here, "permitted", ())
    _guard.here.permitted = (*before, *places)
    try:
        yield
    finally:
        _guard.here.permitted = before


@contextmanager
def rehearsal() -> Iterator[None]:
    """Refuses as always, but what this thread tries while inside is held against nobody."""
    _guard.here.rehearsing = True
    try:
        yield
    finally:
        _guard.here.rehearsing = False


def refusals() -> tuple[Refusal, ...]:
    """Everything that was refused in this process so far."""
    return _guard.ledger.all()


def news() -> tuple[Refusal, ...]:
    """What was refused since this was last asked."""
    return _guard.news.take()


def place(host: object, port: object = None) -> str:
    """A place as it is compared and shown: `host`, `host:port`, `[::1]:443`, or the path of a socket."""
    name = _text(host).lower()
    if port is None:
        return name
    return f"[{name}]:{port}" if ":" in name else f"{name}:{_text(port)}"


# ---- what was asked for ------------------------------------------------------------------------------------


def _connection(arguments: tuple[Any, ...]) -> tuple[Action, str]:
    """Of `connect`, `sendto` and `sendmsg`; without an address the socket is connected, which was checked."""
    sock, address = arguments
    if address is None:
        return "reach", ""
    if sock.family in {socket.AF_INET, socket.AF_INET6} and isinstance(address, tuple):
        return "reach", place(*address[:2])
    return "reach", _text(address) if isinstance(address, str | bytes) else repr(address)


def _look_up(arguments: tuple[Any, ...]) -> tuple[Action, str]:
    """Of `getaddrinfo` and its elders. No host means this machine, for one who wants to listen."""
    host, *rest = arguments
    if isinstance(host, tuple):  # getnameinfo
        host, *rest = host
    action: Action = "reach" if _is_number(host) else "look up"
    return action, place(host, rest[0] if rest else None) if host else ""


def _program(arguments: tuple[Any, ...]) -> tuple[Action, str]:
    return "start", f"the program {_text(arguments[0]).split(' ')[0].rsplit('/', 1)[-1]}"


_WATCHED: Mapping[str, Callable[[tuple[Any, ...]], tuple[Action, str]]] = {
    "socket.connect": _connection,
    "socket.sendto": _connection,
    "socket.sendmsg": _connection,
    "socket.getaddrinfo": _look_up,
    "socket.gethostbyname": _look_up,
    "socket.gethostbyaddr": _look_up,
    "socket.getnameinfo": _look_up,
    "subprocess.Popen": _program,
    "os.exec": _program,
    "os.posix_spawn": _program,
    "os.system": _program,
}


def _is_number(host: object) -> bool:
    try:
        ip_address(_text(host))
    except ValueError:
        return False
    return True


def _shown(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text[:LONGEST])


def _text(value: object) -> str:
    return os.fsdecode(value) if isinstance(value, str | bytes | os.PathLike) else str(value)


# ---- who asked ---------------------------------------------------------------------------------------------


def _who() -> tuple[str, str]:
    """The plugin that is at work (else the nearest distribution), and the nearest distribution."""
    nearest = ""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        owner, is_plugin = _owner(frame.f_globals)
        nearest = nearest or owner
        if is_plugin:
            return owner, nearest
        frame = frame.f_back
    return nearest or "python", nearest or "python"


def _owner(scope: Mapping[str, Any]) -> tuple[str, bool]:
    """Distribution of a frame's module (nothing for the standard library and this file), and whether it is a plugin."""
    spec = scope.get("__spec__")
    module = str(scope.get("__name__", ""))
    if module == "__main__":
        module = spec.name if spec is not None else ""
    top = module.partition(".")[0]
    if not top or top in sys.stdlib_module_names or module == __name__:
        return "", False
    if top == "kizu_core":
        return CORE, False
    return (_plugins()[top], True) if top in _plugins() else (_libraries().get(top, top), False)


@cache
def _plugins() -> Mapping[str, str]:
    """Top-level module -> distribution of installed plugins."""
    names = ((point.module.partition(".")[0], point.dist.name) for point in entry_points(group="kizu") if point.dist)
    return {module: name for module, name in names if name != CORE}


@cache
def _libraries() -> Mapping[str, str]:
    """The same of everything that is installed. Slow, so read when somebody is to be named."""
    return {module: names[0] for module, names in packages_distributions().items()}
