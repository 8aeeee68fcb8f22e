"""Plugins that try to send something out: nothing arrives, they are named, and the command ends with 3."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_support.command import Kizu
from kizu_support.leaks import Listener, install_leaks
from kizu_support.library import draw

PICTURES = 2


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as listener:
        yield listener


@pytest.fixture
def leaking(kizu: Kizu, listener: Listener, tmp_path: Path) -> Kizu:
    """The command with both leaking plugins, and one that does its work."""
    plugins = install_leaks(tmp_path / "plugins", listener.port)
    kizu.variables |= {"PYTHONPATH": str(plugins), "KIZU_LOAD_PLUGINS": "core,leaky,loud,histogram"}
    return kizu


def test_a_run_names_who_tried_to_send_what_where(leaking: Kizu, listener: Listener, tmp_path: Path) -> None:
    for shade in range(PICTURES):
        draw(tmp_path / "photos" / f"{shade}.jpg", shade)
    result = leaking("run", tmp_path / "photos", "--json")
    assert listener.hits() == 0
    assert result.code == 3, result.err
    here = f"127.0.0.1:{listener.port}"
    refused = result.summary["refused"]
    tried = Counter({(one["caller"], one["via"], one["action"], one["target"]): one["count"] for one in refused})
    # As it happens once a picture; connections by name of library, then by hand: TCP, UDP, asyncio.
    assert tried["kizu-leaky", "urllib3", "reach", here] == 1
    assert tried["kizu-leaky", "kizu-leaky", "reach", here] == 1 + 3 * PICTURES
    assert tried["kizu-leaky", "kizu-leaky", "start", "the program curl"] == PICTURES
    assert tried["kizu-loud", "kizu-loud", "reach", here] == PICTURES
    # Where plugins are imported: in this command and in each model process.
    assert tried["kizu-leaky", "kizu-leaky", "look up", "photo.example.org:443"] == 3
    assert {caller for caller, *_ in tried} == {"kizu-leaky", "kizu-loud"}

    told = Counter(event["caller"] for event in result.events if event["event"] == "egress_refused")
    assert set(told) == {"kizu-leaky", "kizu-loud"}
    done = {name: tally["done"] for name, tally in result.summary["worked"]["operations"].items()}
    assert (done["ocr"], done["embedding"], done["optimize"], done["objects"]) == (PICTURES, PICTURES, PICTURES, 0)
    [failure] = result.summary["failures"]
    assert (failure["code"], failure["count"]) == ("egress_refused", PICTURES)
    assert "kizu-loud tried to reach" in failure["message"]


def test_a_run_says_it_to_a_person(leaking: Kizu, tmp_path: Path) -> None:
    draw(tmp_path / "photos" / "one.jpg")
    result = leaking("run", tmp_path / "photos")
    assert result.code == 3
    assert "kizu-leaky (through urllib3) tried to reach 127.0.0.1:" in result.out
    assert "kizu-leaky tried to start the program curl; refused once." in result.out
    assert "kizu: kizu-leaky tried to look up photo.example.org:443; refused once." in result.err


def test_any_command_names_a_plugin_that_tries_where_plugins_are_listed(leaking: Kizu, listener: Listener) -> None:
    result = leaking("plugins", "list")
    assert result.code == 3
    assert "kizu-leaky tried to look up photo.example.org:443; refused once." in result.err
    leaking.variables["KIZU_DISABLE_PLUGINS"] = "leaky"
    assert leaking("plugins", "list").code == 0
    assert listener.hits() == 0
