"""Under which user the programs of the embedded server run.

PostgreSQL refuses to run as root, and `initdb` refuses a user id that has no name. The owner of the data folder
decides: an ordinary owner runs the server; where that is root (or nameless), a user namespace in which the same
user has another number does, so that nothing has to change its owner.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kizu_core.errors import DatabaseError

SYSTEM_USER = "kizu"
NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Account:
    """`prefix` goes before every command line; `uid` and `gid` are set when the process has to change its user."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def popen_options(self) -> dict[str, Any]:
        """Keyword arguments of `subprocess` that change the user."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Make a file that this process wrote belong to the server's user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def account_for(home: Path, database: Path) -> Account:
    """The account for the data folder `home`; creates `home`, readable by its owner only.

    Raises `DatabaseError` when the folder is somebody else's, or when nobody is left to run as.
    """
    uid = os.geteuid()
    if not home.exists():
        _create_home(home)
    owner = (database if database.exists() else home).stat()
    if uid not in (0, owner.st_uid):
        raise DatabaseError(
            f"The data folder {home} belongs to another user.",
            hint="Choose a folder of your own with --data or KIZU_HOME.",
        )
    account = Account() if uid == owner.st_uid else Account(uid=owner.st_uid, gid=owner.st_gid)
    return account if owner.st_uid != 0 and _has_name(owner.st_uid) else _mapped(account, owner.st_uid)


def _create_home(home: Path) -> None:
    home.mkdir(parents=True, mode=0o700)
    user = next((one for one in pwd.getpwall() if one.pw_name == SYSTEM_USER), None)
    if os.geteuid() == 0 and user is not None and _can_enter(user, home.parent):
        os.chown(home, user.pw_uid, user.pw_gid)


def _can_enter(user: pwd.struct_passwd, folder: Path) -> bool:
    test = ["test", "-x", str(folder)]
    return subprocess.run(test, user=user.pw_uid, group=user.pw_gid, extra_groups=[], check=False).returncode == 0


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _mapped(account: Account, uid: int) -> Account:
    """The same user under the number of a named ordinary user, in a user namespace of its own."""
    others = sorted(one.pw_uid for one in pwd.getpwall() if one.pw_uid != 0)
    number = NOBODY if NOBODY in others or not others else others[0]
    prefix = (shutil.which("unshare") or "unshare", "-U", f"--map-user={number}", f"--map-group={number}", "--")
    try:
        test = subprocess.run([*prefix, "true"], capture_output=True, check=False, cwd="/", **account.popen_options())
        works = test.returncode == 0
    except FileNotFoundError:
        works = False
    if works:
        return replace(account, prefix=prefix)
    who = "as root" if uid == 0 else f"as user number {uid}, which has no name here"
    raise DatabaseError(
        f"PostgreSQL does not run {who}, and this system does not allow user namespaces.",
        hint="Run Kizu as an ordinary user, or give its data folder to one: "
        f"`useradd --system {SYSTEM_USER} && install -d -m 700 -o {SYSTEM_USER} /var/lib/kizu`, "
        "then KIZU_HOME=/var/lib/kizu.",
    )
