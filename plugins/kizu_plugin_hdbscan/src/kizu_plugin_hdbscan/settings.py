"""What can be set from outside."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class HdbscanSettings(BaseModel):
    """Read from the environment by the fields' aliases; the names are those of the library's own parameters."""

    model_config = ConfigDict(frozen=True)

    min_cluster_size: Annotated[
        int, Field(alias="HDBSCAN_MIN_CLUSTER_SIZE", ge=2, le=1000, description="fewest faces that make a person")
    ] = 4
    min_samples: Annotated[
        int | None,
        Field(
            alias="HDBSCAN_MIN_SAMPLES",
            ge=1,
            le=1000,
            description="neighbours that make a face certain; the more, the more faces stay alone "
            "(default: as HDBSCAN_MIN_CLUSTER_SIZE)",
        ),
    ] = None
    epsilon: Annotated[
        float,
        Field(
            alias="HDBSCAN_EPSILON",
            ge=0,
            le=2,
            description="groups closer than this are not parted: Euclidean distance of unit vectors",
        ),
    ] = 0.0
