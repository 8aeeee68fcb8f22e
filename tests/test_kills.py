"""`kill -9` of anything in the middle of a run: the same command completes it, nothing is doubled or half written."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from kizu_support.command import Kizu
from kizu_support.reader import noisy_photos, reader_plugin

PHOTOS = 24


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return noisy_photos(tmp_path / "photos", PHOTOS)


@pytest.fixture
def slow(kizu: Kizu, tmp_path: Path) -> Kizu:
    """A data folder whose runs take seconds, because of a plugin that reads text slowly."""
    kizu.variables |= reader_plugin(tmp_path / "site", "slow", 0.25) | {"KIZU_LEASE_SECONDS": "4"}
    return kizu


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def done_lines(out: Path) -> int:
    return out.read_text().count('"event": "job_done"') if out.exists() else 0


def assert_complete(kizu: Kizu) -> None:
    """Every photo has its one text, its one thumbnail, and every file that was written is whole."""
    rows = kizu("assets", "list", "--json").out.splitlines()
    assert len(rows) == PHOTOS
    jobs = kizu.json("status")["jobs"]
    assert {
        name: (jobs[name]["done"], jobs[name]["waiting"], jobs[name]["running"]) for name in ("ocr", "optimize")
    } == {
        "ocr": (PHOTOS, 0, 0),
        "optimize": (PHOTOS, 0, 0),
    }
    for number in range(0, PHOTOS, 5):
        shown = kizu.json("assets", "show", f"{number:02}.jpg")
        assert [text["text"] for text in shown["texts"]] == ["slow"]
        assert sorted(operation["operation"] for operation in shown["operations"]) == ["ocr", "optimize"]
        with Image.open(kizu.home / "blobs" / shown["thumbnail"]) as image:
            image.load()
    blobs = list((kizu.home / "blobs").rglob("*.jpg"))
    assert len([path for path in blobs if path.name.startswith("thumb-")]) == PHOTOS
    for path in blobs:
        with Image.open(path) as image:
            image.load()


@pytest.mark.parametrize("victim", ["kizu_core.worker.child", "postgres"])
def test_a_run_survives_the_death_of_its_helpers(slow: Kizu, photos: Path, tmp_path: Path, victim: str) -> None:
    out = tmp_path / "out.txt"
    process = slow.start("run", photos, "--json", out=out)
    wait_until(lambda: done_lines(out) > 4)
    assert slow.kill(victim) > 0
    assert process.wait(timeout=180) == 0, out.with_suffix(".err").read_text()
    assert_complete(slow)


def test_the_same_command_completes_a_run_that_was_killed(slow: Kizu, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    process = slow.start("run", photos, "--json", out=out)
    wait_until(lambda: done_lines(out) > 4)
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = slow("run", photos, "--json")
    assert again.code == 0, again.err
    assert again.summary["report"]["read"] == 0
    assert_complete(slow)


def test_everything_killed_at_once(slow: Kizu, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    process = slow.start("run", photos, "--json", out=out)
    wait_until(lambda: done_lines(out) > 4)
    for each in slow.processes():
        each.kill()
    process.wait()
    again = slow("run", photos, "--json")
    assert again.code == 0, again.err
    assert_complete(slow)


def test_ctrl_c_once_finishes_in_order_and_the_next_run_goes_on(slow: Kizu, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    process = slow.start("run", photos, out=out)
    wait_until(lambda: "Read:" in (out.read_text() if out.exists() else ""))
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    said = out.read_text()
    assert "Stopping after the photo in hand" in said
    assert "Waiting for" not in said
    assert "Run the same command again to go on where it stopped." in said
    assert out.with_suffix(".err").read_text() == ""
    assert slow("run", photos).code == 0
    assert_complete(slow)


def test_ctrl_c_twice_stops_at_once(slow: Kizu, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    process = slow.start("run", photos, out=out)
    wait_until(lambda: "Read:" in (out.read_text() if out.exists() else ""))
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    assert "Traceback" not in out.with_suffix(".err").read_text()


def test_two_runs_at_once_share_the_work(slow: Kizu, photos: Path, tmp_path: Path) -> None:
    outs = [tmp_path / "a.txt", tmp_path / "b.txt"]
    both = [slow.start("run", photos, "--json", out=out) for out in outs]
    assert [process.wait(timeout=180) for process in both] == [0, 0]
    assert sum(done_lines(out) for out in outs) == 2 * PHOTOS
    assert_complete(slow)
