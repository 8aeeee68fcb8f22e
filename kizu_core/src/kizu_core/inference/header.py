"""What a file of weights says of itself, read without any library: a few kilobytes of a large file.

An ONNX file is a protobuf message (`ModelProto` in onnx.proto); of its fields the ones below are read, all others
skipped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import SEEK_CUR, BytesIO
from pathlib import Path
from typing import IO, Final, NamedTuple

from kizu_core.errors import ModelUnavailable

Shape = tuple[int | str | None, ...]

_GRAPH, _METADATA = 7, 14
_INITIALIZER, _INPUT, _OUTPUT = 5, 11, 12
_TENSOR_NAME = 8
_MOST_BYTES: Final = 1 << 20
"""Of a field that is read whole: names, shapes and labels are shorter."""

_NUMBER, _BYTES, _FIXED = 0, 2, {1: 8, 5: 4}
"""How protobuf writes a field: a number, bytes with their length, or so many bytes."""


@dataclass(frozen=True, slots=True)
class Header:
    """`inputs`, `outputs`: name -> shape: sizes, names of those that may vary, None for those without a name.

    `metadata`: the file's own texts.
    """

    inputs: dict[str, Shape] = field(default_factory=dict)
    outputs: dict[str, Shape] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)


def read_header(path: Path) -> Header:
    """The header of the ONNX file `path`. Raises `ModelUnavailable` if it can't be read or is no ONNX file."""
    header = Header()
    try:
        with path.open("rb") as file:
            for number, _, length in _fields(file, path.stat().st_size):
                if number == _GRAPH:
                    _read_graph(file, file.tell() + length, header)
                elif number == _METADATA:
                    pair = _small(file, length)
                    header.metadata[_text(pair, 1)] = _text(pair, 2)
    except (OSError, ValueError, KeyError) as error:
        raise ModelUnavailable(f"{path} can't be read as an ONNX file.", hint="Get the file again.") from error
    if not header.inputs or not header.outputs:
        raise ModelUnavailable(f"{path} is no ONNX file with inputs and outputs.", hint="Get the file again.")
    return header


def fingerprint(path: Path) -> str:
    """Twelve hexadecimal digits for weights of one's own, from the size, beginning, middle and end of the file.

    Not a digest: it tells one training from another, also where a whole file would take too long to read each time.
    """
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for start in (0, size // 2, max(0, size - _MOST_BYTES)):
            file.seek(start)
            digest.update(file.read(_MOST_BYTES))
    return digest.hexdigest()[:12]


class _Field(NamedTuple):
    """`size`: the value of a number; of bytes their length, and the file stands where they begin."""

    number: int
    is_bytes: bool
    size: int


def _read_graph(file: IO[bytes], end: int, header: Header) -> None:
    constants: set[bytes] = set()
    for number, _, length in _fields(file, end):
        if number == _INITIALIZER:  # old files list constants among the inputs
            stop = file.tell() + length
            constants.update(_read(file, one.size) for one in _fields(file, stop) if one.number == _TENSOR_NAME)
        elif number in (_INPUT, _OUTPUT):
            value = _small(file, length)
            (header.inputs if number == _INPUT else header.outputs)[_text(value, 1)] = _shape(value)
    for name in constants:
        header.inputs.pop(name.decode(), None)


def _shape(value: dict[int, list[int | bytes]]) -> Shape:
    """Type, tensor, shape, sizes: each inside of the one before."""
    for number in (2, 1, 2):
        (content, *_) = value.get(number, [b""])
        value = _parsed(content)
    sizes: list[int | str | None] = []
    for size in map(_parsed, value.get(1, [])):
        (fixed, *_) = size.get(1, [0])
        sizes.append(fixed if isinstance(fixed, int) and fixed > 0 else _text(size, 2) if 2 in size else None)
    return tuple(sizes)


def _text(message: dict[int, list[int | bytes]], number: int) -> str:
    content = message[number][0]
    return content.decode() if isinstance(content, bytes) else str(content)


def _parsed(content: int | bytes) -> dict[int, list[int | bytes]]:
    if not isinstance(content, bytes):
        raise ValueError("a number where a message should be")
    return _small(BytesIO(content), len(content))


def _small(file: IO[bytes], length: int) -> dict[int, list[int | bytes]]:
    """A short message whole: field -> its values."""
    content = BytesIO(_read(file, length))
    found: dict[int, list[int | bytes]] = {}
    for number, is_bytes, size in _fields(content, length):
        found.setdefault(number, []).append(_read(content, size) if is_bytes else size)
    return found


def _read(file: IO[bytes], length: int) -> bytes:
    if length > _MOST_BYTES:
        raise ValueError("too long")
    return file.read(length)


def _fields(file: IO[bytes], end: int) -> Iterator[_Field]:
    """The fields of a message that ends at `end`; after each, the file is set behind it."""
    while file.tell() < end:
        number, wire = divmod(_varint(file), 8)
        if wire == _BYTES:
            length = _varint(file)
            behind = file.tell() + length
            yield _Field(number, True, length)
            file.seek(behind)
        elif wire == _NUMBER:
            yield _Field(number, False, _varint(file))
        else:
            file.seek(_FIXED[wire], SEEK_CUR)


def _varint(file: IO[bytes]) -> int:
    """A whole number, seven bits a byte, the lowest first; the highest bit says that another byte follows."""
    value = 0
    for shift in range(0, 64, 7):
        (byte,) = file.read(1)
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
    raise ValueError("no number")
