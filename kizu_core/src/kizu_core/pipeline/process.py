"""ProcessService: one decode a picture, then each operation by its model (specification, "Process Service").

In which order: quick operations before slow ones, and what gains from it in one call for all pictures. The rest goes
picture by picture, so that each is complete as early as can be; or, where memory does not hold all the models at once,
operation by operation, so that each model is loaded once for all pictures and not once for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext

from kizu_core.errors import JobError, KizuError
from kizu_core.media import memory
from kizu_core.pipeline.calling import Caller, Output
from kizu_core.pipeline.decoding import Decoding, Wanted, portions
from kizu_core.pipeline.shots import Alone, Follower, ImageRequest, Shot, Watch
from kizu_core.plugins.protocols import ModelSource
from kizu_core.types import OPERATION_MODELS, ModelType

ALLOWANCE_MB = 1024
"""What models may take while pictures are decoded beside them. Who needs more is asked again once they are."""


class ProcessService:
    """Runs operations on pictures.

    `max_side`: longest side in pixels that models are shown; one that needs less (`ModelSpec.min_side`) is shown less,
    if no other one that is asked for needs more. `threads`: in which pictures are decoded, ahead of the models.
    """

    def __init__(self, models: ModelSource, *, max_side: int, threads: int = 1) -> None:
        self._models = models
        self._max_side = max_side
        self._decoding = Decoding(threads)

    def process_image(
        self,
        request: ImageRequest,
        progress: Callable[[int, str], None] = lambda percent, step: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> list[Output]:
        """Outputs in the order asked for; one that fails does not stop the others.

        Raises `MediaError` if the picture can't be decoded, `JobCancelled` between two operations.
        """
        [result] = self.process_images([request], Alone(progress, cancelled))
        if isinstance(result, KizuError):
            raise result
        return result

    def process_images(
        self, requests: Sequence[ImageRequest], follower: Follower | None = None
    ) -> Iterator[list[Output] | KizuError]:
        """For each request, in order and as soon as it is complete, what came of it; a `KizuError` where nothing did.

        A bounded number of pictures is in memory, however many requests there are.
        """
        shots = [Shot(number, request) for number, request in enumerate(requests)]
        portion = [[shots[number] for number in numbers] for numbers in portions(len(shots), self._max_side)]
        watch = Watch(shots, follower or Alone())
        in_company = len(shots) > 1
        try:
            with memory.allowance(ALLOWANCE_MB) if in_company else nullcontext():
                for some, following in zip(portion, [*portion[1:], []], strict=True):
                    if some is portion[0]:
                        self._begin(some, in_company)
                    self._begin(following, in_company)
                    yield from self._work(some, watch)
        finally:
            for shot in shots:
                shot.drop()

    # ---- decoding ----------------------------------------------------------------------------------------

    def _begin(self, shots: Sequence[Shot], in_company: bool) -> None:
        """Has them decoded, each to what the most demanding of its models can use."""
        for shot in shots:
            try:
                wanted = self._wanted(shot.request)
            except KizuError as error:
                shot.error = error
            else:
                shot.begin(wanted, self._decoding if in_company else None)

    def _wanted(self, request: ImageRequest) -> Wanted:
        needs = [self._models.spec(_kind(operation)).min_side for operation in request.operations]
        known = [side for side in needs if side is not None]
        return Wanted(
            path=request.path,
            max_side=self._max_side,
            min_side=max(known) if known and len(known) == len(needs) else None,
            orientation=request.orientation,
        )

    # ---- operations --------------------------------------------------------------------------------------

    def _work(self, shots: Sequence[Shot], watch: Watch) -> Iterator[list[Output] | KizuError]:
        watch.turn([shot for shot in shots if shot.error is None], "decode")
        done = 0
        for operations in self._stages(shots):
            for _ in self._stage(operations, shots, watch):
                while done < len(shots) and shots[done].is_complete:
                    yield shots[done].result()
                    done += 1
        for shot in shots[done:]:
            yield shot.result()

    def _stages(self, shots: Sequence[Shot]) -> list[list[str]]:
        """The operations that are asked for, quick ones first; together those whose models may be loaded together."""
        asked = {operation for shot in shots if shot.error is None for operation in shot.request.operations}
        order = [operation for operation in OPERATION_MODELS if operation in asked]
        if self._models.fit([OPERATION_MODELS[operation] for operation in order]):
            return [order]
        return [[operation] for operation in order]

    def _stage(self, operations: Sequence[str], shots: Sequence[Shot], watch: Watch) -> Iterator[None]:
        """Does these operations; yields whenever a picture may be complete."""
        models = {operation: self._model(operation) for operation in operations}
        for operation, model in models.items():
            if model.takes_batches:
                _do_all(model, [shot for shot in shots if shot.wants(operation)], watch)
                yield
        for shot in shots:
            for model in models.values():
                _do_one(model, shot, watch)
            yield

    def _model(self, operation: str) -> Caller:
        return Caller(operation, _kind(operation), self._models)


def _do_all(model: Caller, shots: Sequence[Shot], watch: Watch) -> None:
    """One call for all pictures; if it fails, one for each: a picture that a model can't take spoils no other's."""
    due = [(shot, picture) for shot in shots if watch.is_wanted(shot) and (picture := shot.picture()) is not None]
    if len(due) < 2:
        return
    watch.turn([shot for shot, _ in due], model.operation)
    for (shot, _), output in zip(due, model.all([picture for _, picture in due]), strict=False):
        shot.note(output)


def _do_one(model: Caller, shot: Shot, watch: Watch) -> None:
    if shot.wants(model.operation) and watch.is_wanted(shot) and (picture := shot.picture()) is not None:
        watch.turn([shot], model.operation)
        shot.note(model.one(picture))


def _kind(operation: str) -> ModelType:
    kind = OPERATION_MODELS.get(operation)
    if kind is None:
        known = ", ".join(OPERATION_MODELS)
        raise JobError(f"There is no operation called {operation!r}.", hint=f"Operations are: {known}.")
    return kind
