"""What becomes of jobs: done, failed, given back. One worker, one real child, the real database."""

from __future__ import annotations

from uuid import uuid4

import pytest

from kizu_core.errors import PluginError, SettingError
from kizu_core.types import JobTable
from kizu_core.worker.events import HandlerOff, JobDone, JobFailed, JobProgress, JobStarted, Waiting
from kizu_support.bench import Bench, eventually
from kizu_support.embedded import settings_for


def test_jobs_are_done_and_counted(bench: Bench) -> None:
    jobs = bench.enqueue(*({} for _ in range(20)))
    summary, running = bench.drain()
    rows = [bench.row(job) for job in jobs]
    assert {(row["status"], row["outcome"], row["attempt"], row["progress"]) for row in rows} == {
        ("completed", "ok", 1, 100)
    }
    tally = summary.operations["probe"]
    assert (summary.jobs, tally.done, tally.failed, tally.found) == (20, 20, 0, 40)
    assert tally.seconds == pytest.approx(10)
    assert len(running.of(JobStarted)) == len(running.of(JobDone)) == 20
    assert {len(bench.starts(job)) for job in jobs} == {1}


def test_progress_reaches_the_row_and_never_falls(bench: Bench) -> None:
    (job,) = bench.enqueue({"steps": 40, "sleep_s": 3})
    running = bench.start(drain=True)
    seen = [bench.row(job)["progress"]]
    while not running.of(JobDone):
        seen.append(bench.row(job)["progress"])
    running.end()
    assert seen == sorted(seen)
    assert len(set(seen) - {0, 100}) >= 2, "progress was written while the job ran"
    assert len(set(seen)) <= 12, "at most two writes a second"
    assert [event.percent for event in running.of(JobProgress)][-1] == 100
    assert bench.row(job)["progress"] == 100


@pytest.mark.parametrize("do", ["raises", "leaves"])
def test_an_exception_is_charged_to_its_job_only(bench: Bench, do: str) -> None:
    before, bad, after = bench.enqueue({}, {"do": do, "only_first": str(bench.folder / "once")}, {})
    _, running = bench.drain()
    (failed,) = running.of(JobFailed)
    assert (failed.job_id, failed.error["code"], failed.final) == (bad, "bug", False)
    assert {bench.row(job)["outcome"] for job in (before, bad, after)} == {"ok"}
    assert [bench.row(job)["attempt"] for job in (before, bad, after)] == [1, 2, 1]
    assert len(bench.starts(before)) == 1


def test_a_handler_that_gives_too_few_results(bench: Bench) -> None:
    good, never = bench.enqueue({}, {"do": "end"}, max_attempts=1)
    _, running = bench.drain()
    assert bench.row(good)["outcome"] == "ok"
    assert bench.row(never)["outcome"] == "dead"
    assert [event.error["code"] for event in running.of(JobFailed)] == ["bug"]


def test_a_handlers_own_error_keeps_its_words(bench: Bench) -> None:
    (job,) = bench.enqueue({"do": "refuse"})
    summary, running = bench.drain()
    row = bench.row(job)
    assert (row["status"], row["outcome"], row["error_message"]) == ("failed", "invalid", "It is damaged.")
    assert row["errors"][0]["hint"] == "Look at it."
    assert summary.operations["probe"].failed == summary.failed == 1
    assert running.of(JobFailed)[0].final


def test_what_may_pass_is_tried_again(bench: Bench) -> None:
    (job,) = bench.enqueue({"do": "again", "only_first": str(bench.folder / "once")})
    summary, _ = bench.drain()
    assert (bench.row(job)["outcome"], bench.row(job)["attempt"]) == ("ok", 2)
    assert (summary.operations["probe"].retried, summary.operations["probe"].done) == (1, 1)


@pytest.mark.parametrize("do", ["lie", "smuggle"])
def test_an_outcome_that_reaches_too_far_is_refused(bench: Bench, do: str) -> None:
    (job,) = bench.enqueue({"do": do})
    bench.drain()
    row = bench.row(job)
    assert (row["outcome"], row["errors"][0]["code"]) == ("invalid", "worker")
    assert not list(bench.settings.paths.blobs.rglob("*.jpg"))


def test_a_handler_that_can_not_be_built_leaves_its_jobs_alone(bench: Bench) -> None:
    (broken,) = bench.enqueue({}, job_type="probe-broken")
    (good,) = bench.enqueue({})
    _, running = bench.drain()
    (off,) = running.of(HandlerOff)
    assert off.handler == "probe-broken"
    assert "a library is not there" in off.error["message"]
    assert (bench.row(broken)["status"], bench.row(broken)["attempt"]) == ("pending", 0)
    assert bench.row(good)["outcome"] == "ok"


def test_a_handler_sees_its_own_users_photos_only(bench: Bench) -> None:
    other = bench.database.worker.ensure_user("somebody else")
    mine, theirs = (
        bench.query("insert into assets (user_id, sha256) values (%s, %s) returning id", user, digit * 64)[0]["id"]
        for user, digit in ((bench.user, "a"), (other, "b"))
    )
    shown, hidden = bench.enqueue({"do": "ask", "asset": str(mine)}, {"do": "ask", "asset": str(theirs)})
    bench.drain()
    assert bench.row(shown)["result"]["asset"]["id"] == str(mine)
    assert bench.row(hidden)["result"]["asset"] == {}


def test_the_child_knows_no_secret(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", "canary")
    monkeypatch.setenv("KIZU_DATABASE_URL", "postgresql://canary")
    (job,) = bench.enqueue({"do": "look"})
    bench.drain()
    result = bench.row(job)["result"]
    assert "canary" not in str(result)
    assert result["environment"]["OMP_NUM_THREADS"] == str(bench.settings.thread_count)
    assert result["session"], "a process group of its own"


def test_once_looks_once(bench: Bench) -> None:
    bench.enqueue({})
    assert bench.start(once=True).end().jobs == 1
    assert bench.start(once=True).end().jobs == 0


def test_a_job_starts_soon_after_it_is_there(bench: Bench) -> None:
    bench.start(poll_interval=60)
    eventually(lambda: bench.query("select id from kizu_workers"))
    (job,) = bench.enqueue({})
    eventually(lambda: bench.row(job)["outcome"] == "ok")


def test_polling_alone_is_enough(bench: Bench) -> None:
    bench.start(wake=False, poll_interval=0.5)
    (job,) = bench.enqueue({})
    eventually(lambda: bench.row(job)["outcome"] == "ok")


def test_a_handler_that_is_not_there_is_named(bench: Bench) -> None:
    with pytest.raises(SettingError, match="'nonsense'") as caught:
        bench.worker(only=("nonsense",))
    assert "optimize" in str(caught.value.hint)


def test_a_worker_that_can_do_nothing_says_so(bench: Bench) -> None:
    with pytest.raises(PluginError):
        bench.worker(settings_for(bench.settings.home, load_plugins=()), only=("image-ai",))


def test_a_drained_worker_waits_for_what_another_holds_and_says_so(bench: Bench) -> None:
    (job,) = bench.enqueue({})
    (claim,) = bench.database.worker.claim(JobTable.AI, "other", uuid4(), ["probe"], 1, 60)
    running = bench.start(drain=True)
    (said,) = eventually(lambda: running.of(Waiting))
    assert "another worker" in said.message
    bench.database.worker.release(claim)
    running.end()
    assert bench.row(job)["outcome"] == "ok"
