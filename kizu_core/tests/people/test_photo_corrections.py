"""What the user says of photos: date, place, hidden, forgotten; for good, and undone to what the file says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from kizu_support.album import Album
from kizu_support.queue import Row

TAKEN, OTHER = "2020-05-01T10:00:00", "2020-06-02T11:00:00"
FILE = {"taken_local": TAKEN, "taken_source": "ExifIFD:DateTimeOriginal", "latitude": 1.0, "longitude": 2.0}


class Folder:
    """Files of one user, as a scan sees them."""

    def __init__(self, album: Album) -> None:
        self.album = album
        root = album.queue.call("root", user=album.user, path=f"/photos/{album.user}", device="1")
        self._root = UUID(root["id"])

    def see(self, path: str, sha256: str, asset: Mapping[str, Any] | None = FILE) -> Row:
        place = {"path": path, "size": 1, "mtime_ns": uuid4().int % 10**9, "inode": 1, "mount": ""}
        content = {"sha256": sha256, **({"asset": dict(asset)} if asset else {})}
        (answer,) = self.album.queue.call("import_files", root=self._root, files=[{**place, **content}])
        found: Row = answer
        return found

    def known(self, path: str) -> Row:
        files = self.album.queue.call("root_files", root=self._root)
        return next(one for one in files if one["path"] == path)

    def photo(self, asset: str | UUID) -> Row:
        (found,) = self.album.queue.rows("select * from assets where id = %s", asset)
        return found


@pytest.fixture
def folder(album: Album) -> Folder:
    return Folder(album)


def values(row: Row, *names: str) -> list[Any]:
    return [row[name] and (row[name].isoformat() if hasattr(row[name], "isoformat") else row[name]) for name in names]


def test_a_date_holds_through_edits_and_is_undone_to_what_the_file_says(folder: Folder) -> None:
    album, photo = folder.album, folder.see("a.jpg", "1")["asset_id"]
    before = folder.photo(photo)
    album.say("date", asset=photo, taken_local=OTHER, offset_min=120)
    corrected = folder.photo(photo)
    assert values(corrected, "taken_local", "taken_offset_min", "taken_source") == [OTHER, 120, "user"]
    assert corrected["taken_at"].isoformat() == "2020-06-02T09:00:00+00:00"
    assert folder.see("a.jpg", "2", {**FILE, "taken_local": "2021-01-01T00:00:00"})["outcome"] == "edited"
    assert values(folder.photo(photo), "taken_local") == [OTHER]
    album.undo()
    assert values(folder.photo(photo), "taken_local", "taken_offset_min", "taken_source") == [
        "2021-01-01T00:00:00", None, FILE["taken_source"],
    ]  # fmt: skip
    assert (before["taken_at"], folder.photo(photo)["original"]) == (None, None)


def test_a_place_holds_and_the_gazetteer_is_asked_anew(folder: Folder) -> None:
    album, photo = folder.album, folder.see("a.jpg", "1", {**FILE, "city": "Rome", "placed_for": [1, 2]})["asset_id"]
    album.say("place", asset=photo, place_name=" Central Park ")
    assert values(folder.photo(photo), "place_name", "city") == ["Central Park", "Rome"]
    assert "central park" in folder.photo(photo)["places_folded"]
    album.say("place", asset=photo, latitude=40.7, longitude=-74.0)
    found = folder.photo(photo)
    assert values(found, "place_name", "latitude", "longitude", "city", "placed_for") == [
        "Central Park", 40.7, -74.0, None, None,
    ]  # fmt: skip
    waiting = album.queue.call("unplaced", user=album.user)
    assert waiting == [[photo, 40.7, -74.0]]
    album.say("place", asset=photo, latitude=None, longitude=None)
    assert values(folder.photo(photo), "latitude", "longitude") == [None, None]
    for _ in range(3):
        album.undo()
    assert values(folder.photo(photo), "place_name", "latitude", "city", "placed_for", "original") == [
        None, 1.0, "Rome", [1.0, 2.0], None,
    ]  # fmt: skip


def test_corrections_undone_out_of_order_leave_what_the_others_say(folder: Folder) -> None:
    album, photo = folder.album, folder.see("a.jpg", "1")["asset_id"]
    first = album.say("date", asset=photo, taken_local=OTHER)
    second = album.say("date", asset=photo, taken_local="2001-01-01T00:00:00")
    album.undo(first["id"])
    assert values(folder.photo(photo), "taken_local") == ["2001-01-01T00:00:00"]
    album.undo(second["id"])
    assert values(folder.photo(photo), "taken_local") == [TAKEN]


def test_a_hidden_photo_counts_nowhere(folder: Folder) -> None:
    album = folder.album
    photos = album.photos([1], [1], [1])
    album.group()
    (person,) = album.people()
    album.say("hide_photo", asset=photos[0])
    (less,) = album.people()
    assert (person["photos"], less["photos"]) == (3, 2)
    shown = album.queue.call("person", as_user=album.user, id=person["id"])
    assert str(photos[0]) not in {one["asset_id"] for one in shown["faces"]}
    album.say("show_photo", asset=photos[0])
    assert album.people() == [person]
    album.undo()
    assert album.people() == [less]


def test_a_moved_photo_keeps_what_was_said(folder: Folder) -> None:
    album, photo = folder.album, folder.see("a.jpg", "1")["asset_id"]
    album.say("date", asset=photo, taken_local=OTHER)
    album.say("hide_photo", asset=photo)
    assert folder.see("b.jpg", "1") == {"path": "b.jpg", "outcome": "linked", "asset_id": photo}
    assert values(folder.photo(photo), "taken_local", "hidden") == [OTHER, True]


def test_a_photo_that_is_read_in_again_has_what_was_said_of_its_content(folder: Folder) -> None:
    album, photo = folder.album, folder.see("a.jpg", "1")["asset_id"]
    album.truth[UUID(photo)] = (1,)
    album.detect(UUID(photo))
    album.say("date", asset=photo, taken_local=OTHER)
    album.say("hide_photo", asset=photo)
    album.say("name", face=album.face(UUID(photo)), name="Anna")
    album.queue.run("delete from assets where id = %s", photo)
    again = UUID(folder.see("a.jpg", "1")["asset_id"])
    assert str(again) != photo
    assert values(folder.photo(again), "taken_local", "hidden") == [OTHER, True]
    album.truth[again] = (1,)
    album.detect(again, jitter=0.01)
    assert album.person(again) == album.names()["Anna"]
    album.undo()
    album.undo()
    assert values(folder.photo(again), "taken_local", "hidden") == [OTHER, False]


def test_a_forgotten_photo_is_gone_and_stays_away_until_that_is_undone(folder: Folder) -> None:
    album, photo = folder.album, folder.see("a.jpg", "1")["asset_id"]
    album.truth[UUID(photo)] = (1,)
    album.detect(UUID(photo))
    album.queue.ask(album.user, UUID(photo), "ocr")
    album.say("forget", asset=photo)
    assert album.queue.rows("select id from assets where user_id = %s", album.user) == []
    assert album.faces() == []
    jobs = album.queue.rows("select status from ai_processing_jobs where user_id = %s", album.user)
    assert [one for one in jobs if one["status"] == "pending"] == []
    assert folder.known("a.jpg")["forgotten"]
    for path in ("a.jpg", "copy.jpg"):
        assert folder.see(path, "1") == {"path": path, "outcome": "forgotten", "asset_id": None}
    assert folder.see("other.jpg", "2")["outcome"] == "new"
    album.undo()
    assert not folder.known("a.jpg")["forgotten"]
    assert folder.see("a.jpg", "1")["outcome"] == "new"
    assert folder.see("copy.jpg", "1")["outcome"] == "linked"


def test_the_photo_of_a_file_that_now_holds_forgotten_content_is_missing(folder: Folder) -> None:
    album, gone = folder.album, folder.see("a.jpg", "1")["asset_id"]
    stays = folder.see("b.jpg", "2")["asset_id"]
    album.say("forget", asset=gone)
    assert folder.see("b.jpg", "1")["outcome"] == "forgotten"
    assert folder.photo(stays)["missing_since"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("date", {}),
        ("date", {"taken_local": "infinity"}),
        ("date", {"taken_local": OTHER, "offset_min": 900}),
        ("place", {}),
        ("place", {"latitude": 1}),
        ("place", {"latitude": 91, "longitude": 0}),
        ("place", {"latitude": 1, "longitude": 181}),
    ],
)
def test_what_can_not_be_is_refused_in_a_sentence(folder: Folder, kind: str, said: dict[str, Any]) -> None:
    photo = folder.see("a.jpg", "1")["asset_id"]
    before = folder.photo(photo)
    with pytest.raises(psycopg.Error) as caught:
        folder.album.say(kind, asset=photo, **said)
    assert caught.value.sqlstate == "KZ001"
    assert folder.photo(photo) == before
