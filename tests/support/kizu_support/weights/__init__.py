"""Models that tests make for themselves, once for all processes of a machine, and the pictures they were made for.

Importing this package imports no model library; a function that needs one is called behind `pytest.importorskip`.
"""

from __future__ import annotations

from kizu_support.weights.cache import cached, version_of
from kizu_support.weights.clip import random_clip_towers, tiny_clip
from kizu_support.weights.florence import random_florence, tiny_florence
from kizu_support.weights.shapes import CLASSES, caption, shape_photo

__all__ = [
    "CLASSES",
    "cached",
    "caption",
    "random_clip_towers",
    "random_florence",
    "shape_photo",
    "tiny_clip",
    "tiny_florence",
    "version_of",
]
