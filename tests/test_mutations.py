"""Damaged pictures through the worker, in the small form of `python -m kizu_support.mutate`."""

from __future__ import annotations

from pathlib import Path

from kizu_support.mutate import pictures_in, run
from kizu_support.mutations import mutate


def test_damaged_pictures_end_with_a_cause_within_the_limits(shared: Path, tmp_path: Path) -> None:
    small = [path for path in pictures_in(shared / "photos") if path.stat().st_size < 300_000]
    report = run(small, tmp_path, count=40, seed=7)
    assert report.faults() == []
    assert len(report.jobs) >= 3, "some were done, some failed, for more than one reason"


def test_the_same_seed_damages_in_the_same_way(tmp_path: Path) -> None:
    original = tmp_path / "a.jpg"
    original.write_bytes(bytes(range(256)) * 40)
    contents = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        contents.append([path.read_bytes() for path in mutate([original], tmp_path / name, 30, seed=5)])
    assert contents[0] == contents[1]
    assert sum(data != original.read_bytes() for data in contents[0]) > 20
