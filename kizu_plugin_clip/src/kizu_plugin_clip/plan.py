"""What the settings ask for: a published model or one in a folder. Reads JSON and a sample of weights, no library."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kizu_core import EmbedderSpec, SettingError, WeightFile
from kizu_plugin_clip.published import CHECKPOINTS, PUBLISHED, TOKENIZER
from kizu_plugin_clip.settings import ClipSettings

CONFIG = "open_clip_config.json"
IMAGES, TEXTS = "visual.onnx", "text.onnx"
"""What the towers are called once they were converted."""

_LIBRARIES_MB = 400
"""Resident memory of torch and open_clip without any model."""

_SAMPLES, _SAMPLE = 16, 1 << 16
"""Pieces of a file of weights, and their bytes, that tell one training from another."""

_QUICK = "-quickgelu"
"""What OpenCLIP calls the same architecture with OpenAI's activation. Here the weights decide about that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A model that can be built. `config`: what open_clip reads: `model_cfg` and `preprocess_cfg`."""

    label: str
    space: str
    version: str
    config: Mapping[str, Any]
    weights: tuple[WeightFile, ...]
    languages: tuple[str, ...]

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.config["model_cfg"]["embed_dim"])

    @property
    def side(self) -> int:
        """Pixels of either side of what the image tower gets."""
        size = self.config["model_cfg"]["vision_cfg"].get("image_size", 224)
        return int(size[0] if isinstance(size, list) else size)

    @property
    def checkpoint(self) -> str:
        """Name of the file that holds the weights."""
        return next(one.name for one in self.weights if one.name in CHECKPOINTS)


def configure(spec: EmbedderSpec, settings: ClipSettings, folder: Path) -> EmbedderSpec:
    """See `ModelSpec.configure`. Raises `SettingError` for a model that is neither published nor in a folder."""
    plan = plan_of(settings)
    size_mb = sum(one.bytes for one in plan.weights) // 1_000_000
    return replace(
        spec,
        summary=f"finds pictures by words and by likeness ({plan.label})",
        dim=plan.dim,
        space=plan.space,
        output_version=plan.version,
        weights=plan.weights,
        languages=plan.languages,
        memory_mb=_LIBRARIES_MB + size_mb,
        min_side=2 * plan.side,
    )


def plan_of(settings: ClipSettings) -> Plan:
    """The model that is set. Raises `SettingError`."""
    path = Path(settings.model).expanduser()
    if path.is_dir():
        return _in_folder(path.resolve(), settings)
    if path.is_absolute() or settings.model.startswith((".", "~")):
        raise SettingError(f"CLIP_MODEL names {path}, which is no folder.", hint="Name one that is there, or unset it.")
    return _published(settings)


def _published(settings: ClipSettings) -> Plan:
    name = settings.model.replace("/", "-").removesuffix(_QUICK)
    found = PUBLISHED.get((name, settings.pretrained))
    if found is None:
        known = ", ".join(f"{model} {tag}" for model, tag in PUBLISHED)
        raise SettingError(
            f"Where the weights {settings.pretrained} of {settings.model} are published is not known here.",
            hint=f"Known are {known}; for any other, get its folder with {CONFIG} and set CLIP_MODEL to that.",
        )
    model = _shipped_config(name)
    if found.quick_gelu:
        model["quick_gelu"] = True
    return Plan(
        label=f"{name} {settings.pretrained}",
        space=f"openclip/{name}/{settings.pretrained}",
        version=f"{name}-{settings.pretrained}-1",
        config={"model_cfg": model, "preprocess_cfg": {}},
        weights=found.files,
        languages=found.languages,
    )


def _shipped_config(name: str) -> dict[str, Any]:
    """An architecture as the installed open_clip describes it, without importing that."""
    found = find_spec("open_clip")
    for folder in (found and found.submodule_search_locations) or ():
        path = Path(folder, "model_configs", f"{name}.json")
        if path.is_file():
            model: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return model
    raise SettingError(f"The installed open_clip has no architecture {name}.", hint="pip install -U open_clip_torch")


def _in_folder(folder: Path, settings: ClipSettings) -> Plan:
    """A model of the user's own. The setting CLIP_PRETRAINED has no meaning for it."""
    config = _own_config(folder / CONFIG)
    checkpoint = next((folder / name for name in CHECKPOINTS if (folder / name).is_file()), None)
    if checkpoint is None:
        raise SettingError(f"{folder} holds no weights.", hint=f"It needs {CHECKPOINTS[0]}, or one of its older names.")
    files = [folder / CONFIG, checkpoint]
    if config["model_cfg"]["text_cfg"].get("hf_tokenizer_name"):
        files += [folder / name for name in TOKENIZER if (folder / name).is_file()]
    fingerprint = _fingerprint(files[:2])
    return Plan(
        label=f"your {folder.name}",
        space=f"openclip/{folder.name}/{fingerprint}",
        version=f"{fingerprint}-1",
        config=config,
        weights=tuple(_yours(path) for path in files),
        languages=settings.languages,
    )


def _own_config(path: Path) -> Mapping[str, Any]:
    """What a folder says of its model. Raises `SettingError` unless it is an architecture of open_clip, whole."""
    hint = "open_clip's `push_to_hf_hub` writes one, and each model of OpenCLIP at the hub has one."
    try:
        config = json.loads(path.read_bytes())
        model = config["model_cfg"]
        whole = isinstance(model["embed_dim"], int) and all(isinstance(model[k], dict) for k in _TOWERS)
    except FileNotFoundError as error:
        raise SettingError(f"CLIP_MODEL names a folder without {path.name}.", hint=hint) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingError(f"{path} describes no model of OpenCLIP.", hint=hint) from error
    size = model["vision_cfg"].get("image_size", 224) if whole else None
    if not isinstance(size, int) and not (isinstance(size, list) and len(set(size)) == 1):
        raise SettingError(f"{path} describes no model of OpenCLIP that looks at squares.", hint=hint)
    return {"model_cfg": model, "preprocess_cfg": config.get("preprocess_cfg") or {}}


_TOWERS = ("vision_cfg", "text_cfg")


def _yours(path: Path) -> WeightFile:
    return WeightFile(
        name=path.name, source=f"file:{path}", bytes=max(1, path.stat().st_size), exact=False, licence="yours"
    )


def _fingerprint(paths: list[Path]) -> str:
    """Twelve hexadecimal digits that another training does not share: of pieces all over the files, since reading a
    gigabyte would take too long for each `kizu models list`. A copy elsewhere, or later, has the same.
    """
    digest = hashlib.sha256()
    for path in paths:
        size = path.stat().st_size
        digest.update(str(size).encode())
        with path.open("rb") as file:
            for number in range(_SAMPLES):
                file.seek(max(0, size - _SAMPLE) * number // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE))
    return digest.hexdigest()[:12]
