"""`kizu jobs` and `kizu workers` as a person or a script uses them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from kizu_core.api import Library, open_library
from kizu_core.cli.app import app
from kizu_core.types import JobTable
from kizu_support.embedded import settings_for
from kizu_support.postgres import KizuDatabase, kizu_database, postgres
from kizu_support.queue import Queue, done

__all__ = ["kizu_database", "postgres"]

MOODY = {"code": "model_failed", "message": "moody failed: not today.", "hint": "Look at its log."}


@dataclass
class Commands:
    """Runs commands on a library; `queue` does what workers would."""

    library: Library
    queue: Queue
    environment: dict[str, str | None]

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, env=self.environment)

    def json(self, *arguments: str) -> Any:
        result = self(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def ask(self, *operations: str, **params: Any) -> str:
        """A job for a new photo."""
        photo = self.queue.photo(self.library.user, file_name="a.jpg")
        return str(self.queue.ask(self.library.user, photo, *operations, params={"operations": operations, **params}))


@pytest.fixture
def kizu(kizu_database: KizuDatabase, tmp_path: Path) -> Iterator[Commands]:
    """Commands on an empty library that has core's own plugin only."""
    url = kizu_database.url("postgres")
    environment = {"KIZU_HOME": str(tmp_path / "home"), "KIZU_DATABASE_URL": url, "KIZU_LOAD_PLUGINS": "core"}
    settings = settings_for(tmp_path / "home", database_url=url, load_plugins=("core",))
    with open_library(settings) as library:
        yield Commands(library, Queue(kizu_database), dict(environment))


def test_failures_are_shown_by_cause_and_tried_again(kizu: Commands) -> None:
    for _ in range(2):
        kizu.ask("ocr", "faces")
    whole, partly = kizu.queue.claim("ocr", "faces", limit=2)
    kizu.queue.fail(whole, **MOODY)
    kizu.queue.complete(partly, done("ocr", error=MOODY), done("faces"))
    shown = kizu("jobs", "list").stdout
    assert "model_failed: 1 (people, text)" in shown or "model_failed: 1 (text, people)" in shown
    assert "not today. Look at its log." in shown
    assert "a.jpg" in shown
    assert "`kizu jobs retry`" in kizu("status").stdout
    failed = kizu("jobs", "list", "--status", "failed", "--operation", "ocr").stdout
    assert whole["id"] in failed
    assert partly["id"] not in failed

    wrong = kizu("jobs", "retry", "--cause", "no_such")
    assert (wrong.exit_code, wrong.stderr.splitlines()) == (
        1,
        ["kizu: Nothing failed with the cause 'no_such'.", "      Causes: model_failed."],
    )
    assert "2 jobs will be tried again" in kizu("jobs", "retry", "--cause", "model_failed").stdout
    assert [job["state"] for job in kizu.json("jobs", "list", "--status", "waiting")["jobs"]] == ["waiting"] * 2
    assert kizu.json("jobs", "list")["failures"] == []
    assert kizu.json("jobs", "retry", "--all-failed") == {"jobs": 0}


def test_one_job_from_its_first_letters(kizu: Commands) -> None:
    url = "https://me:hunter2@photos.example.org/a.jpg?token=abcdef123456&size=1"
    job = kizu.ask("ocr", image_url=url, nested={"api_key": "s3cr3t-value"}, note="mine")
    (claimed,) = kizu.queue.claim("ocr", worker="nas-1")
    kizu.queue.fail(claimed, retryable=True, code="fetch_failed", message="The storage did not answer.")
    shown = kizu("jobs", "show", job[:13].upper())
    assert shown.exit_code == 0, shown.stderr
    for part in (job, "attempt 1, nas-1: fetch_failed", "The storage did not answer.", "mine", "a.jpg", "1 of 5"):
        assert part in shown.stdout
    document = kizu.json("jobs", "show", job)
    assert (document["operations"], document["errors"][0]["worker"]) == (["ocr"], "nas-1")
    for text in (shown.stdout, json.dumps(document)):
        hidden = ("hunter2", "abcdef123456", "s3cr3t-value", claimed["lease_token"])
        assert not [secret for secret in hidden if secret in text]
    missing = kizu("jobs", "show", "ffff0000ffff")
    assert (missing.exit_code, missing.stderr.splitlines()[0]) == (1, "kizu: There is no job 'ffff0000ffff'.")


def test_single_jobs_are_cancelled_and_tried_again(kizu: Commands) -> None:
    running = kizu.ask("ocr")
    kizu.queue.claim("ocr")
    waiting = kizu.ask("ocr")
    refused = kizu("jobs", "retry", waiting)
    assert (refused.exit_code, "only what failed or was cancelled" in refused.stderr) == (1, True)
    assert kizu.json("jobs", "cancel", waiting, running) == {"cancelled": 1, "stopping": 1}
    assert "is cancelled already" in kizu("jobs", "cancel", waiting).stderr
    assert kizu.json("jobs", "retry", waiting) == {"jobs": 1}
    assert "will stop within seconds" in kizu("jobs", "cancel", running).stdout


def test_what_nobody_can_do_waits_and_says_what_to_install(kizu: Commands) -> None:
    job = kizu.ask("describe")
    kizu.ask("paint_over")
    kizu.ask("faces")
    kizu.queue.call("worker_hello", worker="nas-1", info={}, can=["faces"])  # elsewhere, but at work
    waiting = {gap["operation"]: gap for gap in kizu.json("jobs", "list")["waiting"]}
    assert set(waiting) == {"describe", "paint_over"}
    assert waiting["describe"]["waiting"] == 1
    assert "kind vlm" in waiting["describe"]["reason"]
    assert "`kizu plugins list`" in waiting["paint_over"]["hint"]
    assert "captions: 1 waiting." in kizu("jobs", "list").stdout
    shown = kizu.json("jobs", "show", job)
    assert (shown["state"], shown["attempt"], shown["picked_up_at"], shown["errors"]) == ("waiting", 0, None, [])


def test_mass_cancelling_asks_first(kizu: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    kizu.ask("describe")
    unasked = kizu("jobs", "cancel", "--waiting")
    assert (unasked.exit_code, unasked.stderr.splitlines()) == (
        1,
        ["kizu: Nothing was cancelled: nobody can be asked here.", "      Add --yes to do it unasked."],
    )
    assert kizu.json("jobs", "cancel", "--operation", "ocr", "--yes") == {"cancelled": 0, "stopping": 0}
    assert kizu.json("jobs", "cancel", "--waiting", "--yes") == {"cancelled": 1, "stopping": 0}
    assert len(kizu.json("jobs", "list", "--status", "cancelled", "--limit", "5")["jobs"]) == 1


@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_the_answer_counts(kizu: Commands, monkeypatch: pytest.MonkeyPatch, answer: str, left: int) -> None:
    kizu.ask("describe")
    monkeypatch.setattr("kizu_core.cli.asking.is_terminal", lambda: True)
    asked = CliRunner().invoke(app, ["jobs", "cancel", "--waiting"], env=kizu.environment, input=answer)
    assert "Cancel what waits (1 for captions)?" in asked.output
    assert asked.exit_code == left
    assert len(kizu.library.jobs.page(state="waiting")["jobs"]) == left


@pytest.mark.parametrize(
    "arguments",
    [
        ("retry",),
        ("retry", "ab", "--all-failed"),
        ("cancel", "--waiting", "--operation", "ocr"),
        ("list", "--status", "lost"),
    ],
)
def test_wrong_uses(arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, ["jobs", *arguments]).exit_code == 2


def test_pages_are_put_together(kizu: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kizu_core.cli.jobs.PAGE", 2)
    ids = {kizu.ask("ocr") for _ in range(5)}
    assert {job["id"] for job in kizu.json("jobs", "list", "--status", "waiting")["jobs"]} == ids
    assert len(kizu.json("jobs", "list", "--status", "waiting", "--limit", "3")["jobs"]) == 3


def test_who_works(kizu: Commands) -> None:
    assert "Nobody works now" in kizu("workers").stdout
    for name, restarts in [("here", 3), ("gone", 0)]:
        kizu.queue.call("worker_hello", worker=name, info={"host": "nas", "pid": 7, "version": "0.1"}, can=["ocr"])
        kizu.queue.call("worker_note", worker=name, info={"restarts": restarts})
    kizu.queue.run("update kizu_workers set beat_at = now() - interval '1 h' where id = 'gone'")
    kizu.ask("ocr")
    kizu.queue.claim("ocr", worker="here")
    head, gone, here = (line.split() for line in kizu("workers").stdout.splitlines())
    assert head[:3] == ["WORKER", "STATE", "COMPUTER"]
    assert gone[:5] == ["gone", "silent", "nas", "7", "0.1"]
    assert here[:3] == ["here", "at", "work"]
    assert here[-3:] == ["1", "3", "ocr"]
    assert [worker["alive"] for worker in kizu.json("workers")["workers"]] == [False, True]


def test_the_same_in_python(kizu: Commands) -> None:
    job = kizu.ask("ocr")
    jobs = kizu.library.jobs
    assert jobs.show(job[:20])["id"] == job
    assert jobs.cancel([job]) == {"cancelled": 1}
    assert jobs.retry([job]) == 1
    assert jobs.cancel_waiting() == {"cancelled": 1, "stopping": 0}
    assert (jobs.causes(), jobs.retry_failed()) == ([], 0)
    assert kizu.library.database.worker.requeue(JobTable.AI, [UUID(job)]) == 1
