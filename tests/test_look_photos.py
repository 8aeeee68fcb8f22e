"""`kizu look` on real photos with the plugins of this repository, and on pictures that are out of order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_support.command import Kizu

OCR, EMBEDDER = "kizu_plugin_rapidocr", "kizu_plugin_histogram"


@pytest.fixture
def look(tmp_path: Path) -> Iterator[Kizu]:
    yield Kizu(tmp_path / "home", {"KIZU_LOAD_PLUGINS": "rapidocr,histogram"})
    assert not (tmp_path / "home" / "database").exists()


def test_a_photo_with_words_on_it(look: Kizu, shared: Path) -> None:
    pytest.importorskip(OCR)
    pytest.importorskip(EMBEDDER)
    files = json.loads((shared / "photos" / "manifest.json").read_text())["files"]
    file = next(one for one in files if one.get("text"))
    shown = look("look", shared / "photos" / file["file"], "--json")
    assert shown.code == 0, shown.err
    document = json.loads(shown.out)
    assert [one["operation"] for one in document["operations"]] == ["embedding", "ocr"]
    embedding, ocr = document["operations"]
    assert embedding["results"][0]["norm"] == pytest.approx(1.0, abs=1e-5)
    assert ocr["results"]
    assert min(ocr["load_seconds"], ocr["seconds"]) > 0
    assert {gap["operation"] for gap in document["missing"]} == {"faces", "objects", "describe"}


@pytest.mark.parametrize(
    "name",
    ["own__bomb.gif", "own__trunc_5.jpg", "own__html_error_page.jpg", "heif__heif_corrupted__corrupted.heic"],
)
def test_pictures_out_of_order(name: str, look: Kizu, shared: Path) -> None:
    pytest.importorskip(EMBEDDER)
    facts = json.loads((shared / "images-odd" / "manifest.json").read_text())[name]
    shown = look("look", shared / "images-odd" / name, "--operations", "embedding")
    assert shown.code == (0 if facts["want"] == "ok" else 1)
    assert shown.err.startswith(f"kizu: {name}: ") == (facts["want"] == "error")
    assert "Traceback" not in shown.err
