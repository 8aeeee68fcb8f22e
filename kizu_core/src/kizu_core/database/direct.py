"""The direct transport: PostgreSQL over psycopg, acting in each transaction as PostgREST would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict

from kizu_core.database.trouble import VARIABLE, call_error, connection_error
from kizu_core.database.wire import decode, dumps
from kizu_core.errors import DatabaseError, DatabaseUnavailable, SchemaMismatch
from kizu_core.privacy.guard import permit, place

Connection = psycopg.Connection[tuple[Any, ...]]

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 15
BYTES_A_SECOND = 8_192
"""A call that carries much may take longer: the people of a hundred thousand faces come with 4 MB."""

LOCK_TIMEOUT = "5s"
IDLE_TIMEOUT = "30s"
"""How long a process that was halted in the middle of a call may hold what it has locked."""

TRANSACTION_POOLER_PORT = 6543
MOST_IDLE = 8
VOID = 2278

# A dead link is noticed within half a minute.
KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}

# Timeouts are set here and not in the connection's options, which transaction poolers do not pass on.
_BEGIN = """
select set_config('role', %s, true), set_config('request.jwt.claims', %s, true),
       set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true),
       set_config('idle_in_transaction_session_timeout', %s, true)
"""

_SIGNATURES = """
select proname, proargnames,
       array(select format_type(type, null) from unnest(proargtypes) with ordinality as a (type, place) order by place)
from pg_proc where pronamespace = 'public'::regnamespace and starts_with(proname, 'kizu_')
"""


def connect(url: str, **options: Any) -> Connection:
    """A connection with Kizu's timeouts. Raises `DatabaseUnavailable` or `DatabaseError` in a plain sentence."""
    if uses_transaction_pooler(url):
        options.setdefault("prepare_threshold", None)
    try:
        with permit(*_places(url)):
            return psycopg.connect(
                url, connect_timeout=CONNECT_TIMEOUT_S, application_name="kizu", **(KEEPALIVES | options)
            )
    except psycopg.Error as error:
        raise connection_error(error, url) from None


def _places(url: str) -> Iterator[str]:
    """The hosts that `url` names, which psycopg looks up in Python; connecting is libpq's."""
    parts = conninfo_to_dict(url)
    hosts, ports = (str(parts.get(key) or default).split(",") for key, default in (("host", ""), ("port", 5432)))
    for index, host in enumerate(hosts):
        yield place(host, ports[min(index, len(ports) - 1)])


def uses_transaction_pooler(url: str) -> bool:
    """Whether sessions are shared: no LISTEN and no prepared statements there. Raises `DatabaseError` for no URL."""
    try:
        return conninfo_to_dict(url).get("port") == str(TRANSACTION_POOLER_PORT)
    except psycopg.Error:
        raise DatabaseError(
            "The database address is not a PostgreSQL URL.",
            hint=f"{VARIABLE} looks like postgresql://USER:PASSWORD@HOST:5432/DATABASE.",
        ) from None


class DirectTransport:
    """Calls functions over a few connections that threads share.

    psycopg_pool connects in the background and can then only tell of a timeout; here the caller meets the reason,
    and a restarted server is noticed by the very next call.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._signatures: Mapping[str, Mapping[str, str]] = {}
        self._closed = False

    def call(self, function: str, arguments: Mapping[str, Any], *, user: UUID | None = None) -> Any:
        """See `Transport.call`."""
        body = dumps(arguments)
        with self._transaction(user, function, STATEMENT_TIMEOUT_S + len(body) // BYTES_A_SECOND) as connection:
            cursor = connection.execute(self._query(connection, function, arguments), [body])
            row = cursor.fetchone()
            void = cursor.description is not None and cursor.description[0].type_code == VOID
        return None if row is None or void else decode(row[0])

    def close(self) -> None:
        """See `Transport.close`."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _transaction(self, user: UUID | None, function: str, timeout_s: int) -> Iterator[Connection]:
        """One transaction in which role and claims are the caller's. A connection that saw an error is not reused."""
        connection = self._begin(user, timeout_s)
        try:
            yield connection
            connection.commit()
        except psycopg.Error as error:
            connection.close()
            raise call_error(error, function) from error
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)

    def _begin(self, user: UUID | None, timeout_s: int) -> Connection:
        """A connection on which the transaction has begun. An idle one may be dead: then the next is taken."""
        role = "service_role" if user is None else "authenticated"
        claims = {"role": role} if user is None else {"role": role, "sub": str(user)}
        settings = [role, json.dumps(claims), f"{timeout_s}s", LOCK_TIMEOUT, IDLE_TIMEOUT]
        while True:
            connection, fresh = self._take()
            try:
                connection.execute(_BEGIN, settings)
            except psycopg.Error as error:
                connection.close()
                if fresh or not isinstance(error, psycopg.OperationalError):
                    raise call_error(error, "a session") from error
            else:
                return connection

    def _take(self) -> tuple[Connection, bool]:
        """A connection, and whether it is a fresh one."""
        with self._lock:
            if self._closed:
                raise DatabaseUnavailable("The connection to the database is closed.")
            if self._idle:
                return self._idle.pop(), False
        return connect(self._url), True

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _query(self, connection: Connection, function: str, arguments: Mapping[str, Any]) -> bytes:
        """The call as SQL: the database itself turns one JSON object into the types that the function declares."""
        types = self._signature(connection, function)
        if not set(arguments) <= set(types):
            raise _unknown(function)
        if not arguments:
            return f"select public.{function}() where %s::json is not null".encode()
        named = ", ".join(f"{name} => a.{name}" for name in arguments)
        columns = ", ".join(f"{name} {types[name]}" for name in arguments)
        return f"select public.{function}({named}) from json_to_record(%s::json) as a({columns})".encode()  # noqa: S608 - names from the catalogue

    def _signature(self, connection: Connection, function: str) -> Mapping[str, str]:
        """Argument name -> type of a function, read once from the database and again for one not seen then."""
        if function not in self._signatures:
            rows = connection.execute(_SIGNATURES).fetchall()
            self._signatures = {name: dict(zip(names or (), types, strict=False)) for name, names, types in rows}
        if function not in self._signatures:
            raise _unknown(function)
        return self._signatures[function]


def _unknown(function: str) -> SchemaMismatch:
    return SchemaMismatch(
        f"The database does not know the function {function} as this version calls it.", hint="Run `kizu db migrate`."
    )
