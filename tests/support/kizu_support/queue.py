"""The queue as its SQL functions offer it, one transaction a call, for tests that look at rows before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from kizu_support.postgres import KizuDatabase, call

AI = "ai_processing_jobs"
IMAGE = "image_processing_jobs"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Queue:
    """Calls as a worker; `rows` and `run` look behind row level security as superuser."""

    database: KizuDatabase

    def call(self, function: str, *, as_user: UUID | None = None, **arguments: Any) -> Any:
        """`kizu_<function>` with arguments named without their `p_`, as a worker or as a user."""
        with self.database.transaction(as_user) as connection:
            return call(connection, f"kizu_{function}", **{f"p_{name}": value for name, value in arguments.items()})

    def rows(self, query: str, *values: Any) -> list[Row]:
        """What a query finds."""
        with psycopg.connect(self.database.url("postgres"), row_factory=dict_row) as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def run(self, statement: str, *values: Any) -> None:
        """A change past all functions: time that passes, an old client, another tool."""
        with psycopg.connect(self.database.url("postgres")) as connection:
            connection.execute(statement.encode(), values or None)

    def user(self, name: str = "me") -> UUID:
        """A user of that name."""
        found: UUID = self.call("ensure_user", name=name)
        return found

    def photo(self, user: UUID, sha256: str | None = None, **columns: Any) -> UUID:
        """A photo of a user that has a name, a content and a size."""
        columns = {"mime": "image/jpeg", "width": 40, "height": 30, **columns}
        asset, sha256 = uuid4(), sha256 or uuid4().hex
        names = ["id", "user_id", "sha256", *columns]
        marks = ", ".join(["%s"] * len(names))
        self.run(f"insert into assets ({', '.join(names)}) values ({marks})", asset, user, sha256, *columns.values())
        return asset

    def ask(self, user: UUID, photo: UUID | None, *operations: str, table: str = AI, **fields: Any) -> UUID:
        """A job for a photo; the id of its row."""
        job = {"user_id": str(user), "asset_id": str(photo) if photo else None, **fields}
        if operations:
            job["params"] = {"operations": list(operations), **fields.get("params", {})}
        made = self.call("enqueue", table=table, jobs=[job])
        return UUID(made[0]["id"])

    def claim(
        self, *can: str, limit: int = 1, table: str = AI, worker: str = "w", request: UUID | None = None
    ) -> list[Row]:
        """Jobs for a worker that can do these operations, leased for a minute."""
        claimed: list[Row] = self.call(
            "claim", table=table, worker=worker, request=request or uuid4(), can=list(can), limit=limit, lease_s=60
        )
        return claimed

    def complete(self, job: Row, *operations: Row, **payload: Any) -> str:
        """Complete a claimed job with these operation results (see `done`)."""
        return self.finish("complete", job, payload={"operations": list(operations), **payload})

    def fail(self, job: Row, **error: Any) -> str:
        """Fail a claimed job, not to be tried again unless the error says so."""
        return self.finish("fail", job, error={"code": "media", "message": "It is broken.", "hint": None, **error})

    def finish(self, verb: str, job: Row, **arguments: Any) -> str:
        """Any verb that takes a table, an id and a token."""
        token = UUID(job["lease_token"])
        answer: str = self.call(verb, table=job["table"], id=UUID(job["id"]), token=token, **arguments)
        return answer

    def beat(self, *jobs: Row, **item: Any) -> list[str]:
        """States that a heartbeat for these jobs returns, in their order."""
        items = [{"table": job["table"], "id": job["id"], "token": job["lease_token"], **item} for job in jobs]
        states = {one["id"]: one["state"] for one in self.call("heartbeat", worker="w", items=Jsonb(items), lease_s=60)}
        return [states[job["id"]] for job in jobs]

    def job(self, job: UUID | str, table: str = AI) -> Row:
        """The whole row of a job."""
        return self.rows(f"select * from {table} where id = %s", job)[0]

    def let_lease_end(self, job: Row) -> None:
        """As if the holder had not been heard of for long."""
        self.run(f"update {job['table']} set lease_until = now() - interval '1 s' where id = %s", job["id"])

    def make_due(self) -> None:
        """As if all delays of the AI table had passed."""
        self.run(f"update {AI} set run_after = now() where status = 'pending'")
        self.run(f"update {AI} set claim_order = 0 where status = 'pending'")


def done(operation: str, **fields: Any) -> Row:
    """The result of one operation, good unless it has an `error`."""
    return {"operation": operation, "plugin": "p", "version": "1", "space": None, "found": 1, "error": None, **fields}


@pytest.fixture
def queue(kizu_database: KizuDatabase) -> Queue:
    """A queue in a fresh database."""
    return Queue(kizu_database)
