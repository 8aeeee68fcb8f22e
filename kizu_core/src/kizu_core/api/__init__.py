"""`open_library`: what commands, the web plugin and Python programs call.

with open_library(pin=True) as library:
    library.import_folder(Path("/home/me/Photos"))
    library.enqueue()
    library.worker(WorkerOptions(drain=True)).run()
    for hit in library.search("welcome")["hits"]:
        print(hit["path"], hit["reasons"])
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from kizu_core.api.assets import Assets
from kizu_core.api.moments import Moments
from kizu_core.api.people import People
from kizu_core.api.search import Search
from kizu_core.api.switching import Models
from kizu_core.database.opening import OpenDatabase, open_database
from kizu_core.database.reading import existing_database
from kizu_core.errors import LibraryError, NoSuchModel
from kizu_core.library.compare import KnownFile
from kizu_core.library.jobs import Jobs
from kizu_core.library.known import known_in
from kizu_core.library.places import AT_ONCE, backfill
from kizu_core.library.plan import Findings, Plan, make_plan
from kizu_core.library.preview import preview
from kizu_core.library.reconcile import OnEvent, Reconciler
from kizu_core.library.report import Progress, ReconcileReport
from kizu_core.library.users import checked_name, name_key
from kizu_core.models.in_use import InUse, Wish, adopt, in_use
from kizu_core.models.offers import Gap, Offer, gaps, offers, photo_offers, wanted
from kizu_core.models.selection import load_catalog, pin_defaults, refreshed
from kizu_core.plugins.catalog import Catalog
from kizu_core.settings import Settings, load_settings
from kizu_core.types import ModelType
from kizu_core.worker.warm import WarmTexts

if TYPE_CHECKING:
    from kizu_core.worker.options import WorkerOptions
    from kizu_core.worker.supervisor import Worker

Json = dict[str, Any]

Result = TypeVar("Result")
Operations = Collection[str] | None
"""Names of operations that a call is limited to; None for all."""


class Library:
    """One user's photos. Built by `open_library`; every answer holds rows of this user only."""

    def __init__(
        self,
        settings: Settings,
        database: OpenDatabase,
        catalog: Catalog,
        user_name: str,
        on_wait: Callable[[str], None] | None = None,
        wishes: Sequence[Wish] = (),
    ) -> None:
        """`wishes`: models that the settings ask for and that do not answer (yet)."""
        self.settings = settings
        self.wishes = tuple(wishes)
        self.database = database
        self.catalog = catalog
        self._on_wait = on_wait
        self.user_name = user_name
        self.user = user = database.worker.ensure_user(user_name)
        self.assets = Assets(database, user)
        self.jobs = Jobs(database, user)
        self.people = People(database, user)
        self.moments = Moments(self)
        self._texts = WarmTexts(settings, catalog)
        self.searching = Search(self, self._texts)
        self.models = Models(settings, catalog, database)

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What can be done with photos here and now."""
        return offers(self.catalog, self.settings)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Operations that need something first: a plugin, weights, a consent, a setting."""
        return self.gaps_among(None)

    def gaps_among(self, operations: Operations) -> tuple[Gap, ...]:
        """The same, limited to some operations, which are asked for whatever is off."""
        return gaps(self.catalog, self.settings, operations)

    def look_again(self) -> None:
        """Takes weights and consents into account that came since the library was opened."""
        self.catalog = refreshed(self.catalog, self.settings)
        pin_defaults(self.settings, self.catalog)
        adopt(self.settings, self.catalog, self.database.worker)

    @property
    def searched(self) -> tuple[str, ...]:
        """The operations whose results `search` looks at, the quickest first."""
        with suppress(NoSuchModel):
            if getattr(self.catalog.model(ModelType.EMBEDDER), "languages", ()):
                return ("embedding", "ocr")
        return ("ocr",)

    def import_folder(
        self,
        folder: Path,
        on_event: OnEvent = lambda _: None,
        on_plan: Callable[[Plan], None] = lambda _: None,
        operations: Operations = None,
    ) -> ReconcileReport:
        """Make the library agree with a folder. Originals are only read. See `Reconciler.run`.

        `on_plan` is told what was found and what it will take before any file is read; what it raises ends it there.
        """
        self._name_places(on_event)
        reconciler = Reconciler(
            self.database,
            self.user,
            paths=self.settings.paths,
            readers=self.settings.thread_count,
            on_event=on_event,
        )
        return reconciler.run(folder, lambda found: on_plan(self._plan(found, operations)))

    def _name_places(self, on_event: OnEvent) -> None:
        """Names the positions of photos of an earlier version, or that moved; a run goes on if that can't be done."""

        def told(count: int) -> None:
            first = "" if count > AT_ONCE else "Looking up where photos of earlier runs were taken."
            on_event(Progress(stage="placing", done=count, message=first))

        try:
            self.patiently(lambda: backfill(self.database.worker, self.user, told))
        except LibraryError as error:
            on_event(Progress(stage="placing", message=f"{error.message} {error.hint}"))

    def _plan(self, found: Findings, operations: Operations) -> Plan:
        chosen = photo_offers(self.catalog, self.settings, operations)
        backlog = self.patiently(lambda: self.database.worker.backlog(self.user, wanted(chosen)))
        return make_plan(found, self.settings, chosen, self.gaps_among(operations), backlog)

    def enqueue(self, operations: Operations = None) -> dict[str, int]:
        """Queue exactly what is missing or stale for today's models; operation -> photos.

        What a model can't do yet waits in the queue until its weights are there.
        """
        chosen = wanted(photo_offers(self.catalog, self.settings, operations))
        return self.patiently(lambda: self.database.worker.enqueue_stale(self.user, chosen))

    def worker(self, options: WorkerOptions) -> Worker:
        """A worker of this process for the jobs of the database. `run` it, `stop` it from a signal."""
        from kizu_core.blobs.local import LocalBlobs
        from kizu_core.worker.supervisor import Worker

        return Worker(self.settings, self.database, LocalBlobs(self.settings.blobs_dir), self.catalog, options)

    def status(self) -> Json:
        """Counts, failures grouped by cause, workers and folders."""
        return self.database.worker.status(self.user)

    def search(self, line: str, limit: int = 50, after: Any = None) -> Json:
        """`{hits, next, without, language, understood}`: photos that fit, best first, with reasons; `next` continues.

        Dates, places, people and operators in the line are filters, the rest is looked for in what stands in photos
        and what they show. `without`: why not in the latter, as `KizuError.as_dict` gives it, else None; quotes and
        minus ask for words only. `language`: the model does not know that of the words. Raises `QueryError`.
        """
        return self.searching.ask(self.searching.understand(line), limit, after)

    def like(self, photo: str, limit: int = 50, after: Any = None) -> Json:
        """The same of photos that look like one, which a path, a file name or an id names. Raises `LibraryError`."""
        return self.searching.ask(self.searching.like(photo), limit, after)

    def close(self) -> None:
        """Ends the process that searches have started."""
        self._texts.close()

    def patiently(self, work: Callable[[], Result]) -> Result:
        """`work()`, for what a long run asks in its course: a database that goes away meanwhile is waited for."""
        return self.database.retrying(work, on_wait=self._on_wait)


def plan_folder(
    settings: Settings,
    folder: Path,
    user: str | None = None,
    operations: Operations = None,
    on_wait: Callable[[str], None] | None = None,
) -> tuple[Path, Plan]:
    """The folder in full, and what a run over it would do. Changes nothing: no database, user or folder is made.

    Raises `KizuError`.
    """
    key = name_key(checked_name(user or settings.user))
    with existing_database(settings, on_wait) as database:
        catalog = load_catalog(settings)
        used = in_use(settings, catalog, database) if database else InUse(settings=settings, catalog=catalog)
        chosen = photo_offers(used.catalog, used.settings, operations)
        owner = next((one for one in database.users() if name_key(one["name"]) == key), None) if database else None
        backlog: dict[str, int] = {}

        def known(path: Path) -> Iterator[KnownFile]:
            if database is not None and owner is not None:
                owner_id = UUID(owner["id"])
                backlog.update(database.backlog(owner_id, wanted(chosen)))
                yield from known_in(database, database.status(owner_id)["roots"], path)

        path, found = preview(folder, settings.paths, known)
        lacking = gaps(used.catalog, used.settings, operations)
        return path, make_plan(found, used.settings, chosen, lacking, backlog)


@contextmanager
def open_library(
    settings: Settings | None = None,
    user: str | None = None,
    on_wait: Callable[[str], None] | None = None,
    *,
    pin: bool = False,
) -> Iterator[Library]:
    """Open the library of a user (default: the setting `user`); makes or migrates the database if need be.

    `on_wait` is told, in a sentence, of anything that takes long. `pin` writes down today's default model of each
    kind, as everything that makes results does, so that a plugin installed later changes nothing by itself.
    Raises `KizuError`.
    """
    settings = settings or load_settings()
    catalog = load_catalog(settings)
    if pin:
        pin_defaults(settings, catalog)
    with (
        open_database(settings, on_wait) as database,
        closing(_library(settings, catalog, database, user, on_wait, pin=pin)) as library,
    ):
        yield library


def _library(
    settings: Settings,
    catalog: Catalog,
    database: OpenDatabase,
    user: str | None,
    on_wait: Callable[[str], None] | None,
    *,
    pin: bool,
) -> Library:
    """With the models that the database's vectors are of, whatever the settings say today."""
    used = in_use(settings, catalog, database.worker)
    if pin:
        adopt(used.settings, used.catalog, database.worker)
    name = checked_name(user or settings.user)
    return Library(used.settings, database, used.catalog, name, on_wait, used.wishes)
