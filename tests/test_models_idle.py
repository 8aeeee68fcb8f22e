"""A model that nobody uses any more gives all its memory back: its process ends, and the next photo starts another."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from PIL import Image, ImageDraw

from kizu_core.api import Library, open_library
from kizu_core.settings import load_settings
from kizu_core.worker import lane
from kizu_core.worker.options import WorkerOptions
from kizu_support.bench import Running, eventually

pytest.importorskip("rapidocr", reason="it brings weights of its own")


def children() -> list[psutil.Process]:
    """Model processes of this one."""
    found = []
    for one in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # zombies included
            found += [one] if "kizu_core.worker.child" in one.cmdline() else []
    return found


def draw(folder: Path, word: str) -> None:
    folder.mkdir(exist_ok=True)
    picture = Image.new("RGB", (320, 96), "white")
    ImageDraw.Draw(picture).text((20, 20), word, fill="black", font_size=48)
    picture.save(folder / f"{word}.png")


def queued(library: Library, folder: Path, word: str) -> None:
    draw(folder, word)
    library.import_folder(folder)
    library.enqueue(("ocr",))


def test_an_idle_process_ends_and_takes_its_memory_along(
    library_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "IDLE_CHILD_S", 1.0)
    settings = load_settings({"home": library_home, "threads": 1}, environ={"KIZU_LOAD_PLUGINS": "rapidocr"})
    with open_library(settings) as library:
        queued(library, tmp_path / "photos", "harbour")
        running = Running(library.worker(WorkerOptions(poll_interval=0.3, operations=("ocr",))))
        try:
            (child,) = eventually(children, 60)
            eventually(lambda: library.status()["jobs"]["ocr"]["done"] == 1, 60)
            eventually(lambda: not children(), 60)
            eventually(lambda: not child.is_running())
            queued(library, tmp_path / "photos", "lantern")
            eventually(lambda: library.status()["jobs"]["ocr"]["done"] == 2, 60)
            assert library.search("lantern")["hits"]
        finally:
            running.stop()
