"""Weights on their way to a machine without network: a folder or tar archive with an index of sizes and digests.

    kizu-models.json            {"format": 1, "files": {"ocr/tiny/tiny.onnx": {"bytes", "sha256", "licence", "source"}}}
    ocr/tiny/tiny.onnx

An archive from elsewhere may be hostile. Nothing is ever unpacked from it: a member is read only if the index and an
installed plugin both know it, and where it goes is the plugin's declaration to say, never the archive's. One member
that does not belong condemns the whole.
"""

from __future__ import annotations

import errno
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

from pydantic import Field, TypeAdapter, ValidationError

from kizu_core.errors import DiskFull, KizuError, ModelUnavailable, StorageError
from kizu_core.models.weights import locate, sha256_of
from kizu_core.settings import Settings

if TYPE_CHECKING:  # the store brings the network, which a plugin that reads a bundle does without
    from kizu_core.models.store import Item

INDEX = "kizu-models.json"
FORMAT = 1
MOST_INDEX_BYTES = 1_000_000
_KEY = r"^[a-z0-9-]+/[a-z0-9-]+/[\w.+-]*\w[\w.+-]*$"
"""Kind, model, file name: three plain names that climb nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the index says of one file."""

    bytes: Annotated[int, Field(ge=1)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    licence: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    format: Annotated[int, Field(ge=1, le=FORMAT)]
    files: dict[Annotated[str, Field(pattern=_KEY)], Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file that somebody wants to import. `key`, `entry`: what a bundle's index says of it.

    `path`: the file itself; None inside an archive.
    """

    label: str
    name: str
    size: int
    open: Callable[[], IO[bytes]]
    path: Path | None = None
    key: str | None = None
    entry: Entry | None = None


def export(items: Sequence[Item], settings: Settings, target: Path) -> list[Item]:
    """Writes the files that did not come with a package to `target`: an archive if it ends in `.tar`, else a folder.

    Returns them. Raises `ModelUnavailable` if one is not here or there are none, `StorageError`, `DiskFull`.
    """
    taken = [item for item in items if item.source is not None]
    if not taken:
        raise ModelUnavailable("There is nothing to export: these models bring their weights in packages.")
    for item in taken:
        if not item.is_here:
            message = f"{item.weight.name} of {item.spec.name} can't be exported: {item.state}."
            raise ModelUnavailable(message, hint=f"`kizu models pull {item.spec.name}`, then export again.")
    refuse_existing(target)
    paths = {item.key: locate(item.spec, item.weight, settings) for item in taken}
    write(target, {item.key: _entry(item, paths[item.key]) for item in taken}, paths)
    return taken


def refuse_existing(target: Path) -> None:
    """Raises `StorageError` if something is there already: nothing of anybody's is ever written over."""
    if target.exists():
        raise StorageError(f"{target} is there already.", hint="Name a new folder or a new .tar file.")


def write(target: Path, index: Mapping[str, Entry], paths: Mapping[str, Path]) -> None:
    """A bundle of these files, by their keys: an archive if `target` ends in `.tar`, else a folder. All or nothing.

    Raises `StorageError`, `DiskFull`.
    """
    entries = {key: asdict(entry) for key, entry in index.items()}
    content = json.dumps({"format": FORMAT, "files": entries}, indent=2).encode()
    with disk_errors(str(target)):
        target.parent.mkdir(parents=True, exist_ok=True)
        (_write_tar if target.suffix == ".tar" else _write_folder)(target, content, paths)


@contextmanager
def candidates(path: Path) -> Iterator[list[Candidate]]:
    """The files that `path` offers: itself, those of a folder, or those of a bundle.

    Raises `StorageError` for what can't be read and for an archive that `export` did not make.
    """
    with disk_errors(str(path)):
        if path.is_dir():
            yield list(_of_bundle(path) if (path / INDEX).is_file() else _of_folder(path))
        elif not path.is_file():
            raise StorageError(f"There is no file or folder {path}.", hint="Check its name.")
        elif _is_archive(path):
            with tarfile.open(path, "r:") as archive:
                yield list(_of_archive(path, archive))
        else:
            yield [_plain(path)]


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """What the disk raises while `what` is read or written, as errors of ours."""
    try:
        yield
    except KizuError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"No space is left for {what}.", hint="Free some space, then run it again.") from error
        raise StorageError(f"{what} can't be read or written: {error.strerror or error}.") from error


def _entry(item: Item, path: Path) -> Entry:
    weight, size = item.weight, path.stat().st_size  # of some files only about what was declared
    return Entry(bytes=size, sha256=item.digest or sha256_of(path), licence=weight.licence, source=weight.source)


def _write_folder(target: Path, index: bytes, paths: Mapping[str, Path]) -> None:
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    for key, path in paths.items():
        (part / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, part / key)
    (part / INDEX).write_bytes(index)
    part.rename(target)


def _write_tar(target: Path, index: bytes, paths: Mapping[str, Path]) -> None:
    part = target.with_name(target.name + ".part")
    with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(_member(INDEX, len(index)), io.BytesIO(index))
        for key, path in paths.items():
            with path.open("rb") as file:
                archive.addfile(_member(key, path.stat().st_size), file)
    part.rename(target)


def _member(name: str, size: int) -> tarfile.TarInfo:
    """Nothing of the machine that wrote it: no owner, no time."""
    member = tarfile.TarInfo(name)
    member.size = size
    return member


def _plain(path: Path) -> Candidate:
    def opened() -> IO[bytes]:
        return path.open("rb")

    return Candidate(label=str(path), name=path.name, size=path.stat().st_size, open=opened, path=path.resolve())


def _of_folder(folder: Path) -> Iterator[Candidate]:
    yield from (_plain(path) for path in sorted(folder.rglob("*")) if path.is_file())


def _of_bundle(folder: Path) -> Iterator[Candidate]:
    with (folder / INDEX).open("rb") as file:
        index = _read_index(file, str(folder))
    for key, entry in index.items():
        path = folder.joinpath(*key.split("/"))
        if path.resolve() != folder.resolve() / key or not path.is_file() or path.stat().st_size != entry.bytes:
            raise _refusal(str(folder), f"{key!r} is not the file that its index lists")
        one = _plain(path)
        yield Candidate(label=one.label, name=one.name, size=one.size, open=one.open, path=path, key=key, entry=entry)


def _is_archive(path: Path) -> bool:
    """Whether it is a tar archive that begins as `export` begins one: weights may be tar archives themselves."""
    try:
        with tarfile.open(path, "r:") as archive:
            first = archive.next()
            return first is not None and first.name == INDEX
    except (tarfile.TarError, EOFError):
        return False


def _of_archive(path: Path, archive: tarfile.TarFile) -> Iterator[Candidate]:
    try:
        yield from _members(path, archive)
    except (tarfile.TarError, EOFError) as error:
        raise _refusal(str(path), f"it is damaged ({error})") from error


def _members(path: Path, archive: tarfile.TarFile) -> Iterator[Candidate]:
    members = iter(archive)
    left = _read_index(_content(archive, next(members)), str(path))
    for member in members:
        entry = left.pop(member.name, None)
        if entry is None or not _is_plain(member) or member.size != entry.bytes:
            raise _refusal(str(path), f"{member.name!r} is not a file that its index lists")
        yield Candidate(
            label=f"{path}:{member.name}",
            name=member.name.rpartition("/")[2],
            size=member.size,
            open=lambda member=member: _content(archive, member),  # type: ignore[misc]
            key=member.name,
            entry=entry,
        )
    if left:
        raise _refusal(str(path), f"{next(iter(left))!r} is missing")


def _is_plain(member: tarfile.TarInfo) -> bool:
    return member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse()


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member) if _is_plain(member) else None
    if content is None:
        raise _refusal(str(archive.name), f"{member.name!r} is no plain file")
    return content


def _read_index(file: IO[bytes], where: str) -> dict[str, Entry]:
    try:
        return TypeAdapter(_Index).validate_json(file.read(MOST_INDEX_BYTES)).files
    except ValidationError as error:
        raise _refusal(where, f"its index can't be read ({error.error_count()} faults)") from error


def _refusal(where: str, why: str) -> StorageError:
    return StorageError(f"{where} was not imported: {why}.", hint="Make it anew with `kizu models export NAME TO`.")
