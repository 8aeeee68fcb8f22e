"""Library switches are set before any library is imported, in one place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SWITCHES = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "ULTRALYTICS_SAFE_LOAD": "1",
    "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
}


def test_libraries_are_offline_and_write_below_the_given_folder(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from kizu_core.models.environment import quiet_libraries;"
        "quiet_libraries(Path(sys.argv[1]));"
        "print(*(f'{key}={value}' for key, value in os.environ.items()), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={"HF_HUB_OFFLINE": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    seen = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    assert SWITCHES.items() <= seen.items()
    assert seen["EASYOCR_MODULE_PATH"].startswith(str(tmp_path))
    assert seen["YOLO_CONFIG_DIR"].startswith(str(tmp_path))
