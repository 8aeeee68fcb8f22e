"""Pictures through the worker: from a disk, from an address, from a disk that is away; a store that is full."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from kizu_core.blobs.local import LocalBlobs
from kizu_core.errors import DiskFull
from kizu_core.models.selection import load_catalog
from kizu_core.types import JobTable
from kizu_core.worker import lane
from kizu_core.worker.events import JobReturned, Waiting
from kizu_core.worker.options import WorkerOptions
from kizu_core.worker.supervisor import Worker
from kizu_support.bench import Bench, Running
from kizu_support.embedded import settings_for
from kizu_support.fake_distribution import fake_distribution

READERS = """
    from kizu_core.plugins.hookspecs import hookimpl
    from kizu_core.plugins.specs import OcrSpec

    @hookimpl
    def kizu_ocr_models():
        about = {"name": "reader", "summary": "reads", "output_version": "1"}
        return [OcrSpec(factory="kizu_tiny_ocr:Reader", languages=("en",), **about)]
"""
READER = """
    from kizu_core.types import TextSpan

    class Reader:
        def __init__(self, context):
            pass

        def read_text(self, pictures):
            span = TextSpan(text="WELCOME", score=1.0, quad=((0.1, 0.1), (0.9, 0.1), (0.9, 0.2), (0.1, 0.2)))
            return [[span] for _ in pictures]

        def close(self):
            pass
"""
EMBEDDERS = """
    from kizu_core.plugins.hookspecs import hookimpl
    from kizu_core.plugins.specs import EmbedderSpec

    @hookimpl
    def kizu_embedders():
        about = {"name": "mean", "summary": "mean colour", "output_version": "1"}
        return [EmbedderSpec(factory="kizu_tiny_embed:Mean", dim=3, space="mean-3", **about)]
"""
MEAN = """
    import numpy as np

    class Mean:
        def __init__(self, context):
            pass

        def embed_images(self, pictures):
            means = np.stack([p.pixels.reshape(-1, 3).mean(axis=0) + 1 for p in pictures]).astype(np.float32)
            return means / np.linalg.norm(means, axis=1, keepdims=True)

        def embed_texts(self, texts):
            raise NotImplementedError

        def close(self):
            pass
"""


class Photos:
    """Assets of the bench's user, each with a file of its own below one root."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.root = bench.folder / "photos"
        self.root.mkdir()
        statement = "insert into library_roots (user_id, path, state) values (%s, %s, 'online') returning id"
        self._root_id = bench.query(statement, bench.user, str(self.root))[0]["id"]

    def add(self, name: str, *, on_disk: bool = True) -> UUID:
        """A photo; without `on_disk` no file of it is known."""
        asset: UUID = self.bench.query(
            "insert into assets (user_id, media_kind, mime, file_name, sha256, width, height)"
            " values (%s, 'image', 'image/jpeg', %s, md5(%s) || md5(%s), 640, 480) returning id",
            *(self.bench.user, name, name, name),
        )[0]["id"]
        Image.new("RGB", (640, 480), "teal").save(self.root / name)
        if on_disk:
            self.bench.query(
                "insert into asset_files (root_id, user_id, asset_id, path, size, mtime_ns, inode, sha256)"
                " select %s, user_id, id, file_name, 1, 1, 1, sha256 from assets where id = %s returning id",
                *(self._root_id, asset),
            )
        return asset

    def enqueue(self, table: JobTable, asset: UUID, **more: Any) -> UUID:
        """One job for the photo."""
        job = {"user_id": self.bench.user, "asset_id": asset, **more}
        return UUID(self.bench.database.worker.enqueue(table, [job])[0]["id"])

    def optimize(self, asset: UUID, **params: Any) -> UUID:
        """A job that makes its thumbnail."""
        return self.enqueue(JobTable.IMAGE, asset, params={"needs_web_version": False, **params})

    def row(self, job: UUID) -> dict[str, Any]:
        """A row of the image jobs."""
        return self.bench.row(job, "image_processing_jobs")


@pytest.fixture
def photos(bench: Bench) -> Photos:
    return Photos(bench)


@pytest.fixture
def storage(photos: Photos) -> Iterator[str]:
    """The photo folder behind http; the address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Tests print nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(photos.root)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_thumbnail_is_stored_before_its_row(photos: Photos, bench: Bench) -> None:
    asset = photos.add("a.jpg")
    job = photos.optimize(asset)
    summary, _ = bench.drain(only=("optimize",))
    stored = bench.query("select thumbnail, web_uri from assets where id = %s", asset)[0]
    with Image.open(LocalBlobs(bench.settings.paths.blobs).path(stored["thumbnail"])) as thumbnail:
        assert thumbnail.size == (300, 300)
    row = photos.row(job)
    assert (row["status"], row["thumbnail_url"], stored["web_uri"]) == ("completed", stored["thumbnail"], None)
    assert summary.operations["optimize"].done == 1


def test_an_original_is_fetched_from_its_address(photos: Photos, bench: Bench, storage: str) -> None:
    asset = photos.add("a.jpg", on_disk=False)
    job = photos.optimize(asset, input_url=f"{storage}/a.jpg")
    gone = photos.optimize(photos.add("b.jpg", on_disk=False), input_url=f"{storage}/nowhere.jpg")
    bench.drain(settings_for(bench.settings.home, fetch_allow=(f"lan+{storage}",)), only=("optimize",))
    assert photos.row(job)["outcome"] == "ok"
    assert (photos.row(gone)["outcome"], photos.row(gone)["attempt"]) == ("invalid", 1)


def test_an_address_that_nobody_allowed_is_not_visited(photos: Photos, bench: Bench, storage: str) -> None:
    job = photos.optimize(photos.add("a.jpg", on_disk=False), input_url=f"{storage}/a.jpg")
    bench.drain(only=("optimize",))
    row = photos.row(job)
    assert (row["outcome"], row["errors"][0]["code"]) == ("invalid", "fetch_refused")


def test_a_file_that_is_gone_is_said_to_be(photos: Photos, bench: Bench) -> None:
    job = photos.optimize(photos.add("a.jpg"))
    (photos.root / "a.jpg").unlink()
    bench.drain(only=("optimize",))
    row = photos.row(job)
    assert (row["outcome"], row["errors"][0]["code"]) == ("invalid", "source_missing")
    assert row["error_message"] == "The file is not where it was."
    wanted = [{"operation": "optimize", "plugin": "core", "version": "1", "job": "optimize"}]
    again = bench.database.worker.enqueue_stale(bench.user, wanted)
    assert again == {"optimize": 1}, "the next run looks for it again"


def test_a_disk_that_is_away_costs_no_attempt_and_keeps_nobody_waiting(photos: Photos, bench: Bench) -> None:
    job = photos.optimize(photos.add("a.jpg"))
    photos.root.rename(photos.root.with_name("away"))
    _, running = bench.drain(only=("optimize",))
    row = photos.row(job)
    assert (row["status"], row["attempt"], row["errors"]) == ("pending", 0, [])
    (returned,) = running.of(JobReturned)
    assert returned.reason == f"The folder {photos.root} is not there now."


def test_a_path_that_leaves_its_root_is_not_read(photos: Photos, bench: Bench) -> None:
    asset = photos.add("a.jpg")
    Image.new("RGB", (9, 9)).save(bench.folder / "secret.jpg")
    bench.query("update asset_files set path = '../secret.jpg' where asset_id = %s returning id", asset)
    job = photos.optimize(asset)
    bench.drain(only=("optimize",))
    assert photos.row(job)["outcome"] == "invalid"


class Full(LocalBlobs):
    """A store that has no space for the first files."""

    refusals = 2

    def put(self, key: str, path: Path) -> None:
        if self.refusals:
            self.refusals -= 1
            raise DiskFull("No space is left.")
        super().put(key, path)


def test_a_full_disk_pauses_the_lane_and_costs_no_attempt(
    photos: Photos, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "DISK_FULL_S", 0.2)
    jobs = [photos.optimize(photos.add(f"{number}.jpg")) for number in range(4)]
    options = WorkerOptions(only=("optimize",), drain=True, poll_interval=0.2)
    blobs = Full(bench.settings.paths.blobs)
    running = Running(Worker(bench.settings, bench.database, blobs, load_catalog(bench.settings), options))
    running.end()
    assert {(photos.row(job)["outcome"], photos.row(job)["attempt"]) for job in jobs} == {("ok", 1)}
    assert running.of(Waiting)


def test_two_workers_that_can_half_of_it_each_finish_one_job(photos: Photos, bench: Bench, probe: Path) -> None:
    for name, model, plugin in (("ocr", READER, READERS), ("embed", MEAN, EMBEDDERS)):
        modules = {f"kizu_tiny_{name}": model, f"kizu_tiny_{name}_plugin": plugin}
        fake_distribution(probe, f"tiny-{name}", modules=modules, entry_points={name: f"kizu_tiny_{name}_plugin"})
    asset = photos.add("a.jpg")
    params = {"operations": ["embedding", "ocr"]}
    job = photos.enqueue(JobTable.AI, asset, job_type="image_ai", params=params)
    seen = []
    for plugin in ("ocr", "embed"):
        settings = settings_for(bench.settings.home, load_plugins=(plugin,))
        bench.drain(settings, only=("image-ai",))
        row = bench.row(job)
        seen.append((row["status"], row["todo"], row["attempt"]))
    assert seen == [("pending", ["embedding"], 0), ("completed", [], 1)]
    assert bench.query("select text from extracted_text where asset_id = %s", asset) == [{"text": "WELCOME"}]
    assert bench.query("select dim, space from image_embeddings where asset_id = %s", asset) == [
        {"dim": 3, "space": "mean-3"}
    ]
