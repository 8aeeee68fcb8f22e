"""What the user agreed to: terms of weights that are not free for every use.

`consents.json` in the models folder. A consent counts for the words that it was given to: a plugin that declares others
asks again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from kizu_core.errors import ConsentMissing
from kizu_core.models.manifest import locked, write_private
from kizu_core.models.sources import FILE
from kizu_core.plugins.specs import ModelSpec, WeightFile
from kizu_core.settings import Settings

NAME = "consents.json"


def terms_of(spec: ModelSpec) -> tuple[str, ...]:
    """Everything that one must agree to before the model may be used; nothing for files that the user named."""
    return tuple(dict.fromkeys(weight.consent for weight in spec.weights if _is_asked(weight) and weight.consent))


def terms_to_ask(spec: ModelSpec, settings: Settings) -> tuple[str, ...]:
    """Those of them that nobody has agreed to here."""
    agreed = _load(settings.models_dir / NAME).get(_key(spec), {})
    return tuple(text for text in terms_of(spec) if text not in agreed)


def agree(spec: ModelSpec, settings: Settings, waiting: Callable[[], None] = lambda: None) -> tuple[str, ...]:
    """Records that the user agrees to all of the model's terms, and when; returns those that are new. To be called
    only after somebody said so.
    """
    with locked(settings.models_dir, waiting):
        path, new = settings.models_dir / NAME, terms_to_ask(spec, settings)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        known = _load(path)
        entries = {**known, _key(spec): {**known.get(_key(spec), {}), **dict.fromkeys(new, now)}}
        if new:
            write_private(path, json.dumps(entries, indent=2, ensure_ascii=False) + "\n")
    return new


def missing(spec: ModelSpec, settings: Settings) -> ConsentMissing | None:
    """The sentence for a model whose terms nobody has agreed to; None if all is well."""
    terms = terms_to_ask(spec, settings)
    if not terms:
        return None
    return ConsentMissing(
        f"{spec.name} needs your consent: {'; '.join(terms)}.", hint=f"If you agree: kizu models accept {spec.name}"
    )


def _is_asked(weight: WeightFile) -> bool:
    return not weight.source.startswith(FILE)


def _key(spec: ModelSpec) -> str:
    return f"{spec.kind}/{spec.name}"


def _load(path: Path) -> Mapping[str, Mapping[str, str]]:
    """Terms and times by model. A file that can't be read stands for no consent, which is asked for again."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(key): {str(text): str(when) for text, when in one.items()} for key, one in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}
