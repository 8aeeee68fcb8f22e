"""From settings to an open database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from kizu_core.database.backup import bring_up_to_date
from kizu_core.database.database import Database
from kizu_core.database.direct import DirectTransport
from kizu_core.database.embedded.launcher import Embedded
from kizu_core.database.retry import PATIENCE_S, retrying
from kizu_core.settings import Settings

Result = TypeVar("Result")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class OpenDatabase:
    """An open, migrated database. `worker` acts as the worker's role, `api` as the user that each call names."""

    worker: Database
    api: Database
    listen_url: str
    embedded: Embedded | None

    def revive(self) -> None:
        """Start the embedded server again if it is dead. Nothing to do for a database of the user's own."""
        if self.embedded is not None:
            self.embedded.ensure()

    def retrying(self, work: Callable[[], Result], for_s: float = PATIENCE_S, on_wait: Say | None = None) -> Result:
        """`work()`, tried again while the database is away; a dead embedded server is started again."""
        return retrying(work, for_s, on_wait, self.revive)


@contextmanager
def open_database(settings: Settings, on_wait: Say | None = None) -> Iterator[OpenDatabase]:
    """The database that the settings name, brought to this version's schema: `KIZU_DATABASE_URL`, else embedded.

    `on_wait` is called with a sentence whenever something takes long. Raises `DatabaseError` and its kinds. At the
    end, the last process that uses the embedded server stops it.
    """
    with ExitStack() as stack:
        embedded: Embedded | None = None
        if settings.database_url is not None:
            owner = worker = api = settings.database_url.get_secret_value()
        else:
            embedded = Embedded(settings.paths, on_wait)
            urls = embedded.ensure()
            stack.callback(embedded.release)
            owner, worker, api = urls.owner, urls.worker, urls.api
        bring_up_to_date(settings, owner, on_wait or (lambda sentence: None))
        as_worker, as_user = (Database(DirectTransport(url)) for url in (worker, api))
        stack.callback(as_worker.close)
        stack.callback(as_user.close)
        yield OpenDatabase(as_worker, as_user, listen_url=worker, embedded=embedded)
