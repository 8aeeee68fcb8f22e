"""The schedule: at the user's hour in the user's zone, once a local day, made up for after a sleep."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from kizu_support.queue import AI, Queue

BERLIN = "Europe/Berlin"


@pytest.fixture
def user(queue: Queue) -> UUID:
    """Somebody in Berlin with a photo."""
    user = queue.user()
    queue.photo(user)
    settings(queue, user, time_zone=BERLIN)
    return user


def settings(queue: Queue, user: UUID, time_zone: str | None = None, **change: Any) -> None:
    queue.call("moments_settings", user=user, change=change, time_zone=time_zone)


def is_due(queue: Queue, user: UUID, now: str, *runs: str) -> bool:
    """Whether a run is due at a time, both with their zones, after runs at those times."""
    queue.run(f"delete from {AI}")
    for run in runs:
        queue.run(f"insert into {AI} (user_id, job_type, created_at) values (%s, 'generate_moments', %s)", user, run)
    (row,) = queue.rows(
        "select kizu.moments_are_due(p, %s::timestamptz) as due from profiles p where id = %s", now, user
    )
    return bool(row["due"])


@pytest.mark.parametrize(
    ("now", "runs", "due"),
    [
        ("2026-07-15 09:00+02", [], True),
        ("2026-07-15 09:00+02", ["2026-07-14 09:00+02"], True),
        ("2026-07-15 08:59+02", ["2026-07-14 09:00+02"], False),
        ("2026-07-15 23:00+02", ["2026-07-15 09:00+02"], False),
        ("2026-07-15 07:00+02", ["2026-07-12 09:00+02"], True),  # a sleep: made up for at once
        ("2026-07-15 09:01+02", ["2026-07-15 07:00+02"], False),  # that was this day's
        ("2026-07-16 09:00+02", ["2026-07-15 07:00+02"], True),
        ("2026-07-15 09:00+02", ["2026-07-14 23:30+02"], True),  # asked for by hand, yesterday
        ("2026-07-15 09:00+02", ["2031-01-01 00:00+00"], True),  # from a clock that was wrong
        ("2026-07-14 23:30-05", ["2026-07-14 09:00+02"], False),  # 06:30 on the 15th in Berlin
    ],
)
def test_once_a_local_day_when_the_hour_has_come(
    queue: Queue, user: UUID, now: str, runs: list[str], due: bool
) -> None:
    assert is_due(queue, user, now, *runs) is due


@pytest.mark.parametrize(
    ("hour", "now", "runs", "due"),
    [
        ("02:30", "2026-03-29 01:59+01", ["2026-03-28 02:30+01"], False),
        ("02:30", "2026-03-29 03:00+02", ["2026-03-28 02:30+01"], True),  # half past two is left out this night
        ("02:30", "2026-03-29 03:31+02", ["2026-03-29 03:00+02"], False),
        ("02:30", "2026-10-25 02:30+02", ["2026-10-24 02:30+02"], True),
        ("02:30", "2026-10-25 02:30+01", ["2026-10-25 02:30+02"], False),  # and here it comes twice
        ("09:00", "2026-03-29 09:00+02", ["2026-03-28 23:30+01"], True),
        ("00:00", "2026-07-15 00:00+02", ["2026-07-14 00:00+02"], True),
    ],
)
def test_the_nights_when_clocks_change(
    queue: Queue, user: UUID, hour: str, now: str, runs: list[str], due: bool
) -> None:
    settings(queue, user, moments_time=hour)
    assert is_due(queue, user, now, *runs) is due


@pytest.mark.parametrize("zone", ["Nowhere/City", "Berlin", "", "'; drop table assets; --"])
def test_what_is_no_zone_counts_as_utc(queue: Queue, user: UUID, zone: str) -> None:
    queue.run("update profiles set time_zone = %s", zone)
    assert not is_due(queue, user, "2026-07-15 08:59+00", "2026-07-14 09:00+00")
    assert is_due(queue, user, "2026-07-15 09:00+00", "2026-07-14 09:00+00")


@pytest.mark.parametrize("hour", ["25:00", "noon", "9:60", 9, None, {"a": 1}, ["09:00"]])
def test_what_is_no_hour_counts_as_nine(queue: Queue, user: UUID, hour: Any) -> None:
    settings(queue, user, moments_time=hour)
    assert is_due(queue, user, "2026-07-15 09:00+02", "2026-07-14 09:00+02")
    assert not is_due(queue, user, "2026-07-15 08:59+02", "2026-07-14 09:00+02")


def test_who_wants_none_or_has_no_photo_gets_none(queue: Queue, user: UUID) -> None:
    settings(queue, user, moments=False)
    assert not is_due(queue, user, "2026-07-15 09:00+02")
    settings(queue, user, moments=None)
    assert is_due(queue, user, "2026-07-15 09:00+02")
    queue.run("delete from assets")
    assert not is_due(queue, user, "2026-07-15 09:00+02")


def test_settings_that_are_no_table_stop_nobody(queue: Queue, user: UUID) -> None:
    for odd in ("[1]", "null", '"x"'):
        queue.run("update profiles set notification_settings = %s::jsonb", odd)
        assert is_due(queue, user, "2026-07-15 09:00+02")
        assert queue.call("moments_state", as_user=user)["time"] == "09:00"
    settings(queue, user, moments_time="21:00")
    assert queue.call("view_moments", user=user)["settings"] == {"moments_time": "21:00"}


def test_each_user_is_asked_for_once(queue: Queue, user: UUID) -> None:
    other = queue.user("other")
    queue.photo(other)
    queue.user("without photos")
    assert queue.call("moments_due") == 2
    assert queue.call("moments_due") == 0
    jobs = queue.rows(f"select user_id, asset_id, todo from {AI} order by created_at")
    assert {job["user_id"] for job in jobs} == {user, other}
    assert [job["asset_id"] for job in jobs] == [None, None]
    assert jobs[0]["todo"] == ["generate_moments"]


def test_the_first_zone_that_is_noted_stays(queue: Queue) -> None:
    user = queue.user()
    queue.call("note_time_zone", user=user, time_zone="Pacific/Apia")
    queue.call("note_time_zone", user=user, time_zone=BERLIN)
    state = queue.call("moments_state", as_user=user)
    assert state["time_zone"] == "Pacific/Apia"
    assert state["last"] is None
