"""The whole way: photos of 40 kinds -> `kizu run` -> words find them, by a CLIP that a test can train."""

from __future__ import annotations

from pathlib import Path

import pytest

from kizu_core import open_library
from kizu_core.settings import load_settings
from kizu_support.command import Kizu
from kizu_support.retrieval import measure, save_shape_photos
from kizu_support.weights import tiny_clip

pytest.importorskip("open_clip", reason="the CLIP plugin's library is not installed")
pytest.importorskip("kizu_plugin_clip", reason="the CLIP plugin is not installed")

EACH = 3
"""Photos of a kind."""


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_shape_photos(tmp_path_factory.mktemp("shapes"), EACH)


@pytest.fixture
def searched(kizu: Kizu, photos: Path) -> Kizu:
    """The command on a library whose photos have their vectors."""
    kizu.variables |= {"KIZU_LOAD_PLUGINS": "core,clip", "CLIP_MODEL": str(tiny_clip()), "COLUMNS": "200"}
    run = kizu("run", photos, "--operations", "embedding")
    assert run.code == 0, run.err
    return kizu


def test_words_find_the_40_kinds(searched: Kizu) -> None:
    with open_library(load_settings(environ=dict(searched.environment()))) as library:
        found = measure(lambda query: library.search(query, limit=50), EACH)
    assert found.first >= 0.95, found
    assert found.at_k >= 0.9, found
    assert found.shown >= 0.8, f"what fits no better than most is not shown: {found}"
    assert found.found >= 0.9, found

    shown = searched("search", "a red circle", "--limit", "1")
    assert (shown.code, "red-circle-" in shown.out, "looks like: a red circle" in shown.out) == (0, True, True)
    page = searched.json("search", "the", "white", "star")
    assert Path(page["hits"][0]["path"]).name.startswith("white-star-")
    assert page["without"] is None
