-- Asking for work and taking it back; workers come and go.

-- Registers a worker and marks operations as offered. An operation offered for the first time joins every unfinished
-- job that asked for `all`, also where a worker holds the job: its completion then leaves the new part to be done.
create or replace function public.kizu_worker_hello(p_worker text, p_info jsonb, p_can text[]) returns void
language plpgsql set search_path = '' as $$
declare
  fresh text[];
begin
  insert into public.kizu_workers (id, info, can) values (p_worker, coalesce(p_info, '{}'), p_can)
    on conflict (id) do update set info = excluded.info, can = excluded.can, started_at = now(), beat_at = now();
  with offered as (
    update public.operations set offered_at = clock_timestamp()
    where name = any (p_can) and offered_at is null returning name, enabled)
  select array_agg(name) into fresh from offered where enabled;
  if fresh is null then
    return;
  end if;
  update public.ai_processing_jobs
    set todo = array(select distinct o from unnest(todo || fresh) o where o <> 'all' order by o)
    where status in ('pending', 'processing') and job_type = 'image_ai'
      and ('all' = any (todo) or coalesce(input_params -> 'operations', '["all"]') ? 'all');
  perform pg_notify('kizu_jobs', '');
end $$;

create or replace function public.kizu_worker_bye(p_worker text) returns void language sql set search_path = '' as $$
  delete from public.kizu_workers where id = p_worker
$$;

-- Adds one job, or finds the unfinished one with its key. Not "do update": that would need the right to update, and
-- would touch a row that a worker holds.
create or replace function kizu.enqueue_one(p_table text, p_job jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  params constant jsonb := coalesce(p_job -> 'params', '{}');
  job_user constant uuid := (p_job ->> 'user_id')::uuid;
  new_id constant uuid := gen_random_uuid();
  found_id uuid;
  fields constant jsonb := jsonb_build_object('id', new_id, 'user_id', job_user, 'asset_id', p_job -> 'asset_id',
    'priority', coalesce(p_job -> 'priority', '100'), 'run_after', coalesce(p_job -> 'run_after', to_jsonb(now())),
    'max_attempts', coalesce(p_job -> 'max_attempts', '5'), 'dedupe_key', p_job -> 'dedupe_key');
begin
  loop
    if p_table = 'ai_processing_jobs' then
      insert into public.ai_processing_jobs
          (id, user_id, asset_id, job_type, input_params, priority, run_after, max_attempts, dedupe_key)
        select j.id, j.user_id, j.asset_id, coalesce(p_job ->> 'job_type', 'image_ai'), params, j.priority, j.run_after,
          j.max_attempts, j.dedupe_key
        from jsonb_populate_record(null::public.ai_processing_jobs, fields) j
        on conflict (user_id, dedupe_key) where dedupe_key is not null and status in ('pending', 'processing') do nothing;
    else
      insert into public.image_processing_jobs
          (id, user_id, asset_id, input_url, input_orientation, needs_web_version, metadata, media_kind, priority, run_after,
           max_attempts, dedupe_key)
        select j.id, j.user_id, j.asset_id, coalesce(params ->> 'input_url', params ->> 'image_url'),
          (params ->> 'input_orientation')::int, coalesce((params ->> 'needs_web_version')::boolean, true), params,
          case p_job ->> 'job_type' when 'video' then 'video' when 'optimize' then 'image' end,
          j.priority, j.run_after, j.max_attempts, j.dedupe_key
        from jsonb_populate_record(null::public.image_processing_jobs, fields) j
        on conflict (user_id, dedupe_key) where dedupe_key is not null and status in ('pending', 'processing') do nothing;
    end if;
    if found then
      return jsonb_build_object('id', new_id, 'created', true);
    end if;
    execute format('select id from public.%I where user_id = $1 and dedupe_key = $2
                    and status in (''pending'', ''processing'')', p_table) into found_id using job_user, p_job ->> 'dedupe_key';
    if found_id is not null then
      return jsonb_build_object('id', found_id, 'created', false);
    end if;
    -- It was finished between the two statements: there may be a new one.
  end loop;
end $$;

-- Adds jobs: each {user_id, asset_id, job_type, params, priority, run_after, max_attempts, dedupe_key}. Returns
-- [{id, created}] in the same order; an unfinished job with the same key is returned instead of a second one.
create or replace function public.kizu_enqueue(p_table text, p_jobs jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  perform kizu.job_table(p_table);
  if exists (select from jsonb_array_elements(p_jobs) j where j ->> 'user_id' is null) then
    raise exception 'A job needs a user.' using errcode = '22023';
  end if;
  return (select coalesce(jsonb_agg(kizu.enqueue_one(p_table, j) order by n), '[]')
          from jsonb_array_elements(p_jobs) with ordinality as x (j, n));
end $$;

-- Takes jobs back. Waiting ones end at once, without results; the holder of a running one hears of it at its next beat.
create or replace function public.kizu_cancel(p_table text, p_ids uuid[]) returns int
language plpgsql set search_path = '' as $$
declare
  touched int := 0;
  job record;
begin
  for job in execute format($sql$
    select id, status from public.%I where id = any ($1) and status in ('pending', 'processing') order by id for update
  $sql$, kizu.job_table(p_table)) using p_ids loop
    execute format('update public.%I set cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
                    where id = $1', p_table) using job.id;
    if job.status = 'pending' then
      perform kizu.settle(kizu.job(p_table, job.id), 'failed', 'cancelled');
    end if;
    touched := touched + 1;
  end loop;
  return touched;
end $$;

-- Tries failed jobs again, from the beginning: attempts, crashes and what the ledger says of them are forgotten. A job
-- that has an unfinished double is left alone, and of doubles the newest is taken.
create or replace function public.kizu_requeue(p_table text, p_ids uuid[]) returns int
language plpgsql set search_path = '' as $$
declare
  touched int := 0;
  job record;
begin
  for job in execute format($sql$
    with newest as materialized (
      select distinct on (f.user_id, coalesce(f.dedupe_key, f.id::text)) f.id from public.%1$I f
      where f.id = any ($1) and f.status = 'failed'
      order by f.user_id, coalesce(f.dedupe_key, f.id::text), f.completed_at desc)
    update public.%1$I j set status = 'pending', outcome = null, completed_at = null, cancel_requested_at = null,
      lease_token = null, worker_id = null, attempt = 0, crash_count = 0, progress = 0, error_message = null,
      todo = nullif(todo, '{}'), run_after = clock_timestamp(), claim_order = extract(epoch from clock_timestamp())
    from newest n where j.id = n.id and j.status = 'failed' and not exists (
      select from public.%1$I k
      where k.user_id = j.user_id and k.dedupe_key = j.dedupe_key and k.status in ('pending', 'processing'))
    returning j.asset_id, j.user_id, j.todo
  $sql$, kizu.job_table(p_table)) using p_ids loop
    delete from public.plugin_results r where r.asset_id = job.asset_id and r.user_id = job.user_id
      and r.operation in (select kizu.base_operation(t) from unnest(job.todo) t) and r.error is not null;
    touched := touched + 1;
  end loop;
  if touched > 0 then
    perform pg_notify('kizu_jobs', '');
  end if;
  return touched;
end $$;

select kizu.expose(f, 'service_role') from unnest(array[
  'public.kizu_worker_hello', 'public.kizu_worker_bye', 'public.kizu_cancel', 'public.kizu_requeue']::regproc[]) f;
select kizu.expose(f, 'authenticated', 'service_role')
  from unnest(array['kizu.enqueue_one', 'public.kizu_enqueue']::regproc[]) f;
select kizu.expose('kizu.job_table', 'authenticated', 'service_role');

insert into kizu.schema_version (version, name) values ('20261123080340', 'queue_ask') on conflict do nothing;
notify pgrst, 'reload schema';
