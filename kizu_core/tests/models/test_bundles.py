"""Weights that come by disk: recognised, checked like downloaded ones, and refused when they are hostile."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kizu_core.errors import ModelUnavailable, StorageError
from kizu_core.models.bundles import INDEX, export
from kizu_core.models.importing import Imported, import_weights
from kizu_core.models.store import Item, items_of
from kizu_core.models.weights import checked_weights, readiness
from kizu_core.plugins.specs import OcrSpec, WeightFile
from kizu_core.settings import Settings
from kizu_support.callables import MakeSpec
from kizu_support.embedded import settings_for

FIRST, SECOND = b"the first file of a model", b"the second, whose digest nobody published"
KEYS = ["ocr/tiny/first.onnx", "ocr/tiny/second.bin"]


class Silent:
    def waiting(self) -> None: ...

    def progress(self, item: Item, done: int, total: int) -> None: ...


@pytest.fixture
def model(spec: MakeSpec) -> OcrSpec:
    """A model of two files: the digest of one is declared, that of the other is not."""
    first = WeightFile(name="first.onnx", source="https://example.org/first", bytes=len(FIRST), licence="MIT")
    second = WeightFile(name="second.bin", source="https://example.org/second", bytes=len(SECOND), licence="CC0-1.0")
    known = replace(first, sha256=hashlib.sha256(FIRST).hexdigest(), digest_source="computed")
    return spec(weights=(known, second))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of downloads that holds both, one under a name of its own, and something else."""
    folder = tmp_path / "downloads"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "renamed (1)").write_bytes(FIRST)
    (folder / "second.bin").write_bytes(SECOND)
    (folder / "holiday.txt").write_text("nothing to do with it")
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "elsewhere")


def take(path: Path, model: OcrSpec, settings: Settings, *, link: bool = False) -> Imported:
    return import_weights([path], [model], settings, Silent(), link=link)


def errors(imported: Imported) -> list[str]:
    return [one.error.message for one in imported.arrivals if one.error]


def test_a_folder_is_searched(model: OcrSpec, settings: Settings, files: Path) -> None:
    imported = take(files, model, settings)
    assert errors(imported) == []
    assert [one.item.weight.name for one in imported.arrivals] == ["first.onnx", "second.bin"]
    assert [Path(label).name for label in imported.strangers] == ["holiday.txt"]
    paths = checked_weights(model, settings)
    assert [path.read_bytes() for path in paths.values()] == [FIRST, SECOND]
    again = take(files, model, settings)
    assert all(one.was_here for one in again.arrivals)


def test_an_imported_file_is_held_to_its_digest(model: OcrSpec, settings: Settings, files: Path) -> None:
    take(files, model, settings)
    place = settings.models_dir / "ocr" / "tiny" / "second.bin"
    place.write_bytes(SECOND[::-1])
    with pytest.raises(ModelUnavailable, match="wrong digest"):
        checked_weights(model, settings)
    (files / "second.bin").write_bytes(SECOND[::-1])
    assert "not the file that tiny needs" in errors(take(files / "second.bin", model, settings))[0]


def test_a_file_put_there_by_hand_is_recorded_where_it_is(model: OcrSpec, settings: Settings, files: Path) -> None:
    take(files / "deep", model, settings)
    place = settings.models_dir / "ocr" / "tiny" / "second.bin"
    place.write_bytes(SECOND)
    assert "no digest" in readiness(model, settings).reason
    assert errors(take(place, model, settings)) == []
    assert readiness(model, settings).ready


def test_a_forged_file_is_named_and_nothing_is_left(model: OcrSpec, settings: Settings, tmp_path: Path) -> None:
    forged = tmp_path / "first.onnx"
    forged.write_bytes(FIRST[::-1])
    [said] = errors(take(forged, model, settings))
    assert hashlib.sha256(FIRST).hexdigest() in said
    assert hashlib.sha256(FIRST[::-1]).hexdigest() in said
    assert list((settings.models_dir / "ocr" / "tiny").iterdir()) == []
    assert forged.read_bytes() == FIRST[::-1]


def test_what_nobody_needs_is_said(model: OcrSpec, settings: Settings, files: Path) -> None:
    imported = take(files / "holiday.txt", model, settings)
    assert (imported.arrivals, imported.fruitless) == ([], [files / "holiday.txt"])
    with pytest.raises(StorageError, match="There is no file or folder"):
        take(files / "no such", model, settings)


def test_links_copy_nothing(model: OcrSpec, settings: Settings, files: Path) -> None:
    assert errors(take(files, model, settings, link=True)) == []
    place = checked_weights(model, settings)["second.bin"]
    assert place.readlink() == files / "second.bin"
    assert readiness(model, settings).ready
    (files / "second.bin").write_bytes(SECOND[::-1])
    with pytest.raises(ModelUnavailable, match="wrong digest"):
        checked_weights(model, settings)


@pytest.mark.parametrize("name", ["stick/weights.tar", "stick/weights"])
def test_to_another_machine(
    name: str, model: OcrSpec, settings: Settings, elsewhere: Settings, files: Path, tmp_path: Path
) -> None:
    (tmp_path / "stick").mkdir()
    take(files, model, settings)
    target = tmp_path / name
    assert len(export(items_of([model], settings), settings, target)) == 2
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert errors(take(target, model, elsewhere)) == []
    assert [path.read_bytes() for path in checked_weights(model, elsewhere).values()] == [FIRST, SECOND]
    with pytest.raises(StorageError, match="there already"):
        export(items_of([model], settings), settings, target)


def test_only_whole_models_are_exported(model: OcrSpec, settings: Settings, files: Path, tmp_path: Path) -> None:
    take(files / "deep", model, settings)
    with pytest.raises(ModelUnavailable, match=r"second\.bin of tiny can't be exported: missing"):
        export(items_of([model], settings), settings, tmp_path / "x.tar")


def test_what_packages_ship_is_not_exported(spec: MakeSpec, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="nothing to export"):
        export(items_of([spec()], settings), settings, tmp_path / "x.tar")


Change = Callable[[dict[str, bytes], tarfile.TarFile], None]


def archive_of(path: Path, contents: dict[str, bytes], *special: tarfile.TarInfo, index: object = None) -> Path:
    """An archive as `export` writes it, then `special` members, all of them in the index unless it is given."""
    entries = {
        key: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "licence": "MIT", "source": "x"}
        for key, data in contents.items()
    }
    entries |= {one.name: {**entries[KEYS[0]], "bytes": max(one.size, 1)} for one in special}
    head = json.dumps(index or {"format": 1, "files": entries}).encode()
    with tarfile.open(path, "w") as archive:
        for name, data in {INDEX: head, **contents}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for one in special:
            archive.addfile(one)
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


BOTH = dict(zip(KEYS, (FIRST, SECOND), strict=True))


@pytest.mark.parametrize(
    "hostile",
    [
        special("ocr/tiny/link", tarfile.SYMTYPE, "/etc/passwd"),
        special("ocr/tiny/hard", tarfile.LNKTYPE, KEYS[0]),
        special("../../escape", tarfile.SYMTYPE, "/"),
        special("ocr/tiny/pipe", tarfile.FIFOTYPE),
        special("ocr/tiny/device", tarfile.CHRTYPE),
        special("ocr/tiny", tarfile.DIRTYPE),
    ],
    ids=lambda member: member.name,
)
def test_an_archive_with_anything_but_files_is_refused(
    hostile: tarfile.TarInfo, model: OcrSpec, settings: Settings, tmp_path: Path
) -> None:
    path = archive_of(tmp_path / "x.tar", BOTH, hostile)
    with pytest.raises(StorageError, match="was not imported"):
        take(path, model, settings)
    assert not (settings.models_dir / "ocr").exists()


@pytest.mark.parametrize(
    "name", ["../../escaped", "/escaped", "ocr/tiny/../escaped", "ocr/../escaped", "ocr/tiny/..", "ocr\\tiny\\x"]
)
def test_names_that_climb_are_refused(name: str, model: OcrSpec, settings: Settings, tmp_path: Path) -> None:
    path = archive_of(tmp_path / "x.tar", {**BOTH, name: b"evil"})
    with pytest.raises(StorageError, match="was not imported"):
        take(path, model, settings)
    assert not list(tmp_path.rglob("escaped"))


def test_what_no_plugin_here_needs_stays_in_the_archive(model: OcrSpec, settings: Settings, tmp_path: Path) -> None:
    path = archive_of(tmp_path / "x.tar", {**BOTH, "vlm/other/model.onnx": b"of a plugin that is not here"})
    imported = take(path, model, settings)
    assert errors(imported) == []
    assert imported.strangers == [f"{path}:vlm/other/model.onnx"]


@pytest.mark.parametrize(
    "index",
    [
        [],
        {"format": 2, "files": {}},
        {"format": 1, "files": {}},
        {"format": 1, "files": {KEYS[0]: {"bytes": -1, "sha256": "0" * 64, "licence": "", "source": ""}}},
        {"format": 1, "files": {KEYS[0]: {"bytes": len(FIRST), "sha256": "short", "licence": "", "source": ""}}},
    ],
)
def test_an_index_that_does_not_fit_is_refused(
    index: object, model: OcrSpec, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match="was not imported"):
        take(archive_of(tmp_path / "x.tar", BOTH, index=index or ["list"]), model, settings)


def test_a_cut_archive_is_refused(model: OcrSpec, settings: Settings, tmp_path: Path) -> None:
    path = archive_of(tmp_path / "x.tar", BOTH)
    path.write_bytes(path.read_bytes()[:2560])
    with pytest.raises(StorageError):
        take(path, model, settings)
    assert not readiness(model, settings).ready


def test_a_bundle_that_lies_about_a_digest(model: OcrSpec, settings: Settings, tmp_path: Path) -> None:
    lie = {"bytes": len(SECOND), "sha256": "0" * 64, "licence": "", "source": ""}
    path = archive_of(tmp_path / "x.tar", {KEYS[1]: SECOND}, index={"format": 1, "files": {KEYS[1]: lie}})
    assert "0" * 64 in errors(take(path, model, settings))[0]


def test_a_bundle_folder_with_a_link_is_refused(
    model: OcrSpec, settings: Settings, elsewhere: Settings, files: Path, tmp_path: Path
) -> None:
    take(files, model, settings)
    export(items_of([model], settings), settings, tmp_path / "bundle")
    place = tmp_path / "bundle" / "ocr" / "tiny" / "second.bin"
    place.unlink()
    place.symlink_to(files / "second.bin")
    with pytest.raises(StorageError, match="not the file that its index lists"):
        take(tmp_path / "bundle", model, elsewhere)
