"""psql on Kizu's database."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack

from kizu_core.database.client import client
from kizu_core.database.embedded.launcher import Embedded
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
        command, environment = client("psql", address, *arguments)
        return subprocess.run(command, env=environment, check=False).returncode
