"""`kizu models switch`: another model for search or faces, without a time in which nothing is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kizu_core.cli.asking import confirm
from kizu_core.cli.context import DONE, DONE_WITH_FAILURES, INTERRUPTED, print_json, settings_of, size_of
from kizu_core.cli.display import Display, open_display, sentence_of
from kizu_core.cli.progress import duration, plural

if TYPE_CHECKING:
    from kizu_core.api.switching import Models, SwitchPlan
    from kizu_core.settings import Settings
    from kizu_core.types import ModelType
    from kizu_core.worker.events import Event


def switch(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="embedder (search) or face (people).")],
    name: Annotated[str | None, typer.Argument(help="The model to change to, as `kizu models list` shows it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show photos, hours and disk.")] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Back to the model that answered before.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove what only the models before knew; then there is no way back.")
    ] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Give up a change that is under way.")] = False,
    later: Annotated[bool, typer.Option("--later", help="Only begin; workers do it behind their other work.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Change over even if some photos can't be seen now.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; asks nothing.")] = False,
) -> None:
    """Change the model that search or people rest on, for all users of this library.

    Vectors of two models can't be compared. So all photos are seen by the new model first, behind other work, while the
    old one goes on answering; then both change places at once. The old vectors stay until --prune, so that --rollback
    is quick. Stop it whenever you like: the same command goes on. Settings such as CLIP_MODEL choose what NAME means.
    Exit code 3: photos are left that could not be seen now, and the old model still answers.

    Examples:

      CLIP_MODEL=ViT-L-14 kizu models switch embedder clip --dry-run

      kizu models switch embedder clip

      kizu models switch embedder --rollback

      kizu models switch face --prune
    """
    from kizu_core.api import open_library

    settings, chosen = settings_of(ctx), _kind(kind)
    display = open_display(as_json=as_json)
    try:
        with open_library(settings, on_wait=None if as_json else display.say, pin=True) as library:
            models = library.models
            if cancel:
                code = _cancel(models, chosen, as_json=as_json)
            elif rollback:
                code = _rollback(models, chosen, as_json=as_json)
            elif prune:
                code = _prune(models, chosen, yes=yes, as_json=as_json)
            elif name is None:
                raise typer.BadParameter("name a model, or give --rollback, --prune or --cancel", param_hint="NAME")
            else:
                change = _Change(models, chosen, name, settings, display, as_json=as_json, anyway=anyway)
                code = change.run(dry_run=dry_run, later=later, yes=yes)
    finally:
        display.close()
    raise typer.Exit(code)


class _Change:
    """A change to a model: shown, asked for, begun, carried through."""

    def __init__(
        self,
        models: Models,
        kind: ModelType,
        name: str,
        asked: Settings,
        display: Display,
        *,
        as_json: bool,
        anyway: bool,
    ) -> None:
        self._models, self._kind, self._name, self._asked = models, kind, name, asked
        self._display, self._as_json, self._anyway = display, as_json, anyway
        self._plan: SwitchPlan = models.plan(kind, name, asked)
        self._done = 0

    def run(self, *, dry_run: bool, later: bool, yes: bool) -> int:
        if not self._as_json:
            for line in _plan_lines(self._plan):
                self._display.say(line)
        if dry_run:
            if self._as_json:
                print_json(self._plan.as_dict())
            return DONE
        if not (yes or later or self._as_json):
            with self._display.paused():
                confirm("Begin?", "Nothing was changed")
        self._models.start(self._kind, self._name, self._asked)
        if later:
            return self._end({"switched": False, "left": self._plan.left}, DONE)
        stopped = self._fill()
        answer = self._answer()
        return self._end(answer, INTERRUPTED if stopped else DONE if answer["switched"] else DONE_WITH_FAILURES)

    def _fill(self) -> bool:
        """True if a signal ended it."""
        from kizu_core.cli.signals import stopping

        worker = self._models.filler(self._kind)
        with stopping(worker.stop, worker.stop) as stopped:
            worker.run(self._told)
        return stopped()

    def _told(self, event: Event) -> None:
        from kizu_core.worker import events

        if self._as_json:
            return  # one document, at the end
        if isinstance(event, events.JobDone):
            self._done += 1
            self._display.count("seen by the new model", min(self._done, self._plan.left), self._plan.left)
        elif sentence := sentence_of(event):
            self._display.say(sentence)

    def _answer(self) -> dict[str, object]:
        """The worker changes over as soon as nothing is left; what is left then needs a decision."""
        if any(
            one["kind"] == self._kind and one["state"] == "active" and one["space"] == self._plan.space
            for one in self._models.known()
        ):
            return {"switched": True, "left": 0}
        return self._models.switch(self._kind, anyway=self._anyway)

    def _end(self, answer: dict[str, object], code: int) -> int:
        if self._as_json:
            print_json({**self._plan.as_dict(), **answer})
        elif answer["switched"]:
            self._display.say(
                f"{self._plan.space} answers from now on. `kizu models switch {self._kind} --rollback` goes back, "
                f"`--prune` removes what only {self._plan.present} knew."
            )
        else:
            left = plural(int(str(answer["left"])), "photo")
            self._display.say(
                f"{left} are still to be seen by the new model; {self._plan.present} goes on answering. The same "
                "command goes on, and so does every worker. For photos on a disk that is gone: --anyway."
            )
        return code


def _plan_lines(plan: SwitchPlan) -> list[str]:
    time = "nobody knows how long" if plan.seconds is None else f"about {duration(plan.seconds)} at the present pace"
    disk = f"{size_of(plan.disk_bytes)} of disk until --prune"
    return [
        f"{plan.present} answers now; {plan.space} is to answer.",
        f"{plural(plan.left, 'photo')} of {plan.photos:,} to be seen again: {time}, {disk}.",
    ]


def _kind(text: str) -> ModelType:
    from kizu_core.types import SPACED

    kinds = {str(kind): kind for kind in SPACED.values()}
    if text not in kinds:
        raise typer.BadParameter(f"switched are {' and '.join(sorted(kinds))}", param_hint="KIND")
    return kinds[text]


def _cancel(models: Models, kind: ModelType, *, as_json: bool) -> int:
    ended = models.cancel(kind)
    if as_json:
        print_json({"cancelled_jobs": ended})
    else:
        typer.echo("Given up. What the new model saw already stays until --prune.")
    return DONE


def _rollback(models: Models, kind: ModelType, *, as_json: bool) -> int:
    answer = models.rollback(kind)
    if as_json:
        print_json(answer)
    elif answer["switched"]:
        typer.echo("The model before answers again.")
    else:
        left = plural(int(answer["left"]), "photo")
        typer.echo(
            f"{left} came since and must be seen by it first; workers do that, then it answers: kizu worker --drain"
        )
    return DONE if answer["switched"] else DONE_WITH_FAILURES


def _prune(models: Models, kind: ModelType, *, yes: bool, as_json: bool) -> int:
    if not yes and not as_json:
        confirm("Remove all vectors that only models before knew? There is no way back then.", "Nothing was removed")
    removed = sum(models.prune(kind))
    if as_json:
        print_json({"photos": removed})
    else:
        typer.echo(f"Removed what models before knew of {plural(removed, 'photo')}.")
    return DONE
