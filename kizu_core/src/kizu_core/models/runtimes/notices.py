"""What this process has to tell of its models: that one runs elsewhere than it was meant to."""

from __future__ import annotations

import threading

MOST, LONGEST = 20, 300
"""Of what was not asked for yet; characters of one."""

_lock = threading.Lock()
_news: dict[str, None] = {}


def tell(sentence: str) -> None:
    """One sentence for a person; said again, it counts once."""
    with _lock:
        if len(_news) < MOST:
            _news[sentence[:LONGEST]] = None


def news() -> tuple[str, ...]:
    """What was told since the last time."""
    with _lock:
        told = tuple(_news)
        _news.clear()
    return told
