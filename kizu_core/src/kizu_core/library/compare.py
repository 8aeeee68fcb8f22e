"""What was seen on disk against what the database knows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kizu_core.library.answers import worth_retrying
from kizu_core.library.scan import FileSeen


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """A row of `asset_files`, as `kizu_root_files` gives it."""

    path: str
    size: int | None
    mtime_ns: int | None
    inode: int | None
    mount: str
    sha256: str | None
    asset_id: str | None
    error: Mapping[str, Any] | None
    missing: bool
    forgotten: bool


@dataclass(slots=True)
class Comparison:
    """`new`: at paths not known before. `changed`: known, to be read again. `renumbered`: unchanged, but with another
    inode or mount to be remembered. `same`: unchanged. `gone`: known and not seen.
    """

    new: list[FileSeen] = field(default_factory=list)
    changed: list[FileSeen] = field(default_factory=list)
    renumbered: list[tuple[FileSeen, KnownFile]] = field(default_factory=list)
    same: list[KnownFile] = field(default_factory=list)
    gone: list[KnownFile] = field(default_factory=list)


RENUMBERED_AT_LEAST: Final = 20


def compare(seen: Iterable[FileSeen], known: Mapping[str, KnownFile], *, other_device: bool) -> Comparison:
    """Sort what was seen by what has to be done.

    A file is unchanged if size, mtime and inode are. An inode that alone differs means that the file was
    replaced, so it is read again; but on another device (the photos were copied to a new disk) and where most
    inodes changed at once (file systems that invent them at each mount) it means nothing.
    """
    result = Comparison()
    replaced: list[tuple[FileSeen, KnownFile]] = []
    paths = set()
    for file in seen:
        paths.add(file.path)
        before = known.get(file.path)
        if before is None:
            result.new.append(file)
        elif not _settled(before) or (file.size, file.mtime_ns) != (before.size, before.mtime_ns):
            result.changed.append(file)
        elif file.inode != before.inode:
            replaced.append((file, before))
        elif file.mount != before.mount:
            result.renumbered.append((file, before))
        else:
            result.same.append(before)
    invented = len(replaced) >= RENUMBERED_AT_LEAST and len(replaced) > len(result.same)
    if other_device or invented:
        result.renumbered += replaced
    else:
        result.changed += [file for file, _ in replaced]
    result.gone = [file for path, file in known.items() if path not in paths and not file.missing]
    return result


def is_other_disk(seen: Iterable[FileSeen], known: Mapping[str, KnownFile]) -> bool:
    """Whether a folder that now lies on another device holds other photos: less than half of the known ones are there.

    Device numbers change at a restart too, and photos move to bigger disks: then they are there.
    """
    present = sum((before := known.get(file.path)) is not None and before.size == file.size for file in seen)
    return 2 * present < sum(not file.missing for file in known.values())


def _settled(before: KnownFile) -> bool:
    """Whether there is nothing left to find out as long as the file stays as it is."""
    if before.missing:
        return False
    if before.error is not None:
        return not worth_retrying(before.error)
    return before.asset_id is not None or before.forgotten
