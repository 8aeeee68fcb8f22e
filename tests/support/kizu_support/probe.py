"""A plugin whose handler does whatever a job's parameters ask for: sleep, crash, hang, lie. For tests of the worker.

Parameters: `ledger` (a file that gets a line `start JOB PID` and `end JOB PID`), `sleep_s`, `steps` (reports of
progress), `ignore_cancel`, and `do`: one of the names in `ACTIONS` below. `only_first`: `do` it only until the file
of that name exists, which it makes.
"""

from __future__ import annotations

from pathlib import Path

from kizu_support.fake_distribution import fake_distribution

PLUGIN = """
    from kizu_core.plugins.hookspecs import hookimpl
    from kizu_core.plugins.specs import JobHandlerSpec
    from kizu_core.types import JobTable

    def handler(name, **more):
        return JobHandlerSpec(
            name=name, summary="does as told", table=JobTable.AI, job_type=name, offers=(name,),
            **{"factory": "kizu_probe.handler:build", **more})

    @hookimpl
    def kizu_job_handlers():
        return [
            handler("probe"),
            handler("probe-quick", timeout_s=1),
            handler("probe-broken", factory="kizu_probe.handler:build_broken"),
            handler("probe-stillborn", factory="kizu_probe.handler:build_stillborn"),
        ]
"""

HANDLER = """
    import ctypes, os, signal, sys, time
    from pathlib import Path
    from kizu_core.errors import FetchFailed, UnreadablePicture
    from kizu_core.types import JobOutcome, OperationResult, ResultRow

    def segv(job, context):
        os.kill(os.getpid(), signal.SIGSEGV)

    def leave(job, context):
        os._exit(7)

    def hang(job, context):
        while True:
            time.sleep(1)

    def stuck(job, context):
        ctypes.PyDLL(None).sleep(600)  # holds the interpreter's lock, as native code may

    def garbage(job, context):
        os.write(int(sys.argv[1]), b"\\x00\\x00\\x00\\x05hello")
        time.sleep(60)

    def boast(job, context):
        send(dict(type="Progress", job_id=job.id, percent=10**12, step="x" * 100_000))

    def babble(job, context):
        send(dict(type="Failed", job_id=job.id, error={"code": ["a", "list"], "hint": 1.5}))
        time.sleep(60)

    def send(message):
        from kizu_core.worker.frames import encode
        os.write(int(sys.argv[1]), encode(message))

    def truncated(job, context):
        os.write(int(sys.argv[1]), b"\\x00\\x00\\x10\\x00some")
        os._exit(0)

    def stranger(job, context):
        from uuid import uuid4
        send(dict(type="Executing", job_ids=[uuid4()]))
        send(dict(type="Finished", job_id=uuid4(), outcome={}))
        send(dict(type="Ask", question=0, job_id=uuid4(), what="asset", arguments={"asset_id": uuid4()}))

    def unasked(job, context):
        send(dict(type="Configure", settings={}))
        time.sleep(60)

    def deep(job, context):
        value = {}
        for _ in range(900):
            value = {"a": value}
        finish(job, asset=value)

    def mood(job, context):
        send(dict(type="Failed", job_id=job.id, error={"retryable": "maybe"}))

    def undefined(job, context):
        finish(job, asset={"width": float("nan")})

    def huge(job, context):
        finish(job, asset={"width": 2**63})

    def column(job, context):
        finish(job, asset={"user_id; drop table assets": 1})

    def climb(job, context):
        file = context.workdir / "a.jpg"
        file.write_bytes(b"x")
        finish(job, files={f"{job.user_id}/../../a.jpg": file})

    def link(job, context):
        (context.workdir / "a.jpg").symlink_to("/etc/hostname")
        finish(job, files={f"{job.user_id}/a.jpg": context.workdir / "a.jpg"})

    def pipe(job, context):
        os.mkfifo(context.workdir / "a.jpg")
        finish(job, files={f"{job.user_id}/a.jpg": context.workdir / "a.jpg"})

    def steal(job, context):
        from uuid import uuid4
        row = dict(table="extracted_text", user_id=uuid4(), asset_id=uuid4(), values={})
        finish(job, rows=[row])

    def crowd(job, context):
        file = context.workdir / "a.jpg"
        file.write_bytes(b"x")
        finish(job, files={f"{job.user_id}/{number}.jpg": file for number in range(5_000)})

    def finish(job, **outcome):
        send(dict(type="Finished", job_id=job.id, outcome=outcome))

    def flood(job, context):
        os.write(int(sys.argv[1]), b"\\xff\\xff\\xff\\xff")
        time.sleep(60)

    def swell(job, context):
        held = []
        while True:
            held.append(bytearray(20_000_000))
            time.sleep(0.02)

    def starve(job, context):
        bytearray(2**60)

    def raises(job, context):
        raise ZeroDivisionError("of its own making")

    def leaves(job, context):
        sys.exit("goodbye")

    def refuse(job, context):
        raise UnreadablePicture("It is damaged.", hint="Look at it.")

    def again(job, context):
        raise FetchFailed("Not now.")

    def lie(job, context):
        return JobOutcome(rows=(ResultRow(table="profiles", user_id=job.user_id, asset_id=job.user_id, values={}),))

    def smuggle(job, context):
        return JobOutcome(files={f"{job.user_id}/processed/{job.user_id}/x.jpg": Path("/etc/hostname")})

    def ask(job, context):
        from uuid import UUID
        asset = context.library.asset(UUID(job.params["asset"]))
        return JobOutcome(result={"asset": dict(asset)})

    def view(job, context):
        from kizu_core.errors import KizuError
        seen = [photo.asset_id for photo in context.library.photos()]
        try:
            wrong = context.library._ask("users", {})
        except KizuError as error:
            wrong = type(error).__name__
        widths = [one["width"] for one in context.library.facts(seen).values()]
        return JobOutcome(result={"seen": {
            "photos": len(seen), "faces": len(context.library.faces().ids), "widths": widths, "wrong": wrong,
            "vectors": len(context.library.vectors(seen))}})

    def look(job, context):
        return JobOutcome(result={"environment": dict(os.environ), "session": os.getsid(0) == os.getpid()})

    ACTIONS = {f.__name__: f for f in (
        segv, leave, hang, stuck, garbage, flood, boast, babble, swell, starve,
        truncated, stranger, unasked, deep, mood, undefined, huge, column, climb, link, pipe, steal, crowd,
        raises, leaves, refuse, again, lie, smuggle, ask, view, look)}

    def note(job, what):
        if "ledger" in job.params:
            with open(job.params["ledger"], "a") as ledger:
                ledger.write(f"{what} {job.id} {os.getpid()}\\n")

    class Handler:
        def run(self, jobs, contexts):
            for job, context in zip(jobs, contexts):
                if job.params.get("do") == "end":
                    return
                yield self.one(job, context)

        def one(self, job, context):
            note(job, "start")
            self.sleep(job, context)
            outcome = None
            if "do" in job.params and self.is_due(job):
                outcome = ACTIONS[job.params["do"]](job, context)
            note(job, "end")
            done = OperationResult(operation=job.job_type, plugin="probe", version="1", seconds=0.5, found=2)
            return outcome or JobOutcome(operations=(done,), result={"pid": os.getpid()})

        def is_due(self, job):
            marker = job.params.get("only_first")
            if marker is None:
                return True
            if os.path.exists(marker):
                return False
            open(marker, "w").close()
            return True

        def sleep(self, job, context):
            steps = job.params.get("steps", 1)
            for step in range(steps):
                context.progress(100 * (step + 1) // steps, f"step {step}")
                until = time.monotonic() + job.params.get("sleep_s", 0) / steps
                while time.monotonic() < until:
                    if context.cancelled() and not job.params.get("ignore_cancel"):
                        raise RuntimeError("stopped as asked")
                    time.sleep(0.01)

    def build(settings):
        return Handler()

    def build_stillborn(settings):
        segv(None, None)

    def build_broken(settings):
        raise ImportError("a library is not there")
"""


def install_probe(folder: Path) -> Path:
    """Installs the plugin's distribution into `folder`; put it on `sys.path` and into `PYTHONPATH`."""
    fake_distribution(
        folder,
        "kizu-probe",
        modules={"kizu_probe.plugin": PLUGIN, "kizu_probe.handler": HANDLER},
        entry_points={"probe": "kizu_probe.plugin"},
    )
    return folder
