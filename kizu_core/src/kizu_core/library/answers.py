"""What a reader process says about one file, as JSON: either `sha256` and `asset` (columns of the row), or `error`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kizu_core.errors import KizuError

Answer = dict[str, Any]

READER: Final = 1
"""Raised when Kizu learns to read more: files that an older reader could not read are then tried again."""


def error_entry(error: KizuError, *, retryable: bool = False) -> dict[str, Any]:
    """An error as stored with the file. `retryable`: not the content's fault, so each run tries again."""
    return {**error.as_dict(), "retryable": retryable or error.retryable, "reader": READER}


def worth_retrying(entry: Mapping[str, Any]) -> bool:
    """Whether an unchanged file with this error should be read again."""
    return bool(entry.get("retryable")) or entry.get("reader") != READER
