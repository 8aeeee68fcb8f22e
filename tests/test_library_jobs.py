"""`kizu run` over photos with faces: at its end there are people, places and moments, and a second run adds nothing."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kizu_support.command import Kizu
from kizu_support.weights.faces import face_picture, fake_face_pack

PHOTOS = 6
HALEAKALA = {1: "N", 2: (20.0, 42.0, 35.0), 3: "W", 4: (156.0, 15.0, 12.0)}
"""GPS tags of EXIF."""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """An outing: the same two people on all of them, on one afternoon, on a mountain of Hawaii."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(PHOTOS):
        faces = face_picture([(100 + 5 * number, 100, 130), (380, 120 + number, 110)])
        image = Image.fromarray(np.array(faces.pixels))
        exif = image.getexif()
        exif.get_ifd(0x8769)[0x9003] = f"2024:07:13 15:{number:02}:00"
        exif[0x8825] = HALEAKALA
        image.save(folder / f"{number}.jpg", exif=exif, quality=95)
    return folder


@pytest.fixture
def family(kizu: Kizu) -> Kizu:
    """The command with the plugins that find faces and moments."""
    pytest.importorskip("insightface", reason="insightface is not installed")
    pytest.importorskip("kizu_plugin_moments", reason="the plugin of moments is not installed")
    kizu.variables |= {"KIZU_LOAD_PLUGINS": "core,insightface,moments", "FACE_MODEL_NAME": str(fake_face_pack())}
    return kizu


def states(kizu: Kizu) -> dict[str, list[str]]:
    """States of the jobs about the whole library, by type."""
    return {
        operation: [one["state"] for one in kizu.json("jobs", "list", "--operation", operation)["jobs"]]
        for operation in ("recluster", "generate_moments")
    }


ONCE = {"recluster": ["done"], "generate_moments": ["done"]}


@pytest.mark.timeout(600)
def test_a_run_ends_with_people_places_and_moments(family: Kizu, photos: Path) -> None:
    run = family("run", photos, "--json")
    assert run.code == 0, run.err
    assert run.summary["people"] == 2
    assert run.summary["moments"] >= 1
    assert states(family) == ONCE
    seen = family.json("assets", "show", photos / "0.jpg")
    assert (seen["state"], seen["country"]) == ("Hawaii", "United States")
    assert "13 July 2024" in family("moments", "list").out
    assert "grouping faces into people" in family("jobs", "list", "--operation", "recluster").out
    again = family("run", photos)
    assert again.code == 0, again.err
    assert "2 people: kizu people list" in again.out
    assert states(family) == ONCE


@pytest.mark.timeout(600)
def test_a_run_that_is_stopped_asks_for_nothing_more(family: Kizu, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    process = family.start("run", photos, "--json", out=out)
    while not any('"job_done"' in line for line in out.read_text().splitlines()):
        assert process.poll() is None, out.read_text()
    process.send_signal(signal.SIGINT)
    assert process.wait(120) in {0, 130}
    assert family("run", photos).code == 0
    assert states(family) == ONCE
