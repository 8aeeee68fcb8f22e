"""The plan of a run in words: what is there, what will be done, what it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from kizu_core.cli.context import size_of
from kizu_core.cli.progress import STAGES, plural
from kizu_core.cli.summary import needs
from kizu_core.errors import DiskFull

if TYPE_CHECKING:
    from kizu_core.library.plan import Findings, Place, Plan
    from kizu_core.models.offers import Offer

SHOWN = 5
"""Rules, types and places named; the rest is counted."""


def plan_lines(plan: Plan, *, verbose: bool) -> Iterator[str]:
    """All of the plan, without times."""
    found = plan.findings
    yield from _found(found)
    yield from _passed_over(found, verbose=verbose)
    if found.problems:
        shown = ", ".join(f"{problem.path} ({problem.message.rstrip('.')})" for problem in found.problems[:SHOWN])
        more = f" and {len(found.problems) - SHOWN:,} more" if len(found.problems) > SHOWN else ""
        yield f"  can't be looked at: {shown}{more}"
    if found.types:
        yield _changes(found)
    if plan.is_idle and not plan.waiting:
        return
    if not plan.is_idle:
        yield f"Will be done: {', '.join(_job(one.entry, one.plugin) for one in in_order(plan.offers))}."
    yield from _not_done(plan)
    if found.pictures:
        needed = plan.needed
        parts = {"thumbnails": needed.thumbnails, "web versions": needed.web, "database": needed.database}
        shown = ", ".join(f"{name} {size_of(size)}" for name, size in parts.items() if size)
        yield f"Disk, roughly: {size_of(needed.blobs + needed.database)} ({shown})."
    yield from (_place(place) for place in plan.places)


def in_order(offers: Sequence[Offer]) -> list[Offer]:
    """As people see the operations everywhere."""
    order = list(STAGES)
    return sorted(offers, key=lambda offer: order.index(offer.entry) if offer.entry in order else len(order))


def refuse_small_disks(plan: Plan) -> None:
    """Raises `DiskFull` if what is expected will not go where it belongs."""
    small = next((place for place in plan.places if not place.fits), None)
    if small is not None:
        raise DiskFull(
            f"{small.folder} would need about {size_of(small.needed)}, and {size_of(small.free)} are free there.",
            hint="Free some space, choose another data folder with --data, or start with --anyway: it is an estimate.",
        )


def _not_done(plan: Plan) -> Iterator[str]:
    absent = [STAGES[gap.operation] for gap in plan.gaps if not gap.model and not gap.off]
    if absent:
        yield f"Something is needed first for: {', '.join(absent)}."
    for gap in plan.waiting:
        yield f"Will wait: {STAGES[gap.operation]}, which {needs(gap) if gap.pull_bytes else 'needs something'}."
        yield f"  {f'kizu models pull {gap.model}' if gap.pull_bytes else f'{gap.reason} {gap.hint}'}"
    yield from (f"{gap.reason} {gap.hint}" for gap in plan.gaps if gap.off)


def _found(found: Findings) -> Iterator[str]:
    counts = {kind: files for kind, (files, _) in found.types.items()}
    videos, raw = counts.get("video", 0), counts.get("RAW", 0)
    photos = sum(counts.values()) - videos - raw
    parts = [plural(count, noun) for count, noun in ((photos, "photo"), (raw, "RAW photo"), (videos, "video")) if count]
    size = sum(size for _, size in found.types.values())
    yield f"Found {', '.join(parts) or 'no photos'} in {found.folder}{f', {size_of(size)}' if size else ''}."
    if len(found.types) > 1:
        yield "  " + ", ".join(f"{files:,} {name} ({size_of(size)})" for name, (files, size) in found.types.items())


def _passed_over(found: Findings, *, verbose: bool) -> Iterator[str]:
    others = {f".{ending}" if ending else "without an ending": count for ending, count in found.unknown.items()}
    for title, counts in (("ignored", found.ignored), ("not photos", others)):
        if not counts:
            continue
        if not verbose:
            yield f"  {title}: {_counted(counts)}"
            continue
        yield f"  {title}:"
        for name, count in sorted(counts.items(), key=lambda item: -item[1]):
            yield f"    {count:,} {name}"
            yield from (
                f"        {path}" for path in found.examples.get("." if name == "without an ending" else name, ())
            )


def _counted(counts: Mapping[str, int]) -> str:
    most = sorted(counts.items(), key=lambda item: -item[1])
    shown = ", ".join(f"{count:,} {name}" for name, count in most[:SHOWN])
    return shown if len(most) <= SHOWN else f"{shown}, {sum(n for _, n in most[SHOWN:]):,} others"


def _changes(found: Findings) -> str:
    counts = {"new": found.new, "changed": found.changed, "known already": found.known, "gone": found.gone}
    return "  " + ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


def _job(operation: str, model: str) -> str:
    title = STAGES.get(operation, operation)
    return title if operation == "optimize" else f"{title} with {model}"


def _place(place: Place) -> str:
    line = f"Writes to {place.folder}, where {size_of(place.free)} are free."
    return f"{line} That is little: watch it." if place.fits and place.tight else line
