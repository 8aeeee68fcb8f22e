"""The `kizu` script as a user runs it: a process of its own, with a data folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

KIZU = Path(sys.executable).with_name("kizu")


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """NDJSON lines."""
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    @property
    def summary(self) -> dict[str, Any]:
        """The last event of `kizu run --json`."""
        (summary,) = [event for event in self.events if event["event"] == "summary"]
        return summary


@dataclass
class Kizu:
    """Runs commands on one data folder. `variables` are added to a clean environment."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        # No process that stays behind for the next search, unless a test asks for it.
        return {**kept, "KIZU_HOME": str(self.home), "KIZU_SEARCH_KEEP": "0", **self.variables}

    def start(self, *arguments: str | Path, out: Path | None = None) -> subprocess.Popen[str]:
        """The command in the background; its output goes to `out`, standard error to `out` with `.err` added."""
        with ExitStack() as files:
            stdout, stderr = (
                (files.enter_context(out.open("w")), files.enter_context(out.with_suffix(".err").open("w")))
                if out
                else (subprocess.PIPE, subprocess.PIPE)
            )
            return subprocess.Popen(
                [KIZU, *map(str, arguments)],
                env=dict(self.environment()),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                text=True,
                cwd=self.home.parent,
            )

    def __call__(self, *arguments: str | Path, timeout: float = 240) -> Result:
        """The command to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=timeout)
        return Result(process.returncode, out, err)

    def json(self, *arguments: str | Path) -> Any:
        """The one JSON document that a command prints."""
        result = self(*arguments, "--json")
        assert result.code == 0, result.err
        return json.loads(result.out)

    def processes(self) -> list[psutil.Process]:
        """Every process that works on this data folder: commands, their model processes, the database server."""
        found: set[psutil.Process] = set()
        for process in psutil.process_iter():
            try:
                here = any(part.startswith(str(self.home)) for part in process.cmdline())
                if here or process.environ().get("KIZU_HOME") == str(self.home):
                    found |= {process, *process.children(recursive=True)}
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return sorted(found, key=lambda process: process.pid)

    def kill(self, part: str) -> int:
        """`kill -9` of each of its processes whose command line holds `part`; how many."""
        killed = 0
        for process in self.processes():
            try:
                if part in " ".join(process.cmdline()):
                    process.send_signal(signal.SIGKILL)
                    killed += 1
            except psutil.NoSuchProcess:
                continue
        return killed
