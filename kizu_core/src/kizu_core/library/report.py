"""What a scan tells while it runs, and at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

Stage = Literal["waiting", "placing", "scanning", "reading", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One step. `done` and `total` count files; `total` is None while it is not known."""

    stage: Stage
    done: int = 0
    total: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A file that is not in the library. `path`: relative to the root; `error`: code, message, hint."""

    path: str
    error: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class ReconcileReport:
    """What one scan of a folder found and did.

    `root`: the library folder that the scanned one belongs to; `below`: the scanned folder's place in it, empty
    for all of it. `offline`: why nothing was changed, a sentence; None if the folder was there.
    """

    root_id: UUID
    root: str
    below: str = ""
    offline: str | None = None
    found: dict[str, int] = field(default_factory=dict)
    """Files by kind: image, raw, video."""
    read: int = 0
    """Files whose content was read; the next counts say what became of them."""
    new: int = 0
    edited: int = 0
    moved: int = 0
    copies: int = 0
    returned: int = 0
    forgotten: int = 0
    unchanged: int = 0
    missing: int = 0
    """Files that are gone and were not moved."""
    unreadable: list[Unreadable] = field(default_factory=list)
    """All files that could not be taken in, those of earlier scans too."""
    problems: list[Unreadable] = field(default_factory=list)
    """Places that could not be looked at; what is known of them stays as it is."""
    ignored: dict[str, int] = field(default_factory=dict)
    """Files and folders passed over, by rule."""
    unknown: dict[str, int] = field(default_factory=dict)
    """Files of types that Kizu does not read, by extension."""
    seconds: float = 0.0
