"""The database as it is, for looking only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from kizu_core.database.database import Database
from kizu_core.database.direct import DirectTransport
from kizu_core.database.embedded.launcher import Embedded
from kizu_core.database.migrate import migrations
from kizu_core.errors import SchemaMismatch
from kizu_core.settings import Settings


@contextmanager
def existing_database(settings: Settings, on_wait: Callable[[str], None] | None = None) -> Iterator[Database | None]:
    """The worker's view of the database; None if there is none yet, or one of another version.

    Makes none and migrates none; an embedded server that stands still is started meanwhile. To change nothing is up
    to the caller: it may call functions only that are declared stable, which PostgreSQL holds them to.
    """
    with ExitStack() as stack:
        if settings.database_url is not None:
            url = settings.database_url.get_secret_value()
        else:
            embedded = Embedded(settings.paths, on_wait)
            if not embedded.status().exists:
                yield None
                return
            url = embedded.ensure().worker
            stack.callback(embedded.release)
        database = Database(DirectTransport(url))
        stack.callback(database.close)
        yield database if _is_current(database) else None


def _is_current(database: Database) -> bool:
    try:
        return database.schema_version() == migrations()[-1].version
    except SchemaMismatch:
        return False
