"""Weights that come otherwise than as one file from one address: in a zip, of unknown size, by bundle, by path."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kizu_core.errors import ConsentMissing, ModelUnavailable
from kizu_core.models import consent
from kizu_core.models.importing import import_weights
from kizu_core.models.store import Arrival, Item, items_of, pull
from kizu_core.models.weights import checked_weights, readiness
from kizu_core.plugins.specs import OcrSpec, WeightFile
from kizu_core.settings import Settings
from kizu_support.callables import MakeSpec
from kizu_support.hub import Hub, running_hub

CONTENT = bytes(range(256)) * 400
SHA256 = hashlib.sha256(CONTENT).hexdigest()

Declare = Callable[..., OcrSpec]


class Silent:
    def waiting(self) -> None: ...

    def progress(self, item: Item, done: int, total: int) -> None: ...


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        hub.put("/w.bin", CONTENT)
        yield hub


@pytest.fixture
def declare(hub: Hub, spec: MakeSpec) -> Declare:
    def make(**changes: object) -> OcrSpec:
        weight = WeightFile(name="w.bin", source=f"{hub.url}/w.bin", bytes=len(CONTENT), licence="MIT")
        return spec(weights=(replace(weight, **changes),))  # type: ignore[arg-type]

    return make


def fetch(spec: OcrSpec, settings: Settings) -> list[Arrival]:
    return pull(items_of([spec], settings), settings, Silent())


def said(spec: OcrSpec, settings: Settings) -> str:
    (arrival,) = fetch(spec, settings)
    assert arrival.error is not None
    return arrival.error.message


def archive(members: dict[str, bytes], **ways: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **ways) as made:  # type: ignore[call-overload]
        for name, content in members.items():
            made.writestr(name, content)
    return buffer.getvalue()


# ---- a size that is not known ----


@pytest.mark.parametrize("told", [len(CONTENT) // 2 + 1, len(CONTENT) * 2])
def test_the_true_size_is_recorded_and_held(declare: Declare, settings: Settings, told: int) -> None:
    spec = declare(bytes=told, exact=False)
    assert "about" in readiness(spec, settings).reason
    assert fetch(spec, settings)[0].sha256 == SHA256
    assert readiness(spec, settings).ready
    path = checked_weights(spec, settings)["w.bin"]
    path.write_bytes(CONTENT[:-1])
    assert "wrong size" in readiness(spec, settings).reason


@pytest.mark.parametrize("told", [len(CONTENT) // 2 - 1, len(CONTENT) * 2 + 2])
def test_a_size_far_from_what_was_told_is_refused(declare: Declare, settings: Settings, told: int) -> None:
    assert "instead of" in said(declare(bytes=told, exact=False), settings)


def test_an_unknown_size_survives_a_broken_connection(declare: Declare, settings: Settings, hub: Hub) -> None:
    hub.put("/w.bin", CONTENT, cut_at=[50_000])
    assert fetch(declare(bytes=90_000, exact=False), settings)[0].sha256 == SHA256
    assert [wanted for _, wanted in hub.requests] == [None, "bytes=50000-"]


def test_a_server_must_say_a_size_that_the_plugin_does_not(declare: Declare, settings: Settings, hub: Hub) -> None:
    hub.put("/w.bin", CONTENT, length=False)
    assert "does not say how large" in said(declare(bytes=90_000, exact=False), settings)


# ---- members of archives ----


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_come_out_of_one_download(declare: Declare, settings: Settings, hub: Hub, method: int) -> None:
    hub.put("/pack.zip", archive({"a/w.bin": CONTENT, "../v.bin": b"v", "other": b"o"}, compression=method))
    first = declare(source=f"{hub.url}/pack.zip#a/w.bin").weights[0]
    second = replace(first, name="v.bin", source=f"{hub.url}/pack.zip#../v.bin", bytes=1)
    spec = replace(declare(), weights=(first, second))
    assert [one.error for one in fetch(spec, settings)] == [None, None]
    paths = checked_weights(spec, settings)
    assert [paths[name].read_bytes() for name in ("w.bin", "v.bin")] == [CONTENT, b"v"]
    assert [path for path, _ in hub.requests] == ["/pack.zip"]
    files = sorted(path.name for path in settings.models_dir.rglob("*") if path.is_file())
    assert files == [".lock", "manifest.json", "v.bin", "w.bin"]


def lying() -> bytes:
    """Says of its member that it has one byte."""
    content = archive({"w.bin": CONTENT}, compression=zipfile.ZIP_DEFLATED)
    size = len(CONTENT).to_bytes(4, "little")
    return content.replace(size, (1).to_bytes(4, "little"))


def twice() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("w.bin", CONTENT)
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("w.bin", CONTENT[::-1])
    return buffer.getvalue()


def damaged() -> bytes:
    content = bytearray(archive({"w.bin": CONTENT}))
    content[len(content) // 2] ^= 255
    return bytes(content)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: archive({"elsewhere/w.bin": CONTENT}), "holds 0 files of that name"),
        (twice, "holds 2 files of that name"),
        (lying, "bytes instead of"),
        (damaged, "damaged"),
        (lambda: b"no archive at all", "damaged"),
        (lambda: archive({"w.bin": CONTENT + b"x"}), "bytes instead of"),
        (lambda: archive({"w.bin": CONTENT}, compression=zipfile.ZIP_BZIP2), "in a form that is not read"),
    ],
)
def test_hostile_archives(
    make: Callable[[], bytes], sentence: str, declare: Declare, settings: Settings, hub: Hub
) -> None:
    hub.put("/pack.zip", make())
    assert sentence in said(declare(source=f"{hub.url}/pack.zip#w.bin"), settings)
    assert [path.name for path in settings.models_dir.rglob("*") if path.is_file()] == [".lock"]


# ---- a file that the user named ----


def test_a_file_of_ones_own_is_taken_as_it_is(declare: Declare, settings: Settings, tmp_path: Path) -> None:
    own = tmp_path / "mein Modell.bin"
    spec = declare(source=f"file:{own}", bytes=1, consent="never asked of it")
    assert f"needs the file {own}" in readiness(spec, settings).reason
    assert str(own) in said(spec, settings)
    own.write_bytes(b"anything")
    assert readiness(spec, settings).ready
    assert checked_weights(spec, settings) == {"w.bin": own}
    assert fetch(spec, settings)[0].was_here


# ---- a file that was made elsewhere ----


def bundle(folder: Path, content: bytes) -> Path:
    place = folder / "ocr" / "tiny" / "w.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    entry = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), "licence": "MIT", "source": "made"}
    (folder / "kizu-models.json").write_text(json.dumps({"format": 1, "files": {"ocr/tiny/w.bin": entry}}))
    return folder


def test_a_bundles_index_decides(declare: Declare, settings: Settings, tmp_path: Path) -> None:
    spec = declare(source="bundle:", bytes=1, exact=False)
    assert "kizu models export --onnx" in readiness(spec, settings).hint
    assert "needs the weights" in said(spec, settings)
    loose = tmp_path / "w.bin"
    loose.write_bytes(CONTENT)
    assert import_weights([loose], [spec], settings, Silent(), link=False).fruitless == [loose]
    for number, content in enumerate((CONTENT, CONTENT[::-1])):  # made anew, it replaces the one before
        made = bundle(tmp_path / str(number), content)
        (arrival,) = import_weights([made], [spec], settings, Silent(), link=False).arrivals
        assert arrival.error is None
        assert checked_weights(spec, settings)["w.bin"].read_bytes() == content
    (arrival,) = import_weights([made], [spec], settings, Silent(), link=False).arrivals
    assert arrival.was_here


# ---- terms ----

TERMS = "for non-commercial research only"


def test_nothing_comes_without_consent(declare: Declare, settings: Settings, hub: Hub, tmp_path: Path) -> None:
    spec = declare(consent=TERMS)
    assert TERMS in said(spec, settings)
    assert hub.requests == []
    loose = tmp_path / "w.bin"
    loose.write_bytes(CONTENT)
    (arrival,) = import_weights([loose], [spec], settings, Silent(), link=False).arrivals
    assert isinstance(arrival.error, ConsentMissing)

    assert consent.agree(spec, settings) == (TERMS,)
    assert consent.agree(spec, settings) == ()
    assert fetch(spec, settings)[0].error is None
    assert readiness(spec, settings).ready


def test_a_file_whose_terms_nobody_accepted_is_not_used(declare: Declare, settings: Settings) -> None:
    fetch(declare(), settings)
    spec = declare(consent=TERMS)
    state = readiness(spec, settings)
    assert (state.ready, state.reason) == (False, f"tiny needs your consent: {TERMS}.")
    assert "kizu models accept tiny" in state.hint
    with pytest.raises(ModelUnavailable, match=TERMS):
        checked_weights(spec, settings)
    consent.agree(spec, settings)
    assert checked_weights(spec, settings)
    assert not readiness(declare(consent="other words"), settings).ready
    (settings.models_dir / "consents.json").write_text("[damaged")
    assert not readiness(spec, settings).ready
