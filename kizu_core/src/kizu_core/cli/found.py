"""What `kizu search` says: hits with their reasons, an empty page with a way out, and how it all came about."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kizu_core.cli.context import aligned

if TYPE_CHECKING:
    from kizu_core.settings import Settings

Json = dict[str, Any]

_WITHOUT = {"dates": "the date", "places": "the place", "people": "the people", "media": "the kind"}


def token_of(place: Any) -> str | None:
    """Where the next page begins, as something that can be copied."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def cursor_of(token: str | None) -> Any:
    """What `token_of` was given. Raises `QueryError` for anything else."""
    from kizu_core.errors import QueryError

    if token is None:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.keys() != {"score", "taken", "id"}:
        raise QueryError("That is no mark of a page.", hint="The last line of a page gives the mark for the next one.")
    return found


def page_lines(page: Mapping[str, Any], *, explain: bool) -> Iterator[str]:
    """The hits, and how to go on."""
    if explain:
        yield from explained(page)
    words = page["understood"]["text"]
    for hit in page["hits"]:
        taken = (hit.get("taken_local") or "")[:10]
        score = f"  [{hit['score']}]" if explain else ""
        yield f"{hit['path'] or hit['file_name']}{f'  ({taken})' if taken else ''}{score}"
        yield from (f"    {reason}" for reason in reasons_of(hit, words, explain=explain))
    if page["more"]:
        yield f"More: the same search with --after {page['more']}"


def reasons_of(hit: Mapping[str, Any], words: str, *, explain: bool = False) -> Iterator[str]:
    """Why it is a hit. Dates, places and people, which all hits share, in one line."""
    shared = []
    for reason in hit["reasons"]:
        said = _reason(reason, words) + (f"  {reason['score']}" if explain and reason.get("score") is not None else "")
        if reason["kind"] in {"person", "place", "date"}:
            shared.append(said)
        else:
            yield said
    if shared:
        yield ", ".join(shared)


def _reason(reason: Mapping[str, Any], words: str) -> str:
    matched = reason.get("matched")
    match reason["kind"]:
        case "meaning":
            return f"looks like: {words}"
        case "like":
            return "looks like that photo"
        case "caption":
            return f"described as: {matched}"
        case "object":
            return f"shows: {matched}"
        case "name":
            return f"is called: {matched}"
        case "person":
            return f"with {matched}"
        case "place":
            return f"in {matched}"
        case "date":
            return f"taken {matched}"
    return f"{'reads' if reason['how'] == 'words' else 'reads something like'}: {matched}"


def no_hits(line: str, page: Mapping[str, Any], relaxed: Sequence[Mapping[str, Any]], *, empty: bool) -> Iterator[str]:
    """That nothing was found, and what would be with one filter less."""
    if empty:
        yield f"Nothing found for “{line}”. There are no photos in this library yet: kizu run FOLDER"
        return
    advice = "" if relaxed else " Try fewer or other words."
    yield f"Nothing found for “{line}”.{advice}"
    if page["understood"]["parts"]:
        yield f"Understood as: {page['understood']['summary']}"
    for one in relaxed:
        count = f"more than {one['count']}" if one["more"] else str(one["count"])
        some = ", ".join(hit["file_name"] for hit in one["hits"])
        are = "is" if one["count"] == 1 else "are"
        yield f"Without {_WITHOUT[one['without']]} there {are} {count}: {some}{' ...' if one['count'] > 3 else ''}"


def trouble(page: Mapping[str, Any]) -> Iterator[str]:
    """Why nothing was found by what photos show, or perhaps not the right ones, and the next step."""
    missing, language = page["without"], page["language"]
    if missing:
        yield f"By words only: {missing['message']} {missing['hint'] or ''}".strip()
    if language:
        from kizu_core.search import NAMES

        name = NAMES.get(language["language"], language["language"])
        yield f"These words look {name}, which {language['model']} does not know. For {name}: {language['hint']}"


def explained(page: Mapping[str, Any]) -> Iterator[str]:
    """How the line was understood, what the database was asked, and what each kind of evidence found."""
    told = page["understood"]
    rows = [("UNDERSTOOD", "WORDS", "AS"), *((one["kind"], one["words"], one["meaning"]) for one in told["parts"])]
    if told["text"]:
        rows.append(("words", told["text"], "what photos show, and what stands in them"))
    yield from aligned(rows)
    asked = {name: value for name, value in told["asked"].items() if value}
    yield f"Asked: {json.dumps(asked, ensure_ascii=False)}"
    facts = page.get("explain") or {}
    if facts.get("among") is not None:
        yield f"Photos that pass the filters: {facts['among']:,}"
    for kind, count in sorted((facts.get("found") or {}).items()):
        yield f"Found by {kind}: {count:,} (weight {facts.get('weights', {}).get(kind, 1)})"
    if facts.get("chance"):
        yield f"What chance gives, for the cut of looks: {json.dumps(facts['chance'])}"
    yield ""


def sheet_of(settings: Settings, page: Mapping[str, Any]) -> None:
    """The hits as a page of small pictures, shown."""
    from kizu_core.cli.sheet import Section, open_sheet, photo_tile, write_sheet

    words = page["understood"]["text"]
    tiles = [
        photo_tile(settings.blobs_dir, hit, hit["file_name"], note="; ".join(reasons_of(hit, words)))
        for hit in page["hits"]
    ]
    summary = page["understood"]["summary"]
    open_sheet(write_sheet(settings.paths.sheets, summary, [Section(f"{len(tiles)} photos", tiles=tiles)]))
