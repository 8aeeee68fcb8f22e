"""The faster decoder for what Pillow is slow at: libvips, where `kizu-core[vips]` brought it.

It only ever replaces "decode and scale": the same file gives the same picture without it, only later.
"""

from __future__ import annotations

import contextlib
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image


@cache
def library() -> Any:
    """The module `pyvips`, or None where it or its shared library is missing."""
    with contextlib.suppress(ImportError, OSError):
        import pyvips

        pyvips.cache_set_max(0)  # no picture is asked for twice, and results that failed would stay in memory
        return pyvips
    return None


def scaled(path: Path, max_side: int, *, shrink: int = 1, turn: bool = False) -> Image.Image | None:
    """The first picture in `path`, its longest side at most `max_side`; None if Pillow has to do it.

    `shrink`: for JPEG, the 2, 4 or 8 by which the decoder may divide. `turn`: as its orientation tag says.
    """
    vips = library()
    if vips is None:
        return None
    options = {"shrink": shrink} if shrink > 1 else {}
    try:
        # By source, not by name: in names libvips would read options ("a.png[page=3]"). Loaded and scaled in two
        # steps: `thumbnail_source` drops `fail_on` and fills what is missing of a cut picture with gray.
        source = vips.Source.new_from_file(str(path))
        image = vips.Image.new_from_source(source, "", access="sequential", fail_on="error", **options)
        image = image.thumbnail_image(max_side, height=max_side, size="down", no_rotate=not turn)
        if image.format != "uchar":
            image = image.colourspace("srgb" if image.bands > 2 else "b-w")
        mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}.get(image.bands)
        if mode is None or image.interpretation not in ("srgb", "b-w"):
            return None
        return Image.frombuffer(mode, (image.width, image.height), image.write_to_memory(), "raw", mode, 0, 1)
    except vips.Error:
        return None
