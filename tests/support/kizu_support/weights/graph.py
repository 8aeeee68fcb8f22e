"""ONNX networks written down as the expressions that they compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np


class Graph:
    """Calling it adds an operator and returns the name of its result; arrays become constants of the file."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def __call__(self, operator: str, *inputs: Any, **attributes: Any) -> str:
        from onnx import helper

        name = f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, [self._named(one) for one in inputs], [name], **attributes))
        return name

    def _named(self, value: Any) -> str:
        from onnx import numpy_helper

        if isinstance(value, str):
            return value
        name = f"c{len(self._constants)}"
        array = np.asarray(value, np.float32 if isinstance(value, float) else None)
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def save(
        self,
        path: Path,
        inputs: Mapping[str, Sequence[int | str]],
        outputs: Mapping[str, tuple[str, Sequence[int | str]]],
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """`inputs`: shapes by name; `outputs`: by name, which value it is and its shape. All are float32."""
        import onnx
        from onnx import helper

        nodes = [*self._nodes, *(helper.make_node("Identity", [value], [name]) for name, (value, _) in outputs.items())]
        floats = onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            nodes,
            "graph",
            [helper.make_tensor_value_info(name, floats, shape) for name, shape in inputs.items()],
            [helper.make_tensor_value_info(name, floats, shape) for name, (_, shape) in outputs.items()],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        helper.set_model_props(model, dict(metadata or {}))
        onnx.checker.check_model(model)
        onnx.save(model, path)
