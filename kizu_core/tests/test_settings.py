"""Settings: precedence, origins, secrets, and what may cross to the child."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from kizu_core.errors import SettingError
from kizu_core.settings import Settings, edit_config, environment_names, load_settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `.env` of the developer's is read."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)


def test_sources_come_in_the_documented_order(tmp_path: Path) -> None:
    (tmp_path / "kizu.toml").write_text("batch_size = 3\nmax_image_size = 1000\nthreads = 5\nuser = 'toml'\n")
    Path(".env").write_text("BATCH_SIZE=4\nMAX_IMAGE_SIZE=1001\nKIZU_USER=dotenv\n")
    settings = load_settings({"home": tmp_path, "user": "line"}, environ={"BATCH_SIZE": "5", "KIZU_USER": "env"})
    assert (settings.threads, settings.max_image_size, settings.batch_size, settings.user) == (5, 1001, 5, "line")
    origins = [settings.origin(f) for f in ("threads", "max_image_size", "batch_size", "user", "poll_interval")]
    assert origins == ["kizu.toml", ".env MAX_IMAGE_SIZE", "environment BATCH_SIZE", "command line", "default"]


def test_options_not_given_change_nothing(tmp_path: Path) -> None:
    assert load_settings({"home": tmp_path, "user": None}, environ={"KIZU_USER": "Anna"}).user == "Anna"


def test_lists_are_written_with_commas(tmp_path: Path) -> None:
    settings = load_settings(
        {"home": tmp_path}, environ={"KIZU_DISABLE_PLUGINS": "clip, yolo,", "KIZU_LOAD_PLUGINS": "a"}
    )
    assert settings.disable_plugins == ("clip", "yolo")
    assert settings.load_plugins == ("a",)


@pytest.mark.parametrize(
    ("name", "value"),
    [("BATCH_SIZE", "many"), ("KIZU_LEASE_SECONDS", "0"), ("ALLOW_EXTERNAL_APIS", "true"), ("KIZU_THREADS", "-1")],
)
def test_a_bad_value_is_refused_with_the_name_of_its_variable(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        load_settings({"home": tmp_path}, environ={name: value})


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "kizu.toml").write_text("batch_size = = 3")
    with pytest.raises(SettingError, match=r"kizu\.toml is not valid TOML"):
        load_settings({"home": tmp_path}, environ={})


def test_an_unknown_key_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kizu.toml").write_text("batchsize = 3")
    with pytest.raises(SettingError, match="batchsize"):
        load_settings({"home": tmp_path}, environ={})


def test_secrets_are_neither_shown_nor_sent_to_the_child(tmp_path: Path) -> None:
    canary = "canary-4711"
    environ = {"KIZU_DATABASE_URL": f"postgresql://u:{canary}@h/d", "SUPABASE_SERVICE_ROLE_KEY": canary}
    settings = load_settings({"home": tmp_path}, environ=environ)
    assert canary not in repr(settings)
    assert canary not in str(settings.child_values())


def test_a_supabase_project_is_not_quietly_replaced_by_a_local_database(tmp_path: Path) -> None:
    environ = {"SUPABASE_URL": "https://project.example"}
    with pytest.raises(SettingError, match="KIZU_DATABASE_URL"):
        load_settings({"home": tmp_path}, environ=environ)
    settings = load_settings({"home": tmp_path}, environ={**environ, "KIZU_DATABASE_URL": "postgresql://h/d"})
    assert Settings.from_child(settings.child_values()).home == tmp_path


class _PluginSettings(BaseModel):
    model: str = Field("ViT-B-32", alias="CLIP_MODEL")
    size: int = Field(3, alias="CLIP_SIZE")


def test_plugin_settings_come_from_their_variables_also_in_the_child(tmp_path: Path) -> None:
    settings = load_settings({"home": tmp_path}, environ={"CLIP_MODEL": "ViT-L-14", "OTHER": "secret"})
    child = Settings.from_child(settings.child_values([_PluginSettings]))
    assert child.plugin(_PluginSettings) == settings.plugin(_PluginSettings)
    assert child.plugin(_PluginSettings).model == "ViT-L-14"
    assert "secret" not in str(settings.child_values([_PluginSettings]))


def test_a_bad_plugin_setting_names_its_variable(tmp_path: Path) -> None:
    settings = load_settings({"home": tmp_path}, environ={"CLIP_SIZE": "big"})
    with pytest.raises(SettingError, match="CLIP_SIZE"):
        settings.plugin(_PluginSettings)


def test_editing_keeps_comments_and_takes_effect(tmp_path: Path) -> None:
    file = tmp_path / "kizu.toml"
    file.write_text("# mine\nbatch_size = 3\n")

    def use_rapidocr(document: dict[str, object]) -> None:
        document["models"] = {"ocr": "rapidocr"}

    edit_config(file, use_rapidocr)
    assert file.read_text().startswith("# mine\n")
    assert file.stat().st_mode & 0o777 == 0o600
    settings = load_settings({"home": tmp_path}, environ={})
    assert (settings.batch_size, settings.default_models) == (3, {"ocr": "rapidocr"})


def test_every_setting_can_be_explained() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert environment_names(name) or name == "default_models"
