"""The real photos through the whole system: every fact of the manifest equals the stored row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kizu_core.api import open_library
from kizu_core.settings import load_settings
from kizu_support.command import Kizu


@pytest.fixture(scope="module")
def rows(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """File name -> stored row, after `kizu run ../shared/photos`."""
    kizu = Kizu(tmp_path_factory.mktemp("photos") / "home", {"KIZU_LOAD_PLUGINS": "core"})
    result = kizu("run", shared / "photos", "--json", timeout=600)
    assert result.code == 0, result.out[-2000:] + result.err
    assert result.summary["report"]["found"] == {"image": 110, "video": 4}
    with open_library(load_settings({"home": kizu.home}, environ={})) as library:
        ids = [asset["id"] for asset in library.assets.page(limit=1000)["assets"]]
        found = [library.assets.show(asset) or {} for asset in ids]
    return {row["file_name"]: row for row in found}


@pytest.fixture(scope="module")
def manifest(shared: Path) -> dict[str, dict[str, Any]]:
    files = json.loads((shared / "photos" / "manifest.json").read_text())["files"]
    return {file["file"]: file for file in files}


def test_every_file_is_there(rows: dict[str, Any], manifest: dict[str, Any]) -> None:
    assert rows.keys() == manifest.keys()
    kinds = [row["media_kind"] for row in rows.values()]
    assert (kinds.count("image"), kinds.count("video")) == (110, 4)


def test_bytes_and_types(rows: dict[str, Any], manifest: dict[str, Any]) -> None:
    stored = {name: (row["sha256"], row["bytes"]) for name, row in rows.items()}
    assert stored == {name: (file["sha256"], file["bytes"]) for name, file in manifest.items()}
    assert {n: r["mime"] for n, r in rows.items()} == {n: f["mime"] for n, f in manifest.items()}


def test_shown_size_and_orientation(rows: dict[str, Any], manifest: dict[str, Any]) -> None:
    keys = ("width", "height", "orientation")
    images = {name: file for name, file in manifest.items() if file["kind"] == "image"}
    assert {n: tuple(rows[n][k] for k in keys) for n in images} == {
        n: tuple(f[k] for k in keys) for n, f in images.items()
    }


def test_capture_time_its_source_and_offset(rows: dict[str, Any], manifest: dict[str, Any]) -> None:
    def stored(row: dict[str, Any]) -> tuple[str, str] | None:
        # The manifest leaves out fractions of a second.
        return (row["taken_local"][:19], row["taken_source"]) if row["taken_local"] else None

    def true(file: dict[str, Any]) -> tuple[str, str] | None:
        return (file["taken_at"]["value"], file["taken_at"]["tag"]) if file["taken_at"] else None

    images = {name: file for name, file in manifest.items() if file["kind"] == "image"}
    assert {name: stored(rows[name]) for name in images} == {name: true(file) for name, file in images.items()}
    for name, file in images.items():
        if file["taken_at"] and file["taken_at"]["offset"]:
            hours, minutes = file["taken_at"]["offset"][1:].split(":")
            sign = -1 if file["taken_at"]["offset"].startswith("-") else 1
            assert rows[name]["taken_offset_min"] == sign * (int(hours) * 60 + int(minutes)), name


def test_places(rows: dict[str, Any], manifest: dict[str, Any]) -> None:
    for name, file in manifest.items():
        if file["kind"] != "image":
            continue
        position = (rows[name]["latitude"], rows[name]["longitude"])
        if file["gps"] is None:
            assert position == (None, None), name
        else:
            assert position == pytest.approx((file["gps"]["lat"], file["gps"]["lon"]), abs=1e-5), name


def test_thumbnails_of_all_pictures_and_none_of_videos(rows: dict[str, Any]) -> None:
    for name, row in rows.items():
        assert (row["thumbnail"] is not None) == (row["media_kind"] == "image"), name
