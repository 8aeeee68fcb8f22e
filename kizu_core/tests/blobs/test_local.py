"""Blobs in a folder: whole or not there, and nothing outside the folder, whatever the key says."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizu_core.blobs.local import LocalBlobs, parse_key
from kizu_core.errors import DiskFull, StorageError

USER, ASSET = "0b8f6f0e-6a3c-4d55-9b0a-2f1d2c3b4a59", "7f2a1c55-3a0b-4f57-8c4c-0d9e8f7a6b51"
KEY = f"{USER}/processed/{ASSET}/thumb-0123456789ab.jpg"


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "blobs")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "thumb.jpg"
    path.write_bytes(b"picture" * 1000)
    return path


def test_put_and_find(blobs: LocalBlobs, picture: Path) -> None:
    blobs.put(KEY, picture)
    assert blobs.path(KEY).read_bytes() == picture.read_bytes()
    assert blobs.url(KEY) == KEY
    assert picture.exists()
    assert [path.name for path in blobs.root.rglob("*") if path.is_file()] == ["thumb-0123456789ab.jpg"]


def test_only_the_owner_may_look(blobs: LocalBlobs, picture: Path) -> None:
    blobs.put(KEY, picture)
    assert {path.stat().st_mode & 0o077 for path in [blobs.root, *blobs.root.rglob("*")]} == {0}


def test_putting_again_replaces(blobs: LocalBlobs, picture: Path) -> None:
    blobs.put(KEY, picture)
    picture.write_bytes(b"new")
    blobs.put(KEY, picture)
    assert blobs.path(KEY).read_bytes() == b"new"


@pytest.mark.parametrize("moment", ["os.fsync", "os.replace"])
def test_a_failure_at_any_moment_leaves_the_old_blob_whole(
    blobs: LocalBlobs, picture: Path, mocker: Any, moment: str
) -> None:
    blobs.put(KEY, picture)
    old = picture.read_bytes()
    picture.write_bytes(b"new")
    mocker.patch(moment, side_effect=OSError(28, "No space left on device"))
    with pytest.raises(DiskFull):
        blobs.put(KEY, picture)
    assert blobs.path(KEY).read_bytes() == old
    assert len([path for path in blobs.root.rglob("*") if path.is_file()]) == 1


def test_a_missing_blob_is_said(blobs: LocalBlobs) -> None:
    blobs.root.mkdir()
    with pytest.raises(StorageError, match="not there"):
        blobs.path(KEY)


BAD_KEYS = [
    "",
    "/etc/passwd",
    f"../{KEY}",
    f"{USER}/processed/{ASSET}/../../x.jpg",
    f"{USER}/processed/{ASSET}/..",
    f"{USER}/processed/{ASSET}/.hidden",
    f"{USER}/processed/{ASSET}/a/b.jpg",
    f"{USER}/processed/{ASSET}/a\x00.jpg",
    f"{USER}/processed/{ASSET}/a.jpg\n",
    f"{USER}/processed/{ASSET}/..%2fx.jpg",
    f"{USER}/processed/{ASSET}/..\\x.jpg",
    f"{USER}/processed/{ASSET}/{'a' * 5000}",
    f"{USER}/other/{ASSET}/a.jpg",
    f"{USER.upper()}/processed/{ASSET}/a.jpg",
    f"user/processed/{ASSET}/a.jpg",
]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_other_keys_are_refused(blobs: LocalBlobs, picture: Path, key: str) -> None:
    for use in (lambda: blobs.put(key, picture), lambda: blobs.path(key), lambda: blobs.url(key)):
        with pytest.raises(StorageError, match="no key"):
            use()
    assert not blobs.root.exists()


@given(st.text("/.%\\ab0-", max_size=60) | st.binary(max_size=60).map(lambda data: data.decode("latin-1")))
def test_no_name_climbs(name: str) -> None:
    try:
        parts = parse_key(f"{USER}/processed/{ASSET}/{name}")
    except StorageError:
        return
    assert parts == [USER, "processed", ASSET, name]
    assert os.path.normpath(name) == name


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_links_inside_the_folder_are_not_followed(blobs: LocalBlobs, picture: Path, tmp_path: Path, depth: int) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = blobs.root.joinpath(*KEY.split("/")[:depth])
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    with pytest.raises(StorageError, match="stands in the way"):
        blobs.put(KEY, picture)
    with pytest.raises(StorageError, match="stands in the way"):
        blobs.path(KEY)
    assert not list(outside.iterdir())


def test_a_blob_that_is_a_link_is_not_shown(blobs: LocalBlobs, picture: Path) -> None:
    blobs.put(KEY, picture)
    blobs.path(KEY).unlink()
    blobs.root.joinpath(KEY).symlink_to(picture)
    with pytest.raises(StorageError, match="not a plain file"):
        blobs.path(KEY)


@given(
    st.text("/.%\\ab0-\0", max_size=60)
    | st.lists(st.sampled_from([USER, ASSET, "processed", "..", ".", "", "a.jpg", "root-evil", "%2e%2e"])).map("/".join)
)
def test_no_key_leads_outside(key: str) -> None:
    with TemporaryDirectory() as folder:
        outside, picture = Path(folder), Path(folder, "picture")
        picture.write_bytes(b"x")
        blobs = LocalBlobs(outside / "root")
        try:
            blobs.put(key, picture)
        except StorageError:
            assert not blobs.root.exists()
        else:
            assert blobs.path(key).resolve().is_relative_to(blobs.root.resolve())
        assert {path.name for path in outside.iterdir()} <= {"root", "picture"}


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_plain_files_are_stored(blobs: LocalBlobs, picture: Path, tmp_path: Path, kind: str) -> None:
    odd = tmp_path / "odd"
    if kind == "link":
        odd.symlink_to(picture)
    elif kind == "pipe":
        os.mkfifo(odd)
    else:
        odd.mkdir()
    with pytest.raises(StorageError):
        blobs.put(KEY, odd)
    assert not [path for path in blobs.root.rglob("*") if path.is_file()]
