"""Lists of photos and one photo with all that is known: order, pages, filters, and whose."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from kizu_core.errors import DatabaseError
from kizu_support.postgres import call
from kizu_support.shelf import Shelf


def names(shelf: Shelf, user: UUID, **options: Any) -> list[str]:
    return [asset["file_name"] for asset in shelf.api.assets(user, **options)["assets"]]


def give_file(shelf: Shelf, user: UUID, asset: UUID, root: str, path: str) -> None:
    """A place on disk."""
    with shelf.database.transaction() as connection:
        connection.execute(
            "insert into public.library_roots (user_id, path) values (%s, %s) on conflict do nothing", (user, root)
        )
        connection.execute(
            "insert into public.asset_files (root_id, user_id, asset_id, path, size) select id, user_id, %s, %s, 7"
            " from public.library_roots where user_id = %s and path = %s",
            (asset, path, user, root),
        )


def test_newest_first_undated_last(shelf: Shelf, ann: UUID) -> None:
    for name, taken in (("b", "2020-01-01"), ("undated", None), ("a", "2010-01-01"), ("c", "2023-07-01 12:00")):
        shelf.photo(ann, name, taken=taken)
    assert names(shelf, ann) == ["c", "b", "a", "undated"]


def test_pages_join_without_gap_or_overlap(shelf: Shelf, ann: UUID) -> None:
    for number in range(17):
        shelf.photo(ann, f"{number}", taken=f"20{number // 3:02}-01-01" if number % 4 else None)
    found, after = [], None
    while True:
        page = shelf.api.assets(ann, 4, after)
        found += [asset["file_name"] for asset in page["assets"]]
        after = page["next"]
        if after is None:
            break
    assert found == names(shelf, ann)
    assert len(set(found)) == 17


def test_filters(shelf: Shelf, ann: UUID) -> None:
    shelf.photo(ann, "sign", "STOP", taken="2020-01-03")
    shelf.photo(ann, "clip", kind="video", taken="2020-01-02")
    shelf.photo(ann, "gone", missing=True)
    assert names(shelf, ann) == ["sign", "clip"]
    assert names(shelf, ann, where={"kind": "video"}) == ["clip"]
    assert names(shelf, ann, where={"missing": True}) == ["gone"]
    assert names(shelf, ann, where={"has_text": True}) == ["sign"]
    assert names(shelf, ann, where={"has_text": False}) == ["clip"]


def test_a_photo_is_found_by_its_path_or_folder(shelf: Shelf, ann: UUID) -> None:
    for path in ("2020/a.jpg", "2020/b.jpg", "2020-b/c.jpg"):
        give_file(shelf, ann, shelf.photo(ann, path), "/photos", path)
    assert names(shelf, ann, where={"path": "/photos/2020/a.jpg"}) == ["2020/a.jpg"]
    assert sorted(names(shelf, ann, where={"path": "/photos/2020/"})) == ["2020/a.jpg", "2020/b.jpg"]
    assert len(names(shelf, ann, where={"path": "/photos"})) == 3
    assert names(shelf, ann, where={"path": "/photos/2020/a"}) == []


def test_one_photo_with_everything(shelf: Shelf, ann: UUID) -> None:
    photo = shelf.photo(ann, "a.jpg", "FIRST", "SECOND", taken="2020-01-03")
    give_file(shelf, ann, photo, "/photos", "2020/a.jpg")
    shelf.results(ann, photo)
    found = shelf.api.asset(ann, photo)
    assert found is not None
    assert found["path"] == "/photos/2020/a.jpg"
    assert [file["path"] for file in found["files"]] == ["2020/a.jpg"]
    assert [text["text"] for text in found["texts"]] == ["FIRST", "SECOND"]
    assert found["objects"][0]["bbox"]["right"] == 1
    assert (found["faces"][0]["dim"], found["embeddings"][0]["space"]) == (2, "pictures")
    assert "embedding" not in found["faces"][0]
    assert found["descriptions"][0]["description"] == "A dog."
    assert found["operations"][0]["error"] == {"code": "x"}


def test_nobody_sees_photos_of_others(shelf: Shelf, ann: UUID, bob: UUID) -> None:
    photo = shelf.photo(ann, "a.jpg", "SECRET")
    give_file(shelf, ann, photo, "/photos", "a.jpg")
    assert shelf.api.asset(bob, photo) is None
    assert names(shelf, bob) == []
    assert names(shelf, bob, where={"path": "/photos"}) == []


def test_no_photo(shelf: Shelf, ann: UUID) -> None:
    assert shelf.api.asset(ann, uuid4()) is None


@pytest.mark.parametrize("after", [{"taken": "no date"}, {"id": "x", "taken": "2020-01-01", "created": "2020-01-01"}])
def test_a_page_mark_that_is_none_is_refused(shelf: Shelf, ann: UUID, after: dict[str, str]) -> None:
    with pytest.raises(DatabaseError):
        shelf.api.assets(ann, 10, after)


LIBRARY: dict[str, dict[str, Any]] = {
    "kizu_root": {"p_user": uuid4(), "p_path": "/x", "p_device": "1"},
    "kizu_root_files": {"p_root": uuid4()},
    "kizu_import_files": {"p_root": uuid4(), "p_files": [{"path": "a"}]},
    "kizu_mark_missing": {"p_root": uuid4(), "p_paths": ["a"]},
    "kizu_root_state": {"p_root": uuid4(), "p_state": "online"},
}


@pytest.mark.parametrize("function", LIBRARY)
@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_users_do_not_call_what_is_for_workers(shelf: Shelf, ann: UUID, function: str, role: str) -> None:
    user = ann if role == "authenticated" else None
    with shelf.database.transaction(user, role=role) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            call(connection, function, **LIBRARY[function])


@pytest.mark.parametrize("function", ["kizu_assets", "kizu_search", "kizu_asset"])
def test_strangers_do_not_call_what_is_for_users(shelf: Shelf, function: str) -> None:
    needed: dict[str, dict[str, Any]] = {"kizu_asset": {"p_id": uuid4()}, "kizu_search": {"p_query": {"text": "x"}}}
    with shelf.database.transaction(role="anon") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        call(connection, function, **needed.get(function, {}))


@pytest.mark.parametrize("call_it", ["kizu.match_words(%s, 'a')", "kizu.match_phrase(%s, 'a')"])
def test_nobody_searches_for_a_user_of_their_choice(shelf: Shelf, ann: UUID, call_it: str) -> None:
    with shelf.database.transaction(ann) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"select {call_it}".encode(), (uuid4(),))
