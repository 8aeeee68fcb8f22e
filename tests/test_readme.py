"""What READMEs show, run exactly as written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from kizu_support.distributions import ROOT
from kizu_support.environments import clean_environment, run
from kizu_support.markdown import blocks


def copy_of_the_checkout(folder: Path) -> Path:
    """The tracked files as they are now, committed or not."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.mark.network
@pytest.mark.timeout(1200)
def test_the_first_command_installs_and_runs_the_demo(tmp_path: Path) -> None:
    (command,) = (block.text.strip() for block in blocks(ROOT / "README.md") if "kizu demo" in block.text)
    checkout = copy_of_the_checkout(tmp_path / "kizu")
    said = run(["bash", "-c", command], checkout, clean_environment(tmp_path / "home"))
    assert "kizu search" in said, "the summary names what to try next"


def test_the_python_example_of_core_works(tmp_path: Path) -> None:
    (example,) = (block.text for block in blocks(ROOT / "kizu_core" / "README.md") if block.language == "python")
    (tmp_path / "Photos").mkdir()
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "Photos" / "one.jpg")
    environment = clean_environment(tmp_path / "home") | {"HOME": str(tmp_path)}
    said = run([sys.executable, "-c", example], tmp_path, environment)
    assert "'optimize': " in said
