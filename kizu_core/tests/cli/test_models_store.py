"""`kizu models pull|import|export` as a user meets them: the question, exit codes, kill -9, JSON."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_support.command import KIZU, Kizu
from kizu_support.fake_distribution import fake_distribution
from kizu_support.hub import Hub, running_hub

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATH = "/weights/reader.onnx"

READER = """
from kizu_core import OcrSpec, WeightFile, hookimpl

@hookimpl
def kizu_ocr_models():
    weight = WeightFile(name="reader.onnx", source="{url}", bytes={size}, licence="CC0-1.0")
    return [OcrSpec(name="reader", summary="reads", factory="fake_reader:build", output_version="1",
                    languages=("en",), weights=(weight,))]
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        hub.put(PATH, CONTENT)
        yield hub


@pytest.fixture
def kizu(tmp_path: Path, hub: Hub) -> Kizu:
    """The command with a plugin whose weights lie on the hub."""
    source = READER.format(url=hub.url + PATH, size=len(CONTENT))
    points = {"reader": "fake_reader"}
    fake_distribution(tmp_path / "site", "fake-reader", modules={"fake_reader": source}, entry_points=points)
    return Kizu(tmp_path / "home", {"PYTHONPATH": str(tmp_path / "site"), "KIZU_LOAD_PLUGINS": "reader"})


def place(kizu: Kizu) -> Path:
    return kizu.home / "models" / "ocr" / "reader" / "reader.onnx"


def test_without_anybody_to_ask_it_only_shows(kizu: Kizu, hub: Hub) -> None:
    shown = kizu("models", "pull", "--missing")
    assert shown.code == 1
    for part in ("reader reader.onnx", "1.0 MB", "CC0-1.0", hub.url, "not known; recorded at this first download"):
        assert part in shown.out
    assert "Nothing was downloaded" in shown.err
    assert "--yes" in shown.err
    assert hub.requests == []
    planned = kizu("models", "pull", "reader", "--json")
    [file] = json.loads(planned.out)["files"]
    assert (planned.code, file["state"], file["bytes"], file["sha256"]) == (1, "planned", len(CONTENT), None)


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_a_person_is_asked_once(answer: str, code: int, kizu: Kizu, hub: Hub) -> None:
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [KIZU, "models", "pull", "reader"], env=dict(kizu.environment()), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(terminal, f"{answer}\n".encode())
    shown = b""
    while piece := _read(terminal):
        shown += piece
    os.close(terminal)
    assert process.wait(60) == code
    assert b"[y/N]" in shown
    assert place(kizu).exists() == (answer == "y")
    assert len(hub.requests) == (answer == "y")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux says that the other end is closed
        return b""


def test_scripts_say_yes(kizu: Kizu) -> None:
    done = kizu("models", "pull", "--missing", "--yes", "--json")
    told = json.loads(done.out)
    assert (done.code, told["fetched"], told["failed"]) == (0, 1, 0)
    assert (told["files"][0]["state"], told["files"][0]["sha256"]) == ("fetched", SHA256)
    again = kizu("models", "pull", "reader")
    assert (again.code, again.out) == (0, "All files were here already.\n")
    assert f"SHA-256 {SHA256}" in kizu("models", "list", "-v").out


def test_what_is_not_right_ends_with_3(kizu: Kizu, hub: Hub) -> None:
    hub.put(PATH, CONTENT[1:])
    wrong = kizu("models", "pull", "reader", "--yes")
    assert wrong.code == 3
    assert "1,023,999 bytes instead of 1,024,000" in wrong.out
    assert not place(kizu).exists()


def test_wrong_use(kizu: Kizu) -> None:
    assert kizu("models", "pull").code == 2
    unknown = kizu("models", "pull", "nope")
    assert (unknown.code, "Installed: leader, reader." in unknown.err) == (1, True)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_pull_goes_on_where_it_was(how: signal.Signals, kizu: Kizu, hub: Hub) -> None:
    hub.files[PATH].pause_s, hub.files[PATH].piece = 0.05, 10_000
    part = place(kizu).with_name("reader.onnx.part")
    process = kizu.start("models", "pull", "reader", "--yes")
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 50_000):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGKILL if how is signal.SIGKILL else 130), said
    assert not place(kizu).exists()
    kept = part.stat().st_size
    hub.files[PATH].pause_s = 0
    assert kizu("models", "pull", "reader", "--yes").code == 0
    assert hub.requests[-1] == (PATH, f"bytes={kept}-")
    assert place(kizu).read_bytes() == CONTENT


def test_two_at_once_fetch_once(kizu: Kizu, hub: Hub, tmp_path: Path) -> None:
    hub.files[PATH].pause_s, hub.files[PATH].piece = 0.02, 10_000
    both = [kizu.start("models", "pull", "reader", "--yes", out=tmp_path / f"{number}.out") for number in (1, 2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert hub.requests == [(PATH, None)]


def test_to_a_machine_without_network(kizu: Kizu, tmp_path: Path) -> None:
    assert kizu("models", "export", "reader", tmp_path / "w.tar").code == 1
    assert kizu("models", "pull", "reader", "--yes").code == 0
    assert kizu("models", "export", "reader", tmp_path / "w.tar").code == 0
    other = Kizu(tmp_path / "other", kizu.variables)
    done = other("models", "import", tmp_path / "w.tar")
    assert (done.code, place(other).read_bytes() == CONTENT) == (0, True)
    assert other("models", "import", tmp_path / "w.tar").code == 0
    useless = other("models", "import", tmp_path / "site")
    assert (useless.code, "nothing in it is needed here" in useless.out) == (3, True)
