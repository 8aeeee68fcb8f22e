"""Everything that leaves is JSON that PostgreSQL stores; what has no such form is refused by name."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizu_core.database.wire import decode, dumps, encode
from kizu_core.errors import DatabaseError
from kizu_core.types import JobTable

ID = UUID("00000000-0000-0000-0000-00000000002a")

texts = st.text(st.characters())  # surrogates and NUL included
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)


@given(values)
def test_any_value_becomes_storable_json(value: Any) -> None:
    text = dumps(value)
    assert json.loads(text) == encode(value)
    assert encode(encode(value)) == encode(value)
    text.encode("utf-8")
    assert "\\u0000" not in text


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("a\0b", "ab"),
        ("half \ud83d pair", "half \N{REPLACEMENT CHARACTER} pair"),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.zeros((2, 2), np.float32), [[0.0, 0.0], [0.0, 0.0]]),
        (ID, "00000000-0000-0000-0000-00000000002a"),
        ((1, ID), [1, "00000000-0000-0000-0000-00000000002a"]),
        (JobTable.AI, "ai_processing_jobs"),
        (Path("/photos/a b.jpg"), "/photos/a b.jpg"),
        (date(2026, 2, 3), "2026-02-03"),
        (datetime(2026, 2, 3, 4, tzinfo=timezone(timedelta(hours=2))), "2026-02-03T02:00:00+00:00"),
    ],
)
def test_what_becomes_of(value: Any, wanted: Any) -> None:
    assert encode(value) == wanted
    assert type(encode(value)) is type(wanted)


def test_vectors_keep_their_single_precision() -> None:
    vector = np.random.default_rng(1).normal(size=512).astype(np.float32)
    assert np.array_equal(np.asarray(json.loads(dumps(vector)), np.float32), vector)


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        np.float32("-inf"),
        {"a": [np.array([1, np.nan])]},
        datetime(2026, 1, 1),  # noqa: DTZ001
        object(),
        b"x",
    ],
    ids=lambda value: type(value).__name__,
)
def test_refused(value: Any) -> None:
    with pytest.raises(DatabaseError, match="can't be stored"):
        dumps(value)


def test_answers_are_plain() -> None:
    assert decode(ID) == str(ID)
    assert decode(datetime(2026, 1, 2, tzinfo=UTC)) == "2026-01-02T00:00:00+00:00"
    assert decode({"a": 1}) == {"a": 1}
