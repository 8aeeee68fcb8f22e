"""A library of generated photos and a worker that goes through it, for the benchmarks of the worker."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from PIL import Image

from kizu_core.blobs.local import LocalBlobs
from kizu_core.database import OpenDatabase, open_database
from kizu_core.models.selection import load_catalog
from kizu_core.settings import Settings, load_settings
from kizu_core.types import JobTable
from kizu_core.worker.options import WorkerOptions
from kizu_core.worker.supervisor import Worker

SIZES = {12: (4032, 3024), 24: (6000, 4000)}
"""Megapixels -> width and height, as cameras have them."""

DIFFERENT = 4
"""Photos that are really made; the others are links to them."""


@dataclass(frozen=True, slots=True)
class Site:
    """An embedded database with photos and one waiting job for each."""

    settings: Settings
    database: OpenDatabase
    photos: Sequence[Path]

    def worker(self) -> Worker:
        """Ends when all jobs are done."""
        blobs = LocalBlobs(self.settings.paths.blobs)
        options = WorkerOptions(only=("image-ai",), drain=True, poll_interval=0.2)
        return Worker(self.settings, self.database, blobs, load_catalog(self.settings), options)


@contextmanager
def site(count: int, megapixels: int, plugins: Sequence[str], environ: Mapping[str, str]) -> Iterator[Site]:
    """`count` photos whose embeddings are wanted. `environ`: settings of the plugins, as environment variables."""
    with tempfile.TemporaryDirectory(prefix="kizu-benchmark-") as folder:
        photos = make_photos(Path(folder) / "photos", count, megapixels)
        given = {"home": Path(folder) / "home", "threads": 2, "load_plugins": ("core", *plugins)}
        settings = load_settings(given, environ=environ)
        with open_database(settings) as database:
            enqueue(database, photos)
            yield Site(settings, database, photos)


def make_photos(folder: Path, count: int, megapixels: int) -> list[Path]:
    """JPEGs with as much detail as photos have: some 2.5 bits a pixel, as phones write them."""
    folder.mkdir(parents=True)
    width, height = SIZES[megapixels]
    photos: list[Path] = []
    for number in range(count):
        path = folder / f"{number:05}.jpg"
        if number < DIFFERENT:
            _draw(np.random.default_rng(number), width, height).save(path, quality=90)
        else:
            os.link(photos[number % DIFFERENT], path)
        photos.append(path)
    return photos


def _draw(random: np.random.Generator, width: int, height: int) -> Image.Image:
    """Noise of three sizes upon each other, as of clouds, leaves and grain."""
    picture = np.zeros((height, width, 3), np.float32)
    for share, strength in ((64, 60), (8, 25), (1, 6)):
        noise = random.normal(0, strength, (height // share + 1, width // share + 1, 3)) + 128 / 3
        layer = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        picture += np.asarray(layer, np.float32)
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


def enqueue(database: OpenDatabase, photos: Sequence[Path]) -> None:
    """One job for the embedding of each."""
    user = database.worker.ensure_user("me")
    with psycopg.connect(database.listen_url) as connection:
        connection.execute("set role service_role")
        root = _insert(
            connection,
            "insert into library_roots (user_id, path, state) values (%s, %s, 'online') returning id",
            *(user, str(photos[0].parent)),
        )
        assets = [_add(connection, user, root, photo) for photo in photos]
    jobs = [{"user_id": user, "asset_id": asset, "params": {"operations": ["embedding"]}} for asset in assets]
    database.worker.enqueue(JobTable.AI, jobs)


def _add(connection: psycopg.Connection[Any], user: UUID, root: Any, photo: Path) -> Any:
    asset = _insert(
        connection,
        "insert into assets (user_id, media_kind, mime, file_name, sha256)"
        " values (%s, 'image', 'image/jpeg', %s, %s) returning id",
        *(user, photo.name, photo.name),
    )
    _insert(
        connection,
        "insert into asset_files (root_id, user_id, asset_id, path, size, sha256) values (%s, %s, %s, %s, %s, %s)"
        " returning id",
        *(root, user, asset, photo.name, photo.stat().st_size, photo.name),
    )
    return asset


def _insert(connection: psycopg.Connection[Any], statement: str, *values: Any) -> Any:
    row = connection.execute(statement.encode(), values).fetchone()
    return row[0] if row else None
