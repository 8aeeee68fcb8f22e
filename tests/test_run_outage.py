"""The database goes away in the middle of `kizu run`: it waits, says so, goes on and ends complete."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_core.database.embedded.processes import stop_server
from kizu_support.command import Kizu
from kizu_support.embedded import copied
from kizu_support.reader import noisy_photos, reader_plugin

PHOTOS = 16
AWAY_S = 10


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return noisy_photos(tmp_path / "photos", PHOTOS)


@pytest.fixture
def server(database_template: Path, tmp_path: Path) -> Iterator[Kizu]:
    """A server that the run does not start or stop itself: one of the user's own, for all it knows."""
    with copied(database_template, tmp_path / "server") as home:
        command = Kizu(home)
        command("db", "start")
        yield command
        command("db", "stop")


@pytest.fixture
def reader(tmp_path: Path, server: Kizu) -> Iterator[Kizu]:
    """The command on that server, with a plugin that takes its time."""
    variables = reader_plugin(tmp_path / "site", "once", 0.3)
    command = Kizu(tmp_path / "home", {**variables, "KIZU_DATABASE_URL": server("db", "url").out.strip()})
    yield command
    for process in command.processes():
        process.kill()


@pytest.mark.parametrize("moment", ["plan", "job_done"])
def test_a_run_waits_for_its_database(reader: Kizu, server: Kizu, photos: Path, tmp_path: Path, moment: str) -> None:
    out = tmp_path / "out.txt"
    process = reader.start("run", photos, "--json", out=out)
    _wait_for(out, f'"event": "{moment}"')
    stop_server(server.home / "database")
    _wait_for(out, "Waiting until it is back")
    time.sleep(AWAY_S)
    assert process.poll() is None, out.with_suffix(".err").read_text()
    assert server("db", "start").code == 0
    assert process.wait(timeout=120) == 0, out.with_suffix(".err").read_text()
    said = out.read_text()
    assert "The database is back." in said
    assert said.index("Waiting until it is back") < said.index("The database is back.")
    assert out.with_suffix(".err").read_text() == ""
    jobs = reader.json("status")["jobs"]
    assert {name: (one["done"], one["waiting"], one["failed"]) for name, one in jobs.items()} == {
        "ocr": (PHOTOS, 0, 0),
        "optimize": (PHOTOS, 0, 0),
    }
    for number in range(0, PHOTOS, 5):
        shown = reader.json("assets", "show", f"{number:02}.jpg")
        assert [text["text"] for text in shown["texts"]] == ["once"]


def _wait_for(out: Path, text: str) -> None:
    end = time.monotonic() + 60
    while not out.exists() or text not in out.read_text():
        assert time.monotonic() < end, f"{text} did not come"
        time.sleep(0.02)
