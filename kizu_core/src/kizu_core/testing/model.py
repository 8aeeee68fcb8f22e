"""What every kind of model that looks at pictures must keep to."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from kizu_core.errors import KizuError
from kizu_core.models.configured import configure_spec
from kizu_core.models.loading import load_model
from kizu_core.models.weights import readiness
from kizu_core.pipeline.calling import Output
from kizu_core.pipeline.rows import rows_of
from kizu_core.plugins.specs import ModelSpec
from kizu_core.settings import Settings, load_settings
from kizu_core.testing.expect import expect, in_another_thread, same, watched_network
from kizu_core.testing.pictures import odd_pictures, ordinary_pictures
from kizu_core.testing.plugin import PluginConformance, specs_of
from kizu_core.types import OPERATION_MODELS, ModelType, Picture

Spec = TypeVar("Spec", bound=ModelSpec)

_OPERATIONS = {kind: operation for operation, kind in OPERATION_MODELS.items()}
_NOBODY = UUID(int=1)


class LoadedModel(PluginConformance, Generic[Spec]):
    """Loads one model of the plugin as a worker does: libraries looked for, weights checked, factory called.

    `model`: its name, needed only if the plugin brings several of the kind. `environment`: settings as environment
    variables, such as `MODEL_CACHE_DIR` where weights lie that no package ships; without them the checks are
    skipped with the reason.
    """

    kind: ModelType
    model: str | None = None
    environment: Mapping[str, str] = {}

    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls, tmp_path_factory: pytest.TempPathFactory) -> Settings:
        """Settings with a data folder of the test's own."""
        return load_settings({"home": tmp_path_factory.mktemp("kizu"), "threads": 1}, environ=cls.environment)

    @pytest.fixture(scope="class")
    @classmethod
    def spec(cls, settings: Settings) -> ModelSpec:
        """What the plugin declares of the model; skips while its library or weights are not there."""
        made = [configure_spec(one, settings) for one in specs_of(cls.plugin)]
        specs = [one for one in made if isinstance(one, ModelSpec) and one.kind is cls.kind]
        found = [one for one in specs if cls.model in (None, one.name)]
        names = ", ".join(one.name for one in specs) or "none"
        expect(len(found) == 1, f"`model` names one of the plugin's models of the kind {cls.kind}: {names}.")
        state = readiness(found[0], settings)
        if not state.ready:
            pytest.skip(f"{state.reason} {state.hint}")
        return found[0]

    @pytest.fixture(scope="class")
    @classmethod
    def loaded(cls, spec: Spec, settings: Settings) -> Iterator[Any]:
        """The model, loaded once for all checks that don't close it."""
        model = load(spec, settings)
        yield model
        model.close()

    def test_it_loads_and_is_of_its_kind(self, loaded: Any) -> None:
        expect(callable(loaded.close), "A model can be closed.")


@dataclass(frozen=True)
class Seen:
    """Pictures, copies of their pixels from before a model saw them, and what it made of them."""

    pictures: Sequence[Picture]
    before: Sequence[NDArray[np.uint8]]
    results: Any


def load(spec: ModelSpec, settings: Settings) -> Any:
    """A loaded model; its failure is one sentence."""
    try:
        return load_model(spec, settings)
    except KizuError as error:
        pytest.fail(f"The factory gives a model of its kind: {error.message} {error.hint or ''}", pytrace=False)


class PictureModelConformance(LoadedModel[Spec]):
    """Checks that are the same for every kind that looks at pictures.

    `tolerance`: how much numbers may differ between two calls. Give your own `pictures` if the drawn ones show
    nothing that the model can find.
    """

    tolerance: float = 1e-3

    @classmethod
    def pictures(cls) -> Sequence[Picture]:
        """Pictures to look at, new ones at every call; at least two that differ."""
        return ordinary_pictures()

    @abstractmethod
    def look(self, model: Any, pictures: Sequence[Picture]) -> Any:
        """The call that is checked."""

    @abstractmethod
    def check(self, value: Any, spec: Spec) -> None:
        """One picture's part of the result."""

    @pytest.fixture(scope="class")
    @classmethod
    def seen(cls, loaded: Any) -> Seen:
        """One look at all pictures, which the checks share: a look may take long."""
        pictures = cls.pictures()
        before = [picture.pixels.copy() for picture in pictures]
        return Seen(pictures, before, cls().look(loaded, pictures))

    def test_there_is_a_result_for_each_picture(self, seen: Seen, spec: Spec) -> None:
        wanted, got = len(seen.pictures), len(seen.results)
        expect(wanted == got, f"{wanted} pictures give {wanted} results, not {got}.")
        for value in seen.results:
            self.check(value, spec)

    def test_an_empty_batch_gives_an_empty_result(self, loaded: Any) -> None:
        expect(len(self.look(loaded, [])) == 0, "No pictures give an empty result.")

    def test_the_same_picture_gives_the_same_result(self, loaded: Any, seen: Seen) -> None:
        again = [self.look(loaded, seen.pictures[:1])[0] for _ in range(2)]
        expect(same(again[0], again[1], self.tolerance), "The same picture gives the same result at every call.")

    def test_results_are_in_the_order_of_the_pictures(self, loaded: Any, seen: Seen) -> None:
        back = list(self.look(loaded, seen.pictures[::-1]))
        expect(same(list(seen.results), back[::-1], self.tolerance), "Results are aligned with the pictures by index.")

    def test_a_batch_is_the_same_as_its_pictures_alone(self, loaded: Any, seen: Seen) -> None:
        alone = [self.look(loaded, [picture])[0] for picture in seen.pictures]
        expect(
            same(list(seen.results), alone, self.tolerance),
            "A picture's result does not depend on the rest of its batch.",
        )

    @pytest.mark.parametrize("name", odd_pictures())
    def test_odd_pictures_do_no_harm(self, loaded: Any, spec: Spec, name: str) -> None:
        (value,) = self.look(loaded, [odd_pictures()[name]])
        self.check(value, spec)

    def test_pictures_are_left_as_they_are(self, seen: Seen) -> None:
        kept = all(np.array_equal(one.pixels, before) for one, before in zip(seen.pictures, seen.before, strict=True))
        expect(kept, "A model never writes into a picture: other models look at it as well.")

    def test_it_can_be_used_from_another_thread(self, loaded: Any, seen: Seen) -> None:
        (there,) = in_another_thread(lambda: self.look(loaded, seen.pictures[:1]))
        expect(
            same(there, seen.results[0], self.tolerance),
            "A model gives the same results in a thread that did not load it.",
        )

    def test_it_can_be_closed_twice_and_loaded_again(
        self, loaded: Any, seen: Seen, spec: Spec, settings: Settings
    ) -> None:
        again = load(spec, settings)
        again.close()
        again.close()
        again = load(spec, settings)
        (found,) = self.look(again, seen.pictures[:1])
        expect(same(found, seen.results[0], self.tolerance), "Loaded again, it gives the same results.")
        again.close()
        (kept,) = self.look(loaded, seen.pictures[:1])
        expect(same(kept, seen.results[0], self.tolerance), "Closing one model closes no other.")

    def test_it_never_looks_for_the_network(self, spec: Spec, settings: Settings) -> None:
        with watched_network() as tried:
            model = load(spec, settings)
            self.look(model, self.pictures()[:1])
            model.close()
        expect(not tried, f"A model neither connects nor looks up names; this one tried: {'; '.join(tried)}.")

    def test_results_can_be_stored(self, seen: Seen, spec: Spec) -> None:
        for value in seen.results:
            output = Output(operation=_OPERATIONS[spec.kind], spec=spec, seconds=0.0, value=value)
            for row in rows_of(output, user_id=_NOBODY, asset_id=_NOBODY):
                columns = {name: column for name, column in row.values.items() if name != "embedding"}
                try:
                    json.dumps(columns, allow_nan=False)
                except (TypeError, ValueError) as error:
                    pytest.fail(f"Results hold plain Python values that JSON has: {error}.", pytrace=False)
