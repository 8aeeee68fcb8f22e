"""Foreseeable trouble: one plain sentence with the next step, the right exit code, never a traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from kizu_support.command import Kizu, Result


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        Image.effect_noise((1600, 1200), 30 + number).convert("RGB").save(folder / f"{number}.jpg")
    return folder


def assert_plain(result: Result, code: int, *parts: str) -> None:
    """Two lines at most on standard error: what is wrong, what to do."""
    assert result.code == code, result.err + result.out
    lines = result.err.splitlines()
    assert 1 <= len(lines) <= 2
    assert lines[0].startswith("kizu: ")
    for part in parts:
        assert part in result.err
    assert "Traceback" not in result.err + result.out


def test_a_missing_folder(kizu: Kizu, tmp_path: Path) -> None:
    assert_plain(kizu("run", tmp_path / "nowhere"), 1, "There is no folder", "nowhere")


def test_a_file_instead_of_a_folder(kizu: Kizu, photos: Path) -> None:
    assert_plain(kizu("run", photos / "0.jpg"), 1, "is a file, not a folder")


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("postgresql://me:canary-4711@127.0.0.1:1/photos", "KIZU_DATABASE_URL"),
        ("postgresql://me:canary-4711@no-such-host.invalid/photos", "KIZU_DATABASE_URL"),
        ("canary-4711 is no address", "KIZU_DATABASE_URL"),
    ],
)
def test_a_wrong_database_url(kizu: Kizu, photos: Path, url: str, part: str) -> None:
    kizu.variables["KIZU_DATABASE_URL"] = url
    result = kizu("run", photos)
    assert_plain(result, 1, part)
    assert "canary-4711" not in result.err + result.out


def test_a_server_that_is_no_postgresql(kizu: Kizu, photos: Path) -> None:
    with _silent_server() as port:
        kizu.variables["KIZU_DATABASE_URL"] = f"postgresql://me@127.0.0.1:{port}/photos"
        assert_plain(kizu("run", photos), 1, "KIZU_DATABASE_URL")


@contextmanager
def _silent_server() -> Iterator[int]:
    """Accepts, says something that is not PostgreSQL, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def test_a_data_folder_that_is_a_file(kizu: Kizu, photos: Path) -> None:
    kizu.home = kizu.home.with_name("in the way")
    kizu.home.write_text("not a folder")
    assert_plain(kizu("run", photos), 1, str(kizu.home))


def test_a_setting_that_can_not_be(kizu: Kizu, photos: Path) -> None:
    kizu.variables["BATCH_SIZE"] = "many"
    assert_plain(kizu("run", photos), 1, "BATCH_SIZE")


def test_external_services_are_refused(kizu: Kizu, photos: Path) -> None:
    kizu.variables["ALLOW_EXTERNAL_APIS"] = "true"
    assert_plain(kizu("run", photos), 1, "ALLOW_EXTERNAL_APIS")


def test_an_unreadable_file_harms_nothing_else(kizu: Kizu, photos: Path) -> None:
    (photos / "dangling.jpg").symlink_to(photos / "nothing")
    (photos / "empty.jpg").touch()
    result = kizu("run", photos)
    assert result.code == 3
    assert "thumbnails         3 done" in result.out
    assert "empty.jpg" in result.out
    assert "Traceback" not in result.err


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_said_and_loses_nothing(kizu: Kizu, photos: Path) -> None:
    kizu("status")
    blobs = kizu.home / "blobs"
    blobs.mkdir(exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "kizu", blobs], capture_output=True).returncode:
        pytest.skip("this machine does not let tests mount anything")
    try:
        process = kizu.start("run", photos, out=kizu.home / "out.txt")
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.terminate()
        code = process.wait(timeout=30)
        said = (kizu.home / "out.txt").read_text()
    finally:
        subprocess.run(["umount", blobs], check=True)
    assert code in (1, 130)
    assert "disk" in said + (kizu.home / "out.err").read_text()
    assert "Traceback" not in (kizu.home / "out.err").read_text()
    result = kizu("run", photos)
    assert result.code == 0, result.out
    assert "thumbnails         3 done" in result.out


def test_an_unknown_command_and_option_exit_with_2(kizu: Kizu) -> None:
    assert kizu("fly").code == 2
    assert kizu("run", "--fly").code == 2
