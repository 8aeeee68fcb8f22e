"""Small functions, small files, typed and documented public names. Each test lists all that is at fault."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from kizu_support.distributions import ROOT, distributions

FUNCTION_LINES = 60
FILE_LINES = 400

SOURCES = sorted(path for one in distributions() for path in one.source.rglob("*.py"))
AROUND = [
    path
    for pattern in ("*.py", "tests/**/*.py", "kizu_*/tests/**/*.py", "plugins/*/tests/**/*.py", "benchmarks/**/*.py")
    for path in sorted(ROOT.glob(pattern))
]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(parsed(path)) if isinstance(node, Function))


def public_functions(path: Path) -> Iterator[Function]:
    """Functions of the module and methods of its public classes, named without a leading underscore."""
    holders: list[ast.Module | ast.ClassDef] = [parsed(path)]
    while holders:
        for node in holders.pop().body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                holders.append(node)
            elif isinstance(node, Function) and not node.name.startswith("_"):
                yield node


def is_annotated(function: Function) -> bool:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    arguments += [one for one in (function.args.vararg, function.args.kwarg) if one is not None]
    named = [one for one in arguments if one.arg not in {"self", "cls"}]
    return function.returns is not None and all(one.annotation is not None for one in named)


def lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def where(path: Path, function: Function | None = None) -> str:
    name = str(path.relative_to(ROOT))
    return f"{name}:{function.lineno} {function.name}" if function else name


def test_files_are_short() -> None:
    found = [(where(path), len(path.read_text().splitlines())) for path in (*SOURCES, *AROUND)]
    wrong = [(name, count) for name, count in found if count > FILE_LINES]
    assert not wrong, "\n".join(map(str, wrong))


def test_functions_are_short() -> None:
    found = [(where(path, one), lines(one)) for path in (*SOURCES, *AROUND) for one in functions(path)]
    wrong = [(name, count) for name, count in found if count > FUNCTION_LINES]
    assert not wrong, "\n".join(map(str, wrong))


def test_public_functions_are_annotated() -> None:
    wrong = [where(path, one) for path in SOURCES for one in public_functions(path) if not is_annotated(one)]
    assert not wrong, "\n".join(map(str, wrong))


def test_modules_say_what_they_are() -> None:
    wrong = [where(path) for path in SOURCES if not ast.get_docstring(parsed(path))]
    assert not wrong, "\n".join(map(str, wrong))


def test_modules_with_code_postpone_annotations() -> None:
    with_code = [path for path in SOURCES if any(not isinstance(node, ast.Expr) for node in parsed(path).body)]
    wrong = [where(path) for path in with_code if "from __future__ import annotations" not in path.read_text()]
    assert not wrong, "\n".join(map(str, wrong))
