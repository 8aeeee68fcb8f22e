"""psycopg's errors as Kizu's: one sentence without a secret, and whether trying again can help."""

from __future__ import annotations

import re

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from kizu_core.errors import DatabaseError, DatabaseUnavailable, DiskFull, KizuError, LibraryError, SchemaMismatch

VARIABLE = "KIZU_DATABASE_URL"
REFUSED = "KZ001"
"""What functions raise with a sentence and a hint that are meant for the user."""

# libpq gives no code for a refused connection, only words. What is not listed is taken for permanent.
_PASSING = re.compile(
    r"refused|timeout expired|timed out|No such file|could not translate host name|resolve|unreachable|reset by peer"
    r"|closed the connection|starting up|shutting down|recovery mode|not yet accepting|too many clients"
    r"|terminating connection|remaining connection slots|No route to host|could not receive",
    re.IGNORECASE,
)
_REASONS = (
    (r"could not translate host name|resolve", "its host name is unknown"),
    (r"password authentication failed|no password supplied", "it does not accept the user or the password"),
    (r"database \".*\" does not exist", "the database does not exist there"),
    (r"role \".*\" does not exist", "the user does not exist there"),
    (r"no pg_hba.conf entry|requires encryption", "it does not let this user in from here"),
    (r"refused|No such file", "nothing answers there"),
    (r"timeout expired|timed out", "it does not answer in time"),
    (r"invalid response|unsupported frontend protocol|unexpected response", "what answers is not PostgreSQL"),
    (r"closed the connection|reset by peer|could not receive|terminating connection", "it cut the connection"),
    (r"starting up|shutting down|recovery mode|not yet accepting", "it is just starting or stopping"),
    (r"too many clients|remaining connection slots", "it has no free connection"),
)


def place_of(url: str) -> str:
    """Where a database is, for people: host, port and database, never user or password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        return "the database"
    host, port, name = (str(parts.get(key) or "") for key in ("host", "port", "dbname"))
    if host.startswith("/"):
        return f"the database at {host}/.s.PGSQL.{port or 5432}"
    return f"the database at {host or 'localhost'}{f':{port}' if port else ''}/{name}"


def connection_error(error: psycopg.Error, url: str) -> DatabaseError:
    """The error for a connection that could not be made."""
    said = str(error)
    why = next((sentence for pattern, sentence in _REASONS if re.search(pattern, said)), "the connection failed")
    kind = DatabaseUnavailable if _PASSING.search(said) else DatabaseError
    hint = f"If {VARIABLE} is set, check it and whether that server is running; see also `kizu db status`."
    return kind(f"Kizu can't use {place_of(url)}: {why}.", hint=hint)


def call_error(error: psycopg.Error, function: str) -> KizuError:
    """The error for a call that the database refused or that was cut off."""
    if isinstance(error, errors.DiskFull):
        return DiskFull("No space is left on the disk of the database.", hint="Free some space there.")
    if isinstance(error, errors.SerializationFailure | errors.DeadlockDetected | errors.LockNotAvailable):
        return DatabaseUnavailable("The database is busy with another change.")
    if isinstance(error, errors.QueryCanceled):
        return DatabaseUnavailable(f"The database took too long over {function}.")
    if isinstance(error, errors.UndefinedFunction):
        return SchemaMismatch(
            f"The database does not know the function {function} of this version.", hint="Run `kizu db migrate`."
        )
    state = error.sqlstate or ""
    if state == REFUSED:
        return LibraryError(error.diag.message_primary or "", hint=error.diag.message_hint or None)
    if not state or state[:2] in {"08", "53"} or state.startswith("57P"):
        return DatabaseUnavailable("The connection to the database was lost.")
    said = error.diag.message_primary or "no reason given"
    return DatabaseError(f"The database refused {function}: {said.rstrip('.')}.", hint=error.diag.message_hint)
