"""Installed distributions for tests: real metadata and real modules in a folder, no pip.

Put the folder on `sys.path` (`installed`) or into `PYTHONPATH` of a process, and `importlib.metadata` finds
what lies there exactly as it finds what pip installed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent


def fake_distribution(
    folder: Path,
    name: str,
    *,
    modules: Mapping[str, str],
    entry_points: Mapping[str, str] | None = None,
    version: str = "1.0",
    requires: Sequence[str] = (),
    licence: str | None = None,
) -> Path:
    """Installs a distribution into `folder` and returns its dist-info folder.

    `modules`: dotted name -> source. `entry_points`: name -> `package.module` in the group `kizu`.
    `requires`: lines of Requires-Dist, such as `kizu-core>=0.1,<0.2`. `licence`: an SPDX expression.
    """
    for module, source in modules.items():
        path = folder.joinpath(*module.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source), encoding="utf-8")
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    head = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    head += [f"License-Expression: {licence}"] if licence else []
    info.joinpath("METADATA").write_text("\n".join([*head, *(f"Requires-Dist: {line}" for line in requires), ""]))
    lines = [f"{key} = {value}" for key, value in (entry_points or {}).items()]
    info.joinpath("entry_points.txt").write_text("\n".join(["[kizu]", *lines, ""]))
    return info


@contextmanager
def installed(folder: Path) -> Iterator[Path]:
    """Makes the folder's distributions importable and findable; forgets them and their modules at the end."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield folder
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(folder):
                del sys.modules[name]
        importlib.invalidate_caches()
