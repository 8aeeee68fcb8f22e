"""Every setting, where it came from, and the only code that reads the environment.

Precedence: command line > environment > `.env` in the current folder > `kizu.toml` in the data folder > default.
Names of the specification (`MODEL_CACHE_DIR`, `BATCH_SIZE`, ...) work as they are.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import unquote

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from kizu_core.errors import SettingError
from kizu_core.types import Paths as Paths

PluginSettings = TypeVar("PluginSettings", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Env:
    """Names in the environment that set a field; the first one that is there wins."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)


def _words(value: object) -> object:
    """`"a, b"` -> `("a", "b")`: how a list is written in the environment."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


class Settings(BaseModel):
    """The settings of one process. Frozen; built by `load_settings`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Annotated[Path, Env("KIZU_HOME"), Field(description="the data folder: database, thumbnails, models, logs")]
    database_url: Annotated[
        SecretStr | None,
        Env("KIZU_DATABASE_URL"),
        Field(description="a PostgreSQL of your own instead of the embedded one"),
    ] = None
    supabase_url: Annotated[str | None, Env("SUPABASE_URL"), Field(description="address of a Supabase project")] = None
    supabase_anon_key: Annotated[SecretStr | None, Env("SUPABASE_ANON_KEY"), Field(description="its public key")] = None
    supabase_service_role_key: Annotated[
        SecretStr | None, Env("SUPABASE_SERVICE_ROLE_KEY"), Field(description="its service key, for workers")
    ] = None
    blobs: Annotated[
        Path | None, Env("KIZU_BLOBS"), Field(description="folder for thumbnails, if not in the data folder")
    ] = None
    user: Annotated[str, Env("KIZU_USER"), Field(description="whose library a command works on", min_length=1)] = "me"

    model_cache_dir: Annotated[Path | None, Env("MODEL_CACHE_DIR"), Field(description="folder of model weights")] = None
    model_hub: Annotated[
        str, Env("KIZU_MODEL_HUB"), Field(description="the model hub, or a mirror of it, that weights are pulled from")
    ] = "https://huggingface.co"
    model_hosts: Annotated[
        tuple[str, ...],
        Env("KIZU_MODEL_HOSTS"),
        Field(description="further hosts that a download of weights may be handed over to"),
    ] = ()
    default_models: Annotated[
        Mapping[str, str], Field(description="the model of each kind; set with `kizu models use KIND NAME`")
    ] = {}
    threads: Annotated[int, Env("KIZU_THREADS"), Field(ge=0, description="threads for models; 0 means all cores")] = 0
    models_mb: Annotated[
        int | None,
        Env("KIZU_MODELS_MB"),
        Field(ge=64, description="memory in MB that loaded models share; half of the machine's if not set"),
    ] = None
    describe: Annotated[
        Literal["auto", "on", "off"],
        Env("KIZU_DESCRIBE"),
        Field(description="captions for all photos: on, off, or auto, which means where there is a GPU"),
    ] = "auto"
    max_image_size: Annotated[
        int, Env("MAX_IMAGE_SIZE"), Field(ge=224, le=8192, description="longest side in pixels that models see")
    ] = 2048
    face_threshold: Annotated[
        float,
        Env("FACE_THRESHOLD"),
        Field(gt=0, le=2, description="cosine distance up to which a new face joins a person's mean face"),
    ] = 0.6
    batch_size: Annotated[int, Env("BATCH_SIZE"), Field(ge=1, le=256, description="photos claimed at once")] = 8

    poll_interval: Annotated[
        float, Env("KIZU_POLL_INTERVAL"), Field(gt=0, le=3600, description="seconds between looks at the queue")
    ] = 5.0
    lease_seconds: Annotated[
        int, Env("KIZU_LEASE_SECONDS"), Field(ge=2, le=3600, description="how long a silent worker keeps a job")
    ] = 60
    time_zone: Annotated[str | None, Env("KIZU_TIME_ZONE", "TZ"), Field(description="as in Europe/Berlin")] = None
    language: Annotated[
        str, Env("KIZU_LANGUAGE", "LC_ALL", "LC_TIME", "LANG"), Field(description="of searches: en, en-GB, de")
    ] = "en"
    hemisphere: Annotated[
        Literal["north", "south"], Env("KIZU_HEMISPHERE"), Field(description="whose summer a search means")
    ] = "north"
    search_keep: Annotated[
        float, Env("KIZU_SEARCH_KEEP"), Field(ge=0, le=1440, description="minutes a search keeps its model loaded")
    ] = 5.0
    keep_jobs_days: Annotated[
        int,
        Env("KIZU_KEEP_JOBS_DAYS"),
        Field(ge=0, le=36500, description="days that finished jobs are listed; 0 means always"),
    ] = 30
    max_child_mb: Annotated[
        int | None,
        Env("KIZU_MAX_CHILD_MB"),
        Field(ge=256, description="memory in MB at which a model process is ended; by its models if not set"),
    ] = None

    disable_plugins: Annotated[
        tuple[str, ...], Env("KIZU_DISABLE_PLUGINS"), Field(description="plugins that are not used")
    ] = ()
    load_plugins: Annotated[
        tuple[str, ...] | None, Env("KIZU_LOAD_PLUGINS"), Field(description="use these plugins and no others")
    ] = None
    strict_plugins: Annotated[
        bool, Env("KIZU_STRICT_PLUGINS"), Field(description="stop at a broken plugin instead of going on without it")
    ] = False

    fetch_allow: Annotated[
        tuple[str, ...], Env("KIZU_FETCH_ALLOW"), Field(description="storage addresses that photos may be fetched from")
    ] = ()
    allow_external_apis: Annotated[
        bool, Env("ALLOW_EXTERNAL_APIS"), Field(description="always false: Kizu talks to nobody else")
    ] = False
    selftest: Annotated[
        bool, Env("KIZU_SELFTEST"), Field(description="do selftest jobs, which sleep, fail and crash as they are told")
    ] = False
    debug: Annotated[bool, Env("KIZU_DEBUG", "DEBUG"), Field(description="more in the logs, tracebacks on errors")] = (
        False
    )

    _origins: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _variables: Mapping[str, str] = PrivateAttr(default_factory=dict)

    _split = field_validator("disable_plugins", "load_plugins", "fetch_allow", "model_hosts", mode="before")(_words)

    @field_validator("allow_external_apis")
    @classmethod
    def _never_external(cls, value: bool) -> bool:
        if value:
            raise ValueError("Kizu never sends photos to external services, so this can't be switched on")
        return value

    @model_validator(mode="after")
    def _supabase_needs_its_database(self) -> Settings:
        # Without this, photos meant for a shared library would quietly go into a database of this machine.
        if self.supabase_url and not self.database_url:
            raise ValueError("SUPABASE_URL is set, and this version reaches a project by KIZU_DATABASE_URL only")
        return self

    @property
    def paths(self) -> Paths:
        return Paths(self.home)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that no log may show: keys, and the password of the database."""
        values = [getattr(self, name) for name in _SECRETS]
        return tuple(part for value in values if value for part in _parts(value.get_secret_value()))

    @property
    def blobs_dir(self) -> Path:
        return self.blobs or self.paths.blobs

    @property
    def models_dir(self) -> Path:
        return self.model_cache_dir or self.paths.models

    @property
    def thread_count(self) -> int:
        """Threads that models may use: the setting, or the cores this process may run on."""
        if self.threads:
            return self.threads
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def origin(self, field: str) -> str:
        """Where a field's value came from, for `kizu config`."""
        return self._origins.get(field, "default")

    def plugin(self, model: type[PluginSettings]) -> PluginSettings:
        """A plugin's own settings: each field is read from the variable that its alias names.

        Raises `SettingError` naming the variable whose value does not fit.
        """
        return _validated(model, self.variables(model))

    def variables(self, model: type[BaseModel]) -> dict[str, str]:
        """What is set of a plugin's own settings, by environment name."""
        names = set(variables_of(model))
        return {name: value for name, value in self._variables.items() if name in names}

    def using(self, default_models: Mapping[str, str], variables: Mapping[str, str | None]) -> Settings:
        """The same with other default models, and with other values (None: none) of plugins' own settings."""
        changed = self.model_copy(update={"default_models": {**self.default_models, **default_models}})
        values = {**self._variables, **variables}
        changed._variables = {name: value for name, value in values.items() if value is not None}
        return changed

    def child_values(self, plugin_models: Iterable[type[BaseModel]] = ()) -> dict[str, Any]:
        """What may cross to the child process: no secret, and of the environment only what plugins declare."""
        names = {name for model in plugin_models for name in variables_of(model)}
        values = self.model_dump(mode="json", exclude={*_SECRETS, "supabase_url"})
        return {"values": values, "variables": {n: v for n, v in self._variables.items() if n in names}}

    @classmethod
    def from_child(cls, data: Mapping[str, Any]) -> Settings:
        """The other end of `child_values`."""
        settings = cls(**data["values"])
        settings._variables = dict(data["variables"])
        return settings


_SECRETS = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}


def _parts(secret: str) -> Iterator[str]:
    """A secret, and of an address its password as it is written and as it is meant."""
    password = re.search(r"://[^/@]*?:([^/]*)@", secret) or re.search(r"password\s*=\s*'?([^'\s]+)", secret)
    yield secret
    if password:
        yield from (password[1], unquote(password[1]))


def variables_of(model: type[BaseModel]) -> Iterator[str]:
    """Environment names that a plugin's settings model declares by its aliases."""
    for name, field in model.model_fields.items():
        yield field.alias or name.upper()


def environment_names(field: str) -> tuple[str, ...]:
    """Environment names of one of Kizu's own settings, the preferred one first."""
    return next((m.names for m in Settings.model_fields[field].metadata if isinstance(m, Env)), ())


def default_home() -> Path:
    """The platform's folder for user data."""
    from platformdirs import user_data_path

    return user_data_path("kizu", appauthor=False)


def load_settings(
    overrides: Mapping[str, object] | None = None, *, environ: Mapping[str, str] | None = None
) -> Settings:
    """Settings from all sources. `overrides` come from the command line; None values in it are not set.

    Raises `SettingError` with the name of the variable or key at fault.
    """
    environ = os.environ if environ is None else environ
    given = {key: value for key, value in (overrides or {}).items() if value is not None}
    dotenv = _read_dotenv(Path(".env"))
    merged = dict(dotenv) | dict(environ)
    home = _folder(str(given.get("home") or merged.get("KIZU_HOME") or default_home()))
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for key, value in _read_toml(home / "kizu.toml").items():
        values[key], origins[key] = value, "kizu.toml"
    for source, variables in ((".env", dotenv), ("environment", environ)):
        for field in Settings.model_fields:
            name = next((n for n in environment_names(field) if variables.get(n)), None)
            if name is not None:
                values[field], origins[field] = variables[name], f"{source} {name}"
    for key, value in given.items():
        values[key], origins[key] = value, "command line"
    settings = _validated(Settings, {**values, "home": home})
    settings._origins, settings._variables = origins, merged
    return settings


def edit_config(path: Path, change: Callable[[Any], None]) -> None:
    """Change `kizu.toml` in place, keeping its comments; written beside and renamed, so never half a file."""
    import tomlkit

    document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    change(document)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_suffix(".part")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)  # it may hold a password
    temporary.write_text(tomlkit.dumps(document), encoding="utf-8")
    temporary.replace(path)


def _folder(text: str) -> Path:
    try:
        if "\0" not in text:
            return Path(text).expanduser().absolute()
    except RuntimeError:  # "~somebody" who does not exist
        pass
    raise SettingError(f"The data folder {text!r} can't be used.", hint="KIZU_HOME or --data names a folder.")


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        found = dotenv_values(path, interpolate=False)
    except OSError as error:
        raise SettingError(
            f"{path.absolute()} can't be read: {error.strerror}.", hint="See its permissions."
        ) from error
    except UnicodeDecodeError:
        raise SettingError(f"{path.absolute()} is no text.", hint="Correct the file, or move it away.") from None
    return {key: value for key, value in found.items() if value is not None}


def _read_toml(path: Path) -> dict[str, Any]:
    """Fields set in `kizu.toml`; its tables `[models]` and `[plugins]` stand for two of them."""
    import tomllib

    try:
        if not path.is_file():
            return {}
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} is not valid TOML: {error}", hint="Correct the file, or move it away.") from error
    except OSError as error:
        raise SettingError(f"{path} can't be read: {error.strerror}.", hint="Is KIZU_HOME right?") from error
    plugins = data.pop("plugins", {})
    if not isinstance(plugins, dict):
        raise SettingError(f"[plugins] in {path} is no table.", hint="`kizu plugins disable NAME` writes it.")
    fields = {"default_models": data.pop("models", None), "disable_plugins": plugins.get("disabled")} | data
    return {key: value for key, value in fields.items() if value is not None}


def _validated(model: type[PluginSettings], values: Mapping[str, object]) -> PluginSettings:
    try:
        return model(**values)
    except ValidationError as error:  # not chained: its text quotes all values, secrets too
        first = error.errors(include_url=False, include_input=False)[0]
        why = str(first["msg"]).removeprefix("Value error, ")
        if not first["loc"]:
            raise SettingError(f"{why}.", hint="See `kizu config`.") from None
        field = str(first["loc"][0])
        names = environment_names(field) if model is Settings and field in Settings.model_fields else ()
        shown = " or ".join((*names, f"{field} in kizu.toml")) if model is Settings else field
        raise SettingError(f"The setting {shown} can't be used: {why}.", hint="See `kizu config`.") from None
