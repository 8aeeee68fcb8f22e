"""A small library with people in it: drawn photos, read in by the real command, and faces as a model would find them.

Everybody has a colour and a direction in the space of faces; what is less alike leans towards somebody else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from kizu_core.cli.app import app
from kizu_support.command import Kizu, Result

SPACE, DIM = "faces-drawn", 32
COLOURS = ((214, 162, 124), (122, 84, 58), (240, 200, 175), (168, 118, 84))
WIDTH, HEIGHT = 640, 480
PLACES = ((150, 230), (330, 210), (500, 240))
"""Middle of each face in pixels."""

PHOTOS: Mapping[str, Sequence[tuple[int, float]]] = {
    "beach.jpg": [(0, 0.05), (1, 0.05)],
    "birthday.jpg": [(0, 0.1), (1, 0.1), (2, 0.1)],
    "garden.jpg": [(0, 0.1)],
    "hike.jpg": [(0, 0.15), (2, 0.1)],
    "lake.jpg": [(1, 0.1), (2, 0.05)],
    "market.jpg": [(0, 0.9), (3, 0.1)],
    "snow.jpg": [(3, 0.1), (1, 0.15)],
}
"""Photo -> who is in it, from left to right, and how little alike."""

Faces = dict[tuple[str, int], UUID]


class QuickKizu(Kizu):
    """The same commands inside this process: half a second less for each."""

    def __call__(self, *arguments: str | Path, timeout: float = 240) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["kizu"])
            done = CliRunner().invoke(app, [str(one) for one in arguments], env=dict(self.environment()))
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Result(done.exit_code, done.stdout, done.stderr)


@dataclass
class Family:
    """Four people: 0 and 1 and 2 and 3. `people`: their ids; `faces`: (photo, who) -> the id of the face."""

    kizu: Kizu
    folder: Path
    url: str
    people: list[UUID] = field(default_factory=list)
    faces: Faces = field(default_factory=dict)

    def short(self, who: int) -> str:
        """What lists show of somebody's id."""
        return str(self.people[who])[:8]

    def face(self, photo: str, who: int) -> str:
        """What lists show of the id of a face."""
        return str(self.faces[photo, who])[:8]

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """As the owner of the database, for what no command does."""
        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []


def make_family(kizu: Kizu, folder: Path) -> Family:
    """Draws the photos, reads them in with `kizu run`, and puts faces and people into the database."""
    folder.mkdir()
    for number, (name, people) in enumerate(PHOTOS.items()):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = f"{2015 + number}:07:0{number + 1} 12:00:00"
        _draw(number, [who for who, _ in people]).save(folder / name, quality=92, exif=exif)
    run = kizu("run", folder, "--operations", "optimize")
    assert run.code == 0, run.err
    family = Family(kizu, folder, kizu("db", "url").out.strip())
    _put_faces(family)
    return family


def _draw(number: int, people: Sequence[int]) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), (150 + 10 * number, 190, 220 - 12 * number))
    canvas = ImageDraw.Draw(image)
    canvas.rectangle((0, 330, WIDTH, HEIGHT), fill=(90 + 12 * number, 140, 90))
    for (x, y), who in zip(PLACES, people, strict=False):
        colour = COLOURS[who]
        canvas.rounded_rectangle((x - 60, y + 70, x + 60, HEIGHT), 40, fill=((60 * who) % 255, 90, 160))
        canvas.ellipse((x - 58, y - 88, x + 58, y + 40), fill=(50 + 40 * who, 40, 30))  # hair
        canvas.ellipse((x - 50, y - 65, x + 50, y + 75), fill=colour)
        for eye in (x - 20, x + 20):
            canvas.ellipse((eye - 7, y - 15, eye + 7, y - 3), fill=(30, 30, 40))
        canvas.arc((x - 24, y + 10, x + 24, y + 46), 20, 160, fill=(150, 40, 50), width=5)
    return image


def _put_faces(family: Family) -> None:
    directions = np.linalg.qr(np.random.default_rng(1).standard_normal((DIM, DIM)))[0][: len(COLOURS) + 1]
    with psycopg.connect(family.url) as connection:
        [(user,)] = connection.execute("select id from public.profiles").fetchall()
        assets: dict[str, UUID] = dict(connection.execute("select file_name, id from public.assets").fetchall())
        for _ in COLOURS:
            family.people.append(uuid4())
            connection.execute(
                "insert into public.face_clusters (id, user_id) values (%s, %s)", (family.people[-1], user)
            )
        for photo, place, who, unlike in _faces():
            family.faces[photo, who] = face = uuid4()
            vector: NDArray[np.float64] = (
                directions[who] + unlike * directions[-1] + 0.02 * directions[(who + 1) % len(COLOURS)]
            )
            unit = str((vector / np.linalg.norm(vector)).tolist())
            connection.execute(
                "insert into public.face_embeddings (id, user_id, asset_id, cluster_id, embedding, dim, space, model,"
                " bbox, score, face_index, usable) values (%s, %s, %s, %s, %s, %s, %s, 'drawn', %s, 0.9, %s, true)",
                (face, user, assets[photo], family.people[who], unit, DIM, SPACE, _box(place), place),
            )  # fmt: skip


def _faces() -> Iterator[tuple[str, int, int, float]]:
    for photo, people in PHOTOS.items():
        for place, (who, unlike) in enumerate(people):
            yield photo, place, who, unlike


def _box(place: int) -> str:
    x, y = PLACES[place]
    edges = (x - 50) / WIDTH, (y - 65) / HEIGHT, (x + 50) / WIDTH, (y + 75) / HEIGHT
    return json.dumps(dict(zip(("left", "top", "right", "bottom"), edges, strict=True)))
