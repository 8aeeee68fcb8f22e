"""Photos with recognised text in a real database, of several users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from psycopg import sql
from psycopg.types.json import Jsonb

from kizu_core.database import Database
from kizu_support.postgres import KizuDatabase


@dataclass(frozen=True)
class Shelf:
    """Users and their photos, and the functions as the users call them."""

    database: KizuDatabase
    api: Database

    def photo(
        self, user: UUID, name: str, *texts: str, taken: str | None = None, kind: str = "image", missing: bool = False
    ) -> UUID:
        """A photo with one row of recognised text a span."""
        with self.database.transaction() as connection:
            row = connection.execute(
                "insert into public.assets (user_id, file_name, taken_local, media_kind, missing_since)"
                " values (%s, %s, %s, %s, case when %s then now() end) returning id",
                (user, name, taken, kind, missing),
            ).fetchone()
            assert row is not None
            asset: UUID = row[0]
            with connection.cursor() as cursor:
                cursor.executemany(
                    "insert into public.extracted_text (user_id, asset_id, text, line) values (%s, %s, %s, %s)",
                    [(user, asset, text, line) for line, text in enumerate(texts)],
                )
        return asset

    def vector(
        self, user: UUID, asset: UUID, values: Sequence[float], space: str = "pictures", frame_ms: int = 0
    ) -> None:
        """What an embedder made of a photo, or of a frame of a video."""
        with self.database.transaction() as connection:
            connection.execute(
                "insert into public.image_embeddings (user_id, asset_id, embedding, dim, space, frame_ms)"
                " values (%s, %s, %s::real[]::extensions.halfvec, %s, %s, %s)",
                (user, asset, [float(value) for value in values], len(values), space, frame_ms),
            )

    def results(self, user: UUID, asset: UUID) -> None:
        """One row of every other kind of result, and a failed operation."""
        shared = {"user_id": user, "asset_id": asset}
        box = Jsonb({"left": 0, "top": 0, "right": 1, "bottom": 1})
        rows: dict[str, dict[str, Any]] = {
            "detected_objects": {"label": "dog", "score": 0.5, "bbox": box},
            "face_embeddings": {"embedding": "[1,2]", "dim": 2, "space": "faces", "bbox": box, "face_index": 0},
            "image_embeddings": {"embedding": "[1,2]", "dim": 2, "space": "pictures"},
            "image_descriptions": {"description": "A dog.", "task": "caption"},
            "plugin_results": {"operation": "ocr", "plugin": "p", "version": "1", "error": Jsonb({"code": "x"})},
        }
        for table, values in rows.items():
            self.add(table, **shared, **values)

    def add(self, table: str, **columns: Any) -> None:
        """One row of any table."""
        insert = sql.SQL("insert into public.{} ({}) values ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(map(sql.Placeholder, columns)),
        )
        with self.database.transaction() as connection:
            connection.execute(insert, columns)

    def person(self, user: UUID, name: str, *assets: UUID) -> UUID:
        """Somebody with a name and a face in each of the photos."""
        person = uuid4()
        self.add("face_clusters", id=person, user_id=user, name=name)
        for asset in assets:
            face = {"user_id": user, "asset_id": asset, "cluster_id": person, "space": "faces"}
            self.add("face_embeddings", embedding="[1,2]", dim=2, **face)
        return person

    def names(self, user: UUID, query: str | Mapping[str, Any], **options: Any) -> list[str]:
        """File names of the hits, in their order. `query`: words, or a query as `kizu_search` takes it."""
        return [hit["file_name"] for hit in self.hits(user, query, **options)]

    def hits(self, user: UUID, query: str | Mapping[str, Any], **options: Any) -> Sequence[dict[str, Any]]:
        found: Sequence[dict[str, Any]] = self.page(user, query, **options)["hits"]
        return found

    def page(self, user: UUID, query: str | Mapping[str, Any], **options: Any) -> Any:
        asked = {"text": query} if isinstance(query, str) else query
        return self.api.search(user, asked, **options)
