"""Docs that cannot rot: every command, option, hook, link and setting that they name is the real one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from kizu_core.cli.app import app
from kizu_core.plugins import hookspecs, specs
from kizu_core.settings import Settings, environment_names
from kizu_support.distributions import ROOT, Distribution, distributions
from kizu_support.markdown import blocks, commands, links, spans

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *(one.folder / "README.md" for one in distributions()),
]
HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("kizu_")}
HOOK_PAGES = {page.stem: page for page in (ROOT / "docs" / "hooks").glob("kizu_*.md")}

page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
hook = pytest.mark.parametrize("hook", HOOKS)


def kizu_commands(page: Path) -> Iterator[list[str]]:
    """The words after `kizu` of every command, in blocks and in running text."""
    lines = [line for block in blocks(page) for line in block.text.replace("\\\n", " ").splitlines()]
    for text in (*lines, *spans(page)):
        if re.search(r"(?:^|[\s/])kizu ", text):
            yield from (words[1:] for words in commands(text) if Path(words[0]).name == "kizu")


def explain(words: list[str]) -> str | None:
    """What is wrong with the words after `kizu`, None if nothing."""
    command: Any = typer.main.get_command(app)
    known: set[str] = {"--help", "-h"}
    for word in words:
        known |= {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        if word.startswith("-"):
            if word.split("=")[0] not in known:
                return f"no option {word}"
        elif hasattr(command, "get_command"):
            found = command.get_command(command.context_class(command), word)
            if found is None:
                return f"no command {word}"
            command = found
            if command.context_settings.get("ignore_unknown_options"):
                return None
    return None


@page
def test_commands_exist(page: Path) -> None:
    wrong = {" ".join(words): explain(words) for words in kizu_commands(page)}
    assert not {text: why for text, why in wrong.items() if why}


@page
def test_links_lead_somewhere(page: Path) -> None:
    assert not [str(target) for target in links(page) if not target.exists()]


def test_ci_runs_the_command_of_the_readme() -> None:
    one_liners = [block.text.strip() for block in blocks(ROOT / "README.md") if "pytest" in block.text]
    assert len(one_liners) == 1
    assert len(one_liners[0].splitlines()) == 1
    assert one_liners[0] in (ROOT / ".ci" / "run").read_text().splitlines()


def signature(name: str) -> str:
    return f"def {name}{inspect.signature(HOOKS[name])}".replace("'", "")


def test_every_hook_has_a_page_and_every_page_a_hook() -> None:
    assert set(HOOK_PAGES) == set(HOOKS)


@hook
def test_the_page_of_a_hook_starts_with_its_signature(hook: str) -> None:
    first = blocks(HOOK_PAGES[hook])[0]
    assert first.text.strip() == signature(hook)


@hook
def test_the_example_of_a_hook_works(hook: str) -> None:
    example = next(block.text for block in blocks(HOOK_PAGES[hook]) if "@hookimpl" in block.text)
    namespace: dict[str, Any] = {}
    exec(compile(example, f"docs/hooks/{hook}.md", "exec"), namespace)  # noqa: S102
    returned: Iterable[Any] = namespace[hook]()
    wanted = re.search(r"\[(\w+)\]", signature(hook))
    assert wanted is not None
    assert [type(spec) for spec in returned] == [getattr(specs, wanted[1])]


@hook
def test_the_page_of_a_hook_names_who_uses_it(hook: str) -> None:
    users = {
        f"`{one.package}`"
        for one in distributions()
        if any(f"def {hook}(" in path.read_text() for path in one.source.rglob("plugin.py"))
    }
    named = re.search(r"^First-party plugins that use it: (.*)\.$", HOOK_PAGES[hook].read_text(), re.MULTILINE)
    assert named is not None
    assert set(named[1].split(", ")) == (users or {"none yet"})


def test_files_quoted_by_the_plugin_guide_are_the_real_ones() -> None:
    quoted = 0
    for block in blocks(ROOT / "docs" / "plugins.md"):
        caption = re.fullmatch(r"`(plugins/[^`]+)`:?", block.caption)
        if caption:
            assert block.text == (ROOT / caption[1]).read_text(), caption[1]
            quoted += 1
    assert quoted


def test_environment_names_are_the_real_ones() -> None:
    known = {name for field in Settings.model_fields for name in environment_names(field)}
    first_cells = re.findall(r"^\| (`[A-Z_]+`.*?) \|", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert {name for cell in first_cells for name in re.findall(r"`([A-Z_]+)`", cell)} == known


@pytest.mark.parametrize("distribution", distributions(), ids=str)
def test_every_dependency_has_its_line(distribution: Distribution) -> None:
    project = distribution.pyproject["project"]
    optional = [line for lines in project.get("optional-dependencies", {}).values() for line in lines]
    named = {re.split(r"[^\w-]", line)[0] for line in (*project["dependencies"], *optional)} - {"kizu-core"}
    assert named <= set(re.findall(r"`([\w-]+)`", (ROOT / "docs" / "dependencies.md").read_text()))
