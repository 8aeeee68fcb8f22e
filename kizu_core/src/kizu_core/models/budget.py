"""How much memory loaded models may share."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

from kizu_core.settings import Settings

_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where a container says what it may take; a word or a huge number where it has no limit."""


def budget_mb(settings: Settings) -> int:
    """MiB for all models of a process: the setting, else half of the machine's memory, or of the container's."""
    return settings.models_mb or machine_mb() // 2


def machine_mb() -> int:
    """MiB that there are at all: of the machine, or of the container that this is."""
    sizes = [int(psutil.virtual_memory().total)]
    for path in _LIMITS:
        with suppress(OSError, ValueError):
            sizes.append(int(path.read_text()))
    return min(sizes) // 2**20
