"""Waiting for a database that is away, and being woken by one that has work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

import psycopg
import pytest

from kizu_core.database import retrying
from kizu_core.database.listen import listen
from kizu_core.errors import DatabaseError, DatabaseUnavailable
from kizu_support.postgres import KizuDatabase


class Away:
    """Fails `times` times, then answers."""

    def __init__(self, times: int, error: Exception | None = None) -> None:
        self.times, self.calls = times, 0
        self.error = error or DatabaseUnavailable("The connection to the database was lost.")

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return "here"


def test_tries_again_and_says_so_once() -> None:
    said: list[str] = []
    revived: list[int] = []
    away = Away(3)
    assert retrying(away, on_wait=said.append, revive=lambda: revived.append(away.calls)) == "here"
    assert said == [
        "The connection to the database was lost. Waiting until it is back, at most 10 minutes.",
        "The database is back.",
    ]
    assert revived == [1, 2, 3]


def test_gives_up_with_the_last_error() -> None:
    with pytest.raises(DatabaseUnavailable):
        retrying(Away(1000), for_s=0.3)


def test_other_errors_are_not_repeated() -> None:
    away = Away(1, DatabaseError("The database refused kizu_reap: no."))
    with pytest.raises(DatabaseError, match="refused"):
        retrying(away)
    assert away.calls == 1


def test_revival_may_fail_meanwhile() -> None:
    def revive() -> None:
        raise DatabaseUnavailable("not yet")

    assert retrying(Away(2), revive=revive) == "here"


def test_revival_that_can_not_be_ends_it() -> None:
    def revive() -> None:
        raise DatabaseError("A server that is not Kizu's answers.")

    with pytest.raises(DatabaseError, match="not Kizu's"):
        retrying(Away(1000), revive=revive)


@contextmanager
def listening(url: str) -> Iterator[Queue[None]]:
    """Wake-ups of a listener on `url`, the one for its own connect included."""
    woken: Queue[None] = Queue()
    stop = threading.Event()
    thread = threading.Thread(target=listen, args=(url, lambda: woken.put(None), stop))
    thread.start()
    try:
        yield woken
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def test_wakes_on_connect_and_on_notification(kizu_database: KizuDatabase) -> None:
    with listening(kizu_database.worker) as woken:
        woken.get(timeout=30)
        for _ in range(3):
            with psycopg.connect(kizu_database.owner) as connection:
                connection.execute("notify kizu_jobs")
            woken.get(timeout=30)


def test_comes_back_after_a_cut(kizu_database: KizuDatabase) -> None:
    with listening(kizu_database.worker) as woken:
        woken.get(timeout=30)
        with psycopg.connect(kizu_database.url("postgres"), autocommit=True) as connection:
            query = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and usename = %s"
            connection.execute(query, [kizu_database.name, "kizu_worker"])
        woken.get(timeout=30)
        with psycopg.connect(kizu_database.owner) as connection:
            connection.execute("notify kizu_jobs")
        woken.get(timeout=30)


def test_ends_while_the_database_is_away() -> None:
    with listening("postgresql://kizu_worker@127.0.0.1:1/kizu") as woken:
        assert woken.empty()


def test_transaction_poolers_have_no_wake_ups() -> None:
    listen("postgresql://me@127.0.0.1:6543/photos", lambda: None, threading.Event())
