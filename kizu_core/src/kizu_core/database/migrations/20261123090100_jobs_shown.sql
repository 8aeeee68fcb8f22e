-- Jobs as a person looks at them: lists, causes, one in full; trying again and taking back. `p_user` chooses whose, null
-- means everybody's; a user sees own ones whatever is asked for, also where the tables have no policies of Kizu's.

do $$
declare
  job_table text;
begin
  foreach job_table in array array['ai_processing_jobs', 'image_processing_jobs'] loop
    -- For lists, and the second for retention. A claim writes to none of them.
    execute format($sql$
      create index if not exists kizu_%1$s_waiting on public.%1$I (created_at, id) where status = 'pending';
      create index if not exists kizu_%1$s_finished on public.%1$I (completed_at, id) where status in ('completed', 'failed');
      create index if not exists kizu_%1$s_failed on public.%1$I (user_id, asset_id) where status = 'failed';
    $sql$, job_table);
  end loop;
end $$;

-- Jobs as people speak of them. `state`: waiting | running | retrying | done | failed | cancelled. `operations`: what is
-- left of a job, else what came of it, else its kind. A view and not functions, since it is asked of each row of a list.
create or replace view kizu.shown_jobs with (security_invoker = true) as
  select j.*,
    case j.status when 'processing' then 'running' when 'completed' then 'done'
      when 'failed' then case j.outcome when 'cancelled' then 'cancelled' else 'failed' end
      else case when j.attempt > 0 and j.run_after > now() then 'retrying' else 'waiting' end end as state,
    case when cardinality(j.todo) > 0 then j.todo
      when jsonb_typeof(j.result -> 'done') = 'array' and j.result -> 'done' <> '[]'
        then array(select jsonb_array_elements_text(j.result -> 'done'))
      else array[j.job_type] end as operations
  from kizu.jobs j;

-- One line of a list. `error` is the last one of its history.
create or replace function kizu.job_line(p_job kizu.shown_jobs) returns jsonb language sql stable set search_path = '' as $$
  select jsonb_build_object('id', p_job.id, 'table', p_job.table_name, 'job_type', p_job.job_type, 'state', p_job.state,
    'operations', p_job.operations, 'asset_id', p_job.asset_id,
    'photo', (select a.file_name from public.assets a where a.id = p_job.asset_id and a.user_id = p_job.user_id),
    'attempt', p_job.attempt, 'max_attempts', p_job.max_attempts, 'worker_id', p_job.worker_id,
    'progress', p_job.progress, 'current_step', p_job.current_step, 'created_at', p_job.created_at,
    'run_after', p_job.run_after, 'picked_up_at', p_job.picked_up_at, 'completed_at', p_job.completed_at,
    'error', p_job.errors -> -1)
$$;

-- Jobs, the newest first: {jobs: [...], next}, `next` to be passed as `p_after`, null at the end. p_filter: {state,
-- operation}. Finished ones stand in the order of their ends, others in that of their making. At most 1000 a page. Without
-- sorting, or the planner, which can't know how many rows a state leaves, reads all that wait for each page.
create or replace function public.kizu_jobs(
  p_user uuid default null, p_filter jsonb default '{}', p_limit int default 50, p_after jsonb default null) returns jsonb
language plpgsql stable set search_path = '' set enable_sort = off as $$
declare
  state constant text := p_filter ->> 'state';
  status constant text := case state when 'waiting' then 'pending' when 'retrying' then 'pending'
    when 'running' then 'processing' when 'done' then 'completed' when 'failed' then 'failed' when 'cancelled' then 'failed' end;
  page_size constant int := least(greatest(p_limit, 1), 1000);
  answer jsonb;
begin
  if state is not null and status is null then
    raise exception 'Jobs are never "%".', state using errcode = '22023';
  end if;
  execute format($sql$
    with page as (
      select j, j.%1$I as at, j.id from kizu.shown_jobs j
      where %2$s and j.user_id = coalesce((select kizu.uid()), $1, j.user_id)
        and ($2 is null or j.state = $2) and ($3 is null or $3 = any (j.operations))
        and ($4 is null or (j.%1$I, j.id) < (($4 ->> 'at')::timestamptz, ($4 ->> 'id')::uuid))
      order by j.%1$I desc, j.id desc limit $5)
    select jsonb_build_object('jobs', coalesce(jsonb_agg(kizu.job_line(p.j) order by p.at desc, p.id desc), '[]'),
      'next', case when count(*) = $5 then
        (select jsonb_build_object('at', l.at, 'id', l.id) from page l order by l.at, l.id limit 1) end)
    from page p
  $sql$, case when status in ('completed', 'failed') then 'completed_at' else 'created_at' end,
    case when status is null then 'true' else format('j.status = %L', status) end)
  into answer using p_user, state, p_filter ->> 'operation', p_after, page_size;
  return answer;
end $$;

-- Why things failed for good, the most frequent cause first: {code, message, hint, count, operations, examples}.
create or replace function public.kizu_job_causes(p_user uuid default null) returns jsonb
language sql stable set search_path = '' as $$
  select kizu.causes(coalesce(kizu.uid(), p_user), array['photo', 'job'])
$$;

-- Jobs whose id begins with `p_id` (dashes may be left out), up to three: more than one tells that it is too short.
-- All that is known of them but the token, which only their holder may have.
create or replace function public.kizu_job(p_id text, p_user uuid default null) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  digits constant text := replace(lower(p_id), '-', '');
begin
  if digits !~ '^[0-9a-f]{1,32}$' then
    return '[]';
  end if;
  return (
    select coalesce(jsonb_agg(to_jsonb(f.j) - 'table_name' - 'lease_token' || kizu.job_line(f.j)), '[]')
    from (select j from kizu.shown_jobs j
          where j.id between rpad(digits, 32, '0')::uuid and rpad(digits, 32, 'f')::uuid
            and j.user_id = coalesce((select kizu.uid()), p_user, j.user_id) order by j.id limit 3) f);
end $$;

-- Tries again what failed for good, all or one cause, whether its job is still there or not: operations without a
-- failed job (it went on with others, or is pruned) get a new one. {jobs, next}: how many, and the `p_after` of the next
-- call, null at the end. One call takes up to `p_limit` photos, to stay within a statement's time.
create or replace function public.kizu_retry_failed(
  p_user uuid, p_cause text default null, p_after uuid default null, p_limit int default 1000) returns jsonb
language plpgsql set search_path = '' as $$
declare
  keys uuid[];
  jobs int;
begin
  keys := array(
    select distinct f.key from kizu.failures f
    where f.source <> 'file' and f.user_id = p_user and f.error ->> 'code' = coalesce(p_cause, f.error ->> 'code')
      and (p_after is null or f.key > p_after)
    order by f.key limit p_limit);
  select coalesce(sum(public.kizu_requeue(t.name, t.ids)), 0) into jobs from (
    select j.table_name as name, array_agg(j.id) as ids from kizu.jobs j
    where j.status = 'failed' and j.outcome is distinct from 'cancelled' and j.user_id = p_user
      and (j.id = any (keys) or j.asset_id = any (keys) and exists (
        select from kizu.failures f where f.source = 'photo' and f.key = j.asset_id and f.operation = any (j.todo)
          and f.error ->> 'code' = coalesce(p_cause, f.error ->> 'code')))
    group by j.table_name) t;
  jobs := jobs + kizu.retry_operations(p_user, p_cause, keys);
  return jsonb_build_object('jobs', jobs, 'next', case when cardinality(keys) = p_limit then keys[p_limit] end);
end $$;

-- New jobs for operations that failed for good on some photos; those that a job covers by now are left to it.
create or replace function kizu.retry_operations(p_user uuid, p_cause text, p_photos uuid[]) returns int
language sql set search_path = '' as $$
  with failed as (
    select f.key as asset_id, f.operation from kizu.failures f
    where f.source = 'photo' and f.user_id = p_user and f.key = any (p_photos)
      and f.error ->> 'code' = coalesce(p_cause, f.error ->> 'code')
      and not exists (select from kizu.jobs j
                      where j.asset_id = f.key and j.status in ('pending', 'processing') and f.operation = any (j.todo))
  ), forgotten as (
    delete from public.plugin_results r using failed f
    where r.asset_id = f.asset_id and r.operation = f.operation and r.error is not null
  ), wanted as (
    select f.asset_id, array_agg(distinct f.operation) as todo from failed f
    group by f.asset_id, f.operation = 'optimize'
  ), ai as (
    insert into public.ai_processing_jobs (user_id, asset_id, job_type, input_params)
    select p_user, w.asset_id, 'image_ai', jsonb_build_object('operations', w.todo)
    from wanted w where w.todo <> array['optimize'] returning 1
  ), image as (
    insert into public.image_processing_jobs (user_id, asset_id, media_kind)
    select p_user, w.asset_id, 'image' from wanted w where w.todo = array['optimize'] returning 1
  )
  select ((select count(*) from ai) + (select count(*) from image))::int
$$;

-- Takes back what waits (retries included), all of it or one operation: a job that waits for others as well goes on with
-- those. Of what runs only jobs for nothing but that operation are asked to stop. {cancelled, stopping} of one call for
-- up to `p_limit` jobs a table; both 0 when there is no more. Ends all in one statement, since they may be very many and
-- none has a lease that kizu.settle would have to end.
create or replace function public.kizu_cancel_waiting(
  p_user uuid, p_operation text default null, p_limit int default 5000) returns jsonb
language plpgsql set search_path = '' as $$
declare
  cancelled int := 0;
  stopping int := 0;
  job_table text;
  touched int;
  running uuid[];
begin
  foreach job_table in array array['ai_processing_jobs', 'image_processing_jobs'] loop
    execute format($sql$
      with waiting as materialized (
        select j.id, $2 is null or j.todo = array[$2] as whole from public.%1$I j
        where j.status = 'pending' and j.user_id = $1 and ($2 is null or $2 = any (j.todo))
        limit $3 for update skip locked
      ), shorter as (
        update public.%1$I j set todo = array_remove(j.todo, $2) from waiting w
        where j.id = w.id and not w.whole returning 1
      ), ended as (
        update public.%1$I j set status = 'failed', outcome = 'cancelled', completed_at = clock_timestamp(),
          cancel_requested_at = clock_timestamp()
        from waiting w where j.id = w.id and w.whole returning 1)
      select (select count(*) from shorter) + (select count(*) from ended)
    $sql$, job_table) into touched using p_user, p_operation, p_limit;
    cancelled := cancelled + touched;
    execute format('select array(select j.id from public.%I j where j.status = ''processing'' and j.user_id = $1
                      and j.todo = array[$2] and j.cancel_requested_at is null limit $3)', job_table)
      into running using p_user, p_operation, p_limit;
    stopping := stopping + public.kizu_cancel(job_table, running);
  end loop;
  return jsonb_build_object('cancelled', cancelled, 'stopping', stopping);
end $$;

-- What a worker tells of itself while it works, added to what it said at its start. False where nobody knows it any
-- more: after a long sleep, say.
create or replace function public.kizu_worker_note(p_worker text, p_info jsonb) returns boolean
language plpgsql set search_path = '' as $$
begin
  update public.kizu_workers w set info = w.info || p_info, beat_at = clock_timestamp() where w.id = p_worker;
  return found;
end $$;

-- Everybody who works, or did lately: {id, info, can, started_at, beat_at, silent_s, alive, held}.
create or replace function public.kizu_worker_list() returns jsonb language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'info', w.info, 'can', w.can, 'started_at', w.started_at,
      'beat_at', w.beat_at, 'silent_s', round(extract(epoch from clock_timestamp() - w.beat_at)),
      'alive', kizu.is_alive(w),
      'held', (select count(*) from kizu.jobs j where j.status = 'processing' and j.worker_id = w.id)) order by w.id), '[]')
  from public.kizu_workers w
$$;

grant select on kizu.shown_jobs to authenticated, service_role;
select kizu.expose(f, 'authenticated', 'service_role') from unnest(array[
  'kizu.job_line', 'public.kizu_jobs', 'public.kizu_job', 'public.kizu_job_causes']::regproc[]) f;
select kizu.expose(f, 'service_role') from unnest(array[
  'kizu.retry_operations', 'public.kizu_retry_failed', 'public.kizu_cancel_waiting', 'public.kizu_worker_note',
  'public.kizu_worker_list']::regproc[]) f;

insert into kizu.schema_version (version, name) values ('20261123090100', 'jobs_shown') on conflict do nothing;
notify pgrst, 'reload schema';
