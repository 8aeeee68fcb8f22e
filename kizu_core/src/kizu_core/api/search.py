"""`Library.search`: a line understood, its words made a vector, the database asked, and what could not be done said."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kizu_core.errors import KizuError, ModelUnavailable, QueryError
from kizu_core.library.zone import zone_here
from kizu_core.models.weights import readiness
from kizu_core.plugins.specs import EmbedderSpec
from kizu_core.search import Query, Understood, Vocabulary, foreign, parse
from kizu_core.types import ModelType

if TYPE_CHECKING:
    from kizu_core.api import Library
    from kizu_core.worker.warm import WarmTexts

Json = dict[str, Any]

MOST_QUERY = 512
"""Characters of a search, as many as `kizu_search` takes."""

MOST_COUNTED = 50
"""Photos that a search with one filter less is counted to."""

_OTHER_EMBEDDER = "`kizu models list` shows others; `kizu models use embedder NAME` chooses one."


class Search:
    """Searches of one library. Understands a line by the user's own places, people and objects."""

    def __init__(self, library: Library, texts: WarmTexts) -> None:
        self._library = library
        self._texts = texts

    def understand(self, line: str) -> Query:
        """What a line asks for, today and with the names that the user's photos have. Raises `QueryError`."""
        _check(line)
        library = self._library
        vocabulary = Vocabulary.of(library.database.api.vocabulary(library.user))
        settings = library.settings
        query = parse(line, vocabulary, self._today(), settings.language, southern=settings.hemisphere == "south")
        return replace(query, like=str(library.assets.find(query.like))) if query.like else query

    def like(self, photo: str) -> Query:
        """The query for photos that look like one. Raises `LibraryError`."""
        found = self._library.assets.find(photo)
        shown = Understood("like", 0, len(photo), f"like {photo}")
        return Query(raw=photo, like=str(found), understood=(shown,))

    def ask(self, query: Query, limit: int = 50, after: Any = None, *, explain: bool = False) -> Json:
        """The page of a query that was understood; see `Library.search`."""
        meaning, without = self._meaning(query)
        wanted = query.as_json() | ({"explain": True} if explain else {})
        library = self._library
        page: Json = library.database.api.search(library.user, wanted, limit, after, **meaning)
        return page | {
            "without": without,
            "language": self._foreign(query) if meaning.get("vector") is not None else None,
            "understood": _told(query, by_looks="vector" in meaning),
        }

    def relaxed(self, query: Query) -> list[Json]:
        """What there would be with one filter less: `{without, count, more, hits}`, the most first.

        Only changes that find something; `more`: there are more than `count`.
        """
        found = []
        for name in query.filters:
            looser = query.without(name)
            if not (looser.filters or looser.text or looser.phrases or looser.excluded or looser.like):
                continue
            page = self.ask(looser, MOST_COUNTED + 1)
            count = len(page["hits"])
            if count:
                told = {"without": name, "count": min(count, MOST_COUNTED), "more": count > MOST_COUNTED}
                found.append({**told, "hits": page["hits"][:3]})
        return sorted(found, key=lambda one: -int(one["count"]))

    def _today(self) -> date:
        try:
            return datetime.now(ZoneInfo(zone_here(self._library.settings))).date()
        except ZoneInfoNotFoundError:  # a machine without the data of zones
            return datetime.now(UTC).astimezone().date()

    def _meaning(self, query: Query) -> tuple[Json, Json | None]:
        """The words' vector and its space; else nothing, and why: no failing model makes a search fail."""
        words = query.text.strip() and not query.words_only
        if not (words or query.like):
            return {}, None
        spaces = self._library.database.api.spaces(self._library.user)
        try:
            spec = self._embedder(spaces)
            if not words:
                return {"space": spec.space}, None
            _check_text_side(spec, self._library)
            return {"vector": self._texts.embed(spec, query.text), "space": spec.space}, None
        except KizuError as error:
            return ({"space": spaces[0]} if query.like and spaces else {}), error.as_dict()

    def _embedder(self, spaces: Collection[str]) -> EmbedderSpec:
        """The embedder in use, if photos have vectors of its space. Raises `PluginError`."""
        spec = self._library.catalog.model(ModelType.EMBEDDER)
        assert isinstance(spec, EmbedderSpec)  # noqa: S101 - what the kind says
        if spec.space not in spaces:
            state = readiness(spec, self._library.settings)
            if not state.ready:
                raise ModelUnavailable(state.reason, hint=state.hint)
            _check_languages(spec)
            raise ModelUnavailable(f"{spec.name} has not seen these photos yet.", hint="kizu run FOLDER")
        return spec

    def _foreign(self, query: Query) -> Json | None:
        """Why what the words look like may be misunderstood: they are of a language that the embedder does not know."""
        spec = self._library.catalog.model(ModelType.EMBEDDER)
        code = foreign(query, getattr(spec, "languages", ()))
        if code is None:
            return None
        return {"language": code, "model": spec.name, "hint": self._who_knows(code)}

    def _who_knows(self, code: str) -> str:
        """The command that changes to a model for this language, or that there is none."""
        specs = [one for one in self._library.catalog.specs(ModelType.EMBEDDER) if isinstance(one, EmbedderSpec)]
        for spec in specs:
            if code in spec.languages:
                return f"kizu models switch embedder {spec.name}"
        for spec in specs:
            for variables, languages in spec.also_as:
                if code in languages:
                    return f"{variables} kizu models switch embedder {spec.name}"
        return "No installed model knows it; see `kizu models list`."


def _check_text_side(spec: EmbedderSpec, library: Library) -> None:
    state = readiness(spec, library.settings)
    if not state.ready:
        raise ModelUnavailable(state.reason, hint=state.hint)
    _check_languages(spec)


def _check_languages(spec: EmbedderSpec) -> None:
    if not spec.languages:
        raise ModelUnavailable(f"{spec.name} compares pictures and knows no words.", hint=_OTHER_EMBEDDER)


def _check(line: str) -> None:
    """Refuses what is no text for the database; it would be searched for as something else."""
    if "\0" in line or any("\ud800" <= letter <= "\udfff" for letter in line):
        raise QueryError("The search holds a character that is none.", hint="Type it again instead of pasting it.")
    if len(line) > MOST_QUERY:
        raise QueryError(f"A search is at most {MOST_QUERY} characters long.", hint="A few words find more.")


def _told(query: Query, *, by_looks: bool) -> Json:
    spans = [
        {"kind": one.kind, "words": query.raw[one.start : one.end], "meaning": one.meaning} for one in query.understood
    ]
    return {
        "summary": query.summary(by_looks=by_looks),
        "text": query.text,
        "parts": spans,
        "asked": query.as_json(),
    }
