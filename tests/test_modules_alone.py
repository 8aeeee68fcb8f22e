"""Every module imports alone, in a fresh process, with warnings as errors."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kizu_support.distributions import Distribution, distributions

# A forked child per module: each starts without what the one before it had imported, and no interpreter is
# started anew. `__main__` modules run on import, so they are left to the tests of what they do.
PROBE = """
import importlib, os, sys, traceback
failed = []
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            importlib.import_module(name)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        failed.append(name)
sys.exit(" ".join(failed) or 0)
"""


@pytest.mark.parametrize("distribution", [one for one in distributions() if one.installed], ids=str)
def test_every_module_imports_alone(distribution: Distribution) -> None:
    names = [name for name in distribution.modules() if not name.endswith("__main__")]
    command = [sys.executable, "-W", "error", "-c", PROBE, *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
