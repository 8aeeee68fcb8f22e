"""A made-up library in a database, as if Kizu's workers had been through it: rows by COPY, a minute for 100,000.

What a model would have said is the truth with flaws: detectors overlook objects and see some that are not there,
captions leave objects out and name neither people nor places, the words of a search mean about what a label means.
Faces are all recognised and named: search filters by people, it does not recognise them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from kizu_support.made import Made, Row, asset_uuid

SPACE = "made"
DIM = 512
OVERLOOKED = 0.2
"""Share of objects that the detector does not see, and of those that a caption leaves out."""
IMAGINED = 0.1
"""Share of photos in which the detector sees an object that is not there."""
VAGUE = 2.0
"""How far the words of a search are beside what they mean: this times as long as the meaning itself."""

Vector = NDArray[np.float32]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Filled:
    """A made-up library whose rows belong to `user`."""

    made: Made
    user: UUID

    def asset(self, made_id: str) -> UUID:
        """The id in the database: two users may have the same made-up library."""
        return uuid5(self.user, made_id)

    def person(self, made_id: str) -> UUID:
        """The id of a person, who is named."""
        return uuid5(self.user, f"person {made_id}")

    @cached_property
    def assets(self) -> list[UUID]:
        """In the order of `made.assets` and `made.vectors`."""
        return [self.asset(row["id"]) for row in self.made.assets]

    @cached_property
    def meanings(self) -> dict[str, Vector]:
        """Label -> the vector that photos with it have in common, as the generator drew it from the seed."""
        words = sorted({label for truth in self.made.truth.values() for label in truth["labels"]})
        drawn = np.random.Generator(np.random.PCG64([self.made.seed, 3])).standard_normal((len(words), DIM))
        return dict(zip(words, drawn.astype(np.float32), strict=True))

    def embed(self, text: str) -> Vector:
        """(512,) of unit length: what a text model would make of words; nothing near any photo for unknown ones."""
        known = [meaning for label, meaning in self.meanings.items() if label in text.casefold()]
        aim = sum(known, np.zeros(DIM)) / max(len(known), 1) ** 0.5
        found = aim + VAGUE * unrelated(text) * DIM**0.5
        return np.asarray(found / np.linalg.norm(found), np.float32)


def unrelated(text: str) -> Vector:
    """(512,) of unit length, always the same for the same text and near to no other."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    drawn = np.random.default_rng(seed).standard_normal(DIM)
    return np.asarray(drawn / np.linalg.norm(drawn), np.float32)


def fill(connection: psycopg.Connection[Any], made: Made, user: UUID) -> Filled:
    """Writes the library of a user who exists; `made` has vectors.

    The connection is `kizu_owner`'s: COPY does not pass row level security.
    """
    filled = Filled(made, user)
    chance = np.random.default_rng([made.seed, 99])
    _copy(connection, "assets", _assets(filled))
    people = [{"id": filled.person(one), "user_id": user, "name": name} for one, name in made.names.items()]
    _copy(connection, "face_clusters", people)
    _copy(connection, "detected_objects", _objects(filled, chance))
    _copy(connection, "image_descriptions", _captions(filled, chance))
    _copy(connection, "extracted_text", _texts(filled))
    copy_vectors(connection, "image_embeddings", user, filled.assets, made.vectors)
    faces = {"cluster_id": [filled.person(one["person"]) for one in made.faces]}
    assets = [filled.asset(one["asset"]) for one in made.faces]
    copy_vectors(connection, "face_embeddings", user, assets, made.face_vectors, "made faces", faces)
    return filled


def copy_vectors(
    connection: psycopg.Connection[Any],
    table: str,
    user: UUID,
    assets: Sequence[UUID],
    vectors: Vector,
    space: str = SPACE,
    more: Mapping[str, Sequence[UUID]] | None = None,
) -> None:
    """Vectors (n, dim) of n photos into a table of embeddings, in binary: as text they would take minutes.

    `more`: further columns of ids.
    """
    dim = vectors.shape[1]
    ids = {"user_id": [user] * len(assets), "asset_id": assets, **(more or {})}
    fields: list[Any] = [("fields", ">i2")]
    for name in ids:
        fields += [(f"{name} bytes", ">i4"), (name, "V16")]
    fields += [("vector bytes", ">i4"), ("length", ">i2"), ("unused", ">i2"), ("vector", ">u2", (dim,))]
    fields += [("dim bytes", ">i4"), ("dim", ">i4"), ("space bytes", ">i4"), ("space", f"S{len(space)}")]
    columns = sql.SQL(", ").join(map(sql.Identifier, [*ids, "embedding", "dim", "space"]))
    statement = sql.SQL("copy public.{} ({}) from stdin (format binary)").format(sql.Identifier(table), columns)
    with connection.cursor().copy(statement) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for start in range(0, len(assets), 10_000):
            part = slice(start, start + 10_000)
            rows = np.zeros(len(assets[part]), fields)
            rows["fields"] = len(ids) + 3
            for name, values in ids.items():
                rows[f"{name} bytes"] = 16
                rows[name] = np.frombuffer(b"".join(one.bytes for one in values[part]), "V16")
            rows["vector bytes"], rows["length"], rows["vector"] = 4 + 2 * dim, dim, _halves(vectors[part])
            rows["dim bytes"], rows["dim"] = 4, dim
            rows["space bytes"], rows["space"] = len(space), space.encode()
            copy.write(rows.tobytes())
        copy.write(b"\xff\xff")


def _halves(vectors: Vector) -> NDArray[np.uint16]:
    return vectors.astype(np.float16).view(np.uint16)


def _copy(connection: psycopg.Connection[Any], table: str, rows: Iterable[Values]) -> None:
    """Rows that all have the same columns."""
    listed = list(rows)
    if not listed:
        return
    columns = sql.SQL(", ").join(map(sql.Identifier, listed[0]))
    statement = sql.SQL("copy public.{} ({}) from stdin").format(sql.Identifier(table), columns)
    with connection.cursor().copy(statement) as copy:
        for row in listed:
            copy.write_row(tuple(row.values()))


def _assets(filled: Filled) -> Iterator[Values]:
    for row, place in zip(filled.made.assets, filled.made.places, strict=True):
        taken = datetime.fromisoformat(row["taken_at"] or row["mtime"]).replace(tzinfo=None)
        offset = _minutes(row["offset"]) if row["taken_at"] else None
        located = row["lat"] is not None
        yield {
            "id": filled.asset(row["id"]),
            "user_id": filled.user,
            "file_name": row["file"] or f"{row['id']}.jpg",
            "media_kind": row["kind"],
            "mime": row["mime"],
            "bytes": row["bytes"],
            "width": row["width"],
            "height": row["height"],
            "taken_local": taken,
            "taken_offset_min": offset,
            "taken_at": f"{taken - timedelta(minutes=offset)}+00" if offset is not None else None,
            "taken_source": "exif" if row["taken_at"] else "mtime",
            "latitude": row["lat"],
            "longitude": row["lon"],
            "placed_for": [row["lat"], row["lon"]] if located else None,
            **{name: place and place[name] for name in ("city", "county", "state", "country")},
            "camera": row["camera"],
            "created_at": row["uploaded_at"],
        }


def _minutes(offset: str | None) -> int | None:
    if offset is None:
        return None
    hours, minutes = offset[1:].split(":")
    return (-1 if offset[0] == "-" else 1) * (60 * int(hours) + int(minutes))


def _truths(filled: Filled) -> Iterator[tuple[UUID, Row]]:
    for row, asset in zip(filled.made.assets, filled.assets, strict=True):
        yield asset, filled.made.truth[asset_uuid(row["id"])]


def _objects(filled: Filled, chance: np.random.Generator) -> Iterator[Values]:
    labels = sorted(filled.meanings)
    for asset, truth in _truths(filled):
        seen = [(label, chance.uniform(0.4, 1)) for label in truth["labels"] if chance.random() > OVERLOOKED]
        if chance.random() < IMAGINED:
            seen.append((labels[int(chance.integers(len(labels)))], chance.uniform(0.25, 0.7)))
        for label, score in seen:
            yield {"user_id": filled.user, "asset_id": asset, "label": label, "score": round(score, 3)}


def _captions(filled: Filled, chance: np.random.Generator) -> Iterator[Values]:
    for asset, truth in _truths(filled):
        named = [label for label in truth["labels"] if chance.random() > OVERLOOKED]
        caption = f"A photo of {', '.join(named) or 'something'}."
        yield {"user_id": filled.user, "asset_id": asset, "description": caption, "task": "caption"}


def _texts(filled: Filled) -> Iterator[Values]:
    for asset, truth in _truths(filled):
        for line, text in enumerate(truth["text"]):
            yield {"user_id": filled.user, "asset_id": asset, "text": text, "line": line}
