"""What the tests read out of the Markdown files: code blocks, links, commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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


def links(page: Path) -> Iterator[Path]:
    """Files of the repository that a page links to."""
    for target in _LINK.findall(_FENCE.sub("", page.read_text())):
        if "://" not in target and not target.startswith("mailto:"):
            yield (page.parent / target).resolve()


def commands(block: Block) -> Iterator[list[str]]:
    """The commands of a shell block as words; `&&` and `;` part them, comments and settings in front are dropped."""
    for line in block.text.replace("\\\n", " ").splitlines():
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
