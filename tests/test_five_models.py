"""The five models of the specification in one run: what each leaves behind, and whose it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from kizu_core.types import OPERATION_MODELS
from kizu_support.command import Kizu
from kizu_support.weights.everything import five_models
from kizu_support.weights.faces import face_picture

PLACES = {"embeddings", "faces", "objects", "texts", "descriptions"}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A photo with a face and a word in it, and one that is no photo at all."""
    folder = tmp_path / "photos"
    folder.mkdir()
    image = Image.fromarray(np.array(face_picture([(150, 140, 130)]).pixels))
    ImageDraw.Draw(image).text((330, 330), "WELCOME", fill=(10, 10, 10), font_size=64)
    image.save(folder / "face.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    return folder


@pytest.mark.timeout(900)
def test_each_model_leaves_rows_of_its_user_with_model_version_and_runtime(kizu: Kizu, photos: Path) -> None:
    kizu.variables |= five_models()
    run = kizu("run", photos, "--json")
    assert run.code == 3, run.err  # one file could not be read
    found = json.loads(kizu("assets", "show", photos / "face.png", "--json").out)
    for place in PLACES:
        assert found[place], f"no {place}"
        assert all(row["model"] and row["runtime"] for row in found[place])
    ledger = {row["operation"]: row for row in found["operations"]}
    assert set(OPERATION_MODELS) <= set(ledger)
    assert all(ledger[name]["runtime"] and ledger[name]["error"] is None for name in OPERATION_MODELS)
    box = found["faces"][0]["bbox"]
    assert 0 <= box["left"] < box["right"] <= 1
    # Done once, it is not done again: each model's version is the same as before.
    again = kizu("run", photos, "--json").summary
    assert sum(tally["done"] for tally in again["worked"]["operations"].values()) == 0
    other = kizu("search", "WELCOME", "--user", "Anna", "--json")
    assert json.loads(other.out)["hits"] == []
