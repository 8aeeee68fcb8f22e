"""Photos of known people in a real database: detected, grouped, corrected, detected again, as often as a test likes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from kizu_support.postgres import KizuDatabase
from kizu_support.queue import AI, Queue, Row, done

SPACE, OTHER_SPACE = "made-faces", "other-faces"
DIM = 128
THRESHOLD = 0.6
Box = dict[str, float]


@dataclass
class Album:
    """One user's photos. People are numbers, each with a look of its own in each space; a photo has a slot a face."""

    queue: Queue
    user: UUID
    seed: int = 1
    truth: dict[UUID, Sequence[int]] = field(default_factory=dict)
    """Photo -> who is in it, from left to right."""

    def __post_init__(self) -> None:
        self._chance = np.random.default_rng(self.seed)

    # ---- photos and what is found in them

    def photo(self, *people: int, detect: bool = True, sha256: str | None = None) -> UUID:
        """A new photo of these people."""
        photo = self.queue.photo(self.user, sha256)
        self.truth[photo] = people
        if detect:
            self.detect(photo)
        return photo

    def photos(self, *groups: Sequence[int]) -> list[UUID]:
        """New photos, each of these people."""
        found = [self.photo(*group, detect=False) for group in groups]
        self.detect(*found)
        return found

    def detect(self, *photos: UUID, space: str = SPACE, jitter: float = 0.0, usable: bool = True) -> None:
        """Faces as a model finds them, now; again if they were found before."""
        jobs = [
            {"user_id": str(self.user), "asset_id": str(one), "params": {"operations": ["faces"]}} for one in photos
        ]
        self.queue.call("enqueue", table=AI, jobs=jobs)
        claimed = self.queue.claim("faces", limit=len(jobs))
        assert {one["asset_id"] for one in claimed} == {str(one) for one in photos}
        items = []
        for job in claimed:
            rows = self.rows(UUID(job["asset_id"]), space, jitter, usable=usable)
            items.append({"id": job["id"], "token": job["lease_token"], "payload": self.payload(rows, space)})
        answers = self.queue.call("complete_many", table=AI, items=items)
        assert {one.get("answer") for one in answers} == {"ok"}, answers

    def payload(self, rows: Sequence[Row], space: str = SPACE) -> Row:
        """What the worker tells of these faces."""
        result = done("faces", space=space, found=len(rows))
        return {"operations": [result], "rows": {"face_embeddings": rows}, "face_threshold": THRESHOLD}

    def rows(self, photo: UUID, space: str = SPACE, jitter: float = 0.0, *, usable: bool = True) -> list[Row]:
        """The faces of a photo as a model finds them."""
        return [self._face(slot, who, space, jitter, usable) for slot, who in enumerate(self.truth[photo])]

    def look(self, who: int, space: str) -> NDArray[np.float64]:
        """(DIM,) of unit length: nobody looks like anybody else."""
        drawn = np.random.default_rng([who, len(space)]).standard_normal(DIM)
        return np.asarray(drawn / np.linalg.norm(drawn))

    def _face(self, slot: int, who: int, space: str, jitter: float, usable: bool) -> Row:
        vector = self.look(who, space) + self._chance.standard_normal(DIM) * 0.35 / DIM**0.5
        vector /= np.linalg.norm(vector)
        left, top, right, bottom = np.array([0.02 + slot * 0.16, 0.3, 0.14 + slot * 0.16, 0.5]) + self._chance.uniform(
            -jitter, jitter, 4
        )
        box = {"left": float(left), "top": float(top), "right": float(right), "bottom": float(bottom)}
        values = {"embedding": [float(one) for one in vector], "dim": DIM, "space": space, "bbox": box}
        return {**values, "score": 0.9, "face_index": slot, "usable": usable}

    # ---- grouping

    def group(self, groups: Iterable[Iterable[UUID]] | None = None, *, aged: bool = True, **rows: Any) -> list[UUID]:
        """What a grouping job finds: these groups of faces, or a perfect one that respects what the user said."""
        if aged:
            self.queue.run(
                "update face_embeddings set created_at = created_at - interval '1 h' where user_id = %s", self.user
            )
        self.queue.ask(self.user, None, job_type="recluster")
        (job,) = self.queue.claim("recluster")
        found = self.perfect() if groups is None else {self._new(list(one)): list(one) for one in groups}
        people = [{"id": str(person), "faces": [str(one) for one in faces]} for person, faces in found.items()]
        given = {"face_clusters": people, **rows}
        assert self.queue.complete(job, done("recluster"), rows=given) == "ok"
        return list(found)

    def perfect(self) -> dict[UUID, list[UUID]]:
        """Everybody's faces together, under the id that the user's word keeps, else the one most of them have."""
        said = self.queue.call("view_people", as_user=self.user)
        rejected = {(UUID(face), UUID(person)) for face, person in said["rejected"]}
        fixed = {UUID(face): UUID(person) for face, person in said["fixed"]}
        kept = {UUID(one) for one in said["named"]}
        found: dict[UUID, list[UUID]] = {}
        by_truth: dict[int, list[Row]] = {}
        for row in self.faces(self.active()):
            by_truth.setdefault(self.who(row), []).append(row)
        for rows in by_truth.values():
            votes = [fixed[row["id"]] for row in rows if row["id"] in fixed]
            votes = votes or [row["cluster_id"] for row in rows if row["cluster_id"] in kept]
            home = max(set(votes), key=votes.count) if votes else self._new([row["id"] for row in rows])
            for row in rows:
                person = fixed.get(row["id"], home)
                if (row["id"], person) not in rejected:
                    found.setdefault(person, []).append(row["id"])
        return {person: faces for person, faces in found.items() if len(faces) > 1 or person in kept}

    def _new(self, faces: Sequence[UUID]) -> UUID:
        return UUID(int=min(one.int for one in faces) ^ (1 << 90))

    # ---- the user

    def say(self, kind: str, **subject: Any) -> Row:
        answer: Row = self.queue.call("correct", user=self.user, kind=kind, subject=_plain(subject))
        return answer

    def undo(self, correction: int | None = None) -> Row:
        arguments: dict[str, Any] = {} if correction is None else {"id": correction}
        answer: Row = self.queue.call("undo", user=self.user, **arguments)
        return answer

    def reset(self) -> Row:
        answer: Row = self.queue.call("people_reset", user=self.user)
        return answer

    # ---- looking

    def active(self) -> str:
        rows = self.queue.rows("select kizu.active_space(%s, 'face') as space", self.user)
        return str(rows[0]["space"])

    def faces(self, space: str = SPACE) -> list[Row]:
        """Rows of faces with slot, in the order of the photos."""
        return self.queue.rows(
            """select f.*, a.sha256 from face_embeddings f join assets a on a.id = f.asset_id
               where f.user_id = %s and f.space = %s order by f.asset_id, f.face_index""",
            self.user,
            space,
        )

    def who(self, face: Row) -> int:
        return self.truth[face["asset_id"]][face["face_index"]]

    def face(self, photo: UUID, slot: int = 0, space: str = SPACE) -> UUID:
        """The id of a face, as long as it is not detected again."""
        (found,) = [one for one in self.faces(space) if one["asset_id"] == photo and one["face_index"] == slot]
        return UUID(str(found["id"]))

    def person(self, photo: UUID, slot: int = 0, space: str = SPACE) -> UUID | None:
        """Whose it is taken for."""
        (found,) = [one for one in self.faces(space) if one["asset_id"] == photo and one["face_index"] == slot]
        return found["cluster_id"] and UUID(str(found["cluster_id"]))

    def people(self, **where: Any) -> list[Row]:
        found: list[Row] = self.queue.call("people", as_user=self.user, filter=where or {"hidden": True})["people"]
        return found

    def names(self) -> dict[str, UUID]:
        return {one["name"]: UUID(one["id"]) for one in self.people() if one["name"]}

    def check_means(self) -> None:
        """Sizes and mean faces are those of the faces that there are."""
        wrong = self.queue.rows(
            """with real as (
                 select cluster_id, space, count(*) as size, extensions.avg(embedding::extensions.vector) as mean
                 from face_embeddings where user_id = %s and cluster_id is not null group by 1, 2)
               select * from real full join (select * from face_centroids where user_id = %s) c
                 using (cluster_id, space)
               where real.size is distinct from c.size
                 or not c.centroid operator(extensions.<=>) real.mean::extensions.halfvec < 0.0001""",
            self.user,
            self.user,
        )
        assert wrong == []


def _plain(subject: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name.rstrip("_"): [str(one) for one in value] if isinstance(value, list) else _text(value)
        for name, value in subject.items()
    }


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


@pytest.fixture
def album(shared_database: KizuDatabase) -> Album:
    """An album of a new user, in a database that tests share."""
    queue = Queue(shared_database)
    return Album(queue, queue.user(f"album {uuid4()}"))
