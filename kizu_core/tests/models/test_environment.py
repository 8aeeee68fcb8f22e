"""Library switches are set before any library is imported, in one place."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SWITCHES = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "ULTRALYTICS_SKIP_REQUIREMENTS_CHECKS": "1",
    "ULTRALYTICS_SAFE_LOAD": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
}
FOLDERS = {"EASYOCR_MODULE_PATH", "YOLO_CONFIG_DIR", "HF_HOME", "TORCH_HOME", "MPLCONFIGDIR"}
ONLY_PLACE = "kizu_core/src/kizu_core/models/environment.py"


def test_libraries_are_offline_and_write_below_the_given_folder(tmp_path: Path) -> None:
    code = (
        "import json, os, sys; from pathlib import Path; from kizu_core.models.environment import quiet_libraries;"
        "quiet_libraries(Path(sys.argv[1])); print(json.dumps(dict(os.environ)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={"HF_HUB_OFFLINE": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert SWITCHES.items() <= seen.items()
    assert {name for name in FOLDERS if not seen[name].startswith(f"{tmp_path}/")} == set()


def test_looking_for_a_library_starts_no_program() -> None:
    code = (
        "import ctypes.util, sys; from kizu_core.models.environment import look_up_no_library; look_up_no_library();"
        "sys.addaudithook(lambda event, _: event.startswith('subprocess') and sys.exit('a program'));"
        "assert ctypes.util.find_library('dl') is None"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_command_that_may_import_libraries_of_models_has_set_them(tmp_path: Path) -> None:
    code = (
        "import json, os, sys; from kizu_core.cli.context import settings_of;"
        "import click, typer; root = click.Context(click.Command('kizu')); root.params = {'data': sys.argv[1]};"
        "settings_of(root); print(json.dumps([dict(os.environ), sorted(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env={}, capture_output=True, text=True, check=True
    )
    seen, modules = json.loads(done.stdout)
    assert SWITCHES.items() <= seen.items()
    assert not {"torch", "onnxruntime", "transformers", "ultralytics", "numpy"} & set(modules)


def test_no_other_file_changes_the_environment(repository: Path) -> None:
    files = [path for path in repository.glob("**/src/**/*.py") if ".venv" not in path.parts]
    changing = {str(path.relative_to(repository)) for path in files if list(_changes(path))}
    assert changing == {ONLY_PLACE}


@pytest.mark.parametrize(
    "line", ["os.environ['A'] = 'b'", "os.environ.setdefault('A', 'b')", "environ.update(A='b')", "os.putenv('A', 'b')"]
)
def test_every_way_to_change_it_would_be_found(line: str, tmp_path: Path) -> None:
    path = tmp_path / "plugin.py"
    path.write_text(line)
    assert list(_changes(path))


def _changes(path: Path) -> Iterator[int]:
    """Lines that write to the environment."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        if any(isinstance(one, ast.Subscript) and _is_environment(one.value) for one in targets):
            yield node.lineno  # type: ignore[attr-defined]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name, of = node.func.attr, node.func.value
            if name == "putenv" or (name in {"update", "setdefault", "pop", "clear"} and _is_environment(of)):
                yield node.lineno


def _is_environment(node: ast.AST) -> bool:
    return getattr(node, "attr", getattr(node, "id", "")) == "environ"
