"""Forecasts and "can be searched now": each said once, when it is worth it."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kizu_core.cli.milestones import MEASURED, Milestones, Note
from kizu_core.cli.progress import Progress

Counts = dict[str, tuple[int, int]]
"""Operation -> done, waiting."""


def looked(*looks: Counts, every_s: float = 10, searched: tuple[str, ...] = ("embedding", "ocr")) -> list[Note]:
    """All that is said over several looks."""
    progress, said = Progress(), []
    found = Milestones(searched)
    for number, counts in enumerate(looks):
        jobs = {name: {"done": done, "waiting": waiting} for name, (done, waiting) in counts.items()}
        progress.update(jobs, now=number * every_s)
        said += list(found.notes(progress))
    return said


def sentences(*looks: Counts, every_s: float = 10) -> list[str]:
    return [note.sentence for note in looked(*looks, every_s=every_s)]


def test_a_stage_is_forecast_once_after_fifty_photos() -> None:
    looks = [{"optimize": (done, 10_000 - done)} for done in range(1000, 1200, 20)]
    assert sentences(*looks) == ["Thumbnails: 8,940 photos to go, about 1 h 14 min."]
    (note,) = looked(*looks)
    assert note.event == {
        "event": "estimate",
        "operation": "optimize",
        "photos": 8940,
        "seconds": 4470.0,
        "per_second": 2.0,
    }


def test_what_is_soon_over_needs_no_forecast() -> None:
    assert sentences(*({"optimize": (done, 200 - done)} for done in range(0, 201, MEASURED))) == []


def test_searchable_photos_are_told_at_round_numbers() -> None:
    looks = [{"ocr": (done, 2000 - done), "optimize": (2000, 0)} for done in range(0, 1500, 30)]
    said = [one for one in sentences(*looks, every_s=1) if "searched" in one]
    assert said == [
        "100 photos can be searched now; still to come: text of 1,880 more.",
        "1,000 photos can be searched now; still to come: text of 980 more.",
    ]


def test_the_end_of_what_search_needs_is_told_while_the_rest_goes_on() -> None:
    looks: list[Counts] = [
        {"ocr": (0, 40), "describe": (0, 40)},
        {"ocr": (30, 10), "describe": (0, 40)},
        {"ocr": (40, 0), "describe": (0, 40)},
        {"ocr": (40, 0), "describe": (9, 31)},
    ]
    assert sentences(*looks) == ["40 photos can be searched now; still to come: captions."]
    assert [note.event for note in looked(*looks)] == [{"event": "searchable", "photos": 40, "left": 0}]


def test_quick_operations_make_photos_searchable_first() -> None:
    looks: list[Counts] = [{"embedding": (0, 1200), "ocr": (0, 1200)}, {"embedding": (1200, 0), "ocr": (3, 1197)}]
    assert sentences(*looks)[-1] == "1,200 photos can be searched now; still to come: text."
    assert looked(*looks, searched=("ocr",)) == [], "vectors that no words lead to"


def test_what_an_earlier_run_did_is_no_news() -> None:
    assert sentences({"ocr": (5000, 1)}, {"ocr": (5001, 0)}) == []


@given(st.lists(st.integers(0, 300), max_size=40))
def test_nothing_is_said_twice_and_numbers_only_grow(steps: list[int]) -> None:
    done, looks = 0, []
    for step in steps:
        done += step
        looks.append({"ocr": (done, 12_000 - done), "describe": (0, 1)})
    told = [note.event["photos"] for note in looked(*looks) if note.event["event"] == "searchable"]
    assert all(before < after for before, after in pairwise(told))
