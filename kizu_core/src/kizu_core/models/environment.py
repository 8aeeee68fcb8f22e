"""The switches of the libraries that plugins use. They count only if set before the library is imported."""

from __future__ import annotations

import os
from pathlib import Path

_ALWAYS = {
    # No hub look-ups, no telemetry.
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    # ultralytics resolves names at import, installs packages and loads pickles unless told not to.
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_VERBOSE": "false",
    "ULTRALYTICS_SKIP_REQUIREMENTS_CHECKS": "1",
    "ULTRALYTICS_SAFE_LOAD": "1",
    # A checkpoint is data: torch may unpickle tensors and nothing else, whatever a library asks for.
    "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def quiet_libraries(cache_dir: Path) -> None:
    """Keeps model libraries offline, silent and out of the home folder. Call before importing any of them.

    `cache_dir`: a private folder; libraries that insist on writing somewhere do it below.
    """
    os.environ.update(_ALWAYS)
    os.environ["YOLO_CONFIG_DIR"] = str(cache_dir / "ultralytics")
    os.environ["EASYOCR_MODULE_PATH"] = str(cache_dir / "easyocr")
