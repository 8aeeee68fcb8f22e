"""The audit hook, each time in a process of its own: it can't be removed again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from kizu_support.leaks import Listener, install_leaks

GUARDED = """
import json, socket, subprocess, sys
from kizu_core.errors import EgressRefused
from kizu_core.privacy import guard

guard.install(sys.argv[1], ["allowed.example:443"])

def outcome(work):
    try:
        work()
    except EgressRefused as error:
        return "refused"
    except Exception as error:
        return type(error).__name__
    return "done"

PORT = int(sys.argv[2])
"""


def run(code: str, role: str = "parent", port: int = 0, path: Path | None = None) -> Any:
    """What `code` prints as JSON in a guarded process."""
    command = [sys.executable, "-c", GUARDED + code, role, str(port)]
    environment = {"PYTHONPATH": str(path)} if path else {}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "work",
    [
        "socket.create_connection(('127.0.0.1', PORT), 3)",
        "socket.socket().connect(('127.0.0.1', PORT))",
        "socket.socket().connect_ex(('127.0.0.1', PORT))",
        "socket.socket(socket.AF_INET6).connect(('::1', PORT))",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))",
        "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('127.0.0.1', PORT))",
        "socket.socket(socket.AF_UNIX).connect('/run/somebody.sock')",
        "socket.socket(socket.AF_UNIX).connect('\\\\0abstract')",
        "socket.getaddrinfo('other.example', 443)",
        "socket.gethostbyname('other.example')",
        "socket.gethostbyname_ex('other.example')",
        "socket.gethostbyaddr('127.0.0.1')",
        "socket.getnameinfo(('127.0.0.1', PORT), 0)",
    ],
)
def test_every_way_to_an_address_is_refused(work: str) -> None:
    with Listener() as listener:
        said = run(f"print(json.dumps([outcome(lambda: {work}), len(guard.refusals())]))", port=listener.port)
        assert said == ["refused", 1]
        assert listener.hits() == 0


def test_what_leads_nowhere_else_is_not(tmp_path: Path) -> None:
    code = """
        a, b = socket.socketpair()
        a.sendmsg([b"x"]); b.recv(1)
        server = socket.create_server(("127.0.0.1", 0))
        socket.getaddrinfo(None, 0)
        print(json.dumps(guard.refusals()))
    """
    assert run(dedent(code), "child") == []


def test_a_permitted_place_is_open_to_its_thread_while_it_is_permitted() -> None:
    code = """
        import threading
        here = guard.place("127.0.0.1", PORT)
        def reach():
            socket.create_connection(("127.0.0.1", PORT), 3).close()
        said = []
        with guard.permit(here):
            said.append(outcome(reach))
            other = threading.Thread(target=lambda: said.append(outcome(reach)))
            other.start(); other.join()
        said.append(outcome(reach))
        print(json.dumps(said))
    """
    with Listener() as listener:
        assert run(dedent(code), port=listener.port) == ["done", "refused", "refused"]
        assert listener.hits() == 1


def test_the_one_http_client_reaches_what_its_policy_allows_and_others_do_not() -> None:
    code = """
        import httpx, threading
        from http.server import BaseHTTPRequestHandler, HTTPServer
        from kizu_core.privacy.http import Policy, open_client

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(204); self.end_headers()
            def log_message(self, *arguments):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://localhost:{server.server_port}/"
        with open_client(Policy([url]), total_s=20) as client:
            said = [client.get(url).status_code]
        said.append(outcome(lambda: httpx.get(url, trust_env=False)))
        print(json.dumps([*said, url[7:-1] in [one.target for one in guard.refusals()]]))
    """
    status, other, named = run(dedent(code))
    assert (status, other, named) == (204, "ConnectError", True)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me@localhost:1/photos",
        "postgresql://me@localhost:1,localhost:2/photos",
        "host=localhost port=1 dbname=photos",
        "postgresql://me@[::1]:1/photos",
    ],
)
def test_the_database_may_have_a_name(address: str) -> None:
    code = f"""
        from kizu_core.database.direct import connect
        print(json.dumps([outcome(lambda: connect({address!r})), len(guard.refusals())]))
    """
    assert run(dedent(code)) == ["DatabaseUnavailable", 0]


def test_programs_are_started_by_core_alone_and_in_the_child_by_nobody(tmp_path: Path) -> None:
    plugins = install_leaks(tmp_path, 9)
    code = """
        from kizu_core.database.embedded.account import Account
        from kizu_core.database.embedded.programs import Programs
        from kizu_leaky import ways
        print(json.dumps([outcome(ways.curl), outcome(lambda: Programs(Account()).run("postgres", "--version")),
                          [(one.caller, one.action, one.target) for one in guard.refusals()]]))
    """
    by_plugin, by_core, refused = run(dedent(code), "parent", path=plugins)
    assert by_plugin == "refused"
    assert by_core == "done"
    assert refused == [["kizu-leaky", "start", "the program curl"]]
    assert run(dedent(code), "child", path=plugins)[1] == "refused"


@pytest.mark.parametrize(
    "work", ["os.system('true')", "os.execv('/bin/true', ['true'])", "os.posix_spawn('/bin/true', ['true'], {})"]
)
def test_every_way_to_a_program_is_refused_in_the_child(work: str) -> None:
    assert run(f"import os; print(json.dumps(outcome(lambda: {work})))", "child") == "refused"


def test_a_library_that_asks_the_system_about_itself_goes_on_without() -> None:
    code = """
        import ctypes.util, platform, uuid
        said = [outcome(lambda: ctypes.util.find_library("kizu")), outcome(platform.processor), outcome(uuid.getnode)]
        print(json.dumps(said))
    """
    assert run(dedent(code), "child") == ["done", "done", "done"]


def test_a_thousand_addresses_do_not_fill_the_memory() -> None:
    code = """
        for port in range(1, 1001):
            outcome(lambda: socket.socket().connect(("127.0.0.1", port)))
        refused = guard.refusals()
        print(json.dumps([len(refused), sum(one.count for one in refused), len(guard.news()), guard.news()]))
    """
    assert run(dedent(code), "child") == [101, 1000, 101, []]


def test_odd_names_can_be_shown_and_sent() -> None:
    code = """
        odd = b"\\0\\xff\\x1b[31m" + b"x" * 90
        said = outcome(lambda: socket.socket(socket.AF_UNIX).connect(odd))
        [one] = guard.refusals()
        from kizu_core.worker.frames import encode
        from kizu_core.worker.messages import Refusals, to_wire
        encode(to_wire(Refusals(refusals=(one,))))
        print(json.dumps([said, one.target[:8]]))
    """
    assert run(dedent(code), "child") == ["refused", "???[31mx"]


def test_the_sentence_names_who_what_and_how_often() -> None:
    from kizu_core.privacy.guard import Refusal

    by_library = Refusal("kizu-leaky", "urllib3", "reach", "example.org:443", 2)
    assert by_library.sentence == "kizu-leaky (through urllib3) tried to reach example.org:443; refused 2 times."
    alone = Refusal("kizu-leaky", "kizu-leaky", "look up", "example.org", 1)
    assert alone.sentence == "kizu-leaky tried to look up example.org; refused once."
