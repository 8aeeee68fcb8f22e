"""`kizu doctor`: what it finds in order, what not, and what it claims about ways out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kizu_core.cli import checks
from kizu_core.cli.doctor import _broken_claims
from kizu_core.privacy.isolation import Level
from kizu_core.privacy.probes import BY_HOOK, WAYS, Probed, StoppedBy
from kizu_support.command import Kizu
from kizu_support.embedded import database_template, library_home, settings_for
from kizu_support.fake_distribution import fake_distribution
from kizu_support.leaks import install_leaks

__all__ = ["database_template", "library_home"]


@pytest.fixture
def kizu(library_home: Path) -> Iterator[Kizu]:
    command = Kizu(library_home, {"KIZU_LOAD_PLUGINS": "core"})
    yield command
    for process in command.processes():
        process.kill()


def states(kizu: Kizu) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit code, and checks by name."""
    result = kizu("doctor", "--json")
    document = json.loads(result.out)
    assert document["code"] == result.code
    return result.code, {one["name"]: one for one in document["checks"]}


def test_a_library_in_order(kizu: Kizu) -> None:
    code, found = states(kizu)
    assert {name for name, one in found.items() if one["state"] == "fail"} == set()
    assert {"python", "data folder", "disk", "server programs", "database", "plugins", "isolation"} <= set(found)
    assert "answers, schema 2026" in found["database"]["sentence"]
    assert (found["models"]["state"], code) == ("warn", 3)  # core alone has no model
    assert all(one["hint"] for one in found.values() if one["state"] != "ok")


def test_what_is_wrong_is_said_with_the_next_step(kizu: Kizu, tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    broken = {"broken": "kizu_broken.plugin"}
    fake_distribution(plugins, "kizu-broken", modules={"kizu_broken.plugin": "1 / 0"}, entry_points=broken)
    kizu.home.chmod(0o755)
    kizu.variables |= {
        "PYTHONPATH": str(plugins),
        "KIZU_LOAD_PLUGINS": "core,broken",
        "KIZU_DATABASE_URL": "postgresql://me:secret-word@127.0.0.1:1/photos",
    }
    code, found = states(kizu)
    assert code == 1
    assert (found["database"]["state"], "127.0.0.1:1" in found["database"]["sentence"]) == ("fail", True)
    assert "secret-word" not in str(found)
    assert (found["data folder"]["state"], found["data folder"]["hint"]) == ("warn", f"chmod 700 '{kizu.home}'")
    assert found["plugins"]["sentence"].startswith("broken:")
    text = kizu("doctor").out
    assert "FAIL  database" in text
    assert f"chmod 700 '{kizu.home}'" in text


def test_an_empty_data_folder_is_left_as_it_is(tmp_path: Path) -> None:
    kizu = Kizu(tmp_path / "nothing", {"KIZU_LOAD_PLUGINS": "core"})
    code, found = states(kizu)
    assert code == 3
    assert "made when it is needed" in found["database"]["sentence"]
    assert not kizu.home.exists()


def test_single_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_for(tmp_path)
    settings.paths.restoring.mkdir(parents=True)
    assert checks.left_overs(settings).state == "warn"
    monkeypatch.setattr(checks, "RELEASED", datetime(2999, 1, 1, tzinfo=UTC))
    monkeypatch.setattr(checks, "DISK_FAIL", 10**18)
    monkeypatch.setattr(checks, "DISK_WARN", 10**18)
    monkeypatch.setattr(checks, "MEMORY_WARN", 10**18)
    monkeypatch.setattr(checks, "FEW_FILES", 10**9)
    found = {check.name: check for check in checks.run_checks(settings)}
    assert {name: found[name].state for name in ("clock", "disk", "memory")} == {
        "clock": "warn",
        "disk": "fail",
        "memory": "warn",
    }
    assert all(found[name].hint for name in ("clock", "disk", "memory"))


# ---- privacy -----------------------------------------------------------------------------------------------


def test_seven_ways_out_are_tried_and_the_process_of_plugins_has_none(kizu: Kizu, tmp_path: Path) -> None:
    kizu.variables |= {"PYTHONPATH": str(install_leaks(tmp_path, 9))}
    result = kizu("doctor", "--privacy", "--json")
    document = json.loads(result.out)
    plugins = {one["way"]: one["stopped_by"] for one in document["model_process"]["probes"]}
    here = {one["way"]: one["stopped_by"] for one in document["this_process"]["probes"]}
    assert plugins.keys() == here.keys() == WAYS.keys()
    assert {plugins[way] for way in BY_HOOK} == {here[way] for way in BY_HOOK} == {"hook"}
    assert here["a connection by libc"] == "nobody"  # the control: it would have been noticed
    assert document["broken"] == []
    assert result.code == (3 if document["model_process"]["system"] == Level.NONE else 0)
    if sys.platform == "linux" and result.code == 0:
        assert "nobody" not in plugins.values()
    assert document["switches"]["HF_HUB_OFFLINE"] == "1"
    assert document["allowed"]["processes that open photos or run plugins"] == []
    assert result.err == ""  # its own attempts are held against nobody


def probed(stopped_by: StoppedBy) -> list[Probed]:
    return [Probed(way=way, stopped_by=stopped_by) for way in WAYS]


@pytest.mark.parametrize("level", list(Level))
def test_only_what_a_level_claims_is_broken_when_it_is_open(level: Level) -> None:
    closed, all_open = probed("hook"), probed("nobody")
    assert _broken_claims(closed, closed, level) == []
    assert len(_broken_claims(all_open, closed, level)) == len(BY_HOOK)
    claimed = len(BY_HOOK) if level is Level.NONE else len(WAYS)
    assert len(_broken_claims(closed, all_open, level)) == claimed
