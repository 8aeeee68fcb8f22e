"""What the tests read out of the Markdown files: code blocks, links, commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


@dataclass(frozen=True)
class Block:
    """One fenced block. `caption`: the last line of text before it."""

    language: str
    text: str
    caption: str


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    content = page.read_text()
    found = []
    for match in _FENCE.finditer(content):
        before = [line for line in content[: match.start()].splitlines() if line.strip()]
        found.append(Block(match[1], match[2], before[-1] if before else ""))
    return found


def spans(page: Path) -> list[str]:
    """All inline code of a page."""
    return _SPAN.findall(_FENCE.sub("", page.read_text()))


def links(page: Path) -> Iterator[Path]:
    """Files of the repository that a page links to."""
    for target in _LINK.findall(_FENCE.sub("", page.read_text())):
        if "://" not in target and not target.startswith("mailto:"):
            yield (page.parent / target).resolve()


def commands(line: str) -> Iterator[list[str]]:
    """Commands of a shell line as words; `&&` and `;` part them, comments and settings in front are dropped."""
    lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="&;|")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("&;|"):
            if words:
                yield words
            words = []
        elif words or not re.match(r"[A-Z_]+=", word):
            words.append(word)
