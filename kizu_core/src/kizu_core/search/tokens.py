"""One line of text as words with their places in it, written the way that tables and the database write them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_NUMBER = re.compile(r"([0-9]{1,8})([^\W\d_]*)")
_MARKS = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_APOSTROPHES = re.compile("['’]")


def fold(text: str) -> str:
    """Lower case without accents, as `kizu.fold` of the database does it."""
    return _MARKS.sub("", unicodedata.normalize("NFD", text)).lower()


def word_key(text: str) -> str:
    """Folded and without apostrophes: "New Year’s" and "new years" are one."""
    return _APOSTROPHES.sub("", fold(text))


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number or a sign. `start`, `end`: its characters; `suffix`: letters behind digits, as in 3rd."""

    text: str
    key: str
    start: int
    end: int
    number: int | None = None
    suffix: str = ""

    @property
    def is_word(self) -> bool:
        return self.text[0].isalnum() or self.text[0] == "_"

    @property
    def owner(self) -> str | None:
        """Of a possessive what stands before its end, folded: "Anna’s", "Hans’" and "James's" tell whose."""
        head, mark, tail = fold(self.text).replace("’", "'").rpartition("'")
        return head if mark and tail in {"s", ""} and head else None

    @property
    def bare(self) -> int | None:
        """The number, if it is nothing but one."""
        return self.number if not self.suffix else None


def tokenize(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """The tokens between two places of a line."""
    return [_token(match) for match in _WORD.finditer(text, start, len(text) if end is None else end)]


def _token(match: re.Match[str]) -> Token:
    key = word_key(match[0])
    digits = _NUMBER.fullmatch(key)
    number, suffix = (int(digits[1]), digits[2]) if digits else (None, "")
    return Token(match[0], key, match.start(), match.end(), number, suffix)
