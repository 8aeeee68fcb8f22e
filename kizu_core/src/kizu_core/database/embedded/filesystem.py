"""Where a database can live: file systems, the folder of its socket, and plain sentences for what goes wrong."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kizu_core.database.embedded.account import Account
from kizu_core.errors import DatabaseError, DiskFull, KizuError

# Network file systems answer late, lie about fsync and share no locks; FAT keeps no permissions.
UNFIT = {
    "nfs": "a network file system",
    "nfs4": "a network file system",
    "cifs": "a network share",
    "smb3": "a network share",
    "smbfs": "a network share",
    "afpfs": "a network share",
    "webdav": "a network share",
    "davfs": "a network share",
    "fuse.sshfs": "a network file system",
    "fuse.rclone": "a network file system",
    "vfat": "a FAT file system",
    "msdos": "a FAT file system",
    "exfat": "a FAT file system",
    "fuse.exfat": "a FAT file system",
}
LONGEST_SOCKET_FOLDER = 80  # bytes; the whole address of a socket fits in 104 on every system
_ESCAPED = re.compile(r"\\([0-7]{3})")


def refuse_unfit(folder: Path) -> None:
    """Raise `DatabaseError` when `folder` lies on a file system that can't hold a database."""
    kind = UNFIT.get(filesystem_of(folder))
    if kind is not None:
        raise DatabaseError(
            f"The data folder {folder} is on {kind}, where a database would lose data.",
            hint="Choose a folder on a local disk with --data or KIZU_HOME; the photos may stay where they are.",
        )


def filesystem_of(path: Path) -> str:
    """Type of the file system under `path`, as the mount table names it; empty when unknown."""
    resolved = path.resolve()
    # The last mount wins where several have the same place.
    best = max(_mounts(), key=lambda one: len(one[0].parts) if resolved.is_relative_to(one[0]) else -1, default=None)
    return best[1] if best is not None and resolved.is_relative_to(best[0]) else ""


def _mounts() -> list[tuple[Path, str]]:
    table = Path("/proc/self/mounts")
    if table.exists():
        rows = [line.split(" ") for line in table.read_text(errors="surrogateescape").splitlines()]
        return [(Path(_ESCAPED.sub(lambda code: chr(int(code[1], 8)), row[1])), row[2]) for row in reversed(rows)]
    lines = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False).stdout.splitlines()
    found = (re.fullmatch(r".* on (/.*) \((\w+).*\)", line) for line in lines)
    return [(Path(one[1]), one[2]) for one in found if one]


def socket_folder_for(run: Path) -> Path:
    """The folder for the server's socket: `run`, or a short private one when its path can't be an address.

    The short one is below the system's folder for temporary files, which stays when its user logs out.
    """
    text = str(run)
    if len(os.fsencode(text)) <= LONGEST_SOCKET_FOLDER and text.isprintable() and "," not in text:
        return run
    name = hashlib.sha256(os.fsencode(text)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"kizu-{os.geteuid()}-{name}"


def make_private(folder: Path, account: Account) -> None:
    """Create `folder` for the server's user only. One that is there already must be its own, and no link."""
    owner = os.geteuid() if account.uid is None else account.uid
    try:
        folder.mkdir(mode=0o700, parents=True)
        account.give(folder)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner:
            raise DatabaseError(
                f"{folder} is not a folder of the data folder's owner, so Kizu does not put its socket there.",
                hint="Remove it, or choose a data folder with a shorter path.",
            ) from None
        if found.st_mode & 0o077:
            folder.chmod(0o700)


def make_durable(folder: Path) -> None:
    """Let what was just renamed in a folder be so after a power cut, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def plain_sentences(home: Path) -> Iterator[None]:
    """Turns what the system says about files of the data folder into Kizu's errors."""
    try:
        yield
    except OSError as error:
        raise explained(error, home) from error


def explained(error: OSError, home: Path) -> KizuError:
    """The Kizu error for an error of the system below `home`."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(home)
    where = error.filename or home
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return DatabaseError(
            f"Kizu can't write in its data folder: {where}.",
            hint="Change its permissions, or choose another folder with --data or KIZU_HOME.",
        )
    return DatabaseError(f"The data folder can't be used: {where}: {error.strerror or error}.")


def disk_full(home: Path) -> DiskFull:
    """The error for a full disk under the data folder."""
    return DiskFull(
        f"No space is left on the disk of the data folder {home}.",
        hint="Free some space, or choose a folder on another disk with --data or KIZU_HOME.",
    )
