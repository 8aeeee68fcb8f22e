"""Parameters of a job are somebody else's: refused where they come in, and never a worker's end."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizu_core.errors import DatabaseError
from kizu_core.types import JobTable
from kizu_support.bench import Bench

DEEP = '{"a":' * 10_000 + "1" + "}" * 10_000
BAD = {
    "10 MB": json.dumps({"a": "x" * 10_000_000}),
    "many keys": json.dumps({f"k{number}": number for number in range(10_000)}),
    "deep": DEEP,
    "deep list": '{"a":' + "[" * 10_000 + "]" * 10_000 + "}",
    "long number": '{"a": 1e5000}',
    "long negative number": '{"a": [-1e5000]}',
    "infinite in Python": '{"a": 1e400}',
    "NUL": '{"a": "b\\u0000c"}',
    "half a pair": '{"a": "\\ud800"}',
    "no object": "[1]",
}


def insert(bench: Bench, table: JobTable, params: str) -> None:
    """As an old client does, past all functions of ours."""
    column = "input_params" if table is JobTable.AI else "metadata"
    bench.query(f"insert into {table} (user_id, {column}) values (%s, %s::jsonb) returning id", bench.user, params)


@pytest.mark.parametrize("table", JobTable)
@pytest.mark.parametrize("name", BAD)
def test_what_no_worker_could_take_is_refused(bench: Bench, table: JobTable, name: str) -> None:
    with pytest.raises(psycopg.DataError):
        insert(bench, table, BAD[name])
    assert bench.query(f"select id from {table}") == []


def test_parameters_are_not_made_bad_later(bench: Bench) -> None:
    (job,) = bench.enqueue({})
    with pytest.raises(psycopg.DataError):
        bench.query("update ai_processing_jobs set input_params = %s::jsonb where id = %s returning id", DEEP, job)


def test_an_address_without_end_is_refused(bench: Bench) -> None:
    for params in ({"input_url": "https://x.example/" + "a" * 9000}, {"a": "x" * 70_000}):
        with pytest.raises(DatabaseError, match="limited"):
            bench.database.worker.enqueue(JobTable.IMAGE, [{"user_id": bench.user, "params": params}])


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=10,
)
NAMES = ["operations", "image_url", "input_url", "input_orientation", "needs_web_version", "wanted", "asset_id", "todo"]


def test_odd_parameters_end_their_jobs_and_nothing_else(bench: Bench) -> None:
    """Whatever is let in is worked off: a worker that meets hundreds of odd jobs is there at the end."""

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.sampled_from(JobTable), st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=9), odd, max_size=4))
    def ask(table: JobTable, params: dict[str, Any]) -> None:
        job = {"user_id": bench.user, "params": params, "max_attempts": 1}
        try:
            bench.database.worker.enqueue(table, [job])
        except DatabaseError:
            return

    ask()
    bench.drain(only=("optimize", "image-ai", "probe"))
    left = bench.query("select todo from kizu.jobs where status not in ('completed', 'failed')")
    assert [one["todo"] for one in left if {"optimize", "embedding", "ocr"} & set(one["todo"])] == []
