"""Weights are fetched from a hub that misbehaves in every way; only the right file ever gets its name."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from kizu_core.errors import DiskFull, ModelUnavailable, SettingError
from kizu_core.models import download as downloading
from kizu_core.models.manifest import locked
from kizu_core.models.store import Arrival, Item, items_of, pull
from kizu_core.models.weights import checked_weights, readiness
from kizu_core.plugins.specs import OcrSpec, WeightFile
from kizu_core.settings import Settings, load_settings
from kizu_support.callables import MakeSpec
from kizu_support.hub import Hub, running_hub

CONTENT = bytes(range(256)) * 2000
PATH = "/files/tiny.onnx"
SHA256 = hashlib.sha256(CONTENT).hexdigest()

Declare = Callable[..., OcrSpec]


class Silent:
    """A watcher that only remembers."""

    def __init__(self) -> None:
        self.waited = threading.Event()
        self.seen: list[int] = []

    def waiting(self) -> None:
        self.waited.set()

    def progress(self, item: Item, done: int, total: int) -> None:
        self.seen.append(done)


@pytest.fixture(autouse=True)
def impatient(mocker: MockerFixture) -> None:
    """Pauses between attempts cost no time here."""
    mocker.patch.object(downloading, "sleep")


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        hub.put(PATH, CONTENT)
        yield hub


@pytest.fixture
def storage() -> Iterator[Hub]:
    """The second server, that a hub hands over to."""
    with running_hub() as storage:
        storage.put("/blob", CONTENT)
        yield storage


@pytest.fixture
def declare(hub: Hub, spec: MakeSpec) -> Declare:
    """A model with the hub's file, its digest not known; keyword arguments change what is declared of it."""

    def make(**changes: object) -> OcrSpec:
        weight = WeightFile(name="tiny.onnx", source=hub.url + PATH, bytes=len(CONTENT), licence="MIT")
        return spec(weights=(replace(weight, **changes),))  # type: ignore[arg-type]

    return make


def fetch(spec: OcrSpec, settings: Settings, watcher: Silent | None = None) -> Arrival:
    [arrival] = pull(items_of([spec], settings), settings, watcher or Silent())
    return arrival


def error_of(spec: OcrSpec, settings: Settings) -> str:
    """The sentence and hint of a pull that must fail, and leave nothing under the file's own name."""
    arrival = fetch(spec, settings)
    assert arrival.error is not None
    assert not place(settings).exists()
    return f"{arrival.error.message} {arrival.error.hint}"


def place(settings: Settings) -> Path:
    return settings.models_dir / "ocr" / "tiny" / "tiny.onnx"


def part(settings: Settings) -> Path:
    return place(settings).with_name("tiny.onnx.part")


def ranges(hub: Hub) -> list[str | None]:
    return [wanted for _, wanted in hub.requests]


def test_a_file_comes_and_the_model_is_ready(declare: Declare, settings: Settings) -> None:
    spec, watcher = declare(), Silent()
    assert not readiness(spec, settings).ready
    arrival = fetch(spec, settings, watcher)
    assert (arrival.error, arrival.sha256, watcher.seen[-1]) == (None, SHA256, len(CONTENT))
    assert checked_weights(spec, settings)["tiny.onnx"].read_bytes() == CONTENT
    assert sorted(path.name for path in place(settings).parent.iterdir()) == ["tiny.onnx"]
    assert stat.S_IMODE(place(settings).stat().st_mode) == 0o600
    assert fetch(spec, settings).was_here


def test_the_first_digest_is_recorded_and_held(declare: Declare, settings: Settings, hub: Hub) -> None:
    spec = declare()
    fetch(spec, settings)
    manifest = settings.models_dir / "manifest.json"
    [(key, entry)] = json.loads(manifest.read_text()).items()
    assert (key, entry["sha256"], entry["origin"]) == ("ocr/tiny/tiny.onnx", SHA256, hub.url)
    assert stat.S_IMODE(manifest.stat().st_mode) == 0o600

    forged = CONTENT[::-1]
    place(settings).write_bytes(forged)
    with pytest.raises(ModelUnavailable, match=SHA256) as caught:
        checked_weights(spec, settings)
    assert hashlib.sha256(forged).hexdigest() in caught.value.message

    hub.put(PATH, forged)  # the same size from the same address, and still refused
    place(settings).unlink()
    assert SHA256 in error_of(spec, settings)


def test_without_its_record_a_file_is_not_used(declare: Declare, settings: Settings) -> None:
    spec = declare()
    place(settings).parent.mkdir(parents=True)
    place(settings).write_bytes(CONTENT)
    state = readiness(spec, settings)
    assert "put there by hand" in state.reason
    assert "kizu models import" in state.hint
    (settings.models_dir / "manifest.json").write_text("{ damaged")
    with pytest.raises(ModelUnavailable, match="put there by hand"):
        checked_weights(spec, settings)


def test_what_a_plugin_declares_anew_is_recorded_anew(declare: Declare, settings: Settings, hub: Hub) -> None:
    fetch(declare(), settings)
    hub.put("/files/second", CONTENT[::-1])
    second = declare(source=f"{hub.url}/files/second")
    assert not readiness(second, settings).ready
    assert fetch(second, settings).error is None
    assert readiness(second, settings).ready


@pytest.mark.parametrize("etag", ["", '"strong"'])
def test_broken_connections_are_continued(declare: Declare, settings: Settings, hub: Hub, etag: str) -> None:
    hub.put(PATH, CONTENT, cut_at=[100_000, 300_000, 300_001], etag=etag)
    assert fetch(declare(), settings).sha256 == SHA256
    assert ranges(hub) == [None, "bytes=100000-", "bytes=300000-", "bytes=300001-"]


@pytest.mark.parametrize("ways", [{"ranges": False}, {"etag": None}, {"etag": 'W/"weak"'}])
def test_what_cannot_be_continued_starts_again(
    declare: Declare, settings: Settings, hub: Hub, ways: dict[str, object]
) -> None:
    hub.put(PATH, CONTENT, cut_at=[100_000], **ways)
    assert fetch(declare(), settings).sha256 == SHA256


def test_another_version_starts_again(declare: Declare, settings: Settings, hub: Hub) -> None:
    hub.put(PATH, CONTENT[::-1], cut_at=[100_000] * 9)
    error_of(declare(), settings)
    assert part(settings).read_bytes() == CONTENT[::-1][:100_000]
    hub.put(PATH, CONTENT)
    assert fetch(declare(), settings).sha256 == SHA256
    assert ranges(hub)[-1] == "bytes=100000-"


def test_a_wrong_range_is_not_glued_on(declare: Declare, settings: Settings, hub: Hub, mocker: MockerFixture) -> None:
    """A server that takes the range but not `If-Range`, and has another version now."""
    hub.put(PATH, CONTENT[::-1], cut_at=[100_000])
    mocker.patch.object(downloading, "TRIES", 1)
    assert fetch(declare(), settings).error is not None
    hub.put(PATH, CONTENT)
    mocker.patch("kizu_support.hub._start", side_effect=[100_000, 0])
    mocker.patch.object(downloading, "TRIES", 5)
    assert fetch(declare(), settings).sha256 == SHA256


def test_a_wrong_digest_is_named_and_removed(declare: Declare, settings: Settings, hub: Hub) -> None:
    hub.put(PATH, CONTENT[::-1])
    said = error_of(declare(sha256=SHA256, digest_source="computed"), settings)
    assert SHA256 in said
    assert hashlib.sha256(CONTENT[::-1]).hexdigest() in said
    assert not part(settings).exists()
    assert not (settings.models_dir / "manifest.json").exists()


@pytest.mark.parametrize("ways", [{}, {"length": False}])
@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x"])
def test_a_wrong_size_is_refused(
    declare: Declare, settings: Settings, hub: Hub, content: bytes, ways: dict[str, object]
) -> None:
    hub.put(PATH, content, **ways)
    assert "instead of 512,000" in error_of(declare(), settings)
    assert not part(settings).exists()


def test_a_declared_host_may_take_over(declare: Declare, settings: Settings, hub: Hub, storage: Hub) -> None:
    hub.files[PATH].redirect = f"{storage.url}/blob?signature=secret"
    storage.files["/blob"].cut_at = [200_000]
    assert fetch(declare(hosts=(storage.url,)), settings).sha256 == SHA256
    assert ranges(storage) == [None, "bytes=200000-"]


def test_a_foreign_host_is_not_asked(declare: Declare, settings: Settings, hub: Hub, storage: Hub) -> None:
    hub.files[PATH].redirect = f"{storage.url}/blob?signature=secret"
    said = error_of(declare(), settings)
    assert f"KIZU_MODEL_HOSTS={storage.url}" in said
    assert "secret" not in said
    assert storage.requests == []
    allowed = load_settings({"home": settings.home}, environ={"KIZU_MODEL_HOSTS": storage.url})
    assert fetch(declare(), allowed).sha256 == SHA256


def test_redirects_end(declare: Declare, settings: Settings, hub: Hub) -> None:
    hub.files[PATH].redirect = hub.url + PATH
    assert "redirects more than" in error_of(declare(), settings)


@pytest.mark.parametrize(
    ("status", "sentence"), [(401, "signed in"), (403, "signed in"), (404, "not on 127.0.0.1"), (410, "(410)")]
)
def test_answers_that_stay(status: int, sentence: str, declare: Declare, settings: Settings, hub: Hub) -> None:
    hub.files[PATH].answers = [status]
    assert sentence in error_of(declare(), settings)
    assert len(hub.requests) == 1


def test_a_busy_hub_is_waited_for(declare: Declare, settings: Settings, hub: Hub) -> None:
    hub.files[PATH].answers = [503, 429]
    hub.files[PATH].retry_after = 7
    assert fetch(declare(), settings).sha256 == SHA256
    downloading.sleep.assert_called_with(7.0)  # type: ignore[attr-defined]


def test_a_hub_that_asks_for_much_time_is_left_alone(declare: Declare, settings: Settings, hub: Hub) -> None:
    hub.files[PATH].answers = [429]
    hub.files[PATH].retry_after = 3000
    assert "in 3000 seconds" in error_of(declare(), settings)


def test_a_hub_that_is_down(declare: Declare, settings: Settings, mocker: MockerFixture) -> None:
    with running_hub() as gone:
        pass
    assert "what has arrived is kept" in error_of(declare(source=gone.url + PATH), settings)


def test_no_space_is_said_before_anything_is_asked(
    declare: Declare, settings: Settings, hub: Hub, mocker: MockerFixture
) -> None:
    usage = shutil.disk_usage("/")._replace(free=100_000_000)
    mocker.patch("kizu_core.models.store.shutil.disk_usage", return_value=usage)
    with pytest.raises(DiskFull, match="need 1 MB, and 100 MB are free"):
        fetch(declare(), settings)
    assert hub.requests == []


def test_a_disk_that_fills_up_meanwhile(declare: Declare, settings: Settings, mocker: MockerFixture) -> None:
    mocker.patch.object(downloading, "_append", side_effect=OSError(errno.ENOSPC, "No space left on device"))
    assert "No space is left" in error_of(declare(), settings)


def test_two_at_once_take_turns(declare: Declare, settings: Settings, hub: Hub) -> None:
    spec, watcher = declare(), Silent()
    arrivals: list[Arrival] = []
    with locked(settings.models_dir, lambda: None):
        second = threading.Thread(target=lambda: arrivals.append(fetch(spec, settings, watcher)))
        second.start()
        assert watcher.waited.wait(30)
        assert hub.requests == []
    second.join(30)
    assert arrivals[0].sha256 == SHA256


def test_the_hubs_own_addresses(declare: Declare, settings: Settings, hub: Hub) -> None:
    source = "hf:kizu/tiny@0123abcd/onnx/tiny.onnx"
    [item] = items_of([declare(source=source)], settings)
    assert item.source is not None
    assert item.source.url == "https://huggingface.co/kizu/tiny/resolve/0123abcd/onnx/tiny.onnx"
    assert item.source.origin_of("https://us.aws.cdn.hf.co/x?y") == "https://us.aws.cdn.hf.co"
    hub.put("/kizu/tiny/resolve/0123abcd/onnx/tiny.onnx", CONTENT)
    mirror = load_settings({"home": settings.home}, environ={"KIZU_MODEL_HUB": hub.url})
    assert fetch(declare(source=source), mirror).sha256 == SHA256


@pytest.mark.parametrize(
    "value", ["http://example.org", "https://user@example.org", "ftp://example.org", "https://a b", "file:///etc"]
)
def test_hosts_that_no_file_may_come_from(value: str, declare: Declare, settings: Settings) -> None:
    wrong = load_settings({"home": settings.home}, environ={"KIZU_MODEL_HOSTS": value})
    with pytest.raises(SettingError, match="can't be a host of weights"):
        items_of([declare()], wrong)
