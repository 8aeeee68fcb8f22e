"""The faces of a moment: six photos that are good to look at, and of them those that differ most."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from kizu_core.types import Photo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kizu_core.types import Vector

    Numbers = NDArray[np.float32]

Facts = Mapping[str, Any]

COVERS = 6
MOST_TEXT = 150
"""Letters in a photo from which on it is a document; a street has less on its signs."""

LEAST_SIDE_PX = 400
BURST = timedelta(seconds=3)
NEAR = 0.95
"""Cosine of two pictures from which on they count as one."""

MOST_COMPARED = 2000
"""Photos whose embeddings are compared; of more good ones, some from each part of the time."""

_SCREENSHOT = re.compile(r"screen.?(shot|recording)|bildschirm(foto|aufnahme)|captura de|capture d|schermata", re.I)
_MESSENGER = re.compile(r"-WA\d{4}|^(whatsapp|fb_img|received_|signal-|telegram|viber|snapchat|photo_\d+@)", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Covers:
    """`ids`: at most six, the most typical first; `spares` take their place when one goes. `reasons`: as JSON."""

    ids: tuple[UUID, ...]
    spares: tuple[UUID, ...]
    reasons: Mapping[str, Any]


def choose_covers(
    photos: Sequence[Photo],
    facts: Mapping[UUID, Facts],
    vectors_of: Callable[[Sequence[UUID]], Mapping[UUID, Vector]],
) -> Covers:
    """Covers for a moment of these photos; none if not one of them is fit to be seen.

    `facts`: see `LibraryView.facts`; `vectors_of` is asked for the photos that are left when quality was looked at.
    """
    has_pictures = any(photo.kind == "image" for photo in photos)
    left_out = Counter[str]()
    fit: list[Photo] = []
    for photo in sorted(photos, key=lambda one: (one.taken or datetime.max, str(one.asset_id))):  # noqa: DTZ901 - local
        why = "video" if photo.kind != "image" and has_pictures else _unfit(facts.get(photo.asset_id, {}))
        left_out.update([why] if why else ())
        fit += [] if why else [photo]
    single = _one_of_each(fit, _quality([facts.get(one.asset_id, {}) for one in fit]), facts)
    left_out["near copy"] = len(fit) - len(single)
    good = _better_part(single, _quality([facts.get(one.asset_id, {}) for one in single]))
    left_out["others are better"] = len(single) - len(good)
    vectors = vectors_of([one.asset_id for one in good])
    seen = [one for one in good if one.asset_id in vectors]
    if len(seen) >= min(COVERS, len(good)) and seen:
        good, how = seen, "embeddings"
        picks = spread(np.stack([vectors[one.asset_id] for one in seen]), 2 * COVERS, 2 - 2 * NEAR)
    else:
        how = "time and place"
        picks = spread(_times_and_places(good), 2 * COVERS, 0.0)
    ids = [good[pick].asset_id for pick in picks]
    reasons = {"photos": len(photos), "left_out": {k: v for k, v in sorted(left_out.items()) if v}, "spread_by": how}
    return Covers(ids=tuple(ids[:COVERS]), spares=tuple(ids[COVERS:]), reasons=reasons)


def spread(points: Numbers, count: int, least: float) -> list[int]:
    """Rows of (n, d) `points` far from each other: first the one nearest to the mean, then always the one farthest from
    those chosen. Ends at `count`, or when none is farther than `least` (squared distance) from all chosen ones.
    """
    if not len(points):
        return []
    squares = np.einsum("ij,ij->i", points, points)
    mean = points.mean(axis=0)
    picks = [int(np.argmin(squares - 2 * (points @ mean)))]
    nearest = np.full(len(points), np.inf, points.dtype)
    while len(picks) < count:
        last = picks[-1]
        nearest = np.minimum(nearest, squares + squares[last] - 2 * (points @ points[last]))
        nearest[last] = -np.inf
        following = int(np.argmax(nearest))
        if nearest[following] <= least:
            break
        picks.append(following)
    return picks


def _unfit(fact: Facts) -> str | None:
    """Why nobody wants to see this photo on top of a moment; None as far as nothing speaks against it."""
    name = fact.get("file_name") or ""
    is_drawn = fact.get("mime") in ("image/png", "image/gif", "image/webp") and not fact.get("camera")
    if is_drawn or _SCREENSHOT.search(name):
        return "screenshot"
    if _MESSENGER.search(name):
        return "messenger copy"
    if (fact.get("text_length") or 0) >= MOST_TEXT:
        return "document"
    if 0 < min(fact.get("width") or 0, fact.get("height") or 0) < LEAST_SIDE_PX:
        return "small"
    return None


def _quality(facts: Sequence[Facts]) -> Numbers:
    """(n,) 0 to 1: places among these photos, as no scale is the same for two cameras. Unknown is the middle.

    Sharp and sure faces come first; then how much detail the file needed for each pixel, then pixels.
    """
    detail = [_ratio(one.get("bytes"), _pixels(one)) for one in facts]
    parts = (
        (2.0, [one.get("sharpness") for one in facts]),
        (1.0, [one.get("face_score") for one in facts]),
        (1.0, detail),
        (0.5, [_pixels(one) for one in facts]),
    )
    total = sum(weight * _places(values) for weight, values in parts)
    return np.asarray(total / sum(weight for weight, _ in parts), np.float32)


def _places(values: Iterable[float | None]) -> NDArray[np.float64]:
    """Rank from 0 to 1, equal values alike; 0.5 for what is not known."""
    numbers = np.array([np.nan if one is None else float(one) for one in values])
    known = np.flatnonzero(np.isfinite(numbers))
    places = np.full(len(numbers), 0.5)
    if len(known) > 1:
        _, order = np.unique(numbers[known], return_inverse=True)
        places[known] = order / max(1, order.max()) if order.max() else 0.5
    return places


def _pixels(fact: Facts) -> float | None:
    return fact["width"] * fact["height"] if fact.get("width") and fact.get("height") else None


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part and whole else None


def _one_of_each(photos: Sequence[Photo], quality: Numbers, facts: Mapping[UUID, Facts]) -> list[Photo]:
    """Without byte copies, and of each burst the best. `photos` by time."""
    best: dict[object, int] = {}
    burst, last = 0, None
    for number, photo in enumerate(photos):
        taken = facts.get(photo.asset_id, {}).get("taken") or photo.taken
        if taken is None or last is None or abs(taken - last) > BURST:
            burst += 1
        last = taken
        if burst not in best or quality[number] > quality[best[burst]]:
            best[burst] = number
    by_content = {facts.get(photos[one].asset_id, {}).get("sha256") or one: one for one in reversed(best.values())}
    return [photos[one] for one in sorted(by_content.values())]


def _better_part(photos: Sequence[Photo], quality: Numbers) -> list[Photo]:
    """The better half and all as good as its last, but enough to choose from, in the order of `photos`."""
    count = max(4 * COVERS, len(photos) // 2)
    if len(photos) > count:
        photos = [photos[int(one)] for one in np.flatnonzero(quality >= np.sort(quality)[-count])]
    if len(photos) > MOST_COMPARED:
        photos = [photos[int(one)] for one in np.linspace(0, len(photos) - 1, MOST_COMPARED)]
    return list(photos)


def _times_and_places(photos: Sequence[Photo]) -> Numbers:
    """(n, 4): time and place on the globe, each spread over the same range. What is not known lies in the middle."""
    times = [None if one.taken is None else (one.taken - datetime(1970, 1, 1)).total_seconds() for one in photos]  # noqa: DTZ001
    places = [_on_globe(one) for one in photos]
    columns = [times, *zip(*places, strict=True)] if photos else []
    scaled = [_scaled(np.array(column, np.float64)) for column in columns]
    return np.stack(scaled, axis=1).astype(np.float32) if scaled else np.empty((0, 4), np.float32)


def _on_globe(photo: Photo) -> tuple[float | None, float | None, float | None]:
    if photo.latitude is None or photo.longitude is None:
        return None, None, None
    latitude, longitude = math.radians(photo.latitude), math.radians(photo.longitude)
    around = math.cos(latitude)
    return around * math.cos(longitude), around * math.sin(longitude), math.sin(latitude)


def _scaled(column: NDArray[np.float64]) -> NDArray[np.float64]:
    known = column[np.isfinite(column)]
    if not len(known) or known.max() == known.min():
        return np.zeros(len(column))
    scaled = (column - known.min()) / (known.max() - known.min())
    return np.where(np.isfinite(column), scaled, 0.5)
