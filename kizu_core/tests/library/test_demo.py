"""The drawn library: the same each time, with the facts that it is meant to show."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import ImageStat

from kizu_core.library.demo import SCENES, draw_demo
from kizu_core.library.demo.canvas import HEIGHT, WIDTH
from kizu_core.media.decode import decode
from kizu_core.media.facts import read_facts
from kizu_support.library import Library, tree_hash


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    draw_demo(folder)
    return folder


def test_every_scene_has_its_facts(drawn: Path) -> None:
    for scene in SCENES:
        facts = read_facts(drawn / scene.path)
        assert facts.taken is not None, scene.path
        assert (facts.taken.local, facts.taken.utc) == (scene.taken.replace(tzinfo=None), scene.taken), scene.path
        found = facts.position and (facts.position.latitude, facts.position.longitude)
        assert found == (pytest.approx(scene.place, abs=1e-4) if scene.place else None), scene.path
        assert {facts.width_px, facts.height_px} == {WIDTH, HEIGHT}, scene.path
        assert facts.orientation == (6 if scene.turned else 1), scene.path


def test_drawing_again_changes_nothing(drawn: Path) -> None:
    before = tree_hash(drawn)
    assert draw_demo(drawn) == [drawn / scene.path for scene in SCENES]
    assert tree_hash(drawn) == before


def test_a_scene_is_drawn_the_same_each_time(drawn: Path) -> None:
    again = drawn / SCENES[0].path
    before = again.read_bytes()
    again.unlink()
    draw_demo(drawn)
    assert again.read_bytes() == before


def test_no_scene_is_blank(drawn: Path) -> None:
    for scene in SCENES:
        assert max(ImageStat.Stat(decode(drawn / scene.path).image).stddev) > 20, scene.path


def test_the_demo_is_imported_without_complaint(library: Library, drawn: Path) -> None:
    report = library.scan(drawn)
    assert (report.new, report.unreadable, report.problems) == (len(SCENES), [], [])
