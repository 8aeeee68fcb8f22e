-- How a lease ends: one place that writes it (kizu.settle), and what the verbs of the next migrations share.

create or replace function kizu.backoff(p_attempt int) returns float8 language sql volatile set search_path = '' as $$
  select least(3600, power(least(p_attempt, 10), 4)) * (0.8 + 0.4 * random())
$$;

-- Appends to a job's history, of which the last 20 stay.
create or replace function kizu.add_error(p_errors jsonb, p_attempt int, p_worker text, p_error jsonb) returns jsonb
language sql volatile set search_path = '' as $$
  select jsonb_agg(e order by n) from (
    select e, n from jsonb_array_elements(p_errors || jsonb_build_object(
      'at', clock_timestamp(), 'attempt', p_attempt, 'worker', p_worker, 'code', p_error ->> 'code',
      'message', left(p_error ->> 'message', 2000), 'hint', left(p_error ->> 'hint', 2000))) with ordinality as x (e, n)
    order by n desc limit 20) newest
$$;

-- Ends a lease: `pending` gives the job back, `completed` and `failed` finish it with `p_outcome`. Given back without
-- `p_delay_s`, a job keeps its place at the head of the line, just before those that came in the same moment; with it, it
-- stands behind those that are due before. What is not given stays as it is. The token stays for the holder's repeated
-- call, unless the job was taken away.
create or replace function kizu.settle(
  p_job kizu.jobs, p_status text, p_outcome text default null, p_todo text[] default null, p_attempt int default null,
  p_crashes int default null, p_delay_s float8 default null, p_error jsonb default null, p_result jsonb default null,
  p_taken_away boolean default false) returns void
language plpgsql set search_path = '' as $$
begin
  execute format($sql$
    update public.%I set status = $2, outcome = $3,
      completed_at = case when $2 = 'pending' then null else clock_timestamp() end,
      worker_id = case when $2 = 'pending' then null else worker_id end,
      progress = case when $2 = 'completed' then 100 else 0 end, current_step = null,
      todo = coalesce($4, todo), attempt = coalesce($5, attempt), crash_count = coalesce($6, crash_count),
      run_after = case when $7 is null then run_after
        else clock_timestamp() + make_interval(secs => least(greatest($7, 0), 86400)) end,
      claim_order = case when $2 = 'pending' and $7 is null then claim_order - 0.001 else claim_order end,
      error_message = case when $2 = 'completed' then null else coalesce(left($8 ->> 'message', 2000), error_message) end,
      errors = case when $8 is null then errors else kizu.add_error(errors, attempt, worker_id, $8) end,
      result = coalesce($9, result), claimed = null, lease_until = null, heartbeat_at = null,
      lease_token = case when $10 then null else lease_token end, reclaim_count = reclaim_count + $10::int
    where id = $1
  $sql$, p_job.table_name) using p_job.id, p_status, p_outcome, p_todo, p_attempt, p_crashes, p_delay_s, p_error, p_result,
    p_taken_away;
  if p_status = 'pending' then
    perform pg_notify('kizu_jobs', '');
  end if;
end $$;

-- Locks a job for its holder. 'held'; 'already' where this token's holder has given it back or finished it;
-- 'lease_lost' where it is somebody else's now. An expired lease belongs to its holder until somebody reaps it.
create or replace function kizu.hold(p_table text, p_id uuid, p_token uuid) returns text
language plpgsql set search_path = '' as $$
declare
  answer text;
begin
  execute format($sql$
    select case when lease_token is distinct from $2 then 'lease_lost'
      when status = 'processing' then 'held' else 'already' end
    from public.%I where id = $1 for update
  $sql$, kizu.job_table(p_table)) into answer using p_id, p_token;
  return coalesce(answer, 'lease_lost');
end $$;

create or replace function kizu.job(p_table text, p_id uuid) returns kizu.jobs
language sql stable set search_path = '' as $$
  select j from kizu.jobs j where j.table_name = p_table and j.id = p_id
$$;

-- What is done with a photo by an operation that fills the space of the next model beside the present one's: the ledger
-- knows the operation, and tells the two apart by their spaces.
create or replace function kizu.base_operation(p_operation text) returns text
language sql immutable parallel safe set search_path = '' as $$
  select regexp_replace(p_operation, '^next-', '')
$$;

-- Notes in the ledger that operations failed for good, so that the same bytes are not tried again by the same version.
-- Plugin, version and space: as the worker says (`operations` of the error), else as the job was made for (`wanted`).
create or replace function kizu.note_failure(p_job kizu.jobs, p_operations text[], p_error jsonb) returns void
language sql set search_path = '' as $$
  insert into public.plugin_results (asset_id, user_id, operation, plugin, version, space, source_sha256, error)
  select a.id, a.user_id, kizu.base_operation(o.name), coalesce(w.of ->> 'plugin', ''), coalesce(w.of ->> 'version', ''), w.of ->> 'space',
    p_job.source_sha256, p_error - 'operations' - 'crashed'
  from unnest(p_operations) o (name)
  join public.assets a on a.id = p_job.asset_id and a.user_id = p_job.user_id
  cross join lateral (select jsonb_path_query_first( -- lax: a job's parameters may hold anything
    jsonb_build_array(p_error -> 'operations', p_job.params -> 'wanted'), '$[*][*] ? (@.operation == $name)',
    jsonb_build_object('name', o.name)) as of) w
  on conflict (asset_id, operation, plugin, coalesce(space, ''), frame_ms) do update set version = excluded.version,
    source_sha256 = excluded.source_sha256, found = 0, seconds = null, data = null, error = excluded.error, done_at = now()
$$;

-- The claimed part of a job has failed for good ('invalid': trying again can't help; 'dead': tried often enough). What
-- other workers can do of it stays to be done.
create or replace function kizu.give_up(p_job kizu.jobs, p_outcome text, p_error jsonb, p_taken_away boolean default false)
returns void language plpgsql set search_path = '' as $$
declare
  lost constant text[] := coalesce(p_job.claimed, p_job.todo);
  rest constant text[] := array(select t from unnest(p_job.todo) t where t <> all (lost));
begin
  perform kizu.note_failure(p_job, lost, p_error);
  if cardinality(rest) > 0 then
    perform kizu.settle(p_job, 'pending', p_todo => rest, p_attempt => 0, p_crashes => 0,
                        p_error => p_error, p_taken_away => p_taken_away);
  else
    perform kizu.settle(p_job, 'failed', p_outcome, p_error => p_error, p_taken_away => p_taken_away);
  end if;
end $$;

-- Ends a job that asks for a photo which is not its user's.
create or replace function kizu.refuse(p_table text, p_id uuid) returns void language sql set search_path = '' as $$
  select kizu.settle(kizu.job(p_table, p_id), 'failed', 'invalid', p_error => jsonb_build_object('code', 'job',
    'message', 'The job asks for a photo that is not in its user''s library.', 'retryable', false))
$$;

select kizu.expose(f, 'service_role') from unnest(array[
  'kizu.backoff', 'kizu.add_error', 'kizu.settle', 'kizu.hold', 'kizu.job', 'kizu.base_operation', 'kizu.note_failure', 'kizu.give_up',
  'kizu.refuse']::regproc[]) f;

insert into kizu.schema_version (version, name) values ('20261123080310', 'queue_settle') on conflict do nothing;
notify pgrst, 'reload schema';
