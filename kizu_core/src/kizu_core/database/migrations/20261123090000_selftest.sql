-- What selftest jobs did (KIZU_SELFTEST), for proofs from outside: nothing lost, nothing done twice. Rows are only ever
-- added, by workers, and no constraint keeps a double out: the proof is that there are none.

--   start    the child turned to the job, as its parent saw it; written by a call of its own, whoever has the lease
--   effect   a result of the job, written with its completion
--   finish   the completion itself
create table if not exists public.kizu_selftest_ledger (
  job_id uuid not null,
  attempt int not null,
  lease_token uuid not null,
  phase text not null,
  at timestamptz not null default clock_timestamp()
);
create index if not exists kizu_selftest_ledger_job on public.kizu_selftest_ledger (job_id);
select kizu.protect('kizu_selftest_ledger', null);

create or replace function public.kizu_selftest_start(p_job uuid, p_attempt int, p_token uuid) returns void
language sql set search_path = '' as $$
  insert into public.kizu_selftest_ledger (job_id, attempt, lease_token, phase) values (p_job, p_attempt, p_token, 'start')
$$;

-- Part of a completion (kizu.store_results). A row's content is of no interest, only that it is there.
create or replace function kizu.store_selftest(p_job kizu.jobs, p_rows jsonb) returns void
language sql set search_path = '' as $$
  insert into public.kizu_selftest_ledger (job_id, attempt, lease_token, phase)
  select p_job.id, p_job.attempt, p_job.lease_token, 'effect' from jsonb_array_elements(coalesce(p_rows, '[]'))
  union all
  select p_job.id, p_job.attempt, p_job.lease_token, 'finish'
$$;

select kizu.expose(f, 'service_role') from unnest(array['public.kizu_selftest_start', 'kizu.store_selftest']::regproc[]) f;

insert into kizu.schema_version (version, name) values ('20261123090000', 'selftest') on conflict do nothing;
notify pgrst, 'reload schema';
