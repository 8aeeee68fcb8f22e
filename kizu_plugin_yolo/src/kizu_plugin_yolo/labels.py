"""What a file of one's own calls its classes, read as data: nothing of it is unpickled and no library is loaded."""

from __future__ import annotations

import pickle
import pickletools
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kizu_core import ModelUnavailable, SettingError, read_header

_MOST_BYTES = 1 << 24
"""Of what is read at all: the instructions of an official checkpoint take less than 1 MB."""

_REMEMBER = ("BINPUT", "LONG_BINPUT", "MEMOIZE", "PUT")
_RECALL = ("BINGET", "LONG_BINGET", "GET")


def labels_in(path: Path) -> tuple[str, ...]:
    """Labels of a checkpoint (`.pt`) or an ONNX file, in the order of classes. Raises `SettingError`."""
    try:
        labels = _of_checkpoint(path) if path.suffix == ".pt" else _of_network(path)
    except (ModelUnavailable, OSError, ValueError, LookupError, zipfile.BadZipFile, pickle.UnpicklingError) as error:
        raise SettingError(
            f"{path} names no classes, so it is no detector that ultralytics saved.",
            hint="YOLO_WEIGHTS takes a .pt of ultralytics 8 or an .onnx that it exported.",
        ) from error
    if not labels or len(set(labels)) < len(labels):
        raise SettingError(f"{path} has no classes, or two of one name.", hint="Give each class a name of its own.")
    return labels


def _of_network(path: Path) -> tuple[str, ...]:
    from kizu_core import labels_of  # comes with numpy, which a listing of plugins does without

    return labels_of(read_header(path).metadata)


def _of_checkpoint(path: Path) -> tuple[str, ...]:
    """From the instructions of the pickle, without following them: the words that stand behind "names"."""
    with zipfile.ZipFile(path) as archive:
        (inside,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        with archive.open(inside) as file:
            words = list(_words(file.read(_MOST_BYTES)))
    for index, word in enumerate(words):
        if word == "names":
            labels = _numbered(words[index + 1 :])
            if labels:
                return labels
    raise LookupError("no names")


def _words(content: bytes) -> Iterator[str | int]:
    """Every text and number of a pickle in the order of loading; a text that stood before is only referred to."""
    seen: dict[Any, Any] = {}
    last: Any = None
    for code, argument, _ in pickletools.genops(content):
        if code.name in _REMEMBER:
            seen[len(seen) if argument is None else argument] = last
            continue
        last = seen.get(argument) if code.name in _RECALL else argument
        if isinstance(last, str | int):
            yield last


def _numbered(words: list[str | int]) -> tuple[str, ...]:
    """Of 0, "person", 1, "bicycle", ... the texts, as far as numbers and texts go on so."""
    labels: list[str] = []
    for number, text in zip(words[::2], words[1::2], strict=False):
        if number != len(labels) or not isinstance(text, str):
            break
        labels.append(text)
    return tuple(labels)
