"""Weights that are on a disk already become a model's own, after the same checks as downloaded ones."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kizu_core.errors import KizuError
from kizu_core.models import consent
from kizu_core.models.bundles import Candidate, candidates, disk_errors
from kizu_core.models.download import discard
from kizu_core.models.manifest import locked
from kizu_core.models.store import Arrival, Item, Watcher, accept, check_space, item_of, part_of, place_of
from kizu_core.plugins.specs import ModelSpec
from kizu_core.settings import Settings


@dataclass(slots=True)
class Imported:
    """`strangers`: files that no installed model needs. `fruitless`: paths given of which nothing could be used."""

    arrivals: list[Arrival] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    fruitless: list[Path] = field(default_factory=list)


def import_weights(
    paths: Iterable[Path], specs: Iterable[ModelSpec], settings: Settings, watcher: Watcher, *, link: bool
) -> Imported:
    """Takes every file below `paths` that one of these models declares. `link`: refer to it where it is, do not copy.

    A file is recognised by its digest; where none is known, by name and size; in a bundle, by its index. Raises
    `StorageError` for a path that can't be read and for a bundle that is not as `bundles.export` makes them; nothing of
    such a one is taken.
    """
    imported = Imported()
    with locked(settings.models_dir, watcher.waiting):
        items = [item_of(spec, weight, settings, digest=False) for spec in specs for weight in spec.weights]
        for path in paths:
            before = len(imported.arrivals)
            with candidates(path) as offered:
                for candidate in offered:
                    _consider(candidate, items, settings, watcher, imported, link=link)
            if len(imported.arrivals) == before:
                imported.fruitless.append(path)
    return imported


def _consider(
    candidate: Candidate, items: Sequence[Item], settings: Settings, watcher: Watcher, imported: Imported, *, link: bool
) -> None:
    wanted = list(_wanted(candidate, items))
    if not wanted:
        imported.strangers.append(candidate.label)
    for item in wanted:
        try:
            imported.arrivals.append(_taken(candidate, item, settings, watcher, link=link))
        except KizuError as error:
            imported.arrivals.append(Arrival(item=item, error=error))


def _wanted(candidate: Candidate, items: Sequence[Item]) -> Iterable[Item]:
    """Declared files that this one is, or says that it is."""
    if candidate.key is not None:
        return [item for item in items if item.key == candidate.key]
    alike = [item for item in items if candidate.size in item.span and not item.is_bundled]
    found = _digest(candidate) if any(item.digest for item in alike) else None
    right = [item for item in alike if item.digest is not None and item.digest == found]
    # One of the right name and size is taken as well: `accept` records its digest, or says what is wrong with it.
    return right or [item for item in alike if item.weight.name == candidate.name]


def _digest(candidate: Candidate) -> str:
    with disk_errors(candidate.label), candidate.open() as file:
        digest = hashlib.sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
        return digest.hexdigest()


def _taken(candidate: Candidate, item: Item, settings: Settings, watcher: Watcher, *, link: bool) -> Arrival:
    now = item_of(item.spec, item.weight, settings, digest=True)
    digest = candidate.entry.sha256 if candidate.entry else None
    if now.is_here and not (now.is_bundled and digest != now.digest):
        return Arrival(item=now, sha256=now.digest, was_here=True)
    if refusal := consent.missing(now.spec, settings):
        raise refusal
    part = part_of(now, settings)
    discard(part)
    with disk_errors(candidate.label):
        place = place_of(now, settings)
        if link and candidate.path is not None and not (place.exists() and place.samefile(candidate.path)):
            part.symlink_to(candidate.path.resolve())
        else:
            check_space(candidate.size, settings)
            _copy(candidate, part)
    watcher.progress(now, candidate.size, candidate.size)
    return Arrival(item=now, sha256=accept(part, now, settings, candidate.label, digest))


def _copy(candidate: Candidate, part: Path) -> None:
    part.touch(mode=0o600)
    with candidate.open() as source, part.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
