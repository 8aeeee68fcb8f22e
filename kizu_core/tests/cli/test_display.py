"""What is shown without a terminal: enough lines to see life, not so many that they drown a log."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from kizu_core.cli.display import JsonDisplay, PlainDisplay, _table, open_display
from kizu_core.cli.milestones import Note
from kizu_core.cli.progress import Progress


def some_progress() -> Progress:
    progress = Progress()
    progress.update({"ocr": {"waiting": 3, "done": 1}, "optimize": {"done": 4}}, now=0)
    return progress


def test_plain_lines_are_few_and_the_last_is_never_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    display = PlainDisplay()
    for done in range(500, 20_001, 500):
        display.count("reading files", done, 20_000)
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["  reading files: 500 of 20,000", "  reading files: 20,000 of 20,000"]


def test_plain_progress_names_the_stages_that_still_work(capsys: pytest.CaptureFixture[str]) -> None:
    display = PlainDisplay()
    for _ in range(5):
        display.progress(some_progress())
    assert capsys.readouterr().out == "  text 1/4\n"


def test_everything_for_a_script_is_json_and_the_end_is_the_event(capsys: pytest.CaptureFixture[str]) -> None:
    display = JsonDisplay()
    display.say("Opening the database.")
    display.count("reading files", 1, 2)
    display.progress(some_progress())
    display.conclude({"event": "summary"}, ["Done."])
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["message", "progress", "summary"]
    assert events[1]["stages"]["ocr"] == {"waiting": 3, "retrying": 0, "done": 1, "failed": 0, "per_second": 0.0}


def test_notes_are_events_for_scripts_and_sentences_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    note = Note({"event": "searchable", "photos": 100}, "100 photos can be searched now.")
    JsonDisplay().note(note)
    PlainDisplay().note(note)
    event, sentence = capsys.readouterr().out.splitlines()
    assert (json.loads(event), sentence) == (note.event, note.sentence)


def test_the_live_table_fits_into_80_columns() -> None:
    progress = Progress()
    for now in (0.0, 1.0):
        counts = {"waiting": 100_000, "done": int(now), "failed": 0}
        progress.update({"embedding": counts, "optimize": counts}, now=now)
    console = Console(width=80, file=io.StringIO())
    console.print(_table(progress))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 3
    assert "search by content" in lines[2]
    assert "27 h 46 min" in lines[2]


def test_without_a_terminal_there_is_no_live_table() -> None:
    assert isinstance(open_display(as_json=False), PlainDisplay)
