"""Rows that somebody wrote past all functions: jobs for another's photo, places that lie outside a library."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from kizu_core.errors import SettingError
from kizu_core.types import JobTable
from kizu_core.worker.options import WorkerOptions
from kizu_core.worker.sources import find_source
from kizu_support.bench import Bench


class Forger:
    """Writes rows for two users, each with a folder of photos."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.ann, self.bob = bench.user, bench.database.worker.ensure_user("bob")
        self.roots = {user: self._root(user) for user in (self.ann, self.bob)}

    def folder(self, user: UUID) -> Path:
        return self.bench.folder / str(user)

    def _root(self, user: UUID) -> UUID:
        self.folder(user).mkdir()
        row = self.bench.query(
            "insert into library_roots (user_id, path) values (%s, %s) returning id", user, str(self.folder(user))
        )
        return UUID(str(row[0]["id"]))

    def photo(self, user: UUID, path: str = "a.jpg", *, owner: UUID | None = None, root: UUID | None = None) -> UUID:
        """A photo of a user with a file row that may be another's or name a place anywhere."""
        number = len(self.bench.query("select id from assets"))
        statement = "insert into assets (user_id, sha256) values (%s, %s) returning id"
        asset = self.bench.query(statement, user, str(number))[0]["id"]
        self.bench.query(
            "insert into asset_files (root_id, user_id, asset_id, path, sha256)"
            " values (%s, %s, %s, %s, %s) returning id",
            *(root or self.roots[user], owner or user, asset, path, str(number)),
        )
        return UUID(str(asset))

    def job(self, user: UUID, asset: UUID, table: JobTable = JobTable.IMAGE) -> UUID:
        """A row as an old client inserts it."""
        wishes = {JobTable.AI: {"input_params": '{"operations": ["embedding"]}'}}
        more: dict[str, Any] = wishes.get(table, {"needs_web_version": False})
        names = ", ".join(["user_id", "asset_id", *more])
        statement = f"insert into {table} ({names}) values (%s, %s, %s) returning id"
        return UUID(str(self.bench.query(statement, user, asset, *more.values())[0]["id"]))


@pytest.fixture
def forger(bench: Bench) -> Forger:
    return Forger(bench)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The claims whose originals were looked for."""
    claims: list[Any] = []

    def note(claim: Any, *rest: Any) -> Any:
        claims.append(claim)
        return find_source(claim, *rest)

    monkeypatch.setattr("kizu_core.worker.stock.find_source", note)
    return claims


@pytest.mark.parametrize("table", JobTable)
def test_a_job_for_the_photo_of_another_ends_at_once(
    forger: Forger, bench: Bench, shown: list[Any], table: JobTable
) -> None:
    if table is JobTable.AI:
        pytest.importorskip("kizu_plugin_histogram.model", reason="without any plugin nobody takes such a job")
    Image.new("RGB", (9, 9)).save(forger.folder(forger.bob) / "a.jpg")
    job = forger.job(forger.ann, forger.photo(forger.bob), table)
    bench.drain(only=("optimize", "image-ai"))
    row = bench.row(job, table)
    assert (row["status"], row["outcome"], row["errors"][0]["code"]) == ("failed", "invalid", "job")
    assert shown == []
    assert bench.query("select thumbnail from assets where thumbnail is not null") == []
    assert bench.query("select operation from plugin_results") == []


def test_files_of_another_are_never_places_of_a_photo(forger: Forger, bench: Bench, shown: list[Any]) -> None:
    Image.new("RGB", (9, 9)).save(forger.folder(forger.bob) / "a.jpg")
    in_their_root = forger.photo(forger.ann, root=forger.roots[forger.bob])
    of_their_row = forger.photo(forger.ann, "b.jpg", owner=forger.bob, root=forger.roots[forger.bob])
    jobs = [forger.job(forger.ann, asset) for asset in (in_their_root, of_their_row)]
    bench.drain(only=("optimize",))
    assert [bench.row(job, "image_processing_jobs")["outcome"] for job in jobs] == ["invalid", "invalid"]
    assert [claim.files for claim in shown] == [(), ()]


def test_places_outside_the_library_are_not_read(forger: Forger, bench: Bench) -> None:
    outside = bench.folder / "outside.jpg"
    Image.new("RGB", (9, 9)).save(outside)
    (forger.folder(forger.ann) / "folder.jpg").mkdir()
    paths = [str(outside), "../outside.jpg", "x/../../outside.jpg", "folder.jpg", "a" * 5000, "/dev/zero"]
    jobs = [forger.job(forger.ann, forger.photo(forger.ann, path)) for path in paths]
    bench.drain(only=("optimize",))
    rows = [bench.row(job, "image_processing_jobs") for job in jobs]
    assert [(row["outcome"], row["errors"][0]["code"]) for row in rows] == [("invalid", "source_missing")] * len(paths)


BAD_NAMES = ["../../worker", "a/b", "/etc/x", "x\ny", "a\0b", "x" * 5000, "", "\ud800", "a b", "\u202ea", "<b>"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_worker_s_name_is_no_path_and_not_without_end(name: str) -> None:
    with pytest.raises(SettingError, match="is no name"):
        WorkerOptions(worker_id=name)


def test_the_names_that_are_made_up_are_names() -> None:
    assert WorkerOptions().worker_id != WorkerOptions().worker_id
    assert WorkerOptions(worker_id="garage-2.local:7@home").worker_id
