"""A real browser without a window, for pages that people look at. Tests with it skip where none is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LIMIT_S = 120


class Browser:
    """Chromium on a profile of its own in `folder`."""

    def __init__(self, folder: Path) -> None:
        found = next(filter(None, map(shutil.which, NAMES)), None)
        if found is None:
            pytest.skip("no Chromium or Chrome is installed")
        self._program = found
        self._folder = folder

    def picture(self, page: Path, *, dark: bool = False, width: int = 1200, height: int = 1400) -> Image.Image:
        """What a person sees of the page: its upper left part of that size."""
        shot = self._folder / "shot.png"
        look = [f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
        self._run(page, f"--screenshot={shot}", f"--window-size={width},{height}", "--hide-scrollbars", *look)
        with Image.open(shot) as image:
            return image.convert("RGB")

    def document(self, page: Path) -> str:
        """The page's elements as the browser understood them, after everything in it had its chance to run."""
        return self._run(page, "--dump-dom", "--virtual-time-budget=2000")

    def _run(self, page: Path, *arguments: str) -> str:
        profile = self._folder / "profile"
        command = [
            self._program,
            "--headless=new",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
        ]
        command += [f"--user-data-dir={profile}", *(["--no-sandbox"] if os.geteuid() == 0 else []), *arguments]
        done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
