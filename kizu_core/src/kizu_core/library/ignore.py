"""Which files of a folder are photos, and which names Kizu passes over and why.

Only names are looked at here: a folder of 100,000 files must be walked in seconds. What a file really is
is found out when it is read.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import Final, Literal

Kind = Literal["image", "video", "raw"]

HIDDEN: Final = "hidden"
APPLE_DOUBLE: Final = "macOS side files (._*)"
RECYCLE_BIN: Final = "recycle bins"
NAS: Final = "thumbnails and indexes of a NAS"
OTHER_APPS: Final = "caches of other photo programs"
PROGRAMS: Final = "program folders"
PACKAGES: Final = "insides of photo library packages (only originals are read)"
NOT_REGULAR: Final = "no regular files"
OWN: Final = "Kizu's own files"
LINKED_TWICE: Final = "links to folders that are read anyway"

_FOLDERS: Final = (
    ("@eadir", NAS),
    ("@tmp", NAS),
    ("#snapshot", NAS),
    ("@recently-snapshot", NAS),
    ("#recycle", RECYCLE_BIN),
    ("@recycle", RECYCLE_BIN),
    ("$recycle.bin", RECYCLE_BIN),
    ("lost+found", RECYCLE_BIN),
    ("system volume information", NAS),
    ("*.lrdata", OTHER_APPS),
    ("*.lrcat-data", OTHER_APPS),
    ("captureone", OTHER_APPS),
    ("appdata_*", OTHER_APPS),
    ("node_modules", PROGRAMS),
    ("__pycache__", PROGRAMS),
    ("site-packages", PROGRAMS),
)
_FILES: Final = (
    ("thumbs.db", OTHER_APPS),
    ("ehthumbs*.db", OTHER_APPS),
    ("desktop.ini", OTHER_APPS),
    ("zbthumbnail.info", OTHER_APPS),
    ("pspbrwse.jbf", OTHER_APPS),
)
_PACKAGES: Final = (".photoslibrary", ".photolibrary", ".migratedphotolibrary", ".aplibrary")
_PACKAGE_ORIGINALS: Final = ("originals", "masters")

_IMAGES: Final = "jpg jpeg jpe jfif mpo heic heif hif avif webp png apng gif tif tiff bmp dib"
_RAW: Final = (
    "3fr arw cr2 cr3 crw dcr dng erf fff iiq k25 kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f"
)
_VIDEOS: Final = "mp4 m4v mov qt avi mkv webm 3gp 3g2 mts m2ts mpg mpeg wmv flv ogv"

KINDS: Final[dict[str, Kind]] = {
    **dict.fromkeys(_IMAGES.split(), "image"),
    **dict.fromkeys(_RAW.split(), "raw"),
    **dict.fromkeys(_VIDEOS.split(), "video"),
}
"""Lower-case extension without the dot -> what such a file should be."""

_TYPES: Final = {
    "JPEG": "jpg jpeg jpe jfif mpo",
    "HEIC": "heic heif hif",
    "PNG": "png apng",
    "TIFF": "tif tiff",
    "BMP": "bmp dib",
    "RAW": _RAW,
    "video": _VIDEOS,
}
_TYPE_OF: Final = {ending: name for name, endings in _TYPES.items() for ending in endings.split()}


def type_name(name: str) -> str:
    """What people call the type of a photo or video with that name: JPEG, HEIC, RAW, video, ..."""
    ending = extension(name)
    return _TYPE_OF.get(ending, ending.upper())


def extension(name: str) -> str:
    """`IMG_1.JPG` -> `jpg`; empty without one."""
    return os.path.splitext(name)[1][1:].lower()  # noqa: PTH122 (much faster than a Path, for each file of a disk)


def is_package(name: str) -> bool:
    """Whether a folder is a photo library that an Apple program keeps for itself."""
    return name.lower().endswith(_PACKAGES)


def folder_rule(name: str, *, inside_package: bool = False) -> str | None:
    """Why a folder is passed over, or None if it is read."""
    if inside_package:
        return None if name.lower() in _PACKAGE_ORIGINALS else PACKAGES
    return _rule(name, _FOLDERS)


def file_rule(name: str, *, inside_package: bool = False) -> str | None:
    """Why a file is passed over whatever its type, or None."""
    return PACKAGES if inside_package else _rule(name, _FILES)


def _rule(name: str, table: tuple[tuple[str, str], ...]) -> str | None:
    if name.startswith("._"):
        return APPLE_DOUBLE
    if name.startswith("."):
        return HIDDEN
    lower = name.lower()
    return next((rule for pattern, rule in table if fnmatchcase(lower, pattern)), None)
