"""What goes to a `kizu_*` function and comes back: plain JSON values, the same over every transport."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from kizu_core.database.paths import path_to_text
from kizu_core.errors import DatabaseError

# PostgreSQL's text holds neither NUL nor half of a surrogate pair.
_UNSTORABLE = re.compile("[\ud800-\udfff]")


def encode(value: Any) -> Any:
    """`value` as JSON knows it.

    Arrays and scalars of numpy become lists and numbers, times aware UTC text, ids text, paths the text form of
    `database.paths`; NUL is dropped from text and a lone surrogate replaced. Raises `DatabaseError` for a number
    that is not finite, a time without zone, and types that have no JSON form.
    """
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", str(value).replace("\0", ""))
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return _finite(float(value))
    if isinstance(value, Mapping):
        return {encode(str(key)): encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [encode(item) for item in value]
    return _encode_object(value)


def _encode_object(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise DatabaseError("A time without its zone can't be stored.")
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, PurePath):
        return encode(path_to_text(str(value)))
    if isinstance(value, Enum):
        return encode(value.value)
    if hasattr(value, "tolist"):  # numpy, which is not imported for this
        return encode(value.tolist())
    raise DatabaseError(f"A value of type {type(value).__name__} can't be stored.")


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise DatabaseError("A number that is infinite or undefined can't be stored.")
    return number


def dumps(value: Any) -> str:
    """`encode` and JSON text in one. Raises `DatabaseError` also for what is nested without end."""
    try:
        return json.dumps(encode(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise DatabaseError("A value that is nested so deeply can't be stored.") from None


def decode(value: Any) -> Any:
    """A function's answer as every transport gives it: ids and times are text."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat() if value.tzinfo else value.isoformat()
    return value
