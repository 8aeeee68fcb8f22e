"""File names in text columns.

A POSIX file name is any bytes; PostgreSQL's text is valid UTF-8. Valid names (nearly all) are stored as they
are. A byte that is not part of valid UTF-8 becomes one character of a private block, and so do the bytes of
a name's own characters of that block, so every name comes back exactly as it was.
"""

from __future__ import annotations

import os
import re

_BLOCK = 0x10F700
_UNSAFE = re.compile(f"[\udc80-\udcff{chr(_BLOCK)}-{chr(_BLOCK + 0xFF)}]")
_ESCAPED = re.compile(f"[{chr(_BLOCK)}-{chr(_BLOCK + 0xFF)}]+")


def path_to_text(path: str) -> str:
    """A path as `os` functions give it -> valid Unicode text for a column."""
    return _UNSAFE.sub(lambda match: "".join(chr(_BLOCK + byte) for byte in os.fsencode(match[0])), path)


def text_to_path(text: str) -> str:
    """The reverse of `path_to_text`: what `open` takes."""
    return _ESCAPED.sub(lambda match: os.fsdecode(bytes(ord(char) - _BLOCK for char in match[0])), text)


def readable(path: str) -> str:
    """A path as `os` functions give it, for people: what is no text is shown as `\N{REPLACEMENT CHARACTER}`."""
    return os.fsencode(path).decode("utf-8", "replace")
