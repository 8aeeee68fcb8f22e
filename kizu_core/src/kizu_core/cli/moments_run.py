"""`kizu moments generate`: a run at once, in this process's own worker."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from kizu_core.cli.context import console
from kizu_core.cli.display import sentence_of
from kizu_core.cli.moments_shown import faults_of, listed, why_nothing_new
from kizu_core.cli.progress import plural
from kizu_core.cli.signals import stopping
from kizu_core.errors import JobError

if TYPE_CHECKING:
    from kizu_core.api import Library
    from kizu_core.worker.events import Event

Json = dict[str, Any]

LOOK_EVERY_S = 0.5
HANDLER = "moments"


def generate(library: Library) -> Json:
    """What a run said of itself. Waits for one that another worker has in hand. Raises `KizuError`."""
    from kizu_core.worker.options import WorkerOptions

    library.moments.ask()
    worker = library.worker(WorkerOptions(only=(HANDLER,), drain=True))
    out = console(stderr=True)

    def tell(event: Event) -> None:
        if sentence := sentence_of(event):
            out.print(sentence, markup=False)

    with stopping(worker.stop, worker.stop) as stopped, out.status("Looking for moments."):
        worker.run(tell)
        while (last := library.moments.state()["last"])["status"] == "processing" and not stopped():
            time.sleep(LOOK_EVERY_S)
    if stopped():
        raise KeyboardInterrupt
    if last["status"] != "completed":
        said = last["error"] or "It waits to be tried again."
        raise JobError(f"Looking for moments failed. {said}", hint=f"All about it: kizu jobs show {last['id'][:8]}")
    result: Json = last["result"]
    return result


def lines_of(result: Json, today: Iterable[Json]) -> Iterator[str]:
    """What came of a run, for people."""
    if result["new"]:
        yield f"{plural(len(result['new']), 'new moment')}."
    if result["refreshed"]:
        yield f"{plural(result['refreshed'], 'moment')} of before looked at again."
    found = list(today)
    if found:
        yield from listed(found)
        yield from faults_of(result)
    else:
        yield from why_nothing_new(result)
