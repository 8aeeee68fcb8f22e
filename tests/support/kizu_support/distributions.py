"""The distributions of this repository, read from their own `pyproject.toml`: no list is kept by hand."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Distribution:
    """One folder that is built and installed alone."""

    folder: Path

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """Its parsed `pyproject.toml`."""
        return tomllib.loads((self.folder / "pyproject.toml").read_text())

    @property
    def name(self) -> str:
        """Name as pip knows it."""
        return str(self.pyproject["project"]["name"])

    @property
    def package(self) -> str:
        """Import name, which is the folder's name."""
        return self.folder.name

    @property
    def source(self) -> Path:
        """Folder that holds the package's modules."""
        return self.folder / "src" / self.package

    @property
    def is_plugin(self) -> bool:
        """Whether it is anything but core."""
        return self.package != "kizu_core"

    @property
    def installed(self) -> bool:
        """Whether this environment has it, by its metadata (an import would be fooled by the outer folder)."""
        try:
            metadata.distribution(self.name)
        except metadata.PackageNotFoundError:
            return False
        return True

    def modules(self) -> list[str]:
        """Dotted names of all its modules."""
        names = []
        for path in sorted(self.source.rglob("*.py")):
            parts = path.relative_to(self.source.parent).with_suffix("").parts
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        return names

    def __str__(self) -> str:
        return self.package


def distributions() -> list[Distribution]:
    """Every distribution, core first."""
    files = [*ROOT.glob("kizu_*/pyproject.toml"), *ROOT.glob("plugins/kizu_*/pyproject.toml")]
    return sorted((Distribution(file.parent) for file in files), key=lambda one: (one.is_plugin, one.package))
