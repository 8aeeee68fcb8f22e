"""`kizu people`: who is in the photos, what they are called, and putting right what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kizu_core.cli.assets import AsJson, User
from kizu_core.cli.context import aligned, console, print_json, settings_of
from kizu_core.cli.corrections import conclude
from kizu_core.cli.progress import plural

if TYPE_CHECKING:
    from kizu_core.api import Library
    from kizu_core.api.people import People

app = typer.Typer(
    no_args_is_help=True,
    help="The people in your photos: who they are, what they are called, and putting right what is wrong. Whatever you "
    "say here is kept through every later run; `kizu people undo` takes it back.",
)

Json = dict[str, Any]
UNDO = "kizu people undo"
MOST_FACES = 1000
Person = Annotated[str, typer.Argument(metavar="PERSON", help="A name, its beginning, or an id as `list` shows it.")]
Face = Annotated[str, typer.Argument(metavar="FACE", help="The id of a face, as `show` and its page give it.")]
Faces = Annotated[list[str], typer.Argument(metavar="FACE...", help="Ids of faces, as `show` and its page give them.")]
Open = Annotated[bool, typer.Option("--open", help="Show the faces on a page in your browser.")]


@app.command("list")
def list_people(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many, those in most photos first.")] = 50,
    hidden: Annotated[bool, typer.Option("--hidden", help="Only those who are hidden.")] = False,
    open_: Open = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """List the people in your photos, those in most photos first.

    Examples:

      kizu people list

      kizu people list --open
    """
    from kizu_core.api import open_library
    from kizu_core.cli import faces

    with open_library(settings_of(ctx), user) as library:
        people = [one for one in library.people.all(hidden=hidden) if one["hidden"] == hidden and _is_anybody(one)]
        advice = "" if people else _advice(library, hidden=hidden)
        if open_ and people:
            faces.show_everybody(library, people[:limit], as_json=as_json)
            return
    if as_json:
        for one in people[:limit]:
            print_json(one)
    elif advice:
        typer.echo(advice)
    else:
        _print(_everybody(people, limit))


@app.command("show")
def show(
    ctx: typer.Context,
    person: Person,
    limit: Annotated[
        int, typer.Option(min=1, max=MOST_FACES, help="How many faces: the newest, or on a page the doubtful.")
    ] = 60,
    open_: Open = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Show one person, and the faces that count as theirs.

    Examples:

      kizu people show Anna

      kizu people show 3f2a --open
    """
    from kizu_core.api import open_library
    from kizu_core.cli import faces

    with open_library(settings_of(ctx), user) as library:
        # A page shows the least certain faces, which may be the oldest.
        found = library.people.show(person, MOST_FACES if open_ else limit)
        if open_:
            faces.show_person(library, found, limit, as_json=as_json)
            return
    if as_json:
        print_json(found)
    else:
        _print(_one(found))


@app.command("review")
def review(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many questions.")] = 20,
    open_: Annotated[
        bool, typer.Option("--open/--no-open", help="On a page in your browser, or as lines here.")
    ] = True,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Ask about what is least certain: who may be one person, who may be two, and doubtful faces.

    Each question has the command for yes and the one for no.

    Examples:

      kizu people review

      kizu people review --no-open
    """
    from kizu_core.api import open_library
    from kizu_core.cli import faces

    with open_library(settings_of(ctx), user) as library:
        questions = faces.questions(library, library.people.review(limit))
        advice = (
            "" if questions else _advice(library, hidden=False) if not library.people.all() else "Nothing is uncertain."
        )
        if questions and open_ and not as_json:
            faces.show_questions(library, questions)
            return
    if as_json:
        for one in questions:
            print_json(one.as_dict())
    elif questions:
        _print(line for one in questions for line in one.lines())
    else:
        typer.echo(advice)


@app.command("name")
def name(
    ctx: typer.Context,
    who: Annotated[str, typer.Argument(metavar="PERSON|FACE", help="A person, or a face that is nobody's yet.")],
    new_name: Annotated[str, typer.Argument(metavar="NAME", help="What they are called.")],
    anyway: Annotated[bool, typer.Option("--anyway", help="Though somebody else is called the same.")] = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Give a person a name, or another one. Search, moments and lists use it from now on.

    Examples:

      kizu people name 3f2a Anna

      kizu people name Anna "Anna Maria"
    """
    done = _say(ctx, user, lambda people: people.name(who, new_name, anyway=anyway))
    conclude([done], f"{who} is now called {new_name.strip()}.", undo=UNDO, as_json=as_json)


@app.command("merge")
def merge(
    ctx: typer.Context,
    person: Person,
    others: Annotated[list[str], typer.Argument(metavar="OTHER...", help="Who is the same person.")],
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Say that several are one person. The name stays; if several have one, that of the first.

    Examples:

      kizu people merge Anna 3f2a

      kizu people merge Anna 3f2a 77b0
    """
    done = _say(ctx, user, lambda people: people.merge(person, others))
    conclude([done], f"{_all([person, *others])} are one person now.", undo=UNDO, as_json=as_json)


@app.command("apart")
def apart(
    ctx: typer.Context,
    person: Person,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Somebody else.")],
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Say that two are not the same person, however alike: twins, say.

    Example: kizu people apart Anna Bea
    """
    done = _say(ctx, user, lambda people: people.apart(person, other))
    conclude([done], f"{person} and {other} stay two people.", undo=UNDO, as_json=as_json)


@app.command("split")
def split(ctx: typer.Context, faces: Faces, user: User = None, as_json: AsJson = False) -> None:
    """Make a new person of some faces that counted as somebody else's.

    Example: kizu people split 5d0c41aa 9be2770f
    """
    done = _say(ctx, user, lambda people: people.split(faces))
    new = done["person"]["id"][:8]
    sentence = f"{plural(len(faces), 'face')} became a new person. Who is it? kizu people name {new} NAME"
    conclude([done], sentence, undo=UNDO, as_json=as_json)


@app.command("assign")
def assign(
    ctx: typer.Context,
    faces: Faces,
    person: Annotated[str, typer.Option("--to", metavar="PERSON", help="Whose they are.")],
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Say whose faces are. It stays so, whatever is found later.

    Example: kizu people assign 5d0c41aa --to Anna
    """
    done = _say(ctx, user, lambda people: [people.assign(face, person) for face in faces])
    conclude(done, f"{plural(len(faces), 'face')} of {person}, for good.", undo=UNDO, as_json=as_json)


@app.command("reject")
def reject(
    ctx: typer.Context,
    faces: Faces,
    person: Annotated[
        str | None, typer.Option("--person", help="Whose they are not, if not those they count as.")
    ] = None,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Say "not this person": faces are not those of whom they count as now.

    Example: kizu people reject 5d0c41aa 9be2770f
    """
    done = _say(ctx, user, lambda people: [people.reject(face, person) for face in faces])
    conclude(done, f"{plural(len(faces), 'face')} will not be taken for that person again.", undo=UNDO, as_json=as_json)


@app.command("cover")
def cover(ctx: typer.Context, face: Face, user: User = None, as_json: AsJson = False) -> None:
    """Let a face stand for its person in lists and pages.

    Example: kizu people cover 5d0c41aa
    """
    done = _say(ctx, user, lambda people: people.cover(face))
    conclude([done], f"The face {face} now stands for its person.", undo=UNDO, as_json=as_json)


@app.command("hide")
def hide(
    ctx: typer.Context,
    person: Person,
    undo: Annotated[bool, typer.Option("--undo", help="Show the person again.")] = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Leave a person out of lists, searches and moments: strangers in the background, say. The photos stay.

    Examples:

      kizu people hide 77b0

      kizu people hide 77b0 --undo
    """
    done = _say(ctx, user, lambda people: people.show_again(person) if undo else people.hide(person))
    conclude([done], f"{person} is shown again." if undo else f"{person} is hidden.", undo=UNDO, as_json=as_json)


@app.command("reset")
def reset(
    ctx: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Let all faces be grouped anew by the next run. Names and all else that you said stay.

    Example: kizu people reset
    """
    from kizu_core.api import open_library
    from kizu_core.cli.asking import confirm

    with open_library(settings_of(ctx), user) as library:
        if not yes:
            confirm("Group all faces anew? What you said about people stays.", "Nothing was changed")
        done = library.people.reset()
    if as_json:
        print_json(done)
        return
    kept = "1 person whom you named or corrected stays" if done["people"] == 1 else f"{done['people']:,} people stay"
    typer.echo(f"{kept}; {plural(done['faces'], 'face')} to be grouped anew by the next `kizu run FOLDER`.")


def _say(ctx: typer.Context, user: str | None, change: Callable[[People], Any]) -> Any:
    """What a change of the library's people returned."""
    from kizu_core.api import open_library

    with open_library(settings_of(ctx), user) as library:
        return change(library.people)


def _all(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _everybody(people: Sequence[Json], limit: int) -> Iterator[str]:
    """A table, and what to do next."""
    rows = [(one["short"], one["name"] or "(who is this?)", f"{one['photos']:,}") for one in people[:limit]]
    yield from aligned([("ID", "NAME", "PHOTOS"), *rows])
    if len(people) > limit:
        yield f"and {len(people) - limit:,} more: --limit {len(people)}"
    yield ""
    if people[0]["hidden"]:
        yield f"Show one again:   kizu people hide {people[0]['short']} --undo"
        return
    yield "See their faces:  kizu people list --open"
    unnamed = next((one for one in people if not one["name"]), None)
    if unnamed:
        yield f"Give a name:      kizu people name {unnamed['short']} NAME"


def _is_anybody(person: Json) -> bool:
    """Not somebody of whom no face is left, and no name was given."""
    return bool(person["photos"] or person["name"])


def _one(person: Json) -> Iterator[str]:
    """A person and a page of faces."""
    hidden = ", hidden" if person["hidden"] else ""
    yield f"{person['name'] or 'Who is this?'} ({person['short']}): {plural(person['photos'], 'photo')}{hidden}"
    rows = [
        (
            face["face_id"][:8],
            f"{100 * face['certainty']:.0f} %",
            (face["taken_local"] or "").replace("T", " ")[:16],
            _shown(face["path"]),
        )
        for face in person["faces"]
    ]
    yield from aligned([("FACE", "ALIKE", "TAKEN", "PHOTO"), *rows])
    if person["next"]:
        yield "and more: --limit shows more of them"
    yield ""
    yield f"See the faces:    kizu people show {person['short']} --open"
    least = min(person["faces"], key=lambda face: face["certainty"], default=None)
    if least is not None:
        yield f"A wrong one:      kizu people reject {least['face_id'][:8]}"


def _shown(path: str | None) -> str:
    from kizu_core.database.paths import readable, text_to_path

    return readable(text_to_path(path)) if path else "(the file is gone)"


def _advice(library: Library, *, hidden: bool) -> str:
    """Why there is nobody, and the next step."""
    if hidden:
        return "Nobody is hidden."
    if library.people.all(hidden=True):
        return "Everybody is hidden: kizu people list --hidden"
    counts = library.database.worker.user_counts(library.user)
    if not counts["photos"]:
        return "No photos here yet. Add some with: kizu run FOLDER"
    if counts["faces"]:
        found = "1 face was found" if counts["faces"] == 1 else f"{counts['faces']:,} faces were found"
        return f"{found}, but nobody is in two photos yet. The next `kizu run FOLDER` looks at all faces together."
    gap = next((gap for gap in library.gaps_among(["faces"])), None)
    if gap is not None:
        return f"Faces are not looked for yet. {gap.reason} {gap.hint}"
    jobs = library.status()["jobs"].get("faces", {})
    left = sum(jobs.get(state, 0) for state in ("waiting", "running", "retrying"))
    if left or not jobs.get("done"):
        return f"{plural(left or counts['photos'], 'photo')} not looked at for faces yet: kizu run FOLDER"
    return f"No faces were found in {plural(jobs['done'], 'photo')}."


def _print(lines: Iterable[str]) -> None:
    out = console()
    for line in lines:
        out.print(line, markup=False)
