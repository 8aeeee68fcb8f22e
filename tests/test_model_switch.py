"""Another model for search: the old one answers until every photo is known to the new one, and again on request."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from kizu_support.command import Kizu
from kizu_support.retrieval import save_shape_photos
from kizu_support.weights import tiny_clip

pytest.importorskip("open_clip", reason="the CLIP plugin's library is not installed")
pytest.importorskip("kizu_plugin_clip", reason="the CLIP plugin is not installed")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_shape_photos(tmp_path_factory.mktemp("shapes"), 1)


@pytest.fixture(scope="module")
def other_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same numbers under another name: another space, as far as anybody can tell."""
    folder = tmp_path_factory.mktemp("models") / "other-clip"
    shutil.copytree(tiny_clip(), folder)
    return folder


@pytest.fixture
def library(kizu: Kizu, photos: Path) -> Kizu:
    kizu.variables |= {"KIZU_LOAD_PLUGINS": "core,clip", "CLIP_MODEL": str(tiny_clip()), "COLUMNS": "200"}
    run = kizu("run", photos, "--operations", "embedding")
    assert run.code == 0, run.err
    return kizu


def found(kizu: Kizu) -> list[tuple[str, str]]:
    """What is found by what it shows, and why."""
    page = kizu.json("search", "a", "red", "circle", "--limit", "3")
    assert page["without"] is None
    assert page["hits"], "a search must never be empty for want of vectors"
    return [(Path(hit["path"]).name, str(hit["reasons"])) for hit in page["hits"]]


def test_a_changed_setting_changes_nothing_by_itself(library: Kizu, photos: Path, other_clip: Path) -> None:
    before = found(library)
    library.variables["CLIP_MODEL"] = str(other_clip)
    assert found(library) == before
    run = library("run", photos, "--operations", "embedding")
    assert "kizu models switch embedder clip" in run.out
    assert found(library) == before


def test_the_new_model_answers_once_it_knows_all_photos(library: Kizu, photos: Path, other_clip: Path) -> None:
    before = found(library)
    library.variables["CLIP_MODEL"] = str(other_clip)
    plan: dict[str, Any] = library.json("models", "switch", "embedder", "clip", "--dry-run", "--json")
    assert (plan["photos"], plan["left"]) == (40, 40)
    assert plan["disk_bytes"] > 40 * 2 * 64

    begun = library.json("models", "switch", "embedder", "clip", "--later", "--json")
    assert begun["switched"] is False
    assert library("worker", "--once").code == 0  # a share of it
    assert found(library) == before

    done = library.json("models", "switch", "embedder", "clip", "--json")
    assert (done["switched"], done["left"]) == (True, 0)
    assert [name for name, _ in found(library)] == [name for name, _ in before]

    library.variables["CLIP_MODEL"] = str(tiny_clip())  # what answers is not a matter of today's settings
    assert [name for name, _ in found(library)] == [name for name, _ in before]

    back = library("models", "switch", "embedder", "--rollback")
    assert (back.code, "answers again" in back.out) == (0, True)
    assert found(library) == before

    pruned = library.json("models", "switch", "embedder", "--prune", "--json")
    assert pruned == {"photos": 40}
    again = library("models", "switch", "embedder", "--rollback")
    assert again.code == 1
    assert "no previous model" in again.err
