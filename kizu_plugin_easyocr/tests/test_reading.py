"""The order of words: lines and slants."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("kizu_plugin_easyocr.plugin", reason="the plugin is not installed")

from kizu_plugin_easyocr.reading import reading_order


def word(left: float, top: float, width: float = 80, height: float = 20) -> list[list[float]]:
    right, bottom = left + width, top + height
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


PAGE = [word(120, 12), word(10, 10), word(10, 40), word(200, 8), word(110, 43), word(10, 100, 300, 60)]
READ = [1, 0, 3, 2, 4, 5]


def test_lines_from_the_top_and_words_from_the_left() -> None:
    assert reading_order(PAGE) == READ
    assert reading_order([]) == []
    assert reading_order([word(0, 0, 0, 0)]) == [0]


@pytest.mark.parametrize("degrees", [-40, -15, 15, 40, 80, 180])
def test_along_the_slant_of_the_text(degrees: int) -> None:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert reading_order(np.array(PAGE) @ turn.T) == READ
