"""What a search asks for, as the database is asked it and as a person is told it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from kizu_core.search.spans import Span

Kind = Literal["date", "place", "person", "object", "type", "phrase", "not", "like", "words"]
Filter = Literal["dates", "places", "people", "media"]
FILTERS: Final[tuple[Filter, ...]] = ("dates", "places", "people", "media")
"""Fields of a query that leave photos out."""

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""Stands for a person whom the user does not know; no photo shows them."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the words of a user can be names of.

    `places`: (folded, as it is shown); `people`: (id, name); `labels`: classes of objects that were detected.
    """

    places: tuple[tuple[str, str], ...] = ()
    people: tuple[tuple[str, str], ...] = ()
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Vocabulary:
        """From what `kizu_vocabulary` answers."""
        return cls(
            places=tuple((str(folded), str(shown)) for folded, shown in answer.get("places") or ()),
            people=tuple((str(one["id"]), str(one["name"])) for one in answer.get("people") or () if one.get("name")),
            labels=tuple(map(str, answer.get("labels") or ())),
        )


@dataclass(frozen=True, slots=True)
class Understood:
    """Some characters of the line, `start` to `end`, and what they were taken for; `meaning` says it to a person."""

    kind: Kind
    start: int
    end: int
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One search. `raw`: the line as it was typed; `text`: those of its words that are looked for in what photos show
    and in what stands in them; `phrases`, `excluded`: words that have to stand there as written, and that must not.

    `dates`: any of them; `places`, `people`: of each group any, of all groups one; `labels`: classes of objects that
    words of the text name, which help to order; `like`: an asset's id, or what the user called the photo.
    """

    raw: str
    text: str = ""
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    dates: tuple[Span, ...] = ()
    places: tuple[tuple[str, ...], ...] = ()
    people: tuple[tuple[str, ...], ...] = ()
    labels: tuple[str, ...] = ()
    media: Literal["image", "video"] | None = None
    like: str | None = None
    language: str = "en"
    understood: tuple[Understood, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The argument of `kizu_search`; days as ISO dates."""
        return {
            "text": self.text,
            "phrases": list(self.phrases),
            "not": list(self.excluded),
            "dates": [[_day(span.start), _day(span.end)] for span in self.dates],
            "places": [list(group) for group in self.places],
            "people": [list(group) for group in self.people],
            "labels": list(self.labels),
            "type": self.media,
            "like": self.like,
        }

    @property
    def words_only(self) -> bool:
        """Quotes and minus ask for what is written: no model is asked what the words look like."""
        return bool(self.phrases or self.excluded)

    @property
    def filters(self) -> tuple[Filter, ...]:
        """Those that this query has."""
        return tuple(name for name in FILTERS if getattr(self, name))

    def without(self, name: Filter) -> Query:
        """The same query with one filter less."""
        kind = {"dates": "date", "places": "place", "people": "person", "media": "type"}[name]
        kept = tuple(one for one in self.understood if one.kind != kind)
        return replace(self, understood=kept, **{name: None if name == "media" else ()})  # type: ignore[arg-type]

    def summary(self, *, by_looks: bool) -> str:
        """What was understood, in a line: "Summer 2025 · Hawaii · with Anna · looks like: sunset".

        `by_looks`: whether photos were looked for by what they show.
        """
        kinds = ("date", "place", "person", "type", "like", "phrase", "not")
        parts = [one.meaning for kind in kinds for one in self.understood if one.kind == kind]
        if self.text:
            parts.append(f"{'looks like' if by_looks else 'words'}: {self.text}")
        return " · ".join(dict.fromkeys(part for part in parts if part))


def _day(day: Any) -> str | None:
    return None if day is None else str(day.isoformat())


def ordered(understood: Iterable[Understood]) -> tuple[Understood, ...]:
    """In the order of the line."""
    return tuple(sorted(understood, key=lambda one: (one.start, one.end)))
