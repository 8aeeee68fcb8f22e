"""Groups of a clusterer become persons: those whom the user named or corrected keep what is theirs.

A clusterer may join two named siblings, or tear one person apart. So each group gets a *home*, a kept person or the
group itself, and its faces are dealt out between the home and the kept persons who have faces in the group.

Faces and persons are numbered here: kept persons first, then those whom a machine found earlier.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from kizu_core.people.means import Numbers, sums_of, unit
from kizu_core.people.said import Said
from kizu_core.people.thresholds import FAIR_PART, MERGE, NEARLY_ALL
from kizu_core.types import FaceTable

NOBODY = -1


class Dealing:
    """Deals out the faces of one user. `labels`: (n,) group of each face, `NOBODY` for one that is in none.

    `persons`: who is known so far, the first `kept` of them kept. `now`: (n,) whose each face is before.
    """

    def __init__(self, table: FaceTable, labels: Numbers, said: Said) -> None:
        self._table = table
        self._labels = labels
        self._said = said
        known = {one for one in table.persons if one is not None}
        self.persons: list[UUID] = [*sorted(said.kept), *sorted(known - said.kept)]
        self.kept = len(said.kept)
        number = {person: place for place, person in enumerate(self.persons)}
        pins = [number[said.pinned[face]] if face in said.pinned else NOBODY for face in table.ids]
        now = [NOBODY if person is None else number[person] for person in table.persons]
        self._pins = np.array(pins, np.int64)
        self.now = np.where(self._pins >= 0, self._pins, np.where(table.usable, now, NOBODY))
        self._sums = sums_of(table.vectors, np.where(table.usable, self.now, NOBODY), len(self.persons))

    def owners(self) -> Numbers:
        """(n,) whose each face is now: a number below `kept` is that person, one from `kept` on a group without a name.

        Nobody is in a photo twice, unless the user said so.
        """
        owners = np.where(self.now < self.kept, self.now, NOBODY)  # who is in no group stays with whom it is
        for label, faces in self._groups():
            owners[faces] = self._dealt(label, faces)
        owners = np.where(self._pins >= 0, self._pins, owners)
        owners[self._rejected(owners)] = NOBODY
        owners[self._twice(owners)] = NOBODY
        return owners

    def _groups(self) -> Iterator[tuple[int, Numbers]]:
        order = np.argsort(self._labels, kind="stable")
        order = order[np.searchsorted(self._labels[order], 0) :]
        labels, first = np.unique(self._labels[order], return_index=True)
        return zip(labels.tolist(), np.split(order, first[1:]) if len(order) else [], strict=True)

    def _dealt(self, label: int, faces: Numbers) -> Numbers:
        """Owners of one group's faces: each is whose it is most like, of the home and the kept who have faces here."""
        now = self.now[faces]
        is_kept = (now >= 0) & (now < self.kept)
        home = self._home(faces)
        own = self.kept + label if home == NOBODY else home
        rivals = np.setdiff1d(now[is_kept], [home])
        if not len(rivals):
            return np.full(len(faces), own, np.int64)
        vectors = self._table.vectors[faces]
        at_home = self._sums[home] if home != NOBODY else vectors[~is_kept].sum(axis=0)
        similarity = vectors @ unit(np.stack([at_home, *self._sums[rivals]])).T
        chosen: Numbers = np.concatenate([[own], rivals])[similarity.argmax(axis=1)]
        return chosen

    def _home(self, faces: Numbers) -> int:
        """The kept person whose group it is, `NOBODY` if it is nobody's: of those with faces here, who has most.

        That some of the faces were matched to a person proves little, whose sibling may have been unknown until now.
        It is proven if nearly all of them were, if a fair part of what the user called that person is here, or if the
        group looks like the person's other faces. Where a person without a name has more faces, the one with a name
        must be at home here, and not by what the user said alone: that may have been to part the two.
        """
        now = self.now[faces]
        counts = np.bincount(now[now >= 0], minlength=self.kept + 1)
        top = int(counts[: self.kept].argmax()) if self.kept else NOBODY
        if top == NOBODY or not counts[top]:
            return NOBODY
        said, here = int((self._pins == top).sum()), int((self._pins[faces] == top).sum())
        if counts[top] < counts.max():
            is_at_home = counts[top] > here and 2 * counts[top] >= int((self.now == top).sum())
            return top if is_at_home and self._is_like(top, faces) else NOBODY
        is_proven = counts[top] >= NEARLY_ALL * len(faces) or (here > 0 and here >= FAIR_PART * said)
        return top if is_proven or self._is_like(top, faces) else NOBODY

    def _is_like(self, person: int, faces: Numbers) -> bool:
        """Whether a group's others look like a person where it has most faces, and are never in a photo with it."""
        vectors, photos = self._table.vectors[faces], self._table.assets
        is_own = self.now[faces] == person
        here = vectors[is_own].sum(axis=0)
        is_mostly_here = 2 * int(is_own.sum()) >= int((self.now == person).sum())
        means = unit(np.stack([vectors[~is_own].sum(axis=0), here if is_mostly_here else self._sums[person] - here]))
        beside = np.isin(photos[faces[~is_own]], photos[self.now == person]).any()
        return float(means[0] @ means[1]) >= MERGE and not beside

    def _rejected(self, owners: Numbers) -> NDArray[np.bool_]:
        """Faces with a person of whom the user said that they are not; a pin, which says the opposite, is later."""
        number = {person: place for place, person in enumerate(self.persons[: self.kept])}
        place = {face: place for place, face in enumerate(self._table.ids)}
        found = np.zeros(len(owners), np.bool_)
        for face, person in self._said.rejected:
            at = place.get(face, NOBODY)
            found[at] |= at != NOBODY and owners[at] == number[person] and self._pins[at] == NOBODY
        return found

    def _twice(self, owners: Numbers) -> NDArray[np.bool_]:
        """Of a person's faces in one photo all but the one most like the person; never those that are pinned."""
        found = np.zeros(len(owners), np.bool_)
        owned = np.flatnonzero(owners >= 0)
        pairs = np.column_stack([owners[owned], self._table.assets[owned]])
        _, pair, times = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
        doubtful, pair = owned[times[pair] > 1], pair[times[pair] > 1]
        if len(doubtful):
            means = unit(sums_of(self._table.vectors, owners, int(owners.max()) + 1)[owners[doubtful]])
            likeness = np.einsum("ij,ij->i", self._table.vectors[doubtful], means)
            pinned = self._pins[doubtful] >= 0
            order = np.lexsort([-likeness, ~pinned, pair])
            found[doubtful[order[1:]]] = (pair[order[1:]] == pair[order[:-1]]) & ~pinned[order[1:]]
        return found
