"""The try on a few pictures: honest times, an end in time, and nothing kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from kizu_core.models.offers import photo_offers
from kizu_core.models.selection import load_catalog
from kizu_core.worker.probe import Probe, Probed, Sample, Timings
from kizu_support.embedded import settings_for
from kizu_support.fake_distribution import fake_distribution, installed

OCR = """
import os, time
from kizu_core import OcrSpec, TextSpan, hookimpl

class Reader:
    def read_text(self, pictures):
        width = pictures[0].width_px
        if width == 66:
            os._exit(7)
        if width == 77:
            raise RuntimeError("no")
        time.sleep(60 if width == 88 else 0.2)
        return [[] for _ in pictures]

    def close(self):
        pass

def build(context):
    time.sleep(1)
    return Reader()

@hookimpl
def kizu_ocr_models():
    spec = {"name": "tried", "summary": "reads", "factory": "tried_ocr:build", "output_version": "1"}
    return [OcrSpec(**spec, languages=("en",))]
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site"
    fake_distribution(folder, "tried-ocr", modules={"tried_ocr": OCR}, entry_points={"tried": "tried_ocr"})
    monkeypatch.setenv("PYTHONPATH", str(folder))
    with installed(folder):
        yield folder


def tried(site: Path, *widths: int, limit_s: float = 60) -> Probed:
    """What comes of trying pictures of these widths."""
    settings = settings_for(site.parent / "home", load_plugins=("core", "tried"))
    catalog = load_catalog(settings)
    samples = []
    for number, width in enumerate(widths):
        path = site.parent / f"{number}.png"
        Image.new("RGB", (width, 50)).save(path)
        columns = {"mime": "image/png", "width": width, "height": 50}
        samples.append(Sample(path=path, columns=columns, web=False))
    steps: list[tuple[int, int]] = []
    probe = Probe(settings, catalog, photo_offers(catalog, settings), limit_s=limit_s)
    found = probe.run(samples, lambda done, total: steps.append((done, total)))
    assert steps == sorted(steps)
    assert not (site.parent / "home").exists(), "nothing is kept"
    return found


def test_each_operation_is_timed_without_the_loading_of_models(site: Path) -> None:
    found = tried(site, 10, 20, 30)
    assert set(found.seconds) == {"ocr", "optimize"}
    assert found.seconds["ocr"] >= 0.2
    assert found.seconds["optimize"] > 0
    assert sorted(map(list, found.lanes)) == [["ocr"], ["optimize"]]


def test_pictures_that_fail_or_kill_the_process_do_not_end_it(site: Path) -> None:
    found = tried(site, 66, 77, 10, 20)
    assert found.seconds["ocr"] >= 0.2


def test_it_ends_in_time(site: Path) -> None:
    began = time.monotonic()
    found = tried(site, 88, 10, limit_s=6)
    assert time.monotonic() - began < 40
    assert "ocr" not in found.seconds
    assert "optimize" in found.seconds


def test_the_first_picture_waits_for_models_and_is_left_out() -> None:
    timings = Timings(whole=[30.0, 3.0, 3.0])
    timings.operations["embedding"] = [1.0, 0.5, 0.5]
    timings.operations["faces"] = [2.0, 1.5, 1.5]
    assert timings.per_photo() == {"embedding": 1.0, "faces": 2.0}
    assert Timings().per_photo() == {}
