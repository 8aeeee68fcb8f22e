"""`kizu assets`: the photos of the library and everything known about one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from kizu_core.cli.context import aligned, console, print_json, settings_of

if TYPE_CHECKING:
    from kizu_core.api import Library

app = typer.Typer(help="The photos of the library, and all that is known about one.", no_args_is_help=True)

User = Annotated[str | None, typer.Option("--user", metavar="NAME", help="Whose library (default: yours).")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable.")]


@app.command("list")
def list_assets(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many, newest first.")] = 50,
    kind: Annotated[str | None, typer.Option(help="Only `image` or only `video`.")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Only those whose file is gone.")] = False,
    hidden: Annotated[bool, typer.Option("--hidden", help="Only those that are hidden.")] = False,
    text: Annotated[bool, typer.Option("--text", help="Only those with words in them.")] = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """List photos and videos, newest first.

    Example: kizu assets list --limit 200 --json
    """
    from kizu_core.api import open_library

    where = {"kind": kind, "missing": missing or None, "hidden": hidden or None, "has_text": text or None}
    chosen = {key: value for key, value in where.items() if value is not None}
    with open_library(settings_of(ctx), user) as library:
        rows = list(_pages(library, limit, chosen))
    if as_json:
        for row in rows:
            print_json(row)
        return
    if not rows:
        console().print("No photo is like that." if chosen else "No photos here yet. Add some with: kizu run FOLDER")
        return
    _print_rows(rows)


def _pages(library: Library, limit: int, where: dict[str, Any]) -> Any:
    after = None
    while limit > 0:
        page = library.assets.page(min(limit, 1000), after, where)
        yield from page["assets"]
        limit -= len(page["assets"])
        after = page.get("next")
        if after is None:
            return


def _print_rows(rows: list[dict[str, Any]]) -> None:
    """Ids and whole paths, so that they can be copied."""
    table = [("TAKEN", "SIZE", "KIND", "ID", "PATH")]
    for row in rows:
        size = f"{row['width']}x{row['height']}" if row["width"] else ""
        gone = "  (file is gone)" if row["missing_since"] else ""
        table.append((_taken(row), size, row["media_kind"], row["id"], f"{row['path'] or row['file_name']}{gone}"))
    for line in aligned(table):
        typer.echo(line)


def _taken(row: dict[str, Any]) -> str:
    return (row.get("taken_local") or "").replace("T", " ")[:16]


@app.command("show")
def show(
    ctx: typer.Context,
    photo: Annotated[str, typer.Argument(help="Its path, its file name, or its id.")],
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Show all that is known about one photo: facts, files, text, what was done with it and what failed.

    Example: kizu assets show IMG_0042.jpg
    """
    from kizu_core.api import open_library

    with open_library(settings_of(ctx), user) as library:
        found = library.assets.show(library.assets.find(photo))
    if as_json:
        print_json(found)
        return
    out = console()
    for line in _describe(found or {}):
        out.print(line, markup=False)


def _describe(row: dict[str, Any]) -> list[str]:
    """The photo in lines for a person; parts that are not known are left out."""
    from kizu_core.cli import results

    offset = row.get("taken_offset_min")
    zone = "" if offset is None else f" {'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    facts = {
        "id": row["id"],
        "kind": f"{row['media_kind']}, {row['mime']}, {row['bytes']:,} bytes",
        "size": f"{row['width']} x {row['height']} pixels" if row.get("width") else "",
        "taken": f"{_taken(row)}{zone} (from {row['taken_source']})" if row.get("taken_local") else "not known",
        "place": _place(row),
        "camera": row.get("camera") or "",
        "thumbnail": row.get("thumbnail") or "",
        "web": row.get("web_uri") or "",
        "hidden": "yes: `kizu assets hide --undo` shows it again" if row.get("hidden") else "",
    }
    lines = [f"{name:<10} {value}" for name, value in facts.items() if value]
    lines += [f"{'file':<10} {file['root']}/{file['path']}{_gone(file)}" for file in row["files"]]
    shown = {
        "text": map(results.text_line, row["texts"]),
        "object": map(results.object_line, row["objects"]),
        "face": (f"{face['id'][:8]}  {results.face_line(face)}" for face in row["faces"]),
        "caption": map(results.caption_line, row["descriptions"]),
        "vector": map(results.embedding_line, row["embeddings"]),
    }
    lines += [f"{name:<10} {line}" for name, found in shown.items() for line in found]
    lines += [f"{'done':<10} {_done(operation)}" for operation in row["operations"]]
    return lines


def _place(row: dict[str, Any]) -> str:
    """The name of the spot and where that is, as far as known."""
    names = [row.get(name) for name in ("place_name", "city", "state", "country")]
    position = [] if row.get("latitude") is None else [f"{row['latitude']:.5f}", f"{row['longitude']:.5f}"]
    return ", ".join(dict.fromkeys([*filter(None, names), *position]))


def _gone(file: dict[str, Any]) -> str:
    if file["missing_since"]:
        return "  (gone)"
    return "  (its folder is not connected)" if file["state"] == "offline" else ""


def _done(operation: dict[str, Any]) -> str:
    computed = f" ({operation['runtime']})" if operation["runtime"] else ""
    name = f"{operation['operation']} by {operation['plugin']} {operation['version']}{computed}"
    if operation["error"]:
        return f"{name}: {operation['error']['message']}"
    found = f", found {operation['found']}" if operation["operation"] != "optimize" else ""
    return f"{name}{found}, {operation['seconds'] or 0:.2f} s{' (out of date)' if operation['stale'] else ''}"
