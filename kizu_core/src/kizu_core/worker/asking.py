"""The library as a handler in the child sees it: `LibraryView`, put together from what the parent answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from sys import intern
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kizu_core.errors import DatabaseError
from kizu_core.types import FaceTable, Photo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kizu_core.types import Vector

AT_ONCE = 2000
"""Photos that one question is about; the parent refuses more."""

Ask = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""`(view, arguments) -> answer`; raises the parent's error. The parent knows whose job it is."""


class AskedLibrary:
    """`LibraryView` of one job."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def asset(self, asset_id: UUID) -> Mapping[str, Any]:
        return self._ask("asset", {"asset_id": asset_id})

    def photos(self) -> Sequence[Photo]:
        names = self._ask("names", {})["people"]
        return [_photo(row, names) for page in self._pages("photos") for row in page["photos"]]

    def faces(self) -> FaceTable:
        fixed = {face for face, _ in self.people().get("fixed", ())}
        return _face_table(self._pages("faces", "space"), fixed)

    def people(self) -> Mapping[str, Any]:
        return {key: _ids(value) for key, value in self._ask("people", {}).items()}

    def vectors(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, Vector]:
        found: dict[UUID, Vector] = {}
        for answer in self._about("vectors", asset_ids):
            halves = _unpacked(answer["vectors"], len(answer["assets"]))
            found.update(zip(_ids(answer["assets"]), _unit(halves), strict=True))
        return found

    def facts(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
        rows = [row for answer in self._about("facts", asset_ids) for row in answer["facts"]]
        return {UUID(row.pop("id")): {**row, "taken": _time(row["taken"])} for row in rows}

    def moments(self) -> Mapping[str, Any]:
        first, *others = self._pages("moments")
        return {**first, "existing": [one for page in (first, *others) for one in page["existing"]]}

    def _pages(self, view: str, *same: str) -> Iterator[Mapping[str, Any]]:
        """All pages of a view; `same`: what the first one told and the others are asked for."""
        page = self._ask(view, {})
        yield page
        while page["next"] is not None:
            page = self._ask(view, {"after": _ids(page["next"]), **{name: page[name] for name in same}})
            yield page

    def _about(self, view: str, asset_ids: Sequence[UUID]) -> Iterator[Mapping[str, Any]]:
        some = list(dict.fromkeys(asset_ids))
        for start in range(0, len(some), AT_ONCE):
            yield self._ask(view, {"asset_ids": some[start : start + AT_ONCE]})


def _ids(value: Any) -> Any:
    """The same lists with ids where text was."""
    return [_ids(one) for one in value] if isinstance(value, list) else UUID(value)


def _time(text: str | None) -> datetime | None:
    """A local time; None also for one that Python has no form for, before the year 1 say."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _photo(row: Sequence[Any], names: Mapping[str, str]) -> Photo:
    """One row of `kizu_view_photos`. Names are kept once: a library has few, and many photos of each."""
    asset_id, taken, trusted, latitude, longitude, *places, persons, labels, kind = row
    place, city, county, state, country = (one and intern(one) for one in places)
    return Photo(
        asset_id=UUID(asset_id),
        taken=_time(taken),
        trusted=trusted and taken is not None,
        latitude=latitude,
        longitude=longitude,
        place=place,
        city=city,
        county=county,
        state=state,
        country=country,
        people=tuple(sorted({intern(names[one]) for one in persons if one in names})),
        labels=tuple(intern(one) for one in labels),
        kind=intern(kind),
    )


def _face_table(pages: Iterator[Mapping[str, Any]], fixed: set[UUID]) -> FaceTable:
    """Faces of all pages. Vectors stay in the short form until all are there: so the long one exists once only."""
    import numpy as np

    rows: list[tuple[UUID, int, UUID | None, float, bool]] = []
    parts: list[NDArray[np.float16]] = []
    photos: dict[str, int] = {}
    persons: dict[str, UUID] = {}
    space = ""
    for page in pages:
        space = page["space"] or ""
        parts.append(_unpacked(page["vectors"], len(page["faces"])))
        for face, photo, person, score, usable in page["faces"]:
            whose = None if person is None else persons.setdefault(person, UUID(person))
            rows.append((UUID(face), photos.setdefault(photo, len(photos)), whose, score, usable))
    return FaceTable(
        ids=[row[0] for row in rows],
        assets=np.array([row[1] for row in rows], np.int32),
        vectors=_joined(parts),
        usable=np.array([row[4] for row in rows], np.bool_),
        scores=np.array([row[3] for row in rows], np.float32),
        persons=[row[2] for row in rows],
        fixed=np.array([row[0] in fixed for row in rows], np.bool_),
        space=space,
    )


def _unpacked(data: bytes, count: int) -> NDArray[np.float16]:
    """(count, dim), from `count` times what `halfvec_send` gives: dim, nothing, numbers; high byte first."""
    import numpy as np

    if not count:
        return np.empty((0, 0), np.float16)
    numbers = np.frombuffer(data, ">u2")
    if len(numbers) % count or (numbers.reshape(count, -1)[:, 0] != len(numbers) // count - 2).any():
        raise DatabaseError("Vectors of one space are of different lengths.", hint="See `kizu models list`.")
    return numbers.reshape(count, -1)[:, 2:].astype("<u2").view(np.float16)


def _joined(parts: list[NDArray[np.float16]]) -> NDArray[np.float32]:
    """All rows, unit length; empties `parts`."""
    import numpy as np

    full = [part for part in parts if len(part)]
    parts.clear()
    if len({part.shape[1] for part in full}) > 1:
        raise DatabaseError("Vectors of one space are of different lengths.", hint="See `kizu models list`.")
    vectors = np.empty((sum(map(len, full)), full[0].shape[1] if full else 0), np.float32)
    end = len(vectors)
    while full:
        part = full.pop()
        vectors[end - len(part) : end] = _unit(part)
        end -= len(part)
    return vectors


def _unit(halves: NDArray[np.float16]) -> NDArray[np.float32]:
    """The short form has taken a little off the length."""
    import numpy as np

    vectors = halves.astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return vectors
