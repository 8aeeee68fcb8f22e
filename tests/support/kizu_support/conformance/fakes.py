"""What the fakes of all kinds share."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any


def by(check: str, words: str) -> Mapping[str, str]:
    """The check that a fake breaks, and words of its complaint."""
    return MappingProxyType({check: words})


def but(**fields: Any) -> Mapping[str, Any]:
    """Fields of a spec that differ from the usual."""
    return MappingProxyType(fields)


class Fake:
    """Made like a model or strategy. `breaks`: check that it must fail -> words of the sentence that says why.

    `declares`: fields of its spec that differ from those of the good one.
    """

    breaks: Mapping[str, str] = MappingProxyType({})
    declares: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, _: object) -> None:
        self.thread = threading.get_ident()

    def close(self) -> None:
        """Nothing to give back."""

    def stay(self) -> None:
        """Raises in any thread but the first."""
        if threading.get_ident() != self.thread:
            raise RuntimeError("only the thread that made me")


def name_of(fake: type[Fake]) -> str:
    """The name in its spec: `WrongSize` -> `wrong-size`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", fake.__name__).lower()


def all_of(good: type[Fake]) -> Iterator[type[Fake]]:
    """The good one and everything derived from it."""
    yield good
    for broken in good.__subclasses__():
        yield from all_of(broken)


def declared(fake: type[Fake]) -> dict[str, Any]:
    """Fields that every spec has."""
    common = {"name": name_of(fake), "summary": "a fake", "factory": f"{fake.__module__}:{fake.__name__}"}
    return {**common, **fake.declares}


def call_home() -> None:
    """Looks for the network, as a library does that wants to know of its updates."""
    with suppress(OSError):
        socket.create_connection(("192.0.2.1", 443), timeout=0.1)
