"""The handler `optimize`: what it hands to the worker for each kind of job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image

from kizu_core.errors import JobCancelled, JobError, KizuError, SourceMissing, UnsupportedFormat
from kizu_core.jobs.optimize import OptimizeHandler
from kizu_core.plugins.protocols import JobContext
from kizu_core.testing import GivenLibrary
from kizu_core.types import Job, JobOutcome, JobTable


class Row(GivenLibrary):
    """A library with one asset."""

    def __init__(self, **columns: Any) -> None:
        super().__init__()
        self.columns = columns

    def asset(self, asset_id: UUID) -> Mapping[str, Any]:
        return self.columns


class NoModels:
    def get(self, kind: object, name: str | None = None) -> Any:
        raise AssertionError("optimization needs no model")

    spec = runtime = is_loaded = get

    def fit(self, kinds: object) -> bool:
        return True


Steps = list[tuple[int, str | None]]


def run(
    source: Path | None,
    workdir: Path,
    *,
    row: Row | None = None,
    cancelled: bool = False,
    asset: bool = True,
    **params: Any,
) -> tuple[Job, JobOutcome | KizuError, Steps]:
    steps: Steps = []
    job = Job(
        id=uuid4(),
        table=JobTable.IMAGE,
        job_type="optimize",
        user_id=uuid4(),
        asset_id=uuid4() if asset else None,
        todo=("optimize",),
        params=params,
    )
    context = JobContext(
        source=source,
        workdir=workdir,
        models=NoModels(),
        progress=lambda percent, step: steps.append((percent, step)),
        cancelled=lambda: cancelled,
        library=row or Row(width=640, height=480),
    )
    (result,) = OptimizeHandler().run([job], [context])
    return job, result, steps


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.new("RGB", (640, 480), "teal").save(path)
    return path


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_thumbnail_and_web_version(photo: Path, workdir: Path) -> None:
    job, outcome, steps = run(photo, workdir, needs_web_version=True)
    assert isinstance(outcome, JobOutcome)
    prefix = f"{job.user_id}/processed/{job.asset_id}/"
    assert set(outcome.files) == {outcome.asset["thumbnail"], outcome.asset["web_uri"]}
    assert outcome.asset["thumbnail"].startswith(prefix + "thumb-")
    assert outcome.asset["web_uri"].startswith(prefix + "web-")
    assert all(path.is_file() and path.parent == workdir for path in outcome.files.values())
    assert [step for _, step in steps] == ["decode", "render", "upload"]
    assert [percent for percent, _ in steps] == sorted(percent for percent, _ in steps)
    (done,) = outcome.operations
    assert (done.operation, done.plugin, done.found, done.error) == ("optimize", "core", 2, None)


def test_thumbnail_only(photo: Path, workdir: Path) -> None:
    _, outcome, _ = run(photo, workdir, needs_web_version=False)
    assert isinstance(outcome, JobOutcome)
    assert list(outcome.files) == [outcome.asset["thumbnail"]]
    assert outcome.asset["web_uri"] is None


def test_names_follow_the_content(photo: Path, workdir: Path) -> None:
    def names(path: Path) -> set[str]:
        _, outcome, _ = run(path, workdir)
        assert isinstance(outcome, JobOutcome)
        return {key.rsplit("/", 1)[1] for key in outcome.files}

    first = names(photo)
    assert names(photo) == first
    Image.new("RGB", (640, 480), "red").save(photo)
    assert names(photo).isdisjoint(first)


def test_a_missing_size_is_filled_in_as_shown(tmp_path: Path, workdir: Path) -> None:
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (640, 480)).save(path, exif=exif)
    _, outcome, _ = run(path, workdir, row=Row(width=None, height=None))
    assert isinstance(outcome, JobOutcome)
    assert (outcome.asset["width"], outcome.asset["height"]) == (480, 640)
    _, outcome, _ = run(path, workdir)
    assert isinstance(outcome, JobOutcome)
    assert "width" not in outcome.asset


def test_the_job_s_orientation_is_used(photo: Path, workdir: Path) -> None:
    _, outcome, _ = run(photo, workdir, input_orientation=6)
    assert isinstance(outcome, JobOutcome)
    with Image.open(outcome.files[outcome.asset["web_uri"]]) as web:
        assert web.size == (480, 640)


def test_what_can_not_be_done_is_an_error_of_that_job(photo: Path, workdir: Path, tmp_path: Path) -> None:
    raw = tmp_path / "IMG_1.CR2"
    raw.write_bytes(b"II*\x00\x10\x00\x00\x00CR\x02\x00")
    errors = [
        run(raw, workdir)[1],
        run(None, workdir)[1],
        run(photo, workdir, cancelled=True)[1],
        run(photo, workdir, asset=False)[1],
    ]
    assert [type(error) for error in errors] == [UnsupportedFormat, SourceMissing, JobCancelled, JobError]
    assert not list(workdir.iterdir())
