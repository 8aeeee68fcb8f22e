"""What no tracked text may contain. The patterns are written so that they do not match themselves."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from kizu_support.distributions import ROOT

EVERYWHERE = {
    "a package index's host": re.compile(r"py[p]i\.org|python[h]osted\.org|npm[j]s\.(?:org|com)"),
    "somebody's own folders": re.compile(r"(?<![\w.])/[w]ork/"),
    "work left for later": re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b"),
    # Code and docs speak of packages, layers, models: `floor(` is the mathematical one.
    "a metaphor of building": re.compile(r"\b(?:[h]ouse|[r]oom|[f]loor)s?\b(?!\()", re.IGNORECASE),
}
IN_PROSE = {"a temporary folder of one machine": re.compile(r"(?<![\w.])/[t]mp/")}
PROSE = {".md", ".txt", ".ini", ".toml"}


def tracked_texts() -> dict[str, str]:
    """Path -> content of every tracked file that is text."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    texts = {}
    for name in listed.stdout.decode().split("\0"):
        content = (ROOT / name).read_bytes() if name and (ROOT / name).is_file() else b"\0"
        if b"\0" not in content:
            texts[name] = content.decode(errors="replace")
    return texts


def offences(patterns: dict[str, re.Pattern[str]], texts: dict[str, str]) -> list[str]:
    return [
        f"{name}:{number}: {why}: {line.strip()[:120]}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        for why, pattern in patterns.items()
        if pattern.search(line)
    ]


def test_words_that_no_file_contains() -> None:
    found = offences(EVERYWHERE, tracked_texts())
    assert not found, "\n".join(found)


def test_words_that_no_prose_contains() -> None:
    prose = {name: text for name, text in tracked_texts().items() if Path(name).suffix in PROSE}
    found = offences(IN_PROSE, prose)
    assert not found, "\n".join(found)
