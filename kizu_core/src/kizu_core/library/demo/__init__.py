"""The small library that `kizu demo` draws: scenes with words to read, capture times and places of several years."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from PIL import Image

from kizu_core.library.demo import indoors, outdoors
from kizu_core.library.demo.canvas import Canvas
from kizu_core.library.demo.exif import exif_of


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture of the demo library. `place`: latitude and longitude; `turned`: stored on its side, as phones do."""

    path: str
    draw: Callable[[], Canvas]
    taken: datetime
    place: tuple[float, float] | None
    turned: bool = False


def _at(local: str, hours: float) -> datetime:
    """Local time at a place that many hours east of Greenwich."""
    return datetime.fromisoformat(local).replace(tzinfo=timezone(timedelta(hours=hours)))


SCENES = (
    Scene("2016/route-66.jpg", outdoors.desert_road, _at("2016-10-02 18:41:12", -6), (35.4870, -105.6690)),
    Scene("2017/ticket.jpg", indoors.ticket, _at("2017-04-22 11:05:48", -4), (40.7614, -73.9776)),
    Scene("2018/departures.jpg", indoors.station, _at("2018-07-14 10:08:03", 2), (48.5850, 7.7345)),
    Scene("2018/jazz-night.heic", indoors.concert, _at("2018-11-09 20:32:30", 1), (52.5069, 13.3247)),
    Scene("2019/old-town.jpg", indoors.street, _at("2019-05-11 09:17:26", 2), (47.9959, 7.8522)),
    Scene("2019/aurora.jpg", outdoors.northern_lights, _at("2019-12-28 22:54:09", 1), (69.6492, 18.9553)),
    Scene("2020/summit.jpg", outdoors.mountain, _at("2020-09-05 13:22:51", 2), (46.0207, 7.7491)),
    Scene("2021/snowman.jpg", outdoors.snow, _at("2021-01-17 15:40:00", 1), (47.8742, 8.0047)),
    Scene("2021/birthday.jpg", indoors.birthday, _at("2021-03-14 16:03:37", 1), (47.9990, 7.8421)),
    Scene("2022/beach.jpg", outdoors.beach, _at("2022-08-03 11:30:15", 12), (-17.7760, 177.4356)),
    Scene("2022/receipt.png", indoors.receipt, _at("2022-11-26 17:48:20", 1), None),
    Scene("2023/cafe.jpg", indoors.cafe, _at("2023-04-30 10:21:44", 2), (48.8530, 2.3499)),
    Scene("2023/harbour.jpg", outdoors.harbour, _at("2023-06-18 19:02:58", 1), (38.6916, -9.2160)),
    Scene("2024/balloon.jpg", outdoors.balloon, _at("2024-05-25 07:14:33", 3), (38.6431, 34.8289), turned=True),
    Scene("2024/lighthouse.jpg", outdoors.lighthouse, _at("2024-08-11 20:45:05", -4), (44.3925, -68.2040)),
)


def draw_demo(folder: Path) -> list[Path]:
    """Draw the pictures that are not in `folder` yet; all of them, oldest first.

    The same version of Pillow gives the same bytes. Raises `OSError` where the folder can't be written.
    """
    paths = []
    for scene in SCENES:
        path = folder / scene.path
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _save(scene, path)
        paths.append(path)
    return paths


def _save(scene: Scene, path: Path) -> None:
    """Under another name first, so that an interrupted run leaves no half picture behind."""
    picture = scene.draw().finished()
    if scene.turned:
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    exif = exif_of(scene.taken, scene.place, orientation=6 if scene.turned else 1)
    unfinished = path.with_name(f".{path.name}.part")
    if path.suffix == ".heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
        picture.save(unfinished, "HEIF", quality=75, enc_params={"preset": "ultrafast"}, exif=exif)
    else:
        picture.save(unfinished, "PNG" if path.suffix == ".png" else "JPEG", quality=90, exif=exif)
    os.utime(unfinished, (scene.taken.timestamp(),) * 2)
    unfinished.replace(path)
