"""Counts, rates and how durations are said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizu_core.cli.progress import WINDOW_S, Progress, duration, plural


def test_running_photos_are_still_waiting_to_the_user() -> None:
    progress = Progress()
    progress.update({"ocr": {"waiting": 5, "running": 2, "retrying": 1, "done": 10, "failed": 2}}, now=0)
    (stage,) = progress.stages
    assert (stage.title, stage.waiting, stage.retrying, stage.left, stage.total) == ("text", 7, 1, 8, 20)


def test_rate_and_time_left_follow_the_last_minute() -> None:
    progress = Progress()
    for second in range(0, 600, 10):
        done = second if second < 300 else 300 + (second - 300) * 2
        progress.update({"ocr": {"waiting": 1000 - done, "done": done}}, now=second)
    (stage,) = progress.stages
    assert stage.per_second == pytest.approx(2.0)
    assert stage.seconds_left == pytest.approx(stage.left / 2.0)


def test_the_time_in_line_does_not_count_into_the_rate() -> None:
    progress = Progress()
    for second in range(0, 100, 10):
        progress.update({"ocr": {"waiting": 100, "done": 5 if second < 60 else 5 + second - 60}}, now=second)
    (stage,) = progress.stages
    assert stage.per_second == pytest.approx(1.0)


def test_before_the_second_look_nothing_is_promised() -> None:
    progress = Progress()
    progress.update({"ocr": {"waiting": 10}}, now=WINDOW_S)
    (stage,) = progress.stages
    assert (stage.per_second, stage.seconds_left) == (0.0, None)


def test_stages_without_photos_are_not_shown_and_the_order_is_fixed() -> None:
    progress = Progress()
    progress.update({"selftest": {"done": 1}, "ocr": {"waiting": 1}, "optimize": {"done": 1}, "faces": {}}, now=0)
    assert [stage.operation for stage in progress.stages] == ["optimize", "ocr", "selftest"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "under a second"), (1, "1 s"), (75, "1 min 15 s"), (3600, "1 h"), (3725, "1 h 2 min"), (90000, "25 h")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.floats(min_value=0, max_value=1e7))
def test_any_duration_has_one_or_two_units(seconds: float) -> None:
    assert 1 <= len(duration(seconds).replace("under a second", "1 s").split(" ")) // 2 <= 2


def test_plural() -> None:
    assert (plural(1, "photo"), plural(0, "photo"), plural(20000, "photo")) == ("1 photo", "0 photos", "20,000 photos")
