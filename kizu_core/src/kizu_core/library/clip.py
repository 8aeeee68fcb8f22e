"""Cut small pictures out of files, one after the other, in a process of its own (see `reader`).

python -P -m kizu_core.library.clip
"""

from __future__ import annotations

import base64
from pathlib import Path

from kizu_core.errors import KizuError, PictureTooLarge, UnreadablePicture
from kizu_core.library.answers import Answer, error_entry
from kizu_core.library.reader import Request, serve
from kizu_core.media.clip import clip
from kizu_core.types import Box


def clip_file(request: Request) -> Answer:
    """`{jpeg}` as base64 for `{path, side, box}`, or `{error}`. Never raises for a bad file."""
    try:
        box = Box(*request["box"]) if request["box"] else None
        return {"jpeg": base64.b64encode(clip(Path(request["path"]), request["side"], box)).decode("ascii")}
    except KizuError as error:
        return {"error": error_entry(error)}
    except MemoryError:
        return {"error": error_entry(PictureTooLarge("It needs more memory than there is."))}
    except Exception as error:  # noqa: BLE001 (a decoder's own bug costs this picture only)
        return {"error": error_entry(UnreadablePicture(f"It can't be decoded ({type(error).__name__})."))}


if __name__ == "__main__":
    serve(clip_file)
