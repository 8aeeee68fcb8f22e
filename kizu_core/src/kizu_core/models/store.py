"""The weight store: files of models come in by `pull` or `import`, and get their name only once they are checked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from kizu_core.errors import DiskFull, KizuError, ModelUnavailable, NoSuchModel
from kizu_core.models import consent
from kizu_core.models.archives import MOST_BYTES, Archives
from kizu_core.models.download import Span, discard, download
from kizu_core.models.manifest import Record, key_of, locked, record
from kizu_core.models.sources import BUNDLE, Source, source_of
from kizu_core.models.weights import WeightState, complaint, digest_of, model_folder, sha256_of, state_of
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.specs import ModelSpec, WeightFile
from kizu_core.settings import Settings
from kizu_core.types import ModelType

KEEP_FREE_BYTES = 100_000_000
"""The database on the same disk must not run dry because of a download."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One declared file. `source`: None if it can't be fetched. `digest`: the SHA-256 it must have, if known."""

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

    @property
    def is_bundled(self) -> bool:
        """Whether it was made elsewhere: what it must be is for the index that it comes with to say."""
        return self.weight.source.startswith(BUNDLE)

    @property
    def span(self) -> Span:
        """How large the file may be."""
        size = self.weight.bytes
        if self.is_bundled:
            return Span(1, MOST_BYTES)
        return Span(size, size) if self.weight.exact else Span(max(1, size // 2), size * 2)


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

    def progress(self, item: Item, done: int, total: int) -> None:
        """So many bytes of the file, or of the archive that holds it, are here."""


def specs_named(catalog: Catalog, names: Iterable[str]) -> list[ModelSpec]:
    """Models of these names, of whatever kind. Raises `NoSuchModel` for a name that nothing has."""
    known = {spec.name for spec in catalog.models()}
    for name in (wanted := set(names)) - known:
        hint = f"Installed: {', '.join(sorted(known)) or 'no model at all'}."
        raise NoSuchModel(f"There is no model {name!r}.", hint=hint)
    return [spec for spec in catalog.models() if spec.name in wanted]


def specs_in_use(catalog: Catalog) -> list[ModelSpec]:
    """The model of each kind that is used: what `--missing` is about."""
    specs = [catalog.default(kind) for kind in ModelType]
    return [spec for spec in specs if spec is not None and spec.fault is None]


def items_of(specs: Iterable[ModelSpec], settings: Settings) -> list[Item]:
    """Every file that these models declare, compared to the end.

    Raises `SettingError` for a wrong hub or host, `ModelUnavailable` for a model that can't be set up.
    """
    specs = list(specs)
    for fault in (spec.fault for spec in specs if spec.fault is not None):
        raise ModelUnavailable(fault.reason, hint=fault.hint)
    return [item_of(spec, weight, settings, digest=True) for spec in specs for weight in spec.weights]


def pull(items: Sequence[Item], settings: Settings, watcher: Watcher) -> list[Arrival]:
    """Fetches the files that are not here; one that fails does not stop the others.

    Asks nobody: whoever must consent to a file's terms has done so before (`consent.agree`), or it does not come.
    Raises `DiskFull` beforehand.
    """
    with locked(settings.models_dir, watcher.waiting):
        # Another process may have been at it since the caller looked.
        items = [item if item.is_here else item_of(item.spec, item.weight, settings, digest=True) for item in items]
        coming = [item for item in items if not item.is_here]
        parts = [part_of(item, settings) for item in coming if item.source is not None]
        there = sum(part.stat().st_size for part in parts if part.is_file())
        check_space(sum(item.weight.bytes for item in coming) - there, settings)
        with closing(Archives(settings.models_dir / "archives")) as archives:
            return [_pulled(item, settings, watcher, archives) for item in items]


def accept(part: Path, item: Item, settings: Settings, origin: str, digest: str | None = None) -> str:
    """Makes a whole file the model's own if it is the right one, and returns its SHA-256; else removes it.

    `digest`: what it must be as well, as a bundle says. The first digest of a file that no plugin vouches for is
    recorded, with its size; that of a file made elsewhere, with each import. Call it under `locked`. Raises
    `ModelUnavailable`.
    """
    weight, found, size = item.weight, sha256_of(part), part.stat().st_size
    held = weight.sha256 if item.is_bundled else item.digest
    wrong = next((one for one in (held, digest) if one not in (None, found)), None)
    if wrong is not None or size not in item.span:
        discard(part)
        what = f"its SHA-256 is {found}, not {wrong}" if wrong else f"it has {size:,} bytes, not {item.span}"
        raise ModelUnavailable(
            f"{weight.name} from {origin} is not the file that {item.spec.name} needs: {what}. It was not opened.",
            hint="It was removed. Try again; if it stays so, do not use the file, and tell the plugin's author.",
        )
    with part.open("rb") as file:
        os.fsync(file.fileno())
    now = datetime.now(UTC).isoformat(timespec="seconds")
    entry = Record(source=weight.source, bytes=size, sha256=found, origin=origin, recorded=now)
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


def _pulled(item: Item, settings: Settings, watcher: Watcher, archives: Archives) -> Arrival:
    if item.is_here:
        return Arrival(item=item, sha256=item.digest, was_here=True)
    if item.source is None:
        reason, hint = complaint(item.spec, item.weight, settings, item.state)
        return Arrival(item=item, error=ModelUnavailable(reason, hint=hint))
    if refusal := consent.missing(item.spec, settings):
        return Arrival(item=item, error=refusal)
    try:
        _fetch(item, item.source, part_of(item, settings), watcher, archives)
        return Arrival(item=item, sha256=accept(part_of(item, settings), item, settings, item.source.hosts[0]))
    except KizuError as error:
        return Arrival(item=item, error=error)


def _fetch(item: Item, source: Source, part: Path, watcher: Watcher, archives: Archives) -> None:
    def on_bytes(done: int, total: int) -> None:
        watcher.progress(item, done, total)

    if source.member is None:
        download(source, item.span, part, on_bytes)
    else:
        archives.fetch(source, source.member, item.span, part, on_bytes)


def check_space(needed: int, settings: Settings) -> None:
    """Raises `DiskFull` unless so many bytes have space, and a little is left."""
    free = shutil.disk_usage(settings.models_dir).free
    if needed + KEEP_FREE_BYTES > free:
        raise DiskFull(
            f"The weights need {needed / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free at {settings.models_dir}.",
            hint="Free some space, or name a folder on another disk by MODEL_CACHE_DIR.",
        )
