"""Runtimes: what could compute a model on this machine, what it was measured to be worth, and the choice.

The child that does jobs only reads the choice (`choose`); it is made in a process of its own (`trial`, started by
`kizu models bench` and after each `pull` and `import`), and kept in `runtimes.json` in the models folder.
"""

from __future__ import annotations

from kizu_core.models.runtimes.record import choose

__all__ = ["choose"]
