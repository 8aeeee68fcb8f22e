"""Help and listings stay light, however many plugins are installed. Modules are counted: seconds would flake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FORBIDDEN = {
    "cv2",
    "easyocr",
    "insightface",
    "numpy",
    "onnxruntime",
    "open_clip",
    "sklearn",
    "supabase",
    "torch",
    "transformers",
    "ultralytics",
}
MOST_MODULES = 450
"""With nine plugins, each some four modules of data and settings."""

# Runs a command as the `kizu` script does, and reports what it imported as the last line.
PROBE = """
import json, sys
from kizu_core.cli.app import main
try:
    main()
except SystemExit as end:
    code = end.code or 0
print("\\n" + json.dumps({"code": code, "modules": sorted(sys.modules)}))
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["plugins", "list"], ["plugins", "list", "--json"], ["plugins", "new", "--help"], ["run", "--help"]],
    ids=" ".join,
)
def test_what_a_light_command_imports(arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROBE, *arguments]
    environment = {"PATH": "/usr/bin:/bin", "KIZU_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["code"] == 0, done.stdout
    assert not FORBIDDEN & set(seen["modules"])
    assert len(seen["modules"]) < MOST_MODULES
