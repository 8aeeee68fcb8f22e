"""What an attack did to the jobs, from their rows and the ledger that they left."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from kizu_support.attack_force import Death, Force

CHILD_WANTED_S = 2.0
PARENT_WANTED_S = 75.0

# A job whose process was killed three times under it is dead as promised (DESIGN: poison), and neither lost nor done.
COUNTS = """
with job as (
  select id, status, outcome, attempt, (input_params ->> 'effects')::int as wanted,
    (select count(*) from jsonb_array_elements(errors) e where e ->> 'code' = 'child_crashed') as crashes
  from ai_processing_jobs where job_type = 'selftest'
), trace as (
  select job_id, count(*) filter (where phase = 'effect') as effects,
    count(*) filter (where phase = 'finish') as finishes,
    count(distinct lease_token) filter (where phase <> 'start') as writers
  from kizu_selftest_ledger group by job_id
)
select count(*) as jobs,
  count(*) filter (where status = 'completed' and outcome = 'ok') as done,
  count(*) filter (where outcome = 'dead' and crashes >= 3) as poisoned,
  count(*) filter (where t.finishes > 1 or t.writers > 1) as doubled,
  count(*) filter (where coalesce(t.effects, 0) <> case outcome when 'ok' then wanted else 0 end) as wrong_effects,
  max(attempt) as attempts
from job left join trace t on t.job_id = job.id
"""

# Somebody else began the job between a holder's start and its finish.
OVERLAPS = """
select count(distinct a.job_id) as overlapping
from kizu_selftest_ledger a
join kizu_selftest_ledger f on f.job_id = a.job_id and f.lease_token = a.lease_token and f.phase = 'finish'
join kizu_selftest_ledger b on b.job_id = a.job_id and b.lease_token <> a.lease_token and b.phase = 'start'
where a.phase = 'start' and b.at between a.at and f.at
"""

# When a job ran again that lost its holder. Not where its next holder died as well before it came to it.
RERUNS = """
with loss as (
  select j.id, e ->> 'code' as code, e ->> 'message' as message, e ->> 'worker' as worker,
    (e ->> 'at')::timestamptz as noticed,
    lead((e ->> 'at')::timestamptz, 1, 'infinity') over (partition by j.id order by n) as next_loss
  from ai_processing_jobs j cross join jsonb_array_elements(j.errors) with ordinality as x (e, n)
), again as (
  select loss.*, (select min(l.at) from kizu_selftest_ledger l
    where l.job_id = loss.id and l.phase = 'start' and l.at > loss.noticed) as began from loss
)
select code, worker, noticed, began from again where began < next_loss
  and (code = 'lease_expired' or code = 'child_crashed' and message like '%SIGKILL%')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`child_s`, `parent_s`: seconds from each death to the next start of a job that died with it. `unasked`: leases
    that ended although their worker lived. `surprises`: workers that ended though nobody killed them.
    """

    seed: int
    seconds: float
    faults: dict[str, int]
    jobs: int
    done: int
    poisoned: int
    doubled: int
    wrong_effects: int
    overlapping: int
    attempts: int
    unasked: int
    surprises: list[str]
    child_s: list[float] = field(default_factory=list)
    parent_s: list[float] = field(default_factory=list)

    @property
    def lost(self) -> int:
        return self.jobs - self.done - self.poisoned

    @property
    def sound(self) -> bool:
        """Every job done once, by one holder at a time, by workers that go on."""
        return not (self.lost or self.doubled or self.wrong_effects or self.overlapping or self.surprises)

    @property
    def prompt(self) -> bool:
        """The dead were noticed in time. Not judged where the database was away: nobody could notice then."""
        late = max(self.child_s, default=0) > CHILD_WANTED_S or max(self.parent_s, default=0) > PARENT_WANTED_S
        return "server" in self.faults or not late

    @property
    def passed(self) -> bool:
        return self.sound and self.prompt

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        judged = {"lost": self.lost, "sound": self.sound, "prompt": self.prompt, "passed": self.passed}
        return asdict(self) | judged | {"child_s": _spread(self.child_s), "parent_s": _spread(self.parent_s)}

    def lines(self) -> list[str]:
        """For a person."""
        return [
            f"{'PASSED' if self.passed else 'FAILED'} with seed {self.seed} after {self.seconds:.0f} s",
            f"faults: {self.faults}",
            f"jobs: {self.jobs}, done: {self.done}, dead after three crashes: {self.poisoned}, tries: {self.attempts}",
            f"lost {self.lost}, doubled {self.doubled}, overlapping {self.overlapping}, effects {self.wrong_effects}",
            f"again after the death of a child (wanted {CHILD_WANTED_S:.0f} s): {_spread(self.child_s)}",
            f"again after the death of a parent (wanted {PARENT_WANTED_S:.0f} s): {_spread(self.parent_s)}",
            f"leases of the living that ended: {self.unasked}; workers that ended by themselves: {self.surprises}",
        ]


def examine(url: str, force: Force, seed: int, seconds: float) -> Report:
    """Reads rows and ledger as a worker may."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        connection.execute("set role service_role")
        counts = connection.execute(COUNTS).fetchone() or {}
        overlaps = connection.execute(OVERLAPS).fetchone() or {}
        reruns = connection.execute(RERUNS).fetchall()
    parents = {death.worker: death for death in force.deaths if death.kind == "parent"}
    expired = [row for row in reruns if row["code"] == "lease_expired"]
    crashed = [(row, _child_death(row, force.deaths)) for row in reruns if row["code"] == "child_crashed"]
    return Report(
        seed=seed,
        seconds=round(seconds, 1),
        faults=force.faults(),
        unasked=sum(row["worker"] not in parents for row in expired),
        surprises=force.surprises,
        child_s=[_since(row, death) for row, death in crashed if death],
        parent_s=[_since(row, parents[row["worker"]]) for row in expired if row["worker"] in parents],
        **counts,
        **overlaps,
    )


def _child_death(row: dict[str, Any], deaths: Sequence[Death]) -> Death | None:
    """The kill that ended the child which had the job; None if it died with its parent."""
    mine = [one for one in deaths if (one.kind, one.worker) == ("child", row["worker"]) and one.at < row["noticed"]]
    return mine[-1] if mine else None


def _since(row: dict[str, Any], death: Death) -> float:
    return float((row["began"] - death.at).total_seconds())


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {"count": 0}
    in_order = sorted(seconds)
    figures = {"median": statistics.median(in_order), "p95": in_order[int(0.95 * len(in_order))], "max": in_order[-1]}
    return {"count": len(seconds), **{name: round(value, 2) for name, value in figures.items()}}
