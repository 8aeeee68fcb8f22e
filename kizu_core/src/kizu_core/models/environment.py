"""The switches of the libraries that plugins use. They count only if set before the library is imported.

This is the only place that sets any. Each stands for something that the library would do otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from kizu_core.inference.session import mute

_ALWAYS: Mapping[str, str] = {
    # Asked by several libraries before they count anything.
    "DO_NOT_TRACK": "1",
    # huggingface_hub, transformers: look-ups at the hub, telemetry, the user's own token, bars in the log.
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # onnxruntime: events of its own.
    "ORT_DISABLE_TELEMETRY": "1",
    # ultralytics resolves names at import, installs packages and loads pickles unless told not to.
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_VERBOSE": "false",
    "ULTRALYTICS_SKIP_REQUIREMENTS_CHECKS": "1",
    "ULTRALYTICS_SAFE_LOAD": "1",
    # albumentations, which insightface brings: asks for a newer version at import.
    "NO_ALBUMENTATIONS_UPDATE": "1",
    # A checkpoint is data: torch may unpickle tensors and nothing else, whatever a library asks for.
    "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
    # matplotlib: no window.
    "MPLBACKEND": "Agg",
}

_FOLDERS: Mapping[str, str] = {
    "HF_HOME": "huggingface",
    "TORCH_HOME": "torch",
    "YOLO_CONFIG_DIR": "ultralytics",
    "EASYOCR_MODULE_PATH": "easyocr",
    "MPLCONFIGDIR": "matplotlib",
}
"""Where libraries that insist on writing somewhere do it, below a private folder."""


def switches(cache_dir: Path) -> dict[str, str]:
    """Every variable and its value."""
    return {**_ALWAYS, **{name: str(cache_dir / folder) for name, folder in _FOLDERS.items()}}


def quiet_libraries(cache_dir: Path) -> None:
    """Keeps model libraries offline, silent and out of the home folder. Call before importing any of them.

    `cache_dir`: a private folder.
    """
    os.environ.update(switches(cache_dir))
    mute()


def look_up_no_library() -> None:
    """Lets `ctypes.util.find_library` know nothing, for a process that may start no program.

    It asks ldconfig, gcc and ld. All would be refused, and told of as if a plugin had tried to send something out:
    torch's CUDA parts ask when they are imported, and go on without an answer.
    """
    import ctypes.util

    ctypes.util.find_library = lambda name: None
