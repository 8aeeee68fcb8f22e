"""The tokenizer of CLIP: byte-pair encoding of lower-cased text, with the vocabulary that lies in the bundle.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021; Sennrich et al., "Neural
Machine Translation of Rare Words with Subword Units", 2016. Made anew, so that a machine without torch gets the same
numbers as open_clip's own, which a test compares.
"""

from __future__ import annotations

import gzip
import html
import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import ftfy
import numpy as np
import regex
from numpy.typing import NDArray

from kizu_core import ModelUnavailable

_MERGES = 49_152 - 256 - 2
"""Of the pairs in the vocabulary file only these belong to CLIP: others are beyond its table of 49,408 tokens."""

_MOST_BYTES = 20_000_000
"""Of the vocabulary once unpacked; the true one has 3.2 million."""

_START, _END = "<start_of_text>", "<end_of_text>"
_WORDS = regex.compile(
    rf"{_START}|{_END}|'s|'t|'re|'ve|'m|'ll|'d|\p{{L}}+|\p{{N}}|[^\s\p{{L}}\p{{N}}]+", regex.IGNORECASE
)
_LONGEST_TEXT = 10_000
"""Characters of a query that are looked at; no model reads even a tenth of them."""


class Tokenizer:
    """Texts to token numbers. `context_length`: tokens of a text, start and end among them."""

    def __init__(self, merges: Sequence[tuple[str, str]], context_length: int) -> None:
        letters = list(_letters().values())
        tokens = [*letters, *(letter + "</w>" for letter in letters), *("".join(pair) for pair in merges), _START, _END]
        self._numbers = {token: number for number, token in enumerate(tokens)}
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._context_length = context_length
        self._parts = lru_cache(maxsize=4096)(self._split)

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return len(self._numbers)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """(n, context_length) token numbers, zeros behind the end of a text. One that is too long is cut."""
        rows = np.zeros((len(texts), self._context_length), np.int64)
        for row, text in zip(rows, texts, strict=True):
            numbers = [self._numbers[_START], *self.encode(text), self._numbers[_END]][: self._context_length]
            numbers[-1] = self._numbers[_END]
            row[: len(numbers)] = numbers
        return rows

    def encode(self, text: str) -> list[int]:
        """Token numbers of a text, neither start nor end among them."""
        return [self._numbers[part] for word in _WORDS.findall(_clean(text)) for part in self._parts(word)]

    def _split(self, word: str) -> tuple[str, ...]:
        """A word as tokens: of all neighbours the pair that was learnt first is joined, again and again."""
        if word in (_START, _END):
            return (word,)
        letters = _letters()
        parts = [letters[byte] for byte in word.encode("utf-8")]
        parts[-1] += "</w>"
        while len(parts) > 1:
            best = min(pairwise(parts), key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if best not in self._ranks:
                break
            parts = _joined(parts, best)
        return tuple(parts)


def load_tokenizer(path: Path, context_length: int) -> Tokenizer:
    """From a vocabulary file as CLIP publishes it: gzip, a headline, then a pair a line.

    Raises `ModelUnavailable` for any other file.
    """
    try:
        with gzip.open(path, "rb") as file:
            lines = file.read(_MOST_BYTES).decode("utf-8").split("\n")[1 : _MERGES + 1]
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise _no_vocabulary(path) from error
    pairs = [tuple(line.split()) for line in lines]
    merges = [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]
    if len(merges) != _MERGES:
        raise _no_vocabulary(path)
    return Tokenizer(merges, context_length)


def _no_vocabulary(path: Path) -> ModelUnavailable:
    return ModelUnavailable(f"{path} is no vocabulary of CLIP.", hint="Export the model anew, and import that.")


def _clean(text: str) -> str:
    """Broken encodings mended, HTML marks resolved, one space between words, lower case: as the training did."""
    mended = html.unescape(html.unescape(ftfy.fix_text(text[:_LONGEST_TEXT])))
    return " ".join(mended.split()).lower()


def _joined(parts: Sequence[str], pair: tuple[str, str]) -> list[str]:
    joined: list[str] = []
    for part in parts:
        if joined and (joined[-1], part) == pair:
            joined[-1] += part
        else:
            joined.append(part)
    return joined


@lru_cache(maxsize=1)
def _letters() -> dict[int, str]:
    """Byte -> a letter that stands for it: itself where that can be seen, else one from U+0100 on."""
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + index) for index, byte in enumerate(hidden)}
