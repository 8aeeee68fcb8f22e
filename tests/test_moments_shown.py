"""Moments from photos to commands: a run, a plugin that finds some and one that fails, and what is blocked."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from kizu_support.command import Kizu
from kizu_support.fake_distribution import fake_distribution

PLUGIN = """
from kizu_core import MomentStrategySpec, hookimpl

@hookimpl
def kizu_moment_strategies():
    return [
        MomentStrategySpec(name="days", summary="photos of one day", grouping_type="day", factory="days.found:build",
                           setting_key="moments_days"),
        MomentStrategySpec(name="broken", summary="fails", grouping_type="none", factory="days.found:fail",
                           setting_key="moments_broken"),
    ]
"""

FOUND = """
from kizu_core import MomentCandidate

class Days:
    def propose(self, photos, *, now):
        days = {}
        for photo in photos:
            days.setdefault(photo.taken.date(), []).append(photo)
        return [
            MomentCandidate(title=f"The\\n {day}", key=str(day), criteria={"shots": len(of)}, score=len(of) / 10,
                            asset_ids=tuple(one.asset_id for one in sorted(of, key=lambda one: one.taken)))
            for day, of in sorted(days.items())
        ]

def build(settings):
    return Days()

def fail(settings):
    raise RuntimeError("no luck")
"""


@pytest.fixture
def kizu(kizu: Kizu, tmp_path: Path) -> Kizu:
    """With a plugin that makes a moment of each day, and one that fails."""
    site = tmp_path / "site"
    site.mkdir()
    fake_distribution(
        site, "days", modules={"days.plugin": PLUGIN, "days.found": FOUND}, entry_points={"days": "days.plugin"}
    )
    kizu.variables |= {"PYTHONPATH": str(site), "KIZU_LOAD_PLUGINS": "core,days", "COLUMNS": "200", "TZ": "Asia/Tokyo"}
    return kizu


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five photos of one day and three of another, the colours of the former alike."""
    folder = tmp_path / "photos"
    folder.mkdir()
    start = datetime(2024, 7, 13, 19, 30)  # noqa: DTZ001 - by the clock of the place
    for number in range(8):
        taken = start + timedelta(days=number // 5, minutes=7 * number)
        picture = Image.new("RGB", (640, 480), (30 * number, 90, 200))
        ImageDraw.Draw(picture).rectangle((0, 0, 50 + 5 * number, 99), fill="gray")
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = f"{taken:%Y:%m:%d %H:%M:%S}"
        picture.save(folder / f"{number}.jpg", exif=exif)
    return folder


def test_a_run_makes_the_moments_of_the_day(kizu: Kizu, photos: Path) -> None:
    """At its end they are due; looked for again, none comes twice, and who is broken is named."""
    assert kizu("run", photos).code == 0
    found = kizu.json("moments", "today")["moments"]
    assert [(one["title"], one["photos"]) for one in found] == [("The 2024-07-13", 5), ("The 2024-07-14", 3)]
    kizu("moments", "block", "--from", "2024-07-14", "--to", "2024-07-14")
    again = kizu("moments", "generate")
    assert again.code == 3, again.err
    assert "broken of the plugin days is broken: It failed with RuntimeError: no luck" in again.out
    assert [one["id"] for one in kizu.json("moments", "today")["moments"]] == [found[0]["id"]]
    shown = kizu("moments", "show", found[0]["id"][:8]).out
    assert "Found: shots 5" in shown
    assert f"2024-07-13 19:30  {photos}/0.jpg" in shown
