"""Docs that cannot rot: every command, option, hook, link and setting that they name is the real one."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from kizu_core import testing
from kizu_core.cli.app import app
from kizu_core.plugins import hookspecs, protocols, specs
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

PROTOCOLS: dict[str, type] = {
    "kizu_detectors": protocols.Detector,
    "kizu_embedders": protocols.Embedder,
    "kizu_face_clusterers": protocols.FaceClusterer,
    "kizu_face_models": protocols.FaceModel,
    "kizu_job_handlers": protocols.JobHandler,
    "kizu_moment_strategies": protocols.MomentStrategy,
    "kizu_ocr_models": protocols.OcrModel,
    "kizu_vlms": protocols.Vlm,
}
"""What the factories of a hook's specs make; a command's is an app of typer's."""

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


def spec_of(name: str) -> Any:
    wanted = re.search(r"\[(\w+)\]", signature(name))
    assert wanted is not None
    return getattr(specs, wanted[1])


def table(cls: Any) -> list[tuple[str, str, str]]:
    """Name, type and default of each field, as the tables of the docs give them."""
    rows = []
    for one in dataclasses.fields(cls):
        made = one.default if one.default_factory is dataclasses.MISSING else one.default_factory()
        default = "required" if made is dataclasses.MISSING else f"`{made!r}`".replace("'", '"')
        rows.append((f"`{one.name}`", f"`{one.type}`", default))
    return rows


def documented(page: Path) -> list[tuple[str, ...]]:
    """The first three cells of each row of a table of fields, each with a meaning behind them."""
    rows = re.findall(r"^\| (`\w+`) \| (`.+?`) \| (required|`.*?`) \| \S.* \|$", page.read_text(), re.MULTILINE)
    return [tuple(cell.replace("\\|", "|") for cell in row) for row in rows]


def methods(protocol: type) -> dict[str, str]:
    """Name -> signature of what a loaded thing can do."""
    found = [name for cls in protocol.__mro__ for name, value in vars(cls).items() if inspect.isfunction(value)]
    names = [name for name in dict.fromkeys(found) if not name.startswith("_")]
    return {name: f"{name}{inspect.signature(getattr(protocol, name))}".replace("'", "") for name in names}


@hook
def test_the_page_of_a_hook_has_every_field_of_its_spec(hook: str) -> None:
    assert documented(HOOK_PAGES[hook]) == table(spec_of(hook))


def test_the_guide_has_every_field_of_a_weight_file() -> None:
    assert documented(ROOT / "docs" / "plugins.md") == table(specs.WeightFile)


@pytest.mark.parametrize("hook", PROTOCOLS)
def test_the_page_of_a_hook_has_every_method_that_its_factory_must_give(hook: str) -> None:
    protocol = PROTOCOLS[hook]
    wanted = [f"class {protocol.__name__}(Protocol):", *(f"    def {text}" for text in methods(protocol).values())]
    assert blocks(HOOK_PAGES[hook])[1].text.splitlines() == wanted
    explained = re.findall(r"^- `(\w+)`: \S", HOOK_PAGES[hook].read_text(), re.MULTILINE)
    assert explained == list(methods(protocol))


def test_every_hook_but_commands_has_a_protocol() -> None:
    assert set(HOOKS) - set(PROTOCOLS) == {"kizu_cli_commands"}


def test_every_suite_is_in_the_guide_and_on_the_page_of_its_hook() -> None:
    suites = {name for name in testing.__all__ if name.endswith("Conformance")}
    guide = (ROOT / "docs" / "plugins.md").read_text()
    assert suites == set(re.findall(r"`(\w+Conformance)`", guide))
    named = [re.findall(r"`kizu_core\.testing\.(\w+)`", page.read_text()) for page in HOOK_PAGES.values()]
    assert sorted(name for names in named for name in names) == sorted(suites - {"PluginConformance"})


@hook
def test_the_example_of_a_hook_works(hook: str) -> None:
    example = next(block.text for block in blocks(HOOK_PAGES[hook]) if "@hookimpl" in block.text)
    namespace: dict[str, Any] = {}
    exec(compile(example, f"docs/hooks/{hook}.md", "exec"), namespace)  # noqa: S102
    returned: Iterable[Any] = namespace[hook]()
    assert [type(spec) for spec in returned] == [spec_of(hook)]


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
