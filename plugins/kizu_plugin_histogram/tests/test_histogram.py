"""The tutorial's plugin: vectors of colours, and the size that lets it be a tutorial."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import kizu_plugin_histogram
from kizu_core import Embedder, ModelType, Picture
from kizu_core.testing import picture_of

support = pytest.importorskip("kizu_support.models", reason="the repository's test support is not here")


@pytest.fixture
def model(tmp_path: Path) -> Iterator[Embedder]:
    with support.loaded(ModelType.EMBEDDER, "histogram", tmp_path) as loaded:
        yield loaded


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (20, 30)) -> Picture:
    return picture_of(np.full((*size, 3), colour, np.uint8))


def test_like_colours_are_near_and_others_are_not(model: Embedder) -> None:
    red, rose, blue = model.embed_images([plain((250, 10, 10)), plain((240, 20, 5), (7, 9)), plain((10, 10, 250))])
    assert red @ rose == pytest.approx(1)
    assert red @ blue == pytest.approx(0)


def test_it_stays_a_tutorial() -> None:
    modules = Path(kizu_plugin_histogram.__file__).parent.glob("*.py")
    assert sum(len(path.read_text().splitlines()) for path in modules) < 60
