"""What a search asks for: dates, places, people, things and words, read out of one line."""

from __future__ import annotations

from kizu_core.search.language import languages
from kizu_core.search.parse import parse
from kizu_core.search.query import FILTERS, Filter, Query, Understood, Vocabulary
from kizu_core.search.tongue import NAMES, foreign

__all__ = ["FILTERS", "NAMES", "Filter", "Query", "Understood", "Vocabulary", "foreign", "languages", "parse"]
