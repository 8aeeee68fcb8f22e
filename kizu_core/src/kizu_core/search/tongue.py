"""In what language the words of a search are, as far as that shows: by their letters, or by words that only it has."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from kizu_core.search.language import languages
from kizu_core.search.query import Query
from kizu_core.search.tokens import tokenize

_SCRIPTS: Final = {
    "ja": re.compile("[\u3040-\u30ff]"),
    "ko": re.compile("[\uac00-\ud7af]"),
    "zh": re.compile("[\u4e00-\u9fff]"),
    "ru": re.compile("[\u0400-\u04ff]"),
    "el": re.compile("[\u0370-\u03ff]"),
    "ar": re.compile("[\u0600-\u06ff]"),
    "he": re.compile("[\u0590-\u05ff]"),
    "hi": re.compile("[\u0900-\u097f]"),
    "th": re.compile("[\u0e00-\u0e7f]"),
}
"""Signs of a script -> the language most written in it; Japanese before Chinese, whose signs it uses as well."""

NAMES: Final = {
    "ar": "Arabic", "de": "German", "el": "Greek", "en": "English", "he": "Hebrew", "hi": "Hindi", "ja": "Japanese",
    "ko": "Korean", "ru": "Russian", "th": "Thai", "zh": "Chinese",
}  # fmt: skip


def tongue(line: str) -> str | None:
    """The ISO code of its language, None if it shows none."""
    script = next((code for code, signs in _SCRIPTS.items() if signs.search(line)), None)
    if script:
        return script
    words = [token.key for token in tokenize(line)]
    scores = {code: sum(word in one.words for word in words) for code, one in languages().items()}
    best = max(scores, key=lambda code: scores[code])
    return best if list(scores.values()).count(scores[best]) == 1 else None


def foreign(query: Query, known: Collection[str]) -> str | None:
    """The language of the query's words, if it shows and is none that a model has `known`."""
    found = tongue(query.raw) if query.text else None
    return found if found and known and found not in known else None
