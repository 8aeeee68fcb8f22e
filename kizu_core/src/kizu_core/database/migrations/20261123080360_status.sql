-- What a person wants to know: how far it is, what failed and why, who works.

-- Counts read indexes only, so that they cost the same whether photos are few or many columns wide.
create index if not exists kizu_plugin_results_photos on public.plugin_results (user_id, operation, asset_id);
drop index if exists public.kizu_plugin_results_user; -- a part of that one
create index if not exists kizu_plugin_results_failed on public.plugin_results (user_id, asset_id, operation)
  where error is not null;
create index if not exists kizu_assets_kinds on public.assets (user_id, media_kind, missing_since);
create index if not exists kizu_assets_missing on public.assets (user_id, id) where missing_since is not null;

-- Jobs by operation and state. Those that are due are counted in the index of claims, 300,000 as fast as a page can show
-- them. Of the others, rows have to say whether they were tried already.
create or replace function kizu.job_counts(p_user uuid)
returns table (operation text, waiting bigint, retrying bigint, running bigint)
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  line_now constant float8 := extract(epoch from now());
  tables constant text[] := array['ai_processing_jobs', 'image_processing_jobs'];
begin
  return query execute format($sql$
    with waiting as (%1$s), running as (%2$s)
    select t.operation, sum(c.waiting)::bigint, sum(c.retrying)::bigint, sum(c.running)::bigint from (
      select string_to_array(split_part(w.needs, ':', 2), ',') as todo, w.waiting, w.retrying, 0 as running from waiting w
      union all select coalesce(r.todo, '{}'), 0, 0, 1 from running r) c, unnest(c.todo) t (operation)
    group by t.operation
  $sql$, (
    select string_agg(format($sql$
      select j.needs, count(*) as waiting, 0 as retrying from public.%1$I j
      where j.status = 'pending' and j.claim_order <= $2 and j.user_id = coalesce($1, j.user_id) group by j.needs
      union all
      select j.needs, count(*) filter (where j.attempt = 0), count(*) filter (where j.attempt > 0) from public.%1$I j
      where j.status = 'pending' and j.claim_order > $2 and j.user_id = coalesce($1, j.user_id) group by j.needs
    $sql$, t), ' union all ') from unnest(tables) t), (
    select string_agg(format('select j.todo from public.%I j where j.status = ''processing''
                              and j.user_id = coalesce($1, j.user_id)', t), ' union all ') from unnest(tables) t))
  using p_user, line_now;
end $$;

-- What failed for good: an operation on a photo (`key` its id), a job without a photo of its user (`key` its own id), a
-- file that could not be taken into the library.
create or replace view kizu.failures with (security_invoker = true) as
  select 'photo' as source, r.user_id, r.asset_id as key, r.operation, r.error, coalesce(a.file_name, a.id::text) as example
  from public.plugin_results r join public.assets a on a.id = r.asset_id and a.missing_since is null
  where r.error is not null and not exists (
    select from public.plugin_results g
    where g.asset_id = r.asset_id and g.operation = r.operation and g.error is null)
  union all
  select 'job', j.user_id, j.id, j.job_type, coalesce(j.errors -> -1, '{"code": "job", "message": "It failed."}'), j.id::text
  from kizu.jobs j
  where j.status = 'failed' and j.outcome is distinct from 'cancelled' and not exists (
    select from public.assets a where a.id = j.asset_id and a.user_id = j.user_id)
    -- What is done for a library as a whole is done again and again: a later success is an answer.
    and not (kizu.library_tables(j.job_type) <> '{}' and exists (
      select from kizu.jobs g where g.user_id = j.user_id and g.job_type = j.job_type and g.status = 'completed'
        and g.created_at > j.created_at))
  union all
  select 'file', f.user_id, null, null, f.error, f.path
  from public.asset_files f where f.error is not null and f.missing_since is null;

-- Photos by operation, as the ledger has them. With several plugins, or frames, one success is enough. All of them are
-- counted in the order of an index; those of missing photos, and those that failed, are few and taken away again.
create or replace function kizu.photo_counts(p_user uuid) returns table (operation text, done bigint, failed bigint)
language sql stable set search_path = '' set enable_seqscan = off set enable_sort = off set work_mem = '64MB' as $$
  with tried as (
    select t.operation, count(*) as photos
    from (select distinct r.user_id, r.operation, r.asset_id from public.plugin_results r
          where r.user_id = coalesce(p_user, r.user_id)) t group by t.operation
  ), gone as (
    select r.operation, count(distinct r.asset_id) as photos
    from public.assets a join public.plugin_results r on r.asset_id = a.id
    where a.missing_since is not null and a.user_id = coalesce(p_user, a.user_id) group by r.operation
  ), failed as (
    select f.operation, count(distinct f.key) as photos from kizu.failures f
    where f.source = 'photo' and f.user_id = coalesce(p_user, f.user_id) group by f.operation
  )
  select t.operation, t.photos - coalesce(g.photos, 0) - coalesce(f.photos, 0), coalesce(f.photos, 0)
  from tried t left join gone g on g.operation = t.operation left join failed f on f.operation = t.operation
$$;

-- Failures by cause, the most frequent first, each with up to three examples: names of files, or ids of jobs.
create or replace function kizu.causes(p_user uuid, p_sources text[]) returns jsonb
language sql stable set search_path = '' as $$
  with cause as (
    select f.error ->> 'code' as code, f.error ->> 'message' as message, min(f.error ->> 'hint') as hint,
      count(distinct f.example) as count, array_remove(array_agg(distinct f.operation), null) as operations,
      (array_agg(distinct f.example))[:3] as examples
    from kizu.failures f
    where f.source = any (p_sources) and f.user_id = coalesce(p_user, f.user_id) group by 1, 2
  )
  select coalesce(jsonb_agg(to_jsonb(c) order by c.count desc, c.code, c.message), '[]') from cause c
$$;

-- Per operation: jobs by their state, photos by what the ledger says of them.
create or replace function kizu.operation_counts(p_user uuid) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_object_agg(coalesce(j.operation, p.operation), jsonb_build_object(
    'waiting', coalesce(j.waiting, 0), 'running', coalesce(j.running, 0), 'retrying', coalesce(j.retrying, 0),
    'done', coalesce(p.done, 0), 'failed', coalesce(p.failed, 0))), '{}')
  from kizu.job_counts(p_user) j full join kizu.photo_counts(p_user) p on p.operation = j.operation
$$;

-- Whether a worker was heard of lately. Each tells of itself at least twice a minute.
create or replace function kizu.is_alive(p_worker public.kizu_workers) returns boolean
language sql stable set search_path = '' as $$
  select p_worker.beat_at > now() - interval '2 min'
$$;

-- What keeps PostgreSQL from tidying up, for workers only: the oldest transaction, if it is older than five minutes, and
-- job tables with many dead rows, which it leaves behind. Of programs under other names a role sees the process number
-- alone, unless it is a member of pg_read_all_stats; a snapshot that a hundred thousand transactions passed is told then.
create or replace function kizu.database_trouble() returns jsonb language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'oldest_transaction', (
      select jsonb_build_object('pid', a.pid, 'role', a.usename, 'program', a.application_name, 'state', a.state,
        'seconds', round(extract(epoch from clock_timestamp() - a.xact_start))::int)
      from pg_catalog.pg_stat_activity a
      where a.datname = current_database() and a.pid <> pg_backend_pid() and a.backend_type is distinct from 'autovacuum worker'
        and (a.xact_start < clock_timestamp() - interval '5 min' or a.xact_start is null and age(a.backend_xmin) > 100000)
      order by a.xact_start nulls last limit 1),
    'dead_rows', (
      select coalesce(jsonb_agg(jsonb_build_object('table', t.relname, 'dead', t.n_dead_tup, 'live', t.n_live_tup)
                                order by t.relname), '[]')
      from pg_catalog.pg_stat_user_tables t
      where t.schemaname = 'public' and t.relname in ('ai_processing_jobs', 'image_processing_jobs')
        and t.n_dead_tup > 100000 and t.n_dead_tup > t.n_live_tup / 2))
$$;

-- The state of one user's library, or of all (workers only). Users do not see the machines of others.
create or replace function public.kizu_status(p_user uuid default null) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  workers jsonb := '[]';
  trouble jsonb;
begin
  if has_table_privilege('public.kizu_workers', 'select') then
    select coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'info', w.info, 'can', w.can, 'started_at', w.started_at,
        'beat_at', w.beat_at, 'held', (select count(*) from kizu.jobs j where j.status = 'processing' and j.worker_id = w.id))
        order by w.id), '[]')
      into workers from public.kizu_workers w where kizu.is_alive(w);
    trouble := kizu.database_trouble();
  end if;
  return jsonb_build_object(
    'jobs', kizu.operation_counts(p_user),
    'assets', (select jsonb_build_object(
        'images', count(*) filter (where a.media_kind = 'image' and a.missing_since is null),
        'videos', count(*) filter (where a.media_kind = 'video' and a.missing_since is null),
        'missing', count(*) filter (where a.missing_since is not null))
      from public.assets a where a.user_id = coalesce(p_user, a.user_id)),
    'failures', kizu.causes(p_user, array['photo', 'file']),
    'workers', workers,
    'database', trouble,
    'oldest_waiting_s', (select round(extract(epoch from now() - min(j.created_at)))::int from kizu.jobs j
      where j.status = 'pending' and j.user_id = coalesce(p_user, j.user_id)),
    'roots', (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'path', r.path, 'state', r.state,
        'last_scan', r.last_scan) order by r.path), '[]')
      from public.library_roots r where r.user_id = coalesce(p_user, r.user_id)));
end $$;

-- The `jobs` of a status without anything else: what a worker looks at every second while it waits for others.
create or replace function public.kizu_job_counts() returns jsonb language sql stable set search_path = '' as $$
  select coalesce(jsonb_object_agg(j.operation, to_jsonb(j) - 'operation'), '{}') from kizu.job_counts(null) j
$$;

select kizu.expose(f, 'service_role') from unnest(array['kizu.database_trouble', 'public.kizu_job_counts']::regproc[]) f;
select kizu.expose(f, 'authenticated', 'service_role') from unnest(array[
  'kizu.job_counts', 'kizu.photo_counts', 'kizu.causes', 'kizu.operation_counts', 'kizu.is_alive',
  'public.kizu_status']::regproc[]) f;
grant select on kizu.failures to authenticated, service_role;

insert into kizu.schema_version (version, name) values ('20261123080360', 'status') on conflict do nothing;
notify pgrst, 'reload schema';
