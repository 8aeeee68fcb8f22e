"""What the suites share: saying what is wanted, comparing outputs, watching for the network."""

from __future__ import annotations

import dataclasses
import math
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar
from unittest.mock import patch

import numpy as np
import pytest

Result = TypeVar("Result")


def expect(condition: object, wish: str) -> None:
    """Fails the test with the sentence of the contract that is broken, and no traceback through Kizu's own code."""
    if not condition:
        pytest.fail(wish, pytrace=False)


def is_share(value: object) -> bool:
    """Whether it is a plain Python number from 0 to 1: a score, or a relative coordinate."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def same(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two outputs are alike; numbers may differ by `tolerance`."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.shape == other.shape and bool(np.allclose(one, other, rtol=0, atol=tolerance))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=0, abs_tol=tolerance)
    if dataclasses.is_dataclass(one) and type(one) is type(other):
        return all(same(getattr(one, f.name), getattr(other, f.name), tolerance) for f in dataclasses.fields(one))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key], tolerance) for key in one)
    if isinstance(one, Sequence) and isinstance(other, Sequence) and not isinstance(one, str):
        return len(one) == len(other) and all(same(a, b, tolerance) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def in_another_thread(action: Callable[[], Result]) -> Result:
    """The result of an action in a thread of its own."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(action).result()


@contextmanager
def watched_network() -> Iterator[list[str]]:
    """Refuses every connection and look-up of this process meanwhile; the list says which were tried."""
    tried: list[str] = []

    def refuse(name: str) -> Callable[..., Any]:
        def refused(*arguments: Any, **_: Any) -> Any:
            target = arguments[-1] if name == "connect" else arguments[0]
            tried.append(f"{name} {target}")
            raise OSError(f"a model has no network: {name} {target}")

        return refused

    with ExitStack() as patches:
        for place, name in ((socket.socket, "connect"), (socket.socket, "connect_ex"), (socket, "getaddrinfo")):
            patches.enter_context(patch.object(place, name, refuse(name)))
        yield tried
