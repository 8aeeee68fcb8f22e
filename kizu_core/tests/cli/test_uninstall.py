"""`kizu uninstall`: what is Kizu's goes, whatever else lies there stays, photos above all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from kizu_core.cli.app import app
from kizu_core.database.embedded.launcher import Embedded
from kizu_core.database.embedded.processes import server_pid
from kizu_core.settings import Paths
from kizu_support.embedded import Client, database_template, library_home

__all__ = ["database_template", "library_home"]

UUID = "00000000-0000-4000-8000-000000000001"
OURS = [
    f"blobs/{UUID}/processed/{UUID}/thumb-0123456789ab.jpg",
    "backups/kizu-20260101-000000.dump",
    "backups/before-20261123080000-20260101-000000.dump",
    "models/manifest.json",
    "models/.lock",
    "models/ocr/tiny/model.onnx",
    "logs/child-1.log",
    "scratch/worker-abc/picture.jpg",
    "scratch/.lock",
    f"run/library-{UUID}.lock",
    "demo/2016/route-66.jpg",
    "kizu.toml",
]
CACHES = [path for path in OURS if path.split("/")[0] in {"models", "logs", "scratch", "run"}]
FOREIGN = [
    "thesis.txt",
    "photos/summer.jpg",
    "blobs/holiday.jpg",
    f"blobs/{UUID}/mine.jpg",
    "backups/others.zip",
    "logs/diary.md",
    "scratch/notes.txt",
    "database/diary.txt",
    "demo/own.jpg",
    "models/dress.jpg",
]


def uninstall(home: Path, *arguments: str) -> Result:
    environment = {"KIZU_HOME": str(home), "KIZU_DATABASE_URL": None}
    return CliRunner().invoke(app, ["uninstall", *arguments], env=environment, catch_exceptions=False)


def put(home: Path, names: list[str]) -> None:
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f"# {name}")


def add_root(home: Path, root: Path) -> None:
    with Embedded(Paths(home)) as server, psycopg.connect(server.urls().owner) as connection:
        connection.execute("insert into library_roots (user_id, path) values (gen_random_uuid(), %s)", [str(root)])


def test_all_of_it_goes_and_the_photos_stay(library_home: Path) -> None:
    """Also where the data folder lies among the photos."""
    photo = library_home.parent / "photo.jpg"
    photo.write_bytes(b"mine")
    add_root(library_home, library_home.parent)
    put(library_home, OURS)
    said = uninstall(library_home, "--yes")
    assert said.exit_code == 0
    assert not library_home.exists()
    assert photo.read_bytes() == b"mine"
    for part in ("database", "thumbnails", "backups", "models", "logs", "settings", "together"):
        assert part in said.stdout
    assert "-m pip uninstall kizu-core" in said.stdout


def test_what_is_not_kizus_is_left_and_named(library_home: Path) -> None:
    put(library_home, [*OURS, *FOREIGN])
    (library_home / "blobs" / "link").symlink_to(library_home.parent)
    said = uninstall(library_home, "--yes")
    assert said.exit_code == 0
    left = sorted(
        str(path.relative_to(library_home))
        for path in library_home.rglob("*")
        if not path.is_dir() or path.is_symlink()
    )
    assert left == sorted([*FOREIGN, "blobs/link"])
    assert "Not Kizu's, and left where it is" in said.stdout
    assert library_home.parent.exists()


def test_keep_data(library_home: Path) -> None:
    put(library_home, OURS)
    before = digest(library_home / "blobs")
    said = uninstall(library_home, "--keep-data", "--yes")
    assert said.exit_code == 0
    assert [name for name in OURS if (library_home / name).exists()] == [name for name in OURS if name not in CACHES]
    assert not (library_home / "scratch").exists()
    assert digest(library_home / "blobs") == before
    with Embedded(Paths(library_home)) as server, psycopg.connect(server.urls().owner) as connection:
        assert connection.execute("select count(*) > 0 from kizu.schema_version").fetchone() == (True,)


def digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def test_a_pinned_server_is_stopped(library_home: Path) -> None:
    Embedded(Paths(library_home)).pin()
    assert server_pid(library_home.resolve() / "database") is not None
    assert uninstall(library_home, "--yes").exit_code == 0
    assert server_pid(library_home.resolve() / "database") is None
    assert not library_home.exists()


def test_nothing_goes_unasked(library_home: Path) -> None:
    put(library_home, OURS)
    said = uninstall(library_home)
    assert said.exit_code == 1
    assert "Add --yes" in said.stderr
    assert all((library_home / name).exists() for name in OURS)


def test_not_under_the_feet_of_others(library_home: Path) -> None:
    client = Client(library_home)
    client.url()
    said = uninstall(library_home, "--yes")
    assert said.exit_code == 1
    assert "Another Kizu process uses the database." in said.stderr
    assert client.leave() == 0


@pytest.mark.parametrize("folder", ["models/ocr", "scratch/worker-mine"])
def test_photos_among_kizus_own_files(library_home: Path, folder: str) -> None:
    put(library_home, [f"{folder}/photo.jpg"])
    add_root(library_home, library_home / folder)
    said = uninstall(library_home, "--yes")
    assert said.exit_code == 1
    assert f"The photo folder {library_home / folder} lies where Kizu keeps its own files" in said.stderr
    assert (library_home / folder / "photo.jpg").exists()


def test_a_database_that_does_not_open(library_home: Path) -> None:
    put(library_home, FOREIGN)
    (library_home / "database" / "global" / "pg_control").write_bytes(b"")
    assert uninstall(library_home, "--yes").exit_code == 0
    assert not (library_home / "database" / "PG_VERSION").exists()
    assert all((library_home / name).exists() for name in FOREIGN)


def test_nothing_there(tmp_path: Path) -> None:
    said = uninstall(tmp_path / "home", "--yes")
    assert said.exit_code == 0
    assert "There is no data folder" in said.stdout
    assert not (tmp_path / "home").exists()
