"""Any text for any setting gives settings or a `SettingError` without a secret, and nothing else."""

from __future__ import annotations

import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizu_core.errors import SettingError
from kizu_core.privacy.http import Policy
from kizu_core.settings import Settings, environment_names, load_settings

NAMES = sorted(name for field in Settings.model_fields for name in environment_names(field))
SECRET_NAMES = ["KIZU_DATABASE_URL", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_ANON_KEY"]
CANARY = "canary4711"
values = (
    st.text(max_size=30)
    | st.sampled_from(["", "0", "-1", "nan", "inf", "1e999", "9" * 5000, "0x10", "true", "null", "[]", "{}"])
    | st.sampled_from(["~", "~x", "..", "\0", "/" * 5000])
    | st.text("0123456789.-+e_", max_size=8)
)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `.env` of anybody's."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("nowhere")
def test_any_environment_is_settings_or_a_sentence() -> None:
    @settings(max_examples=300)
    @given(st.dictionaries(st.sampled_from(NAMES), values, max_size=4))
    def check(environ: dict[str, str]) -> None:
        try:
            loaded = load_settings({}, environ={"KIZU_HOME": "/nonexistent", **environ})
            Policy(loaded.fetch_allow)
        except SettingError as error:
            said = error.message
        else:
            said = str(Settings.from_child(loaded.child_values()).home)
        assert said

    check()


@pytest.mark.usefixtures("nowhere")
def test_a_secret_is_in_no_message() -> None:
    @settings(max_examples=200)
    @given(st.sampled_from(SECRET_NAMES), values, values, st.sampled_from(NAMES), values)
    def check(name: str, before: str, after: str, other: str, value: str) -> None:
        environ = {"KIZU_HOME": "/nonexistent", other: value, name: before + CANARY + after}
        try:
            shown = repr(load_settings({}, environ=environ))
        except SettingError as error:
            shown = "".join(traceback.format_exception(error))
        assert CANARY not in shown

    check()


@pytest.mark.usefixtures("nowhere")
def test_any_file_is_settings_or_a_sentence() -> None:
    keys = st.sampled_from([*Settings.model_fields, "models", "plugins", "nonsense", "a.b"])
    texts = st.sampled_from(
        ["1", "-1", "true", '"x"', "[1]", '["a"]', "{}", "{disabled=1}", "{a=1}", "1979-01-01", "'"]
    )

    @settings(max_examples=200)
    @given(st.dictionaries(keys, texts, max_size=3) | st.binary(max_size=40), st.binary(max_size=40))
    def check(content: dict[str, str] | bytes, dotenv: bytes) -> None:
        Path(".env").write_bytes(dotenv)
        if isinstance(content, dict):
            content = "".join(f"{key} = {text}\n" for key, text in content.items()).encode()
        with TemporaryDirectory() as home:
            Path(home, "kizu.toml").write_bytes(content)
            try:
                said = str(load_settings({"home": home}, environ={}).home)
            except SettingError as error:
                said = error.message
        assert said

    check()
