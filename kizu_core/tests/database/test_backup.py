"""What a backup holds comes back, row by row; whatever goes wrong loses nothing and is one sentence."""

from __future__ import annotations

import random
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kizu_core.database.backup import back_up, backup_path, examine
from kizu_core.database.embedded.launcher import Embedded
from kizu_core.database.embedded.processes import is_alive, server_pid
from kizu_core.database.embedded.replacing import finish, put_in_place
from kizu_core.database.migrate import migrations
from kizu_core.database.restore import Restored, restore
from kizu_core.errors import DatabaseError, KizuError, SchemaMismatch
from kizu_core.settings import Paths
from kizu_support.embedded import Client, copied, foreign_server, in_namespace, settings_for

# A row in every table that a library fills; vectors of several kinds and sizes; text that is hard to write down.
FILL = r"""
insert into profiles (id, display_name) values ('00000000-0000-4000-8000-000000000001', E'Zoë \\ "x"\n\t');
insert into assets (id, user_id, sha256, file_name, taken_local, metadata)
  select gen_random_uuid(), p.id, 'hash ' || n, 'IMG_' || n || '.jpg', now(), '{"a": [1, null, "\\N"]}'
  from profiles p, generate_series(1, 50) n;
insert into library_roots (user_id, path) select id, '/Fotos/Sommer – 日本' from profiles;
insert into asset_files (root_id, user_id, asset_id, path, size, mtime_ns, inode, sha256)
  select r.id, a.user_id, a.id, a.file_name, 1, 9223372036854775807, -1, a.sha256 from assets a, library_roots r;
insert into image_embeddings (user_id, asset_id, embedding, dim, space)
  select user_id, id, (select array_agg((random() - 0.5)::real) from generate_series(1, 512))::extensions.halfvec, 512,
    'clip' from assets;
insert into face_clusters (user_id, name, cover) select id, 'Anna', '{"box": {"left": 0.1}}' from profiles;
insert into face_embeddings (user_id, asset_id, embedding, space, cluster_id)
  select a.user_id, a.id, '[6.1e-05,-1,65504]', 'faces', c.id from assets a, face_clusters c;
insert into face_rules (user_id, person_id, is_not, asset_id, box)
  select a.user_id, c.id, false, a.id, '{"left": 0.1}' from assets a, face_clusters c;
insert into face_reviews (user_id, kind, a, b, score) select user_id, 'merge', id, id, 0.1 from face_clusters;
insert into corrections (user_id, kind, subject) select user_id, 'name', '{"name": "Anna"}' from face_clusters;
insert into moment_history (user_id, moment_id, asset_hash) select id, gen_random_uuid(), 'h' from profiles;
insert into moment_blocks (user_id, place) select id, 'nowhere' from profiles;
insert into kizu_models (kind, space, model, state) values ('face', 'faces', 'm', 'active');
insert into corrections (user_id, kind, undoes) select user_id, 'undo', id from corrections;
insert into contacts (user_id, name) select id, 'Anna' from profiles;
insert into detected_objects (user_id, asset_id, label, bbox) select user_id, id, 'cat', '{"left": 0.1}' from assets;
insert into extracted_text (user_id, asset_id, text, line) select user_id, id, E'École\\.\nÑandú', 1 from assets;
insert into image_descriptions (user_id, asset_id, description) select user_id, id, 'a cat' from assets;
insert into plugin_results (user_id, asset_id, operation, plugin, version, data)
  select user_id, id, 'ocr', 'p', '1', '{"x": 1e400}' from assets;
insert into moments (id, user_id, title) select gen_random_uuid(), id, 'Summer' from profiles;
insert into moment_assets (moment_id, asset_id) select m.id, a.id from moments m, assets a;
insert into ai_processing_jobs (user_id, asset_id, job_type, input_params)
  select user_id, id, 'all', '{"operations": ["all"]}' from assets;
insert into image_processing_jobs (user_id, asset_id) select user_id, id from assets;
"""
TABLES = """
select format('%I.%I', schemaname, tablename) from pg_tables
where schemaname in ('public', 'kizu') and tablename <> 'schema_version' order by 1
"""
# What stands around the rows: who may do what, and where numbers go on.
AROUND = {
    "functions": "select p.oid::regprocedure::text, prosrc, proacl::text, prosecdef, proconfig from pg_proc p "
    "where pronamespace in ('public'::regnamespace, 'kizu'::regnamespace) order by 1",
    "tables": "select oid::regclass::text, relrowsecurity, relacl::text from pg_class "
    "where relnamespace in ('public'::regnamespace, 'kizu'::regnamespace) order by 1",
    "columns": "select attrelid::regclass::text, attname, attacl::text, format_type(atttypid, atttypmod) "
    "from pg_attribute where attrelid::regclass::text in (select tablename::text from pg_tables) and attnum > 0 "
    "and attrelid >= 16384 order by 1, 2",
    "policies": "select * from pg_policies order by 1, 2, 3",
    "defaults": "select defaclobjtype, defaclacl::text from pg_default_acl",
    "numbers": "select sequencename, last_value from pg_sequences order by 1",
    "schema": "select version, name from kizu.schema_version order by 1",
}


def everything(address: str) -> dict[str, list[Any]]:
    """All rows of all tables, and what stands around them."""
    with psycopg.connect(address) as connection:
        tables = [name for (name,) in connection.execute(TABLES).fetchall()]
        found = {
            name: sorted(row for (row,) in connection.execute(f"select to_jsonb(t)::text from {name} t".encode()))
            for name in tables
        }
        return found | {name: connection.execute(query.encode()).fetchall() for name, query in AROUND.items()}


def content(home: Path) -> dict[str, list[Any]]:
    with Embedded(Paths(home)) as server:
        return everything(server.urls().owner)


def photos(home: Path) -> int:
    return len(content(home)["public.assets"])


def quiet(_: str) -> None:
    pass


def put_back(home: Path, file: Path, *, replace: bool = False) -> Restored:
    return restore(settings_for(home), file, quiet, replace=replace)


@pytest.fixture(scope="module")
def filled(database_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with a row in every table; read only."""
    with copied(database_template, tmp_path_factory.mktemp("filled") / "home") as home:
        with Embedded(Paths(home)) as server, psycopg.connect(server.urls().owner) as connection:
            connection.execute(FILL)
        yield home


@pytest.fixture(scope="module")
def dump(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it."""
    file = tmp_path_factory.mktemp("backup") / "a b ü.dump"
    with Embedded(Paths(filled)) as server:
        back_up(server.urls().owner, file)
    return file


def test_every_row_comes_back_in_another_folder(filled: Path, dump: Path, tmp_path: Path) -> None:
    done = put_back(tmp_path / "new", dump)
    assert (done.photos, done.kept, done.schema) == (50, None, migrations()[-1].version)
    before, after = content(filled), content(tmp_path / "new")
    empty = {name for name, rows in before.items() if name.startswith("public.") and not rows}
    assert empty <= {"public.kizu_workers", "public.kizu_selftest_ledger"}
    for name, rows in before.items():
        assert after[name] == rows, name
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["database", "logs", "run"]
    assert server_pid((tmp_path / "new").resolve() / "database") is None


def test_a_backup_is_private_and_never_overwritten(filled: Path, dump: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(dump.stat().st_mode) == 0o600
    before = dump.read_bytes()
    with pytest.raises(DatabaseError, match="exists already"), Embedded(Paths(filled)) as server:
        back_up(server.urls().owner, dump)
    assert dump.read_bytes() == before
    first = backup_path(Paths(tmp_path), tmp_path)
    first.touch()
    assert backup_path(Paths(tmp_path), tmp_path) != first


def test_nothing_is_left_of_a_backup_that_failed(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="could not be backed up"):
        back_up("postgresql://nobody@127.0.0.1:1/kizu", tmp_path / "a.dump")
    with pytest.raises(DatabaseError, match="can't be written to"):
        back_up("postgresql://nobody@127.0.0.1:1/kizu", tmp_path / "nowhere" / "a.dump")
    assert list(tmp_path.iterdir()) == []


def test_a_library_is_replaced_only_when_asked_to_and_after_a_backup(
    library_home: Path, filled: Path, dump: Path
) -> None:
    with Embedded(Paths(library_home)) as server, psycopg.connect(server.urls().owner) as connection:
        connection.execute("insert into assets (user_id, sha256) values (gen_random_uuid(), 'precious')")
    with pytest.raises(DatabaseError, match="holds a library already") as refused:
        put_back(library_home, dump)
    assert "--replace" in (refused.value.hint or "")
    assert photos(library_home) == 1
    done = put_back(library_home, dump, replace=True)
    assert content(library_home)["public.assets"] == content(filled)["public.assets"]
    assert done.kept is not None
    assert done.kept.parent == library_home / "backups"
    assert put_back(library_home, done.kept, replace=True).photos == 1


def test_a_wrecked_database_is_kept_beside_the_restored_one(filled: Path, dump: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(filled, home, ignore=shutil.ignore_patterns("*.sock", ".s.*"))
    (home / "database" / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(DatabaseError, match=r"does not open \(The embedded database did not start"):
        put_back(home, dump)
    done = put_back(home, dump, replace=True)
    assert content(home)["public.assets"] == content(filled)["public.assets"]
    assert done.kept is not None
    assert (done.kept / "PG_VERSION").exists()


def test_a_damaged_backup_changes_nothing(dump: Path, tmp_path: Path) -> None:
    whole = dump.read_bytes()
    damaged = tmp_path / "damaged.dump"
    dice = random.Random(7)
    spoiled = [whole[:length] for length in (0, 1, 5, 20, 1000, len(whole) // 2, len(whole) - 1)]
    for start in (dice.randrange(len(whole)) for _ in range(50)):
        spoiled += [whole[:start] + bytes(byte ^ 0x5A for byte in whole[start : start + 64]) + whole[start + 64 :]]
    for content in (*spoiled, b"PGDMP" + bytes(200), b"select 1;", b"\x1f\x8b" * 50):
        damaged.write_bytes(content)
        with pytest.raises(KizuError, match=r"^[^\n]+\.$") as said:
            put_back(tmp_path / "home", damaged)
        assert str(damaged) in said.value.message
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_what_is_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatabaseError, match="can't be read"):
        examine(tmp_path / name)


def test_backups_of_others_and_of_the_future(library_home: Path, tmp_path: Path) -> None:
    with Embedded(Paths(library_home)) as server:
        address = server.urls().owner
        with psycopg.connect(address) as connection:
            connection.execute("insert into kizu.schema_version (version, name) values ('29990101000000', 'future')")
        back_up(address, tmp_path / "future.dump")
        with psycopg.connect(address) as connection:
            connection.execute("drop table kizu.schema_version")
        back_up(address, tmp_path / "other.dump")
    with pytest.raises(SchemaMismatch, match=r"backup of a newer Kizu \(29990101000000\)"):
        examine(tmp_path / "future.dump")
    with pytest.raises(DatabaseError, match="is a backup of another database"):
        examine(tmp_path / "other.dump")


def test_a_library_in_use_is_not_replaced(library_home: Path, dump: Path) -> None:
    client = Client(library_home)
    client.url()
    with pytest.raises(DatabaseError, match="Another Kizu process uses the database"):
        put_back(library_home, dump, replace=True)
    assert client.leave() == 0


def test_full_disk(filled: Path, dump: Path, tmp_path: Path) -> None:
    """Of the backup's folder, and of a new data folder."""
    small = f"mkdir '{tmp_path}/small' && mount -t tmpfs -o size=60k tmpfs '{tmp_path}/small'"
    code = f"""
from pathlib import Path
from kizu_core.database.backup import back_up
from kizu_core.database.embedded.launcher import Embedded
from kizu_core.settings import Paths
with Embedded(Paths(Path({str(filled)!r}))) as server:
    try:
        back_up(server.urls().owner, Path({str(tmp_path / "small" / "a.dump")!r}))
    finally:
        assert not list(Path({str(tmp_path / "small")!r}).iterdir())
"""
    assert in_namespace(small, tmp_path, code=code).startswith("DiskFull: No space is left on the disk of")
    mount = f"mkdir '{tmp_path}/tight' && mount -t tmpfs -o size=20m tmpfs '{tmp_path}/tight'"
    code = f"""
from pathlib import Path
from kizu_core.database.restore import restore
from kizu_core.settings import load_settings
home = Path({str(tmp_path / "tight" / "home")!r})
try:
    restore(load_settings({{"home": home}}, environ={{}}), Path({str(dump)!r}), lambda said: None)
finally:
    assert not (home / "database").exists() and not (home / "restoring").exists()
"""
    assert in_namespace(mount, tmp_path, code=code).startswith("DiskFull: No space is left on the disk of")


class Stop(BaseException):
    """Stands for `kill -9`."""


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("keep", [None, "kept"])
def test_an_exchange_that_is_stopped_is_ended_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int, keep: str | None
) -> None:
    """After any number of its steps there is one whole database, old or new, and the old one is not lost before."""
    database, finished = tmp_path / "database", tmp_path / "finished"
    for folder in (database, finished):
        folder.mkdir()
        (folder / "whose").write_text(folder.name)
    done = 0
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        nonlocal done
        moved = real(self, target)
        done += 1
        if done == steps:
            raise Stop
        return moved

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename)
        with pytest.raises(Stop):
            put_in_place(finished, database, tmp_path / keep if keep else None)
    finish(database)
    assert (database / "whose").read_text() == ("database" if steps == 1 else "finished")
    assert (tmp_path / "kept").exists() == (keep is not None and steps > 1)
    assert not list(tmp_path.glob("database.*"))


def test_what_a_killed_restore_left_is_swept(library_home: Path) -> None:
    left = Client(Paths(library_home).restoring)
    left.url()
    pid = server_pid(Paths(library_home).restoring.resolve() / "database")
    assert pid is not None
    left.kill()
    with Embedded(Paths(library_home)):
        assert not is_alive(pid)
        assert not Paths(library_home).restoring.exists()


def test_a_database_of_ones_own(filled: Path, dump: Path, tmp_path: Path) -> None:
    """Restored into one, where nothing is ever removed, and from there back into an embedded one."""
    folder = tmp_path.resolve() / "own"
    folder.mkdir()
    with foreign_server(folder, folder):
        superuser = f"postgresql://postgres@/postgres?host={folder}"
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute("create role librarian login createrole")
            connection.execute("create database photos owner librarian")
        with psycopg.connect(superuser.replace("/postgres?", "/photos?")) as connection:
            connection.execute("""create schema extensions authorization librarian;
                create extension vector schema extensions; create extension pg_trgm schema extensions;
                create role anon nologin; create role authenticated nologin; create role service_role nologin;
                grant anon, authenticated, service_role to librarian""")
        address = f"postgresql://librarian@/photos?host={folder}"
        own = settings_for(tmp_path / "home", database_url=address)
        assert restore(own, dump, quiet).photos == 50
        rows = {name: value for name, value in everything(address).items() if name.startswith("public.")}
        assert rows == {name: value for name, value in content(filled).items() if name in rows}
        with pytest.raises(DatabaseError, match="holds a library already"):
            restore(own, dump, quiet, replace=True)
        back_up(address, tmp_path / "own.dump")
    put_back(tmp_path / "home", tmp_path / "own.dump")
    assert content(tmp_path / "home") == content(filled)
