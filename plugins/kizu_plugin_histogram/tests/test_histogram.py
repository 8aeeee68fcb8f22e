"""The tutorial's plugin: vectors of colours, and the size that lets it be a tutorial."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import kizu_plugin_histogram
from kizu_core import Embedder, ModelType, Picture

support = pytest.importorskip("kizu_support.models", reason="the repository's test support is not here")


@pytest.fixture
def model(tmp_path: Path) -> Iterator[Embedder]:
    with support.loaded(ModelType.EMBEDDER, "histogram", tmp_path) as loaded:
        yield loaded


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (20, 30)) -> Picture:
    picture: Picture = support.picture_of(np.full((*size, 3), colour, np.uint8))
    return picture


def test_vectors_have_the_declared_shape_and_unit_length(model: Embedder) -> None:
    vectors = model.embed_images([plain((255, 0, 0)), support.sign("text"), plain((0, 0, 0), (1, 1))])
    assert vectors.shape == (3, 64)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert model.embed_images([]).shape == (0, 64)


def test_like_colours_are_near_and_others_are_not(model: Embedder) -> None:
    red, rose, blue = model.embed_images([plain((250, 10, 10)), plain((240, 20, 5), (7, 9)), plain((10, 10, 250))])
    assert red @ rose == pytest.approx(1)
    assert red @ blue == pytest.approx(0)


def test_it_has_no_text_side(model: Embedder) -> None:
    with pytest.raises(NotImplementedError):
        model.embed_texts(["red"])


def test_it_stays_a_tutorial() -> None:
    modules = Path(kizu_plugin_histogram.__file__).parent.glob("*.py")
    assert sum(len(path.read_text().splitlines()) for path in modules) < 60
