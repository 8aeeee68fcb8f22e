"""Pictures on their way through a ProcessService, and who follows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from kizu_core.errors import JobCancelled, KizuError
from kizu_core.pipeline.calling import Output
from kizu_core.pipeline.decoding import Decoded, Decoding, Wanted, decode_alone
from kizu_core.types import Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """One picture and what to find out about it. `orientation`: used only if the file carries none."""

    path: Path
    operations: Sequence[str]
    orientation: int | None = None


class Follower(Protocol):
    """Who wants to know what is going on. Pictures are named by the numbers of their requests."""

    def turn(self, percents: Mapping[int, int], beside: Sequence[int], step: str) -> None:
        """From now on `step` is done to the pictures in `percents`, while those `beside` are decoded; no other is
        touched. `percents`: how far each of them is.
        """

    def cancelled(self, number: int) -> bool:
        """Whether nobody wants that picture's outputs any more; asked before each operation."""


@dataclass(frozen=True, slots=True)
class Alone:
    """Follows a single picture."""

    progress: Callable[[int, str], None] = lambda percent, step: None
    is_cancelled: Callable[[], bool] = lambda: False

    def turn(self, percents: Mapping[int, int], beside: Sequence[int], step: str) -> None:
        for percent in percents.values():
            self.progress(percent, step)

    def cancelled(self, number: int) -> bool:
        return self.is_cancelled()


@dataclass(slots=True, eq=False)
class Shot:
    """One request: its picture, from when it is decoded until it is complete, and what came of it so far."""

    number: int
    request: ImageRequest
    error: KizuError | None = None
    outputs: dict[str, Output] = field(default_factory=dict)
    _decode: Callable[[], Decoded] | None = None
    _future: Future[Decoded] | None = None
    _decoded: Decoded | None = None

    def begin(self, wanted: Wanted, decoding: Decoding | None) -> None:
        """Has it decoded ahead; with `None`, when it is first needed."""
        if decoding is None:
            self._decode = lambda: decode_alone(wanted)
        else:
            self._future = decoding.begin(wanted)
            self._decode = self._future.result

    def drop(self) -> None:
        """Its picture is not needed any more."""
        if self._future is not None:
            self._future.cancel()
        self._decode = self._future = self._decoded = None

    @property
    def is_decoding(self) -> bool:
        return self._future is not None and not self._future.done()

    @property
    def is_complete(self) -> bool:
        return self.error is not None or len(self.outputs) == len(set(self.request.operations))

    @property
    def percent(self) -> int:
        if self._decoded is None:
            return 5
        return 10 + 90 * len(self.outputs) // max(1, len(self.request.operations))

    def wants(self, operation: str) -> bool:
        """Whether that is still to be done."""
        return self.error is None and operation in self.request.operations and operation not in self.outputs

    def picture(self) -> Picture | None:
        """Waits for it. None if it can't be decoded, which is the end of this request only."""
        if self._decoded is None and self._decode is not None and self.error is None:
            try:
                self._decoded = self._decode()
            except KizuError as error:
                self.error = error
        return self._decoded.picture if self._decoded is not None else None

    def note(self, output: Output) -> None:
        """One operation is done."""
        if self._decoded is not None:
            height, width = self._decoded.picture.pixels.shape[:2]
            output = replace(output, decode_seconds=self._decoded.seconds, seen_px=(width, height))
        self.outputs[output.operation] = output

    def result(self) -> list[Output] | KizuError:
        """What came of it; gives its picture back."""
        if not self.request.operations:
            self.picture()  # that it can be decoded is the answer
        self.drop()
        if self.error is not None:
            return self.error
        return [self.outputs[operation] for operation in self.request.operations]


class Watch:
    """Tells a follower, and asks it."""

    def __init__(self, shots: Sequence[Shot], follower: Follower) -> None:
        self._shots = shots
        self._follower = follower

    def turn(self, shots: Sequence[Shot], step: str) -> None:
        beside = [shot.number for shot in self._shots if shot.is_decoding]
        self._follower.turn({shot.number: shot.percent for shot in shots}, beside, step)

    def is_wanted(self, shot: Shot) -> bool:
        """False, and the end of its request, if it was taken back."""
        if shot.error is None and self._follower.cancelled(shot.number):
            shot.error = JobCancelled("Taken back before it was finished.")
        return shot.error is None
