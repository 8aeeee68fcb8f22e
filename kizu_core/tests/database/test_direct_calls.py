"""Calls over the direct transport: types, identity, recovery of connections, errors in Kizu's words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from kizu_core.database import Database
from kizu_core.database.direct import DirectTransport
from kizu_core.errors import DatabaseError, DatabaseUnavailable, DiskFull, SchemaMismatch
from kizu_core.types import JobTable
from kizu_support.postgres import KizuDatabase


@pytest.fixture
def transport(kizu_database: KizuDatabase) -> Iterator[DirectTransport]:
    transport = DirectTransport(kizu_database.worker)
    yield transport
    transport.close()


@pytest.fixture
def worker(transport: DirectTransport) -> Database:
    return Database(transport)


@pytest.fixture
def api(kizu_database: KizuDatabase) -> Iterator[Database]:
    api = Database(DirectTransport(kizu_database.api))
    yield api
    api.close()


def define(database: KizuDatabase, body: str) -> None:
    """A function `kizu_test()` with this PL/pgSQL body, for workers."""
    with psycopg.connect(database.owner) as connection:
        text = f"create function kizu_test() returns text language plpgsql as $$ begin {body}; end $$"
        connection.execute(text.encode())
        connection.execute("grant execute on function kizu_test() to service_role, authenticated")


def test_types_come_from_the_function(worker: Database) -> None:
    user = worker.ensure_user("Ünï 'quoted\" \\ \0name")
    assert isinstance(user, UUID)
    assert worker.enqueue(JobTable.AI, []) == []
    assert worker.cancel(JobTable.AI, []) == 0
    assert worker.cancel(JobTable.AI, [uuid4(), uuid4()]) == 0
    worker.worker_hello("w", {"host": "here", "nested": [1, {"a": None}]}, ["ocr", 'q"u,o{t}e\\'])
    assert worker.reap() == 0


def test_a_job_from_enqueue_to_its_release(worker: Database, kizu_database: KizuDatabase) -> None:
    user = worker.ensure_user("anna")
    with kizu_database.transaction() as connection:
        query = "insert into assets (user_id, sha256) values (%s, 'x') returning id"
        asset = connection.execute(query, [user]).fetchone()
    assert asset is not None
    worker.worker_hello("w", {}, ["ocr"])
    job = {"user_id": user, "asset_id": asset[0], "job_type": "image_ai", "params": {"operations": ["ocr"]}}
    (added,) = worker.enqueue(JobTable.AI, [job])
    request = uuid4()
    (claim,) = worker.claim(JobTable.AI, "w", request, ["ocr"], 5, 60)
    assert str(claim.job.id) == added["id"]
    assert (claim.job.user_id, claim.job.asset_id, claim.job.todo) == (user, asset[0], ("ocr",))
    assert worker.claim(JobTable.AI, "w", request, ["ocr"], 5, 60) == [claim]
    beat = {"table": JobTable.AI, "id": claim.job.id, "token": claim.token, "progress": 10, "step": "decode"}
    assert worker.heartbeat("w", [beat], 60) == {claim.job.id: "ok"}
    assert worker.release(claim) == "ok"
    assert worker.status()["jobs"]["ocr"]["waiting"] == 1


def test_every_method_fits_its_function(worker: Database, api: Database, tmp_path: Path) -> None:
    """A refusal for content is fine here; a function or argument that does not exist is not."""
    user, other = worker.ensure_user("anna"), uuid4()
    calls: list[Callable[[], object]] = [
        worker.schema_version,
        lambda: worker.worker_bye("w"),
        lambda: worker.enqueue_stale(user, []),
        lambda: worker.requeue(JobTable.IMAGE, [other]),
        lambda: worker.status(user),
        lambda: worker.root(user, tmp_path, "1"),
        lambda: worker.root_files(other),
        lambda: worker.import_files(other, []),
        lambda: worker.mark_missing(other, ["a.jpg"]),
        lambda: worker.root_state(other, "online", "1"),
        lambda: api.assets(user, 10),
        lambda: api.asset(user, other),
        lambda: api.search(user, {"text": "harbour"}, 10),
        lambda: api.my_status(user),
    ]
    assert [said for said in map(misfit, calls) if said] == []


def misfit(call: Callable[[], object]) -> str:
    try:
        call()
    except SchemaMismatch as error:
        return str(error)
    except DatabaseError:
        return ""
    return ""


def test_roles_keep_to_themselves(worker: Database, api: Database) -> None:
    user = worker.ensure_user("anna")
    with pytest.raises(DatabaseError, match="permission denied"):
        worker.assets(user)
    with pytest.raises(DatabaseError, match="permission denied"):
        api.ensure_user("eve")


def test_identity_ends_with_the_call(transport: DirectTransport, kizu_database: KizuDatabase) -> None:
    define(kizu_database, "return current_user || coalesce(current_setting('request.jwt.claims', true), '')")
    assert str(transport.call("kizu_test", {})).startswith('service_role{"role": "service_role"')
    connection = transport._idle[0]
    row = connection.execute("select current_user, current_setting('request.jwt.claims', true)").fetchone()
    connection.rollback()
    assert row == ("kizu_worker", "")


def test_unknown_function_and_argument(transport: DirectTransport) -> None:
    with pytest.raises(SchemaMismatch, match="kizu_from_the_future"):
        transport.call("kizu_from_the_future", {})
    with pytest.raises(SchemaMismatch, match="kizu_reap"):
        transport.call("kizu_reap", {"p_limits": 1})
    assert transport.call("kizu_reap", {"p_limit": 1}) == 0


def test_many_threads(worker: Database) -> None:
    with ThreadPoolExecutor(16) as pool:
        users = set(pool.map(lambda number: worker.ensure_user(f"user {number % 4}"), range(64)))
    assert len(users) == 4


def terminate(database: KizuDatabase) -> int:
    """Cut all other connections to the database, as a restart of the server does; how many."""
    with psycopg.connect(database.url("postgres"), autocommit=True) as connection:
        query = "select pid, pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s and pid <> %s"
        return len(connection.execute(query, [database.name, connection.info.backend_pid]).fetchall())


def wait_until_running(database: KizuDatabase) -> None:
    """Wait until another connection is inside `kizu_test()`."""
    end = time.monotonic() + 30
    with psycopg.connect(database.url("postgres"), autocommit=True) as connection:
        query = "select 1 from pg_stat_activity where datname = %s and query like '%%kizu_test(%%' and pid <> %s"
        while not connection.execute(query, [database.name, connection.info.backend_pid]).fetchall():
            assert time.monotonic() < end


def test_cut_idle_connections_are_no_error(worker: Database, kizu_database: KizuDatabase) -> None:
    user = worker.ensure_user("anna")
    assert terminate(kizu_database) == 1
    assert worker.ensure_user("anna") == user


def test_connection_cut_during_a_call(transport: DirectTransport, kizu_database: KizuDatabase) -> None:
    define(kizu_database, "perform pg_sleep(60); return ''")
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(transport.call, "kizu_test", {})
        wait_until_running(kizu_database)
        terminate(kizu_database)
        with pytest.raises(DatabaseUnavailable):
            call.result(timeout=30)


def raise_(state: str, message: str = "told so", hint: str = "do that") -> str:
    return f"raise exception '{message}' using errcode = '{state}', hint = '{hint}'"


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("40001", DatabaseUnavailable),  # serialization
        ("40P01", DatabaseUnavailable),  # deadlock
        ("55P03", DatabaseUnavailable),  # lock not available
        ("57014", DatabaseUnavailable),  # statement timeout
        ("57P01", DatabaseUnavailable),  # shutdown
        ("53300", DatabaseUnavailable),  # too many connections
        ("08006", DatabaseUnavailable),  # connection failure
        ("53100", DiskFull),
        ("42883", SchemaMismatch),
    ],
)
def test_what_an_error_means(
    transport: DirectTransport, kizu_database: KizuDatabase, state: str, kind: type[DatabaseError]
) -> None:
    define(kizu_database, raise_(state))
    with pytest.raises(kind) as caught:
        transport.call("kizu_test", {})
    assert type(caught.value) is kind
    assert caught.value.retryable == (kind is not SchemaMismatch)


def test_words_of_a_function_reach_people(transport: DirectTransport, kizu_database: KizuDatabase) -> None:
    define(kizu_database, raise_("KZ900", "This album is locked."))
    with pytest.raises(DatabaseError) as caught:
        transport.call("kizu_test", {})
    assert caught.value.message == "The database refused kizu_test: This album is locked."
    assert caught.value.hint == "do that"
    assert transport.call("kizu_reap", {}) == 0


def test_limits_of_time_hold(
    transport: DirectTransport, kizu_database: KizuDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = "'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'"
    define(kizu_database, f"return (select string_agg(current_setting(n), ' ') from unnest(array[{names}]) n)")
    assert transport.call("kizu_test", {}) == "15s 5s 30s"
    monkeypatch.setattr("kizu_core.database.direct.BYTES_A_SECOND", 1)
    assert transport.call("kizu_test", {}) == "17s 5s 30s", "what carries more may take longer"


def test_closed(worker: Database) -> None:
    worker.reap()
    worker.close()
    with pytest.raises(DatabaseUnavailable):
        worker.reap()


def test_close_while_a_call_runs(transport: DirectTransport, kizu_database: KizuDatabase) -> None:
    define(kizu_database, "perform pg_sleep(0.5); return 'done'")
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(transport.call, "kizu_test", {})
        wait_until_running(kizu_database)
        transport.close()
        assert call.result(timeout=30) == "done"
    assert transport._idle == []
