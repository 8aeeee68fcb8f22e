"""A checkpoint as a network for inference, read without running code that it might carry."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch

from kizu_core import ModelUnavailable

Network = Any
"""An `ultralytics.nn.tasks.DetectionModel`, which has no types."""


def load_network(path: Path) -> Network:
    """The fused network in `path`, float32. Raises `ModelUnavailable` for what is no detector of ultralytics.

    Only classes of networks that ultralytics lists are ever made (`safe_only`), whatever the environment says.
    """
    from ultralytics import settings
    from ultralytics.nn.tasks import DetectionModel, torch_safe_load

    settings.update({"sync": False})
    try:
        with tempfile.TemporaryDirectory() as folder:
            # ultralytics takes names apart: it drops apostrophes and looks for "better" ones on the network.
            link = Path(folder, "weights.pt")
            link.symlink_to(path)
            checkpoint, _ = torch_safe_load(str(link), safe_only=True)
        network = checkpoint.get("ema") or checkpoint["model"]
    except Exception as error:  # pickles fail in every way there is
        raise ModelUnavailable(
            f"{path.name} is damaged or no checkpoint of ultralytics, and was not loaded ({type(error).__name__}).",
            hint="It may hold code, which Kizu never runs. Get the file again, or unset YOLO_WEIGHTS.",
        ) from error
    if not isinstance(network, DetectionModel):
        raise ModelUnavailable(f"{path.name} is no detector.", hint="YOLO_WEIGHTS takes networks that find boxes.")
    network = network.float().fuse(verbose=False).eval()
    network.model[-1].dfl = Distances(network.model[-1].reg_max)
    return network


class Distances(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
    """From distributions over `bins` distances to their means: (n, 4 * bins, places) -> (n, 4, places) float32.

    ultralytics does this with a convolution. Engines that compute those in bfloat16 then lose half a pixel of each
    edge; a sum is left in float32 by all of them, as is everything after it.
    """

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.register_buffer("distances", torch.arange(bins, dtype=torch.float32).view(1, 1, bins, 1))

    def forward(self, raw: torch.Tensor) -> torch.Tensor:
        """See the class."""
        shares = raw.float().unflatten(1, (4, -1)).softmax(2)
        return (shares * self.distances.float()).sum(2)
