"""Jobs about whole libraries: when it is time to group faces into people, or for the moments of the day.

The database knows what is due, and that each is asked for once, whoever asks. A worker asks for nothing that it could
not do itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress

from kizu_core.database import Database
from kizu_core.errors import KizuError
from kizu_core.types import GENERATE_MOMENTS, RECLUSTER


class Due:
    """`can`: entries of `todo` that the worker does now."""

    def __init__(self, database: Database, can: Callable[[], Collection[str]]) -> None:
        self._database = database
        self._can = can
        self._last_asks = self._at_the_end()

    def ask(self) -> None:
        """What is due by the number of new faces and by the clock. Raises the database's errors."""
        if RECLUSTER in self._can():
            self._database.people_due()
        if GENERATE_MOMENTS in self._can():
            self._database.moments_due()

    def is_more_at_the_end(self) -> bool:
        """To be called when nothing else is left to do, until it says no: first whoever is new in the photos is looked
        for, then, with them, the moments. Neither spoils what was done before.
        """
        return any(self._last_asks)

    def _at_the_end(self) -> Iterator[bool]:
        yield self._made(RECLUSTER, lambda: self._database.people_due(now=True))
        yield self._made(GENERATE_MOMENTS, self._database.moments_due)

    def _made(self, entry: str, ask: Callable[[], int]) -> bool:
        with suppress(KizuError):
            return entry in self._can() and ask() > 0
        return False
