"""The weight store: files of models come in by `pull` or `import`, and get their name only once they are checked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from kizu_core.errors import DiskFull, KizuError, ModelUnavailable, NoSuchModel
from kizu_core.models.download import discard, download
from kizu_core.models.manifest import Record, key_of, locked, record
from kizu_core.models.sources import Source, source_of
from kizu_core.models.weights import WeightState, digest_of, model_folder, sha256_of, state_of
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.specs import ModelSpec, WeightFile
from kizu_core.settings import Settings
from kizu_core.types import ModelType

KEEP_FREE_BYTES = 100_000_000
"""The database on the same disk must not run dry because of a download."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One declared file. `source`: None if only a package ships it. `digest`: the SHA-256 it must have, if known."""

    spec: ModelSpec
    weight: WeightFile
    state: WeightState
    source: Source | None
    digest: str | None

    @property
    def key(self) -> str:
        return key_of(self.spec, self.weight)

    @property
    def is_here(self) -> bool:
        return self.state is WeightState.PRESENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What became of one file: `sha256` if it is here now, `error` if not. `was_here`: nothing had to be done."""

    item: Item
    sha256: str | None = None
    was_here: bool = False
    error: KizuError | None = None


class Watcher(Protocol):
    """Is told how far the work is."""

    def waiting(self) -> None:
        """Another process changes the store; this one goes on when it is done."""

    def progress(self, item: Item, done: int) -> None:
        """So many bytes of the file are here."""


def specs_named(catalog: Catalog, names: Iterable[str]) -> list[ModelSpec]:
    """Models of these names, of whatever kind. Raises `NoSuchModel` for a name that nothing has."""
    known = {spec.name for spec in catalog.models()}
    for name in (wanted := set(names)) - known:
        hint = f"Installed: {', '.join(sorted(known)) or 'no model at all'}."
        raise NoSuchModel(f"There is no model {name!r}.", hint=hint)
    return [spec for spec in catalog.models() if spec.name in wanted]


def specs_in_use(catalog: Catalog) -> list[ModelSpec]:
    """The model of each kind that is used: what `--missing` is about."""
    return [spec for kind in ModelType if (spec := catalog.default(kind)) is not None]


def items_of(specs: Iterable[ModelSpec], settings: Settings) -> list[Item]:
    """Every file that these models declare, compared to the end. Raises `SettingError` for a wrong hub or host."""
    return [item_of(spec, weight, settings, digest=True) for spec in specs for weight in spec.weights]


def pull(items: Sequence[Item], settings: Settings, watcher: Watcher) -> list[Arrival]:
    """Fetches the files that are not here; one that fails does not stop the others. Raises `DiskFull` beforehand."""
    with locked(settings.models_dir, watcher.waiting):
        # Another process may have been at it since the caller looked.
        items = [item if item.is_here else item_of(item.spec, item.weight, settings, digest=True) for item in items]
        check_space([item for item in items if not item.is_here], settings)
        return [_pulled(item, settings, watcher) for item in items]


def accept(part: Path, item: Item, settings: Settings, origin: str, digest: str | None = None) -> str:
    """Makes a whole file the model's own if it is the right one, and returns its SHA-256; else removes it.

    `digest`: what it must be as well, as a bundle says. The first digest of a file that no plugin vouches for is
    recorded. Call it under `locked`. Raises `ModelUnavailable`.
    """
    weight, found = item.weight, sha256_of(part)
    wrong = next((one for one in (item.digest, digest) if one not in (None, found)), None)
    if wrong is not None or part.stat().st_size != weight.bytes:
        discard(part)
        what = f"its SHA-256 is {found}, not {wrong}" if wrong else f"it has not {weight.bytes:,} bytes"
        raise ModelUnavailable(
            f"{weight.name} from {origin} is not the file that {item.spec.name} needs: {what}. It was not opened.",
            hint="It was removed. Try again; if it stays so, do not use the file, and tell the plugin's author.",
        )
    with part.open("rb") as file:
        os.fsync(file.fileno())
    now = datetime.now(UTC).isoformat(timespec="seconds")
    entry = Record(source=weight.source, bytes=weight.bytes, sha256=found, origin=origin, recorded=now)
    record(settings.models_dir, item.key, entry)
    part.replace(place_of(item, settings))
    discard(part)
    return found


def place_of(item: Item, settings: Settings) -> Path:
    """Where the file belongs in the store; its folder is made if need be."""
    folder = model_folder(item.spec, settings)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / item.weight.name


def part_of(item: Item, settings: Settings) -> Path:
    """Where the file grows until it is whole and checked."""
    place = place_of(item, settings)
    return place.with_name(place.name + ".part")


def item_of(spec: ModelSpec, weight: WeightFile, settings: Settings, *, digest: bool) -> Item:
    """One declared file as it is here; with `digest` it is read to the end. Raises `SettingError`."""
    return Item(
        spec=spec,
        weight=weight,
        state=state_of(spec, weight, settings, digest=digest),
        source=source_of(weight, settings),
        digest=digest_of(spec, weight, settings),
    )


def _pulled(item: Item, settings: Settings, watcher: Watcher) -> Arrival:
    if item.is_here:
        return Arrival(item=item, sha256=item.digest, was_here=True)
    if item.source is None:
        hint = "Reinstall the plugin with its dependencies."
        return Arrival(item=item, error=ModelUnavailable(f"{item.weight.name} comes with a package only.", hint=hint))
    part = part_of(item, settings)
    try:
        download(item.source, item.weight.bytes, part, lambda done: watcher.progress(item, done))
        return Arrival(item=item, sha256=accept(part, item, settings, item.source.hosts[0]))
    except KizuError as error:
        return Arrival(item=item, error=error)


def check_space(items: Sequence[Item], settings: Settings) -> None:
    """Raises `DiskFull` unless all that is still to come has space, and a little is left."""
    parts = [part_of(item, settings) for item in items]
    there = sum(part.stat().st_size for part in parts if part.is_file())
    needed, free = sum(item.weight.bytes for item in items) - there, shutil.disk_usage(settings.models_dir).free
    if needed + KEEP_FREE_BYTES > free:
        raise DiskFull(
            f"The weights need {needed / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free at {settings.models_dir}.",
            hint="Free some space, or name a folder on another disk by MODEL_CACHE_DIR.",
        )
