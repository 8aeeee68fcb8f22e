"""How long a worker waits for a database that is away."""

from __future__ import annotations

import threading
import time

import pytest
from pytest_mock import MockerFixture

from kizu_core.errors import DatabaseUnavailable
from kizu_core.worker.events import Event, Resumed, Waiting
from kizu_core.worker.patience import Patience


def test_a_call_is_repeated_until_the_very_end(mocker: MockerFixture) -> None:
    events: list[Event] = []
    patience = Patience(mocker.Mock(), events.append, threading.Event())
    back, end = time.monotonic() + 0.9, time.monotonic() + 1.3

    def work() -> str:
        if time.monotonic() < back:
            raise DatabaseUnavailable("It is away.")
        return "done"

    assert patience.call(work, until=end) == "done"
    assert [type(event) for event in events] == [Waiting, Resumed]
    with pytest.raises(DatabaseUnavailable):
        patience.call(mocker.Mock(side_effect=DatabaseUnavailable("It is gone.")), until=time.monotonic() + 0.3)
