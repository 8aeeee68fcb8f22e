"""`Library.moments`: the moments of one user, and what the user says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kizu_core.database.paths import path_to_text, text_to_path
from kizu_core.errors import LibraryError, SettingError
from kizu_core.library.zone import checked_zone, zone_here
from kizu_core.moments.export import Exported, export
from kizu_core.moments.preferences import read_preferences
from kizu_core.types import GENERATE_MOMENTS, JobTable

if TYPE_CHECKING:
    from kizu_core.api import Library

Json = dict[str, Any]

PAGE = 200


class Moments:
    """The moments of the library's user: rows with all that is known of them, and the reasons."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._user = library.user
        self._worker, self._api = library.database.worker, library.database.api
        self._worker.note_time_zone(self._user, zone_here(library.settings))

    def page(self, limit: int = 50, after: Any = None, where: Mapping[str, Any] | None = None) -> Json:
        """Latest day first, of a day the best: `{moments, next}`; `after` is the `next` of the page before.

        `where`: `today`, `saved`, `hidden` (true or false), `kind` (as `location`).
        """
        return self._api.moments(self._user, where or {}, limit, after)

    def all(self, **where: Any) -> Iterator[Json]:
        """All of them, page by page; `where` as in `page`."""
        after = None
        while True:
            page = self.page(PAGE, after, where)
            yield from page["moments"]
            after = page["next"]
            if after is None:
                return

    def find(self, moment: str) -> Json:
        """The moment whose id begins so. Raises `LibraryError` if there is none, or more than one."""
        wanted = moment.strip().lower()
        found = self.page(5, where={"id": wanted})["moments"] if wanted else []
        if not found:
            raise LibraryError(f"There is no moment {moment!r}.", hint="See `kizu moments list`.")
        if len(found) > 1:
            raise LibraryError(f"{moment!r} is how the ids of several moments begin.", hint="Give more of it.")
        row: Json = found[0]
        return row

    def show(self, moment: str) -> Json:
        """The moment whose id begins so, with `photo_list`: all its photos in order. Raises as `find`."""
        found = self.find(moment)
        photos: list[Json] = []
        after = None
        while True:
            page = self._api.moment(self._user, UUID(found["id"]), after=after) or {"photo_list": [], "next": None}
            photos += page["photo_list"]
            after = page["next"]
            if after is None:
                return found | {"photo_list": photos}

    def save(self, moment: str, *, saved: bool = True) -> Json:
        """Keep a moment for ever, or no longer. Raises as `find`."""
        return self._decided(moment, lambda found: self._worker.save_moment(self._user, found, saved=saved))

    def hide(self, moment: str, *, hidden: bool = True) -> Json:
        """Show a moment never again, or again. Raises as `find`."""
        return self._decided(moment, lambda found: self._worker.hide_moment(self._user, found, hidden=hidden))

    def block(
        self, *, person: str | None = None, place: str | None = None, days: tuple[date, date] | None = None
    ) -> Json:
        """Keep a person (by name or id), a place or a range of days out of all moments; the block as `blocks` has it.

        Photos of it leave every moment at once, and return when the block is taken back.
        """
        who = UUID(self._library.people.find(person)["id"]) if person is not None else None
        made = self._worker.block_moments(self._user, person=who, place=place, days=days)
        if made is None:
            raise LibraryError(f"There is no person {person!r}.", hint="See `kizu people list`.")
        return next(one for one in self.blocks() if one["id"] == str(made))

    def blocks(self) -> list[Json]:
        """What is kept out: `{id, person, place, first_day, last_day, photos}`, oldest first."""
        return self._api.moment_blocks(self._user)

    def unblock(self, block: str) -> Json:
        """Take back the block whose id begins so; it as it was. Raises `LibraryError`."""
        found = [one for one in self.blocks() if block and one["id"].startswith(block.strip().lower())]
        if len(found) != 1:
            wrong = "There is no block" if not found else "Several blocks have ids that begin with"
            raise LibraryError(f"{wrong} {block!r}.", hint="See `kizu moments blocks`.")
        self._worker.unblock_moments(self._user, UUID(found[0]["id"]))
        return found[0]

    def state(self) -> Json:
        """`{time_zone, now, time, settings, moments, saved, last}`; `last`: the latest run and what came of it."""
        return self._api.moments_state(self._user)

    def settings(self) -> Json:
        """Every setting as it counts, and `notes` on those that can't be used as they are."""
        state = self.state()
        specs = self._library.catalog.strategies()
        wanted = read_preferences(state["settings"], specs)
        return {
            "on": wanted.enabled,
            "time": state["time"],
            "time_zone": state["time_zone"],
            "keep_days": wanted.keep_days,
            "most_a_day": wanted.most_a_day,
            "kinds": {spec.setting_key: wanted.wants(spec) for spec in specs if spec.setting_key},
            "notes": wanted.notes,
        }

    def change(self, values: Mapping[str, Any], time_zone: str | None = None) -> None:
        """Change settings by the names they have in the profile; None takes one back to its default.

        Raises `SettingError` for a value or a zone that can't be used, and changes nothing then.
        """
        zone = checked_zone(time_zone) if time_zone else None
        given = {key: value for key, value in values.items() if value is not None}
        for fault in read_preferences(given, self._library.catalog.strategies()).faults:
            raise SettingError(f"{fault}.", hint="See `kizu moments settings`.")
        self._worker.set_moments(self._user, values, zone)

    def ask(self) -> UUID:
        """Ask for today's moments; the job, which may be one that waited already. A worker does it."""
        job = {"user_id": self._user, "job_type": GENERATE_MOMENTS, "dedupe_key": GENERATE_MOMENTS, "priority": 50}
        return UUID(self._worker.enqueue(JobTable.AI, [job])[0]["id"])

    def export(self, moment: Json, folder: Path, *, link: bool = False) -> Exported:
        """Put a moment (see `show`) below a folder. Raises `LibraryError` for one inside the library; see `export`."""
        inside = path_to_text(str(folder.absolute()))
        for root in self._api.roots(self._user):
            if f"{inside}/".startswith(f"{root['path'].rstrip('/')}/"):
                raise LibraryError(
                    f"{folder} is inside your library: what is put there would be taken for new photos.",
                    hint="Name a folder elsewhere.",
                )
        photos = [{**one, "path": one["path"] and text_to_path(one["path"])} for one in moment["photo_list"]]
        return export({**moment, "photo_list": photos}, folder, link=link)

    def _decided(self, moment: str, decide: Any) -> Json:
        found = self.find(moment)
        if decide(UUID(found["id"])) is None:
            raise LibraryError("The moment has just expired.", hint="See `kizu moments list`.")
        return found
