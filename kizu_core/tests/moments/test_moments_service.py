"""The service over strategies and libraries that are plain data: what is asked, kept, told, and the same again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizu_core.moments.proposals import Strategy, one_line
from kizu_core.moments.service import Generated, MomentsService
from kizu_core.types import MomentCandidate, Photo
from kizu_support.strategies import USER, candidate, existing, library, strategy

TEN = [candidate(range(10 * n + 1, 10 * n + 9), 0.1 + n / 20, key=f"trip {n}") for n in range(10)]


def generate(*strategies: Strategy, **given: Any) -> Generated:
    return MomentsService(strategies).generate(USER, library(**given))


def titles(made: Generated) -> list[str]:
    return [row["title"] for row in made.moments]


def test_the_best_five_of_a_day_come_first_and_the_rest_is_told() -> None:
    made = generate(strategy(TEN))
    assert titles(made) == [one.title for one in TEN[:4:-1]]
    assert made.report["passed"] == {"more than there are on one day": 5}
    assert made.report["strategies"] == {"trips": {"plugin": "tests", "proposed": 10}}
    json.dumps([made.report, *made.moments], allow_nan=False)


def test_the_days_number_is_a_setting_and_counts_what_is_there() -> None:
    first = generate(strategy(TEN), made={"settings": {"moments_daily_maximum": 3}})
    assert len(first.moments) == 3
    there = [existing(row) for row in first.moments]
    again = generate(strategy(TEN), made={"settings": {"moments_daily_maximum": 3}, "existing": there})
    assert again.report["new"] == []
    assert again.report["why"] == "Today has its 3 moments already."
    more = generate(strategy(TEN), made={"settings": {"moments_daily_maximum": 4}, "existing": there})
    assert [one["title"] for one in more.report["new"]] == [TEN[6].title]
    tomorrow = [one | {"day": "2026-07-14"} for one in there]
    assert len(generate(strategy(TEN), made={"existing": tomorrow}).report["new"]) == 5


def test_the_same_input_gives_the_same_ids_and_content() -> None:
    first, second = (generate(strategy(TEN), strategy(TEN[:3], "events")) for _ in range(2))
    assert first == second
    again = generate(
        strategy(TEN), strategy(TEN[:3], "events"), made={"existing": [existing(row) for row in first.moments]}
    )
    assert sorted(again.moments, key=lambda row: row["id"]) == sorted(first.moments, key=lambda row: row["id"])


def test_ids_follow_from_user_strategy_and_key() -> None:
    (one,) = generate(strategy([candidate([1, 2, 3], key="k")])).moments
    (grown,) = generate(strategy([candidate([1, 2, 3, 4], key="k")])).moments
    (other,) = generate(strategy([candidate([1, 2, 3], key="k")], "events")).moments
    (nameless,) = generate(strategy([candidate([3, 2, 1])])).moments
    assert one["id"] == grown["id"]
    assert one["asset_hash"] != grown["asset_hash"]
    assert len({one["id"], other["id"], nameless["id"]}) == 3
    theirs = MomentsService([strategy([candidate([1, 2, 3], key="k")])]).generate(UUID(int=8), library())
    assert theirs.moments[0]["id"] != one["id"]


def test_a_back_dated_import_refreshes_the_moments_it_belongs_to() -> None:
    (before,) = generate(strategy([candidate([1, 2, 3], key="k")])).moments
    old = [existing(before, day="2026-07-10")]
    unchanged = generate(strategy([candidate([1, 2, 3], key="k")]), made={"existing": old})
    assert unchanged.moments == ()
    assert unchanged.report["why"] == "Nothing new among what was found: 1 there already."
    grown = generate(strategy([candidate([1, 2, 3, 50], key="k")]), made={"existing": old})
    assert [len(row["asset_ids"]) for row in grown.moments] == [4]
    assert (grown.report["new"], grown.report["refreshed"]) == ([], 1)
    saved = generate(strategy([candidate([1, 2, 3, 50], key="k")]), made={"existing": [old[0] | {"saved": True}]})
    assert saved.moments == (), "what is kept is kept as it is"


def test_what_expired_lately_rests_unless_its_photos_changed() -> None:
    (one,) = generate(strategy([candidate([1, 2, 3], key="k")])).moments
    history = [{"id": one["id"], "hash": one["asset_hash"]}]
    rests = generate(strategy([candidate([3, 2, 1], key="k")]), made={"history": history})
    assert rests.moments == ()
    assert "1 shown lately" in rests.report["why"]
    assert len(generate(strategy([candidate([1, 2, 3, 4], key="k")]), made={"history": history}).moments) == 1


def test_what_was_hidden_stays_hidden_whatever_it_is_called() -> None:
    (one,) = generate(strategy([candidate([1, 2, 3], key="k")])).moments
    hidden = [existing(one, hidden=True)]
    alike = strategy([candidate([1, 2, 3, 4])], "events")
    assert generate(strategy([candidate([1, 2, 3, 9], key="k")]), alike, made={"existing": hidden}).moments == ()


def test_fallbacks_are_asked_one_by_one_and_only_if_there_is_nothing_else() -> None:
    common = strategy([candidate([1, 2])], "common", fallback=True, order=200)
    recent = strategy([candidate([3, 4])], "recent", fallback=True, order=210)
    nothing: list[MomentCandidate] = []
    assert titles(generate(recent, common, strategy(nothing))) == ["Photos 1 to 2"]
    assert titles(generate(strategy(nothing, "common", fallback=True), recent, strategy(nothing))) == ["Photos 3 to 4"]
    assert titles(generate(common, recent, strategy([candidate([7, 8])]))) == ["Photos 7 to 8"]
    off = {"settings": {"moments_location": False}}
    trips = strategy([candidate([7, 8])], setting_key="moments_location")
    assert titles(generate(common, recent, trips, made=off)) == ["Photos 1 to 2"]


class TestOverlaps:
    def test_of_two_with_half_their_photos_in_common_the_better_stays(self) -> None:
        better, worse = candidate(range(1, 11), 0.9, title="Better"), candidate(range(4, 12), 0.8, title="Worse")
        for order in ([better, worse], [worse, better]):
            made = generate(strategy(order))
            assert titles(made) == ["Better"]
            (told,) = made.moments[0]["grouping_criteria"]["instead_of"]
            assert (told["title"], told["in_common"], told["photos"]) == ("Worse", 0.64, 8)

    def test_an_afternoon_of_a_journey_is_a_moment_beside_it(self) -> None:
        made = generate(strategy([candidate(range(1, 60), 0.9)]), strategy([candidate(range(10, 25), 0.8)], "events"))
        assert len(made.moments) == 2

    def test_what_exists_was_there_first(self) -> None:
        (one,) = generate(strategy([candidate(range(1, 11), 0.1, key="old")])).moments
        better = strategy([candidate(range(2, 12), 0.9)], "events")
        assert generate(better, made={"existing": [existing(one, day="2026-07-10")]}).moments == ()
        kept = generate(strategy([candidate(range(1, 11), 0.1, key="old")]), better, made={"existing": [existing(one)]})
        assert [row["id"] for row in kept.moments] == [one["id"]]
        assert kept.moments[0]["grouping_criteria"]["instead_of"][0]["strategy"] == "events"

    @given(st.lists(st.tuples(st.sets(st.integers(1, 30), min_size=1), st.floats(0, 1)), max_size=12))
    def test_no_two_that_stay_have_half_in_common(self, drawn: list[tuple[set[int], float]]) -> None:
        service = MomentsService([strategy([candidate(sorted(numbers), score) for numbers, score in drawn])])
        made = service.generate(USER, library(30, made={"settings": {"moments_daily_maximum": 100}}))
        sets = [set(row["asset_ids"]) for row in made.moments]
        for n, one in enumerate(sets):
            assert all(2 * len(one & other) < len(one | other) for other in sets[:n])


class TestBrokenStrategies:
    """Named in the report, and nobody else's trouble."""

    good: ClassVar = strategy([candidate([1, 2, 3])], "good")

    @pytest.mark.parametrize(
        ("propose", "said"),
        [
            (lambda photos: 1 / 0, "ZeroDivisionError"),
            (lambda photos: exit(3), "SystemExit"),
            (lambda photos: None, "TypeError"),
            (lambda photos: ["x"], "str instead of a MomentCandidate"),
            (lambda photos: [candidate([1, 999])], "was not given"),
            (lambda photos: [candidate([1, 1])], "one twice"),
            (lambda photos: [MomentCandidate(title="t", asset_ids=())], "without photos"),
            (lambda photos: [candidate([1, 2], title=" \n\u202e")], "without a title"),
            (lambda photos: [candidate([1, 2], title=7)], "not all text"),
            (lambda photos: [candidate([1, 2], score=float("nan"))], "no number from 0 to 1"),
            (lambda photos: [candidate([1, 2], score=-1)], "no number from 0 to 1"),
            (lambda photos: [candidate([1, 2], criteria={"x": {1}})], "JSON"),
            (lambda photos: [candidate([1, 2], criteria={"x": "y" * 20_000})], "too long"),
            (lambda photos: [candidate([1, 2], key="k" * 300)], "longer than"),
            (lambda photos: photos.clear() or [], None),
        ],
    )
    def test_is_named_and_spoils_nothing(self, propose: Any, said: str | None) -> None:
        made = generate(strategy(propose, "bad"), self.good)
        assert titles(made) == ["Photos 1 to 3"]
        faults = made.report["strategies"]["bad"].get("faults", [])
        assert [said in fault for fault in faults] == ([True] if said else [])

    def test_one_that_can_not_be_built_is_named(self) -> None:
        def build() -> Any:
            raise ImportError("no scipy here")

        bad = Strategy(spec=strategy([], "bad").spec, plugin="tests", build=build)
        made = generate(bad)
        assert made.report["why"] == "What looks for moments failed: bad."
        assert "no scipy here" in made.report["strategies"]["bad"]["faults"][0]

    def test_its_good_proposals_are_used(self) -> None:
        made = generate(strategy([candidate([1, 999]), candidate([4, 5])], "bad"))
        assert titles(made) == ["Photos 4 to 5"]
        assert made.report["strategies"]["bad"]["proposed"] == 1

    def test_of_one_key_the_better_is_used(self) -> None:
        made = generate(strategy([candidate([1, 2], 0.2, key="k"), candidate([8, 9], 0.3, key="k")]))
        assert titles(made) == ["Photos 8 to 9"]

    def test_scores_of_another_scale_are_brought_to_ours(self) -> None:
        loud = strategy([candidate([1, 2], 50), candidate([3, 4], 100), candidate([5, 6], 0)], "loud")
        made = generate(loud, strategy([candidate([7, 8], 0.9)]))
        assert [row["score"] for row in made.moments] == [1.0, 0.9, 0.5, 0.0]


class TestNothing:
    """Why there is none, and the next step."""

    @pytest.mark.parametrize(
        ("strategies", "given", "why"),
        [
            ([strategy(TEN)], {"made": {"settings": {"moments": False}}}, "switched off"),
            ([], {}, "No plugin"),
            ([strategy(TEN)], {"count": 0}, "no photos in this library"),
            ([strategy(TEN)], {"made": {"blocked": [UUID(int=n) for n in range(1, 101)]}}, "blocked"),
            ([strategy([])], {}, "in the 100 photos"),
            (
                [strategy(TEN, setting_key="moments_location")],
                {"made": {"settings": {"moments_location": False}}},
                "kind",
            ),
        ],
    )
    def test_is_said(self, strategies: list[Strategy], given: dict[str, Any], why: str) -> None:
        report = generate(*strategies, **given).report
        assert why in report["why"]
        assert report["hint"]


class TestBlocked:
    def test_photos_reach_no_strategy(self) -> None:
        seen: list[UUID] = []

        def look(photos: Sequence[Photo]) -> list[MomentCandidate]:
            seen.extend(one.asset_id for one in photos)
            return []

        generate(strategy(look), made={"blocked": [str(UUID(int=5)), str(UUID(int=6))]})
        assert len(seen) == 98
        assert not {UUID(int=5), UUID(int=6)} & set(seen)


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "note"),
        [
            ({"moments": "yes"}, "moments is neither true nor false, so it counts as true."),
            ({"moments_auto_delete_days": "7"}, "so it counts as 7"),
            ({"moments_auto_delete_days": 0}, "so it counts as 7"),
            ({"moments_auto_delete_days": True}, "so it counts as 7"),
            ({"moments_daily_maximum": -1}, "so it counts as 5"),
            ({"moments_time": "25:00"}, "so it counts as 09:00"),
            ({"moments_time": 9}, "so it counts as 09:00"),
            ({"moments_pepole": False}, "no setting of anything installed"),
            ([1], "no table"),
            (None, "no table"),
        ],
    )
    def test_what_is_wrong_falls_back_with_a_note(self, settings: Any, note: str) -> None:
        made = generate(strategy(TEN), made={"settings": settings})
        assert len(made.moments) == 5
        assert note in made.report["notes"][0]
        assert made.moments[0]["keep_days"] == 7

    def test_what_is_right_counts_and_others_settings_are_theirs(self) -> None:
        settings = {"moments_auto_delete_days": 30, "moments_time": "9:00", "push": {"x": 1}, "theme": "dark"}
        made = generate(strategy(TEN), made={"settings": settings})
        assert made.report["notes"] == []
        assert {row["keep_days"] for row in made.moments} == {30}


@given(st.text(max_size=300))
def test_a_title_is_one_clean_line(text: str) -> None:
    line = one_line(text, 120)
    assert len(line) <= 120
    assert line == line.strip()
    assert line.isprintable() or set(line) & set("\u200c\u200d\xa0") or not line
    assert "\n" not in line
    assert one_line(line, 120) == line


def test_variety_counts_on_one_day() -> None:
    trips = strategy([candidate(range(10 * n + 1, 10 * n + 5), 0.9) for n in range(6)])
    other = strategy([candidate(range(71, 75), 0.7)], "events")
    assert "Photos 71 to 74" in titles(generate(trips, other))


def test_reasons_are_complete() -> None:
    (row,) = generate(strategy([candidate([1, 2, 3], criteria={"km": 812.5})])).moments
    reasons = row["grouping_criteria"]
    assert (reasons["plugin"], reasons["rule"], reasons["found"]) == ("tests", "photos of trips", {"km": 812.5})
    assert set(reasons) == {"plugin", "rule", "found", "covers", "overlap", "instead_of"}
