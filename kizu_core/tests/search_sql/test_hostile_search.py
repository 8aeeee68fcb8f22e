"""What people and programs may type: it is searched for, or refused in a sentence, and shows nobody else's photos."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizu_core.api import Library
from kizu_core.database import Database, OpenDatabase
from kizu_core.database.direct import DirectTransport
from kizu_core.errors import DatabaseError, QueryError
from kizu_core.plugins.catalog import Catalog
from kizu_support.embedded import settings_for
from kizu_support.postgres import KizuDatabase
from kizu_support.shelf import Shelf

SECRET = "password of the other one"

PIECES = [
    "'",
    "''",
    '"',
    "\\",
    "\\'",
    "';drop table assets;--",
    "' or '1'='1",
    "' or true--",
    "') or (select true)--",
    "' union select id, text from extracted_text--",
    "$$;select pg_sleep(9);$$",
    "%",
    "_",
    "%%%%",
    "*",
    ":*",
    "&",
    "|",
    "!",
    "<->",
    "<9999999>",
    "((((((",
    "a:b:c",
    "),user_id.neq.0",
    "*,user_id",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "[[:alpha:]]+",
    "(a+)+$",
    "\n\r\t\x01\x7f",
    "\u202e\u2066\ufeff",
    "e\u0301" * 40,
    "İıſß",
    "🏳️‍🌈",
    "select",
    "-",
    "- - -",
    '"-"',
]
FORMS = ["{}", "password {}", "{} -x", '"{}"', "{0} or {0}"]
PAYLOADS = [form.format(piece) for form, piece in product(FORMS, PIECES)]


@pytest.fixture
def library(shared_database: KizuDatabase, tmp_path: Path) -> Iterator[Library]:
    """The library of somebody with one photo."""
    with (
        closing(Database(DirectTransport(shared_database.worker))) as worker,
        closing(Database(DirectTransport(shared_database.api))) as api,
    ):
        opened = OpenDatabase(worker, api, listen_url=shared_database.worker, embedded=None)
        yield Library(settings_for(tmp_path), opened, Catalog([]), f"user {uuid4()}")


@pytest.fixture
def theirs(shelf: Shelf, library: Library) -> UUID:
    """A photo of somebody else that nearly any of the payloads would fit."""
    shelf.photo(library.user, "mine.jpg", "my own words")
    return shelf.photo(uuid4(), "theirs.jpg", SECRET, *PIECES[:30])


def ids(page: dict[str, Any]) -> set[str]:
    return {str(row.get("asset_id") or row["id"]) for row in page.get("hits", page.get("assets", []))}


def test_searches_show_nothing_of_another(library: Library, theirs: UUID) -> None:
    assert len(PAYLOADS) == 200
    for text in PAYLOADS:
        page = library.search(text)
        assert str(theirs) not in ids(page), text
        assert SECRET not in str(page), text
    assert ids(library.search("own words")), "nothing was dropped"


@pytest.mark.parametrize("name", ["id", "name", "kind", "path", "has_text", "missing"])
def test_filters_show_nothing_of_another(library: Library, theirs: UUID, name: str) -> None:
    for text in [*PIECES, str(theirs), "theirs.jpg", "\0", "\ud800", "x" * 5000]:
        try:
            page = library.assets.page(where={name: text})
        except DatabaseError:
            continue  # no id, no truth value
        assert str(theirs) not in ids(page), text


@pytest.mark.parametrize("after", ["x", 1, [], {"score": "x"}, {"id": "'"}, {"score": 1, "taken": "never", "id": "0"}])
def test_a_place_to_go_on_from_that_is_none(library: Library, theirs: UUID, after: Any) -> None:
    for ask in (library.search, lambda _, after: library.assets.page(after=after)):
        try:
            assert str(theirs) not in ids(ask("password", after=after))
        except DatabaseError:
            continue


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "caf\udce9", "x" * 513])
def test_what_is_no_search_is_refused_in_a_sentence(library: Library, text: str) -> None:
    with pytest.raises(QueryError) as caught:
        library.search(text)
    assert caught.value.message.endswith(".")
    assert caught.value.hint


def test_any_text_is_a_search_or_refused(library: Library, theirs: UUID) -> None:
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.text(max_size=40) | st.text("\"'-%_\\ orab|&!:*()<>", max_size=40), st.integers(-(2**31), 2**31 - 1))
    def ask(text: str, limit: int) -> None:
        try:
            page = library.search(text, limit=limit)
        except QueryError:
            return
        assert str(theirs) not in ids(page)

    ask()
