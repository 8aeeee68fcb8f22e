"""psql on Kizu's database."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from kizu_core.database.embedded import Embedded
from kizu_core.database.programs import binaries
from kizu_core.settings import Settings


def run_psql(settings: Settings, arguments: Sequence[str]) -> int:
    """Run the embedded package's psql in the foreground, on the embedded server as the owner of the schema.

    Kizu stays behind it as a user of that server. Returns psql's exit status.
    """
    with ExitStack() as stack:
        if settings.database_url is not None:
            address = settings.database_url.get_secret_value()
        else:
            address = stack.enter_context(Embedded(settings.paths)).urls().owner
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is psql's: it cancels the query
        stack.callback(signal.signal, signal.SIGINT, before)
        return _psql(address, arguments)


def _psql(address: str, arguments: Sequence[str]) -> int:
    """The password goes by the environment: everybody can read a command line."""
    place = conninfo_to_dict(address)
    password = place.pop("password", None)
    environment = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    command = [str(binaries() / "psql"), "-d", make_conninfo("", **place), *arguments]
    return subprocess.run(command, env=environment, check=False).returncode
