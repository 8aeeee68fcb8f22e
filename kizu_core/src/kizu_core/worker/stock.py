"""Claimed jobs with their originals at hand: made ready while the child works on those before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kizu_core.errors import DiskFull, KizuError
from kizu_core.worker.frames import encode
from kizu_core.worker.leases import Held
from kizu_core.worker.member import Member
from kizu_core.worker.scratch import make_folder
from kizu_core.worker.shared import Shared
from kizu_core.worker.sources import SourceOffline, find_source

OFFLINE_S = 60.0
"""How long a job is put off whose original lies on a disk that is away."""


@dataclass(frozen=True, slots=True)
class Stock:
    """What came of one claim. `disk_full`: why some of it was given back."""

    members: Sequence[Member] = ()
    disk_full: DiskFull | None = None


def make_ready(shared: Shared, held: Sequence[Held]) -> Stock:
    """Finds or fetches the originals. Jobs whose original is not to be had are dealt with."""
    members: list[Member] = []
    disk_full = None
    for one in held:
        try:
            if (member := _make_ready(shared, one)) is not None:
                members.append(member)
        except DiskFull as error:
            disk_full = error
            shared.settler.release(one, error.message)
    return Stock(members, disk_full)


def _make_ready(shared: Shared, held: Held) -> Member | None:
    """Raises `DiskFull`; the job is still held."""
    member = Member(held, make_folder(shared.scratch, held.job.id))
    try:
        member.source = find_source(held.claim, member.workdir, shared.policy)
        encode(member.task())  # parameters that have no form in a frame are the job's own fault
    except SourceOffline as error:
        shared.settler.put_off(held, error.message, OFFLINE_S)
    except DiskFull:
        member.close()
        raise
    except KizuError as error:
        shared.settler.fail(held, error.as_dict(), retry_s=getattr(error, "retry_after_s", None))
    else:
        return member
    member.close()
    return None
