"""A session of ours in the place of ONNX Runtime's, so that InsightFace computes with whatever was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from kizu_core import Header, Runtime, Session, open_session, read_header


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output, as InsightFace asks for it."""

    name: str
    shape: Sequence[int | str | None]


class LibrarySession:
    """What InsightFace uses of `onnxruntime.InferenceSession`."""

    def __init__(self, session: Session, header: Header) -> None:
        self._session = session
        self._header = header

    def get_inputs(self) -> list[Port]:
        return [Port(name, shape) for name, shape in self._header.inputs.items()]

    def get_outputs(self) -> list[Port]:
        return [Port(name, shape) for name, shape in self._header.outputs.items()]

    def set_providers(self, providers: Sequence[str]) -> None:
        """The runtime was chosen before."""

    def run(self, names: Sequence[str], feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Outputs in the order asked for, which is that of the file."""
        return self._session.run(feeds)


def open_library_session(path: Path, runtime: Runtime, threads: int) -> LibrarySession:
    """Raises `ModelUnavailable` as `open_session` does."""
    return LibrarySession(open_session(path, runtime, threads), read_header(path))
