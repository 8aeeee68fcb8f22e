"""Keeps secrets out of everything that is written for people: logs, tracebacks, errors in job rows.

Two ways: values that were named as secrets, and what looks like one (passwords in addresses, tokens in queries and
headers). Log records are cleaned where they are made, so that it holds for every logger and handler, present or later.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote

HIDDEN = "(hidden)"
SHORTEST = 6
"""Shorter ones would be found in ordinary words; in addresses and queries they are hidden all the same."""

TALKATIVE = ("websockets", "httpx", "httpcore", "hpack", "urllib3", "realtime")
"""Loggers that write addresses and headers of requests when debugging is on."""

_secrets: set[str] = set()

_ADDRESS = re.compile(r"(://[^\s/@:]*):[^\s/@]+@")
_QUERY = re.compile(
    r"(?i)\b((?:password|passwd|api_?key|(?:access_|refresh_|security-)?token|secret|sig|signature|x-amz-credential)=)"
    r"[^\s&'\"#]+"
)
_HEADER = re.compile(r"(?i)\b((?:bearer|basic) )[\w.~+/=-]{8,}")
_TOKEN = re.compile(r"\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*|\bsb_secret_\w+")


def hide(*secrets: str | None) -> None:
    """From now on these values are replaced wherever `clean` is applied."""
    for secret in secrets:
        if secret and len(secret) >= SHORTEST:
            _secrets.update({secret, quote(secret, safe=""), quote(secret)})


def clean(text: str) -> str:
    """`text` without secrets."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _ADDRESS.sub(rf"\1:{HIDDEN}@", text)
    text = _QUERY.sub(rf"\1{HIDDEN}", text)
    return _TOKEN.sub(HIDDEN, _HEADER.sub(rf"\1{HIDDEN}", text))


def clean_error(error: Mapping[str, Any]) -> dict[str, Any]:
    """An error as `KizuError.as_dict` gives it, its texts cleaned."""
    return {key: clean(value) if isinstance(value, str) else value for key, value in error.items()}


def clean_traceback(error: BaseException) -> str:
    """The traceback of an error, for a log."""
    return clean("".join(traceback.format_exception(error)))


def install() -> None:
    """Cleans log records and the last words of every thread of this process."""
    logging.setLogRecordFactory(_Record)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _print
    threading.excepthook = lambda lost: _print(lost.exc_type, lost.exc_value, lost.exc_traceback)
    sys.unraisablehook = lambda lost: _print(lost.exc_type, lost.exc_value, lost.exc_traceback)


class _Record(logging.LogRecord):
    """A record whose message and traceback are clean, whoever formats them."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = clean("".join(traceback.format_exception(*self.exc_info)).rstrip())

    def getMessage(self) -> str:  # noqa: N802 - the name that logging calls
        return clean(super().getMessage())


def _print(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is not None and not issubclass(kind, SystemExit):
        sys.stderr.write(clean("".join(traceback.format_exception(kind, error, trace))))
