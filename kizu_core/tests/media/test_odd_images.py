"""Every file of the odd set has the outcome that its manifest states, within the limits for all of them."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from kizu_core.errors import MediaError
from kizu_core.media.render import Rendered, render

from .conftest import corners_of

ODD = Path(__file__).resolve().parents[4] / "shared" / "images-odd"
MANIFEST: dict[str, dict[str, Any]] = (
    json.loads((ODD / "manifest.json").read_text()) if (ODD / "manifest.json").is_file() else {}
)
CPU_LIMIT_S = 10
MEMORY_LIMIT_MB = 1024


def memory_mb(field: str) -> float:
    """`VmRSS` (now) or `VmHWM` (peak) of this process; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(field)), 0.0)


def forget_peak() -> None:
    """Starts a new peak, where the system allows that."""
    if os.access("/proc/self/clear_refs", os.W_OK):
        Path("/proc/self/clear_refs").write_text("5")


def in_srgb(path: Path) -> Image.Image:
    """The picture as a screen shows it: with its profile applied."""
    with Image.open(path) as image:
        icc = image.info.get("icc_profile")
        if not icc:
            return image.convert("RGB")
        shown = ImageCms.profileToProfile(image, io.BytesIO(icc), ImageCms.createProfile("sRGB"))
        assert shown is not None
        return shown


def check_versions(done: Rendered, facts: dict[str, Any]) -> None:
    assert done.web is not None
    if "size" in facts:
        assert [done.width_px, done.height_px] == facts["size"]
        for side, wanted in zip((done.web.width_px, done.web.height_px), facts["web"], strict=True):
            assert abs(side - wanted) <= 1
    thumbnail, web = in_srgb(done.thumbnail.path), in_srgb(done.web.path)
    assert thumbnail.size == (300, 300)
    if facts.get("corners") or "corner" in facts["odd"]:
        assert corners_of(web) == ["red", "green", "blue", "yellow"]
    if "mean_luma" in facts:
        pixels = web.convert("L").tobytes()
        assert sum(pixels) / len(pixels) == pytest.approx(facts["mean_luma"], abs=3)


def rendered_or_refused(path: Path, workdir: Path) -> Rendered | MediaError:
    try:
        return render(path, workdir, web=True)
    except MediaError as error:
        return error


@pytest.mark.parametrize("name", MANIFEST)
def test_odd_picture(name: str, tmp_path: Path, engine: str) -> None:
    facts = MANIFEST[name]
    forget_peak()
    memory, started = memory_mb("VmRSS"), time.process_time()
    outcome = rendered_or_refused(ODD / name, tmp_path)
    if isinstance(outcome, Rendered):
        assert facts["want"] in ("ok", "either")
        check_versions(outcome, facts)
    else:
        assert facts["want"] in ("error", "either"), outcome.message
        assert outcome.message.endswith(".")
        assert name not in outcome.message  # equal causes are counted together
        assert not outcome.retryable
        assert not list(tmp_path.iterdir())
    assert time.process_time() - started < CPU_LIMIT_S
    assert memory_mb("VmHWM") - memory < MEMORY_LIMIT_MB


def test_the_set_is_there(shared: Path) -> None:
    assert len(MANIFEST) == 60
