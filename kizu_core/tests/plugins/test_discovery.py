"""A bad plugin is a row in a report, and the others go on."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from kizu_core.errors import SettingError
from kizu_core.plugins.discovery import PluginState, discover
from kizu_core.settings import load_settings
from kizu_support.callables import Find, Install

IMPORTS = "from kizu_core import CommandSpec, EmbedderSpec, hookimpl\n"
HOOK = IMPORTS + "@hookimpl\ndef kizu_cli_commands():\n    "

BROKEN = {
    "raises at import": ("import kizu_there_is_no_such_module", "ModuleNotFoundError"),
    "calls sys.exit": ("import sys; sys.exit('no licence found')", "SystemExit: no licence found"),
    "is no Python": ("def def", "SyntaxError"),
    "misspelt hook": (IMPORTS + "@hookimpl\ndef kizu_embeders(): return []", "did you mean kizu_embedders?"),
    "no mark": (IMPORTS + "def kizu_embedders(): return []", "kizu_embedders is not marked with @hookimpl"),
    "no hook at all": ("VALUE = 1", "implements no hook"),
    "unknown argument": (IMPORTS + "@hookimpl\ndef kizu_embedders(device): return []", "device"),
    "hook raises": (HOOK + "raise RuntimeError('not today')", "kizu_cli_commands: RuntimeError: not today"),
    "hook exits": (HOOK + "raise SystemExit(4)", "kizu_cli_commands: SystemExit: 4"),
    "hook returns None": (HOOK + "return None", "returned NoneType where an iterable of CommandSpec"),
    "hook returns text": (HOOK + "return 'hello'", "returned str where an iterable of CommandSpec"),
    "hook returns other things": (HOOK + "return [42]", "returned a int where CommandSpec"),
    "generator raises late": (HOOK + "yield 1 / 0", "ZeroDivisionError"),
}


@pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plugin_is_reported_and_the_others_go_on(
    source: str, reason: str, install: Install, find: Find
) -> None:
    install("bad", source)
    install("good")
    found = find()
    assert found["bad"].state is PluginState.FAILED
    assert reason in found["bad"].reason
    assert "kizu-plugin-bad" in found["bad"].hint
    assert not found["bad"].specs
    assert found["core"].state is PluginState.READY
    assert found["good"].state is PluginState.READY


def test_a_ready_plugin_says_what_it_is(install: Install, find: Find, folder: Path) -> None:
    install("good")
    record = find()["good"]
    assert (record.distribution, record.version) == ("kizu-plugin-good", "1.0")
    assert record.module == "kizu_plugin_good.plugin"
    assert record.file == str(folder / "kizu_plugin_good" / "plugin.py")
    assert record.hooks == ("kizu_cli_commands",)
    assert [spec.name for spec in record.specs] == ["hello"]


def test_a_plugin_that_prints_does_not_disturb_the_output(
    install: Install, find: Find, capsys: pytest.CaptureFixture[str]
) -> None:
    install("loud", HOOK.replace("hookimpl\n", "hookimpl\nprint('hello')\n", 1) + "print('again'); return []")
    assert find()["loud"].state is PluginState.READY
    assert capsys.readouterr() == ("", "hello\nagain\n")


def test_the_author_of_a_broken_plugin_gets_the_traceback(install: Install, find: Find) -> None:
    install("bad", "raise ValueError('here')")
    assert "plugin.py" in find()["bad"].trace


def test_one_name_from_two_distributions_names_both_and_loads_neither(install: Install, tmp_path: Path) -> None:
    source = f"from pathlib import Path; Path({str(tmp_path / 'loaded')!r}).touch()"
    install("twin", source, distribution="kizu-plugin-one")
    install("twin", source, distribution="kizu-plugin-two")
    found = [record for record in discover(load_settings({"home": tmp_path}, environ={})) if record.name == "twin"]
    assert [record.state for record in found] == [PluginState.DUPLICATE] * 2
    for record in found:
        assert "kizu-plugin-one 1.0" in record.reason
        assert "kizu-plugin-two 1.0" in record.reason
    assert not (tmp_path / "loaded").exists()


def test_nobody_takes_the_place_of_core(install: Install, tmp_path: Path) -> None:
    install("core", distribution="kizu-plugin-pretender")
    found = {record.distribution: record for record in discover(load_settings({"home": tmp_path}, environ={}))}
    assert found["kizu-core"].state is PluginState.READY
    assert found["kizu-plugin-pretender"].state is PluginState.DUPLICATE


@pytest.mark.parametrize(
    ("requires", "state"),
    [
        ("kizu-core>=0.1,<0.2", PluginState.READY),
        ("Kizu_Core>=90", PluginState.INCOMPATIBLE),
        ("kizu-core<0.1", PluginState.INCOMPATIBLE),
        ("kizu-core>=90; extra == 'tests'", PluginState.READY),
        ("kizu-core>=90; python_version < '3'", PluginState.READY),
        ("not a requirement at all", PluginState.FAILED),
    ],
)
def test_the_range_of_core_that_a_plugin_asks_for(
    requires: str, state: PluginState, install: Install, find: Find
) -> None:
    install("ranged", requires=(requires,))
    record = find()["ranged"]
    assert record.state is state
    if state is PluginState.INCOMPATIBLE:
        assert metadata.version("kizu-core") in record.reason


def test_damaged_metadata_spoils_only_its_own(install: Install, find: Find, folder: Path) -> None:
    install("good")
    install("bad")
    next(folder.glob("kizu_plugin_bad-*/entry_points.txt")).write_text("[kizu]\nthis is no entry point\n")
    found = find()
    assert found["kizu-plugin-bad"].state is PluginState.FAILED
    assert "Reinstall" in found["kizu-plugin-bad"].hint
    assert found["good"].state is PluginState.READY


def test_somebody_elses_damaged_metadata_is_passed_over(install: Install, find: Find, folder: Path) -> None:
    install("good")
    install("other")
    next(folder.glob("kizu_plugin_other-*/entry_points.txt")).write_bytes(b"[other]\n\xff\xfe = x")
    assert find()["good"].state is PluginState.READY


def test_switched_off_plugins_are_not_imported(install: Install, find: Find, tmp_path: Path) -> None:
    install("noisy", f"from pathlib import Path; Path({str(tmp_path / 'loaded')!r}).touch()")
    install("good")
    assert find(KIZU_DISABLE_PLUGINS="noisy")["noisy"].state is PluginState.DISABLED
    found = find(KIZU_LOAD_PLUGINS="good")
    assert found["noisy"].state is PluginState.DISABLED
    assert "kizu plugins enable noisy" in found["noisy"].hint
    assert found["good"].state is PluginState.READY
    assert found["core"].state is PluginState.READY
    assert not (tmp_path / "loaded").exists()


def test_a_pinned_plugin_that_is_not_there_is_a_problem(find: Find) -> None:
    record = find(KIZU_LOAD_PLUGINS="core,gone")["gone"]
    assert record.is_problem
    assert "nothing installed has that name" in record.reason


def test_core_cannot_be_disabled(find: Find) -> None:
    with pytest.raises(SettingError, match="can't be disabled"):
        find(KIZU_DISABLE_PLUGINS="core")
