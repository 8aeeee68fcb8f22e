"""XMP files that a user keeps beside photos: `IMG_1.jpg.xmp` or `IMG_1.xmp`. Their dates win over the photo's."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path


def sidecar_names(name: str) -> tuple[str, str]:
    """What the sidecar of a file may be called, the better match first."""
    return f"{name}.xmp", f"{name.rpartition('.')[0]}.xmp"


def sidecar_of(path: Path) -> Path | None:
    """The sidecar that lies beside a photo."""
    beside = (path.with_name(name) for name in sidecar_names(path.name))
    return next((found for found in beside if found.is_file()), None)


def sidecar_among(name: str, names: Container[str]) -> str | None:
    """The name of a photo's sidecar among the names of its folder."""
    return next((found for found in sidecar_names(name) if found in names), None)
