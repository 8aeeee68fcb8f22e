"""Frames and messages: what is sent arrives as it was, and anything else is a `WorkerError`."""

from __future__ import annotations

import socket
import struct
import threading
import tracemalloc
from pathlib import Path
from typing import Any
from uuid import UUID

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kizu_core.errors import UnreadablePicture, WorkerError
from kizu_core.types import Job, JobOutcome, JobTable, NewJob, OperationResult, ResultRow
from kizu_core.worker import frames
from kizu_core.worker.channel import Channel
from kizu_core.worker.messages import Cancel, Failed, Finished, Message, Progress, RunBatch, Task, from_wire, to_wire

vectors = arrays.arrays(np.dtype("<f4"), st.integers(0, 40), elements=st.floats(width=32, allow_nan=False))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.uuids()
    | st.binary(min_size=1)
    .filter(lambda name: b"\0" not in name)
    .map(lambda name: Path(name.decode("utf-8", "surrogateescape")))
)
values = st.recursive(
    scalars | vectors, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def same(sent: Any, came: Any) -> bool:
    if isinstance(sent, np.ndarray):
        return isinstance(came, np.ndarray) and came.dtype == np.float32 and np.array_equal(sent, came)
    if isinstance(sent, list):
        return len(sent) == len(came) and all(map(same, sent, came))
    if isinstance(sent, dict):
        return sent.keys() == came.keys() and all(same(sent[key], came[key]) for key in sent)
    return type(sent) is type(came) and bool(sent == came)


def body_of(frame: bytes) -> bytes:
    assert frames.body_length(frame[:4]) == len(frame) - 4
    return frame[4:]


@given(values)
def test_what_is_sent_arrives(value: Any) -> None:
    assert same(value, frames.decode(body_of(frames.encode(value))))


@given(st.binary(max_size=300))
def test_garbage_is_told_as_such(body: bytes) -> None:
    try:
        from_wire(frames.decode(body))
    except WorkerError:
        return
    pytest.fail("garbage passed for a message")


@pytest.mark.parametrize(
    "body",
    [
        b"\x91" * 5000,
        b"\xdd\xff\xff\xff\xff",
        b"\xc7\x03\x01abc",
        b"\xd4\x02\x00",
        b"\x01\x02",
        b"\xdd\x00\xf0\x00\x00" + b"\x90" * 0xF00000,
        b"\xdd\x00\xf0\x00\x00" + b"\x80" * 0xF00000,
    ],
    ids=["nested", "four billion", "three bytes of a vector", "short id", "two values", "empty lists", "empty maps"],
)
def test_hostile_frames_cost_nothing(body: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(WorkerError):
            frames.decode(body)
        assert tracemalloc.get_traced_memory()[1] < 400_000_000
    finally:
        tracemalloc.stop()


def test_numbers_of_numpy_and_wide_vectors_are_narrowed() -> None:
    sent = {"found": np.int64(3), "score": np.float32(0.5), "vector": np.array([1.0, 2.0], dtype=np.float64)}
    came = frames.decode(body_of(frames.encode(sent)))
    assert (came["found"], came["score"], came["vector"].tolist()) == (3, 0.5, [1.0, 2.0])


@pytest.mark.parametrize("value", [object(), np.zeros((2, 2)), {1, 2}, 2**70, {"deep": print}])
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises(WorkerError):
        frames.encode(value)


def test_a_frame_beyond_the_limit_is_neither_sent_nor_read() -> None:
    with pytest.raises(WorkerError, match="too large"):
        frames.encode(b"\0" * (frames.MAX_BYTES + 1))
    with pytest.raises(WorkerError, match="announces"):
        frames.body_length(struct.pack(">I", frames.MAX_BYTES + 1))


JOB = Job(
    id=UUID(int=1), table=JobTable.AI, job_type="image_ai", user_id=UUID(int=2), asset_id=UUID(int=3), todo=("ocr",)
)
OUTCOME = JobOutcome(
    operations=(OperationResult(operation="ocr", plugin="p", version="1", error=UnreadablePicture("x").as_dict()),),
    rows=(ResultRow(table="t", user_id=JOB.user_id, asset_id=UUID(int=3), values={"a": [1, "b", None]}),),
    files={"key": Path("/tmp/caf\udce9.jpg")},
    enqueue=(NewJob(table=JobTable.IMAGE, job_type="optimize"),),
)


@pytest.mark.parametrize(
    "message",
    [
        Cancel(job_id=JOB.id),
        RunBatch(handler="image-ai", tasks=(Task(job=JOB, source=None, workdir=Path("/w")),)),
        Finished(job_id=JOB.id, outcome=OUTCOME),
        Failed(job_id=JOB.id, error=UnreadablePicture("x", hint="y").as_dict()),
    ],
    ids=lambda message: type(message).__name__,
)
def test_messages_arrive_as_their_own_class(message: Message) -> None:
    assert from_wire(frames.decode(body_of(frames.encode(to_wire(message))))) == message


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"type": "Nonsense"},
        {"type": ["Cancel"]},
        {"type": "Cancel"},
        {"type": "Cancel", "job_id": "nobody"},
        {"type": "Finished", "job_id": JOB.id, "outcome": {"rows": [{"table": "t"}]}},
        {"type": "Finished", "job_id": JOB.id, "outcome": {"files": {"k": msgpack.Timestamp(1)}}},
    ],
)
def test_values_that_are_no_message(value: object) -> None:
    with pytest.raises(WorkerError):
        from_wire(value)


def test_a_channel_waits_for_the_rest_of_a_frame() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        channel = Channel(ours)
        frame = frames.encode(to_wire(Cancel(job_id=JOB.id)))
        theirs.sendall(frame[:7])
        with pytest.raises(TimeoutError):
            channel.receive(0.05)
        theirs.sendall(frame[7:] + frame)
        assert channel.receive(1) == channel.receive(1) == Cancel(job_id=JOB.id)
        theirs.shutdown(socket.SHUT_WR)
        assert channel.receive(1) is None
        channel.close()


def test_threads_may_send_at_once() -> None:
    ours, theirs = socket.socketpair()
    sender, receiver = Channel(ours), Channel(theirs)
    long = Progress(job_id=JOB.id, percent=1, step="x" * 20_000)

    def send_many() -> None:
        for _ in range(20):
            sender.send(long)

    threads = [threading.Thread(target=send_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert all(receiver.receive(10) == long for _ in range(80))
    for thread in threads:
        thread.join()
    sender.close()
    receiver.close()
