"""`kizu moments` as a person or a script uses it, over moments that are stored as jobs store them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from kizu_core.api import Library, open_library
from kizu_core.cli.app import app
from kizu_support.embedded import settings_for
from kizu_support.postgres import KizuDatabase, kizu_database, postgres
from kizu_support.queue import AI, Queue
from kizu_support.strategies import moment_row, store

__all__ = ["kizu_database", "postgres"]


@dataclass
class Commands:
    """Runs commands on a library with moments of a few photos."""

    library: Library
    queue: Queue
    environment: dict[str, str | None]
    folder: Path

    def __call__(self, *arguments: str | Path) -> Result:
        return CliRunner().invoke(app, ["moments", *map(str, arguments)], env=self.environment)

    def said(self, *arguments: str | Path, code: int = 0) -> str:
        result = self(*arguments)
        assert result.exit_code == code, result.output
        return result.stdout + result.stderr

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self.said(*arguments, "--json"))

    def photos(self, count: int, day: str = "2024-07-13", below: str = "") -> list[UUID]:
        """Photos with originals in `folder`, or below it."""
        user, (root,) = self.library.user, self.queue.rows("select id from library_roots")
        found = []
        for number in range(count):
            name = f"{day}-{number}.jpg"
            (self.folder / below).mkdir(exist_ok=True)
            (self.folder / below / name).write_bytes(f"{day} {number}".encode())
            photo = self.queue.photo(user, file_name=name, taken_local=f"{day} 19:{number:02}", city="Nice")
            self.queue.run(
                "insert into asset_files (root_id, user_id, asset_id, path) values (%s, %s, %s, %s)",
                root["id"],
                user,
                photo,
                f"{below}{name}",
            )
            found.append(photo)
        return found

    def made(self, *photos: list[UUID], **values: Any) -> list[str]:
        """Moments of these photos; how their ids begin."""
        rows = [moment_row(one, title=f"Moment {number}", **values) for number, one in enumerate(photos)]
        store(self.queue, self.library.user, *rows)
        return [row["id"][:8] for row in rows]


@pytest.fixture
def kizu(kizu_database: KizuDatabase, tmp_path: Path) -> Iterator[Commands]:
    """Commands on an empty library of somebody in Tokyo, with a folder."""
    folder = tmp_path / "photos"
    folder.mkdir()
    url = kizu_database.url("postgres")
    variables = {"KIZU_HOME": str(tmp_path / "home"), "KIZU_DATABASE_URL": url, "KIZU_LOAD_PLUGINS": "core"}
    settings = settings_for(tmp_path / "home", database_url=url, load_plugins=("core",), time_zone="Asia/Tokyo")
    with open_library(settings) as library:
        queue = Queue(kizu_database)
        queue.run("insert into library_roots (user_id, path) values (%s, %s)", library.user, str(folder))
        yield Commands(library, queue, dict(variables), folder)


def test_today_shows_what_there_is_and_the_reasons(kizu: Commands) -> None:
    photos = kizu.photos(8)
    first, second = kizu.made(photos[:5], photos[5:])
    assert f"{first}  Moment 0\n          13 July 2024, 5 photos, until " in kizu.said()
    assert kizu.said("today") == kizu.said()
    assert {one["id"][:8] for one in kizu.json("today")["moments"]} == {first, second}
    shown = kizu.said("show", first)
    assert "    Rule: far from home\n" in shown
    assert f"2024-07-13 19:00  {kizu.folder}/2024-07-13-0.jpg" in shown
    kizu.queue.run("update moments set day = day - 1")
    assert "There are 2 of other days: kizu moments list" in kizu.said()
    assert "Moment 0" in kizu.said("list")


def test_alone_it_takes_what_today_takes(kizu: Commands) -> None:
    kizu.made(kizu.photos(3))
    assert kizu.json("--user", "Anna")["moments"] == []
    assert kizu.json() == kizu.json("today")
    assert len(kizu.json()["moments"]) == 1
    assert "come after it" in kizu.said("--user", "Anna", "list", code=2), "they would count for nothing"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("delete from {}", "nobody has looked for any. Look now: kizu moments generate"),
        ("update {} set status = 'pending', outcome = null", "Moments are asked for"),
        ("update {} set status = 'failed', error_message = 'It broke.'", "failed. It broke."),
        ('update {} set result = \'{{"why": "No luck.", "hint": "Wait."}}\'', "No moments today. No luck.\nWait."),
    ],
)
def test_without_any_the_reason_is_said(kizu: Commands, change: str, said: str) -> None:
    kizu.made([])
    kizu.queue.run(change.format(AI))
    assert said in kizu.said()


def test_what_is_decided_holds(kizu: Commands) -> None:
    photos = kizu.photos(8)
    first, second = kizu.made(photos[:5], photos[5:])
    assert kizu.said("save", first) == "“Moment 0” is kept.\n"
    assert kizu.said("hide", second) == "“Moment 1” is hidden.\n"
    assert "Moment 1" not in kizu.said("list")
    assert "Moment 1" in kizu.said("list", "--hidden")
    assert "kept" in kizu.said("list", "--saved")
    assert kizu.said("save", first, "--undo") == "“Moment 0” is no longer kept.\n"
    assert kizu.said("hide", second, "--undo") == "“Moment 1” is shown again.\n"
    assert "There are none of these." in kizu.said("list", "--saved")
    assert "There is no moment 'ffff'" in kizu.said("show", "ffff", code=1)
    assert kizu.json("today", "--user", "Anna")["moments"] == []


def test_blocks_come_and_go(kizu: Commands) -> None:
    kizu.made(kizu.photos(3), kizu.photos(2, "2024-08-01"))
    assert "No moment shows 1 August 2024 any more: 2 photos now" in kizu.said(
        "block", "--from", "2024-08-01", "--to", "2024-08-01"
    )
    assert [one["title"] for one in kizu.json("today")["moments"]] == ["Moment 0"]
    kizu.said("block", "--place", "NICE")
    assert kizu.json("today")["moments"] == []
    assert "the place “nice”, 5 photos" in kizu.said("blocks")
    for one in kizu.json("blocks"):
        assert "again." in kizu.said("unblock", one["id"][:8])
    assert len(kizu.json("today")["moments"]) == 2
    assert "Nothing is blocked" in kizu.said("blocks")
    for wrong in ([], ["--person", "A", "--place", "B"], ["--from", "2024-01-01"], ["--place", " "]):
        kizu.said("block", *wrong, code=2)
    kizu.said("block", "--from", "2024-02-01", "--to", "2024-01-01", code=2)


def test_a_person_is_blocked_by_name(kizu: Commands) -> None:
    photos = kizu.photos(4)
    kizu.made(photos)
    queue, user = kizu.queue, kizu.library.user
    queue.run("insert into face_clusters (user_id, name, kept) values (%s, 'Eva', true)", user)
    queue.run(
        "insert into face_embeddings (user_id, asset_id, cluster_id, embedding)"
        " select %s, %s, id, '[1,0]' from face_clusters",
        user,
        photos[0],
    )
    assert "No moment shows Eva any more: 1 photo now" in kizu.said("block", "--person", "eva")
    assert kizu.json("today")["moments"][0]["photos"] == 3


def test_settings_are_shown_changed_and_refused(kizu: Commands) -> None:
    assert "New ones come at 09:00 (Asia/Tokyo), at most 5 a day." in kizu.said("settings")
    changed = kizu.said(
        "settings", "--off", "--time", "18:30", "--most", "3", "--keep-days", "30", "--zone", "europe/paris"
    )
    assert "Moments are off." in changed
    assert "New ones come at 18:30 (Europe/Paris), at most 3 a day." in changed
    assert "go after 30 days" in changed
    before = kizu.json("settings")
    for wrong in (("--time", "25:00"), ("--most", "0"), ("--keep-days", "99999"), ("--zone", "Tokio")):
        kizu.said("settings", "--on", *wrong, code=1)
    kizu.said("settings", "--kind", "people", code=2)
    assert kizu.json("settings") == before


def test_export_copies_goes_on_and_overwrites_nothing(kizu: Commands, tmp_path: Path) -> None:
    photos = kizu.photos(3) + kizu.photos(1, below="more/")  # two photos of one name and time
    (moment,) = kizu.made(photos)
    target = tmp_path / "out"
    kizu.said("export", target, code=1)  # nothing is kept yet
    kizu.said("save", moment)
    assert "4 files written." in kizu.said("export", target)
    (folder,) = target.iterdir()
    assert folder.name == f"Moment 0 ({moment})"
    copied = folder / "2024-07-13 19.01.00 2024-07-13-1.jpg"
    assert copied.read_bytes() == b"2024-07-13 1"
    assert len(json.loads((folder / "moment.json").read_text())["photos"]) == 4
    copied.write_bytes(b"mine")
    (folder / "2024-07-13 19.02.00 2024-07-13-2.jpg").unlink()
    assert "1 file written, 2 were there" in kizu.said("export", target, code=3)
    assert copied.read_bytes() == b"mine"
    assert "is inside your library" in str(kizu("export", kizu.folder / "x").output)
    assert not (kizu.folder / "x").exists()
    linked = tmp_path / "linked"
    kizu.said("export", linked, moment, "--link")
    (one,) = linked.glob("*/*13-2.jpg")
    assert one.samefile(kizu.folder / "2024-07-13-2.jpg")
    (kizu.folder / "2024-07-13-2.jpg").unlink()
    assert "is not there now" in kizu.said("export", tmp_path / "third", code=3)


def test_a_page_of_moments_is_written(kizu: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    (moment,) = kizu.made(kizu.photos(2))
    page = Path(kizu.said("today", "--open").rpartition(": ")[2].strip())
    text = page.read_text()
    assert f"kizu moments save {moment}" in text
    assert "Moment 0" in text
