"""A library of the size that families have: the second scan reads what is new and nothing else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from kizu_core.api import open_library
from kizu_support.embedded import settings_for

MANY, MORE = 20_000, 200


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "photos"
    place.mkdir()
    return place


def write(folder: Path, numbers: range) -> None:
    """Small JPEGs, each with bytes of its own after its end, where cameras put their extras."""
    picture = io.BytesIO()
    Image.new("RGB", (16, 12), "teal").save(picture, "JPEG")
    for number in numbers:
        place = folder / f"{number // 1000:02}"
        place.mkdir(exist_ok=True)
        (place / f"IMG_{number:05}.jpg").write_bytes(picture.getvalue() + f"photo {number}".encode())


def test_only_the_new_files_of_a_large_folder_are_read(library_home: Path, folder: Path) -> None:
    write(folder, range(MANY))
    with open_library(settings_for(library_home)) as library:
        first = library.import_folder(folder)
        assert (first.read, first.new) == (MANY, MANY)
        assert library.enqueue()["optimize"] == MANY
        write(folder, range(MANY, MANY + MORE))
        second = library.import_folder(folder)
        assert (second.read, second.new, second.unchanged) == (MORE, MORE, MANY)
        assert library.enqueue()["optimize"] == MORE
        assert library.enqueue() == {}
