-- Reconcile: exactly the operations that are missing or stale become jobs.
-- Runs right after an import, when the planner knows nothing of the tables yet and takes 100,000 rows for one. Without
-- nested loops its mistakes cost little.

-- Photos that can be worked on: not missing, and reachable if they are known by files at all (others were uploaded).
create or replace function kizu.reachable_photos(p_user uuid, p_root uuid) returns setof public.assets
language sql stable set search_path = '' set enable_nestloop = off as $$
  with place as materialized (
    select f.asset_id, bool_or(f.missing_since is null and r.state = 'online' and r.id = coalesce(p_root, r.id)) as reachable
    from public.asset_files f join public.library_roots r on r.id = f.root_id
    where f.user_id = p_user group by f.asset_id)
  select a.* from public.assets a left join place p on p.asset_id = a.id
  where a.user_id = p_user and a.media_kind = 'image' and a.missing_since is null and coalesce(p.reachable, p_root is null)
$$;

-- For each photo and operation of `p_wanted` without an up-to-date entry in the ledger (a failed one counts: the same
-- bytes are not tried again) and without a waiting or running job. `p_wanted`: see kizu_enqueue_stale.
create or replace function kizu.stale_operations(p_user uuid, p_wanted jsonb, p_root uuid)
returns table (asset_id uuid, operation text, job text, priority int, newest_first float8)
language sql stable set search_path = '' set enable_nestloop = off set work_mem = '64MB' as $$
  with open as materialized (
    select j.asset_id, t.operation from kizu.jobs j
    join public.assets a on a.id = j.asset_id
    cross join unnest(j.todo) t (operation)
    where j.user_id = p_user
      -- A running job counts only if it has the present bytes in hand.
      and (j.status = 'pending' or j.status = 'processing' and j.source_sha256 is not distinct from a.sha256)
  )
  select a.id, w.operation, w.job, coalesce(w.priority, 100),
    -extract(epoch from coalesce(a.taken_local at time zone 'UTC', a.created_at))
  from kizu.reachable_photos(p_user, p_root) a
  cross join jsonb_to_recordset(p_wanted)
    as w (operation text, plugin text, version text, space text, job text, priority int)
  where not exists (
      select from public.plugin_results r
      where r.asset_id = a.id and r.operation = kizu.base_operation(w.operation) and r.frame_ms = 0
        and (r.plugin = w.plugin or r.space is not null) -- the same space is the same, whoever fills it
        and r.version = w.version and r.space is not distinct from w.space and r.source_sha256 is not distinct from a.sha256
        -- It could not be found then; now it is known to be somewhere.
        and coalesce(r.error ->> 'code', '') <> 'source_missing')
    and not exists (select from open o where o.asset_id = a.id and o.operation = w.operation)
$$;

-- Makes the jobs and tells how many of each operation. `p_wanted`: [{operation, plugin, version, space, job, priority}]
-- with job quick | slow | optimize | next (fills the space of a model that is to come): one job per photo and value of `job`, the newest photos first. A call makes at most
-- `p_limit` jobs, to stay within a statement's time; to make all, call it until it returns {}.
create or replace function public.kizu_enqueue_stale(
  p_user uuid, p_wanted jsonb, p_root uuid default null, p_limit int default 20000) returns jsonb
language plpgsql set search_path = '' set enable_nestloop = off set work_mem = '64MB' as $$
declare
  counts jsonb;
begin
  -- One at a time for a user: the second call then sees what the first one made.
  perform pg_advisory_xact_lock(hashtextextended('kizu_enqueue_stale ' || p_user, 0));
  with stale as (
    select s.asset_id, s.job, min(s.priority) as priority, array_agg(s.operation) as todo, min(s.newest_first) as newest_first
    from kizu.stale_operations(p_user, p_wanted, p_root) s group by s.asset_id, s.job
    order by min(s.priority), min(s.newest_first) limit p_limit
  ), job as materialized (
    select a.id as asset_id, s.job, s.priority, s.todo, a.sha256, a.metadata ->> 'url' as url,
      a.mime not in ('image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif')
        or greatest(a.width, a.height) > 4096 as needs_web_version,
      -- Below zero, so that all of it is due, and in front of whatever stands in line by the hour of its arrival.
      s.newest_first - 1e11 as claim_order,
      (select jsonb_agg(w order by w ->> 'operation') from jsonb_array_elements(p_wanted) w
       where w ->> 'operation' = any (s.todo)) as wanted
    from stale s join public.assets a on a.id = s.asset_id
  ), ai as (
    insert into public.ai_processing_jobs (user_id, asset_id, job_type, input_params, priority, todo, claim_order, dedupe_key)
    select p_user, j.asset_id, case j.job when 'next' then 'next_model' else 'image_ai' end,
      jsonb_strip_nulls(jsonb_build_object('operations', j.todo, 'image_url', j.url, 'wanted', j.wanted)),
      j.priority, j.todo, j.claim_order, md5(concat_ws(' ', j.asset_id, j.sha256, j.wanted))
    from job j where j.job <> 'optimize'
    on conflict do nothing returning todo
  ), image as (
    insert into public.image_processing_jobs
      (user_id, asset_id, input_url, needs_web_version, metadata, media_kind, priority, todo, claim_order, dedupe_key)
    select p_user, j.asset_id, j.url, j.needs_web_version, jsonb_strip_nulls(jsonb_build_object('wanted', j.wanted)), 'image',
      j.priority, j.todo, j.claim_order, md5(concat_ws(' ', j.asset_id, j.sha256, j.wanted))
    from job j where j.job = 'optimize'
    on conflict do nothing returning todo
  )
  select jsonb_object_agg(c.operation, c.n) into counts from (
    select t.operation, count(*) as n
    from (select todo from ai union all select todo from image) made, unnest(made.todo) t (operation)
    group by t.operation) c;
  return coalesce(counts, '{}');
end $$;

select kizu.expose(f, 'service_role')
  from unnest(array['kizu.reachable_photos', 'kizu.stale_operations', 'public.kizu_enqueue_stale']::regproc[]) f;

insert into kizu.schema_version (version, name) values ('20261123080350', 'queue_stale') on conflict do nothing;
notify pgrst, 'reload schema';
