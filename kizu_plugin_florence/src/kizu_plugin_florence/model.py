"""Florence-2 behind Kizu's `Vlm`, by transformers' own class. Code that a checkpoint brings is never run."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import transformers
from PIL import Image

from kizu_core import Caption, ModelContext, ModelUnavailable, Picture, Runtime
from kizu_plugin_florence.checkpoint import NETWORK, check_checkpoint
from kizu_plugin_florence.vision import SESSIONS, put_session

TASKS: Mapping[str, tuple[str, int]] = {
    "caption": ("<CAPTION>", 48),
    "detailed": ("<DETAILED_CAPTION>", 128),
    "more_detailed": ("<MORE_DETAILED_CAPTION>", 256),
}
"""Kizu's name of a task -> Florence's, and how many tokens its answer may have."""

_WORDLESS = "a photo"
"""What is true of every picture, for one that the model has no word for: an empty caption would be no caption."""

_TYPES: Mapping[Runtime | None, torch.dtype] = {
    Runtime.TORCH_CUDA_FP16: torch.float16,
    Runtime.TORCH_BF16: torch.bfloat16,
    Runtime.OPENVINO_BF16: torch.bfloat16,
}
"""In what the words are computed; else float32."""


class FlorenceModel:
    """Describes one picture at a time: on a CPU, batches gain nothing and cost memory.

    `seeing`: the type in which the network wants its pixels.
    """

    def __init__(self, network: Any, processor: Any, seeing: torch.dtype) -> None:
        self._network = network
        self._processor = processor
        self._seeing = seeing

    def describe(self, pictures: Sequence[Picture], *, task: str | None = None) -> Sequence[Caption]:
        """One caption for each picture. Raises `ValueError` for a task that is none of `TASKS`."""
        name = next(iter(TASKS)) if task is None else task
        if name not in TASKS:
            raise ValueError(f"{name!r} is none of {', '.join(TASKS)}")
        return [Caption(text=self._describe(picture, *TASKS[name]), task=name) for picture in pictures]

    def close(self) -> None:
        self._network = None

    def _describe(self, picture: Picture, prompt: str, tokens: int) -> str:
        if self._network is None:
            raise RuntimeError("describe was called after close")
        # An array would be taken for channels first if it is three pixels high; a PIL image is what it is.
        inputs = self._processor(text=[prompt], images=[Image.fromarray(picture.pixels)], return_tensors="pt")
        inputs = inputs.to(self._network.device, self._seeing)
        with torch.inference_mode():
            # Greedy: beams take longer and may differ between precisions where the best word is clear.
            found = self._network.generate(**inputs, max_new_tokens=tokens, num_beams=1, do_sample=False)
        (text,) = self._processor.batch_decode(found, skip_special_tokens=True)
        return " ".join(text.split()) or _WORDLESS


def build(context: ModelContext) -> FlorenceModel:
    """The factory named by the spec. Raises `ModelUnavailable`, in one sentence, if the checkpoint can't be used."""
    torch.set_num_threads(context.threads)
    transformers.logging.set_verbosity_error()
    network, processor = load_network(context), load_processor(context)
    precision = _TYPES.get(context.runtime, torch.float32)
    seeing = precision
    if context.runtime in SESSIONS and context.converted is not None:
        put_session(network, context.converted, context.runtime, context.threads)
        seeing = torch.float32
    network = network.to(precision)
    if context.runtime is Runtime.TORCH_CUDA_FP16:
        network = network.to("cuda")
    if context.runtime is Runtime.TORCH_INT8:
        network = _in_int8(network)
    return FlorenceModel(network, processor, seeing)


def load_network(context: ModelContext) -> Any:
    """The network in float32, every number of it from the checkpoint."""
    folder = context.weights[NETWORK].parent
    check_checkpoint(folder)
    try:
        network, report = transformers.Florence2ForConditionalGeneration.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except Exception as error:  # transformers, tokenizers and safetensors have no class of errors in common
        raise _damaged(context, error) from error
    # transformers fills what a file lacks with random numbers, and says so in its log only.
    if lacking := sorted([*report["missing_keys"], *(str(one[0]) for one in report["mismatched_keys"])]):
        raise ModelUnavailable(
            f"{context.weights[NETWORK]} is not the network that config.json beside it describes: {lacking[0]} and "
            f"{len(lacking) - 1} more of its tensors are missing or of another shape.",
            hint="Get the whole checkpoint again.",
        )
    return network.eval()


def load_processor(context: ModelContext) -> Any:
    """What makes tensors of pictures and words of tokens."""
    try:
        return transformers.Florence2Processor.from_pretrained(
            context.weights[NETWORK].parent, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:
        raise _damaged(context, error) from error


def _damaged(context: ModelContext, error: Exception) -> ModelUnavailable:
    reason = str(error).strip().partition("\n")[0][:200]
    return ModelUnavailable(
        f"The checkpoint in {context.weights[NETWORK].parent} is damaged: {type(error).__name__}: {reason}",
        hint="Get it again.",
    )


def _in_int8(network: Any) -> Any:
    """Matrix products with int8 weights, scaled as they come; only on a CPU."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch means to move this elsewhere
        return torch.ao.quantization.quantize_dynamic(network, {torch.nn.Linear}, dtype=torch.qint8)
