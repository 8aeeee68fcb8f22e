"""Wheels built from the checkout, and empty virtual environments to install them into."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Self

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kizu_support.distributions import ROOT, Distribution

# What pip needs to reach its index in this machine's way, and nothing that would let the checkout shine through.
KEPT = ("HOME", "LANG", "PATH", "TMPDIR", "SSL_CERT_FILE", "XDG_CACHE_HOME")


def clean_environment(home: Path) -> dict[str, str]:
    """An environment without Kizu or Python settings, whose data folder is `home`."""
    kept = {key: value for key, value in os.environ.items() if key in KEPT or key.startswith("PIP_")}
    return {**kept, "KIZU_HOME": str(home)}


def build_wheel(distribution: Distribution, folder: Path) -> Path:
    """The wheel of one distribution, built by its own backend into `folder`."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    run([*command, str(distribution.folder)], ROOT)
    (wheel,) = folder.glob(f"{distribution.package}-*.whl")
    return wheel


def run(command: list[str], cwd: Path, environment: dict[str, str] | None = None) -> str:
    """Its standard output. A failure shows all that it printed."""
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Environment:
    """A virtual environment that starts empty, beside a data folder of its own."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, *, with_pip: bool = True) -> Self:
        venv.create(folder / "venv", with_pip=with_pip)
        return cls(folder)

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def install(self, *wheels: Path) -> None:
        self.run([str(self.folder / "venv" / "bin" / "python"), "-m", "pip", "install", "-q", *map(str, wheels)])

    def kizu(self, *arguments: str) -> str:
        """Output of a `kizu` command that succeeds."""
        return self.run([str(self.folder / "venv" / "bin" / "kizu"), *arguments])

    def run(self, command: list[str]) -> str:
        """Output of any command that succeeds."""
        return run(command, self.folder, clean_environment(self.home))


def link_installed(environment: Environment, *names: str) -> set[str]:
    """Makes installed distributions, and all that they require, importable in it, and nothing else; returns them.

    They are linked, not copied, so this needs no network and takes a second. What is required and not installed here,
    such as one of two builds of OpenCV, is left out.
    """
    (place,) = (environment.folder / "venv" / "lib").glob("python*/site-packages")
    left, done = [Requirement(name) for name in names], set[str]()
    while left:
        wanted = left.pop()
        try:
            found = metadata.distribution(wanted.name)
        except metadata.PackageNotFoundError:
            continue
        known = {canonicalize_name(wanted.name), *(f"{canonicalize_name(wanted.name)}[{one}]" for one in wanted.extras)}
        if known <= done:
            continue
        done |= known
        left += [one for one in map(Requirement, found.requires or ()) if _applies(one, wanted.extras)]
        for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            source = Path(str(found.locate_file(top)))
            if not (place / top).exists() and source.exists():
                (place / top).symlink_to(source)
    return done


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))
