"""What is written so that nobody has to guess: "quoted", -without, before: after: in: with: type: like:."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

KEYS = ("before", "after", "in", "with", "type", "like")
TYPES: dict[str, Literal["image", "video"]] = {
    "image": "image", "images": "image", "photo": "image", "photos": "image", "picture": "image", "pictures": "image",
    "bild": "image", "bilder": "image", "foto": "image", "fotos": "image",
    "video": "video", "videos": "video", "film": "video", "films": "video", "movie": "video", "movies": "video",
}  # fmt: skip

GAP = "\1"
"""A sign that no line has: see `parse`."""

_QUOTED = r'["“”„][^"“”„]*["“”]?'
_OPERATOR = re.compile(
    rf'(?P<minus>(?<!\S)-(?:{_QUOTED}|[^\s"“”„]+))'
    rf'|(?<!\S)(?P<key>{"|".join(KEYS)}):(?P<value>{_QUOTED}|[^\s"“”„]+)'
    rf"|(?P<phrase>{_QUOTED})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Operator:
    """`key`: one of `KEYS`, "phrase" or "not"; `value`: without quotes; `start`, `end`: its characters."""

    key: str
    value: str
    start: int
    end: int


def operators(text: str) -> list[Operator]:
    """Those of a line, from left to right. Signs without a word behind them are none."""
    found = []
    for match in _OPERATOR.finditer(text):
        key = "not" if match["minus"] else (match["key"] or "phrase").lower()
        whole = match["minus"] or match["value"] or match["phrase"]
        value = whole.lstrip("-").strip('"“”„').strip()
        if any(letter.isalnum() for letter in value):
            found.append(Operator(key, value, match.start(), match.end()))
    return found


def blanked(text: str, taken: list[Operator]) -> str:
    """The line with these cut out, every other character in its place. A `GAP` keeps apart what stood around them."""
    for one in taken:
        text = text[: one.start] + GAP.ljust(one.end - one.start) + text[one.end :]
    return text
