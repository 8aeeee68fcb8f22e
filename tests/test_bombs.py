"""Small files that ask for much, through the worker: each ends with a cause, none takes the memory or the time."""

from __future__ import annotations

from pathlib import Path

from kizu_support.bombs import make_bombs
from kizu_support.mutate import take

PEAK_MB = 1200


def test_bombs_do_not_go_off(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    report = take(make_bombs(folder), tmp_path / "home")
    assert report.faults() == []
    assert max(report.peak_mb.values()) < PEAK_MB
    assert report.restarts == 0
    causes = {end.split(maxsplit=1)[1] for end in report.jobs}
    assert causes == {"completed", "picture_too_large", "unreadable_picture"}
    assert report.jobs["optimize picture_too_large"] >= 10
