"""Bytes between a worker and its child: four bytes of length (big endian), then msgpack. Never pickle.

Pickle would let whatever the child was talked into run code in the parent, which holds the database and the
keys. Three extension types carry what msgpack lacks: 1 = vector (1-D float32, little endian), 2 = UUID,
3 = path (UTF-8, undecodable bytes kept). Frozen dataclasses travel as maps of their fields.
"""

from __future__ import annotations

import dataclasses
import os
import struct
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import msgpack

from kizu_core.errors import WorkerError

MAX_BYTES = 16 * 2**20
"""Largest body of a frame. Far above any real outcome (pictures never travel), far below what hurts the parent."""

MOST_CONTAINERS = 500_000
"""Lists and maps in one frame. An empty one is a byte there and sixty in memory."""

HEADER = struct.Struct(">I")


class Extension(IntEnum):
    """Numbers of the msgpack extension types."""

    VECTOR = 1
    UUID = 2
    PATH = 3


def encode(value: object) -> bytes:
    """The whole frame, header included. Raises `WorkerError` for a value that has no form in a frame."""
    try:
        body: bytes = msgpack.packb(value, default=_pack_special, use_bin_type=True)
    except (TypeError, ValueError, OverflowError) as error:
        raise WorkerError(f"A value can't cross the process boundary: {error}") from error
    if len(body) > MAX_BYTES:
        raise WorkerError(f"A message of {len(body) >> 20} MiB is too large; the limit is {MAX_BYTES >> 20} MiB")
    return HEADER.pack(len(body)) + body


def body_length(header: bytes) -> int:
    """Length of the body that follows these four bytes. Raises `WorkerError` above the limit."""
    (length,) = HEADER.unpack(header)
    if length > MAX_BYTES:
        raise WorkerError(f"A frame announces {length} bytes; the limit is {MAX_BYTES}")
    return int(length)


def decode(body: bytes) -> Any:
    """The value of a frame's body. Raises `WorkerError` for anything that `encode` could not have written."""
    try:
        count = _Count()
        return msgpack.unpackb(body, ext_hook=_unpack_special, list_hook=count, object_hook=count, raw=False)
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise WorkerError(f"A frame that can't be read: {type(error).__name__}") from error


class _Count:
    """Lets values pass until there were too many."""

    def __init__(self) -> None:
        self._left = MOST_CONTAINERS

    def __call__(self, value: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ValueError("too many lists and maps")
        return value


def _pack_special(value: Any) -> Any:
    if isinstance(value, UUID):
        return msgpack.ExtType(Extension.UUID, value.bytes)
    if isinstance(value, Path):
        return msgpack.ExtType(Extension.PATH, os.fsencode(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    return _pack_number(value)


def _pack_number(value: Any) -> Any:
    import numpy as np

    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind == "f":
        return msgpack.ExtType(Extension.VECTOR, value.astype("<f4").tobytes())
    raise TypeError(f"{type(value).__name__} has no form in a frame")


def _unpack_special(code: int, data: bytes) -> Any:
    if code == Extension.UUID:
        return UUID(bytes=data)
    if code == Extension.PATH:
        return Path(os.fsdecode(data))
    if code == Extension.VECTOR:
        import numpy as np

        return np.frombuffer(data, dtype="<f4")
    raise ValueError(f"unknown extension type {code}")
