"""The people whose photos are kept in one data folder: who there is, new ones, other names, and their end."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from kizu_core.blobs.local import LocalBlobs
from kizu_core.database.opening import OpenDatabase
from kizu_core.errors import LibraryError
from kizu_core.library.alone import alone
from kizu_core.settings import Paths

LONGEST_NAME: Final = 80

# Control characters, unpaired halves, private and unassigned ones. Format characters (Cf) are nearly all invisible, and
# some turn the direction of what follows; Arabic and Indic names need two of them.
_REFUSED = frozenset({"Cc", "Cs", "Co", "Cn", "Cf", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One person. `created_at`: ISO 8601; `photos` counts videos too; `roots`: folders."""

    id: UUID
    name: str
    created_at: str | None
    photos: int
    roots: int

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> User:
        """From one element of what `kizu_users` returns."""
        return cls(**{**row, "id": UUID(row["id"])})


def checked_name(text: str) -> str:
    """The name as it is kept: without spaces around it, accents in one form. Raises `LibraryError` for what is none."""
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise LibraryError("A user needs a name.")
    if len(name) > LONGEST_NAME:
        raise LibraryError(f"The name has {len(name)} characters; the most is {LONGEST_NAME}.")
    wrong = next((one for one in name if unicodedata.category(one) in _REFUSED and one not in _JOINERS), None)
    if wrong is not None:
        raise LibraryError(f"The name holds the invisible character U+{ord(wrong):04X}.", hint="Type it anew.")
    return name


def name_key(name: str) -> str:
    """The same for names that count as one, as `kizu.user_key` has it."""
    return "".join(unicodedata.normalize("NFKC", name).split()).lower()


class Users:
    """All users of the data folder `paths`, with their thumbnails in `blobs`. Every method raises database errors."""

    def __init__(self, database: OpenDatabase, blobs: LocalBlobs, paths: Paths) -> None:
        self._database = database.worker
        self._blobs = blobs
        self._paths = paths

    def all(self) -> list[User]:
        """By name."""
        return [User.from_row(row) for row in self._database.users()]

    def find(self, name: str) -> User:
        """The user called exactly so. Raises `LibraryError` if there is none."""
        users = self.all()
        found = next((user for user in users if user.name in (name, name.strip())), None)
        if found is None:
            names = ", ".join(user.name for user in users)
            raise LibraryError(f"There is no user {name!r}.", hint=f"Users are: {names}." if names else None)
        return found

    def add(self, name: str) -> UUID:
        """A new user's id. Raises `LibraryError` for a name that can't be used or that somebody has."""
        name = checked_name(name)
        made = self._database.add_user(name)
        if made is None:
            raise self._taken(name)
        return made

    def rename(self, user: User, name: str) -> str:
        """The new name as it is kept. Raises as `add` does."""
        name = checked_name(name)
        if not self._database.rename_user(user.id, name):
            raise self._taken(name)
        return name

    def counts(self, user: User) -> dict[str, int]:
        """What would go with a user: photos, thumbnails, faces, people, texts, moments, roots, jobs."""
        return self._database.user_counts(user.id)

    def delete(self, user: User) -> dict[str, int]:
        """Every row and thumbnail of a user; rows deleted by table, files as `files`. Original photos stay.

        May be repeated after an interruption. Raises `LibraryError` while somebody works on that library.
        """

        def busy() -> None:
            raise LibraryError(
                f"Another Kizu is reading photos into the library of {user.name}.",
                hint="Stop it, or wait until it has finished.",
            )

        gone: Counter[str] = Counter()
        with alone(self._paths, user.id, busy) as lock:
            while step := self._database.delete_user(user.id):
                if "running" in step:
                    raise LibraryError(
                        f"A worker has photos of {user.name} in hand.",
                        hint="Stop `kizu run` and `kizu worker`, or wait until they are done.",
                    )
                gone.update(step, files=self._blobs.remove_user(user.id))
            lock.unlink(missing_ok=True)
        return dict(+gone)

    def _taken(self, name: str) -> LibraryError:
        return LibraryError(
            f"Somebody is already called {name!r}, or nearly so.",
            hint="Names that differ only by capital letters or spaces count as one. See `kizu users list`.",
        )
