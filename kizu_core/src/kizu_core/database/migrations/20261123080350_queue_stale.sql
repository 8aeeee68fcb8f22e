-- Reconcile: exactly the operations that are missing or stale become jobs.

-- Photos that can be worked on: not missing, and reachable if they are known by files at all (others were uploaded).
create or replace function kizu.reachable_photos(p_user uuid, p_root uuid) returns setof public.assets
language sql stable set search_path = '' as $$
  select a.* from public.assets a
  where a.user_id = p_user and a.media_kind = 'image' and a.missing_since is null
    and (exists (select from public.asset_files f join public.library_roots r on r.id = f.root_id
                 where f.asset_id = a.id and f.missing_since is null and r.state = 'online' and r.id = coalesce(p_root, r.id))
         or p_root is null and not exists (select from public.asset_files f where f.asset_id = a.id))
$$;

-- For each photo and operation of `p_wanted` without an up-to-date entry in the ledger (a failed one counts: the same
-- bytes are not tried again) and without a waiting or running job. `p_wanted`: see kizu_enqueue_stale.
create or replace function kizu.stale_operations(p_user uuid, p_wanted jsonb, p_root uuid)
returns table (asset_id uuid, operation text, plugin text, version text, space text, job text, priority int)
language sql stable set search_path = '' as $$
  with open as materialized (
    select j.asset_id, t.operation from kizu.jobs j
    join public.assets a on a.id = j.asset_id
    cross join unnest(j.todo) t (operation)
    where j.user_id = p_user
      -- A running job counts only if it has the present bytes in hand.
      and (j.status = 'pending' or j.status = 'processing' and j.source_sha256 is not distinct from a.sha256)
  )
  select a.id, w.operation, w.plugin, w.version, w.space, w.job, coalesce(w.priority, 100)
  from kizu.reachable_photos(p_user, p_root) a
  cross join jsonb_to_recordset(p_wanted)
    as w (operation text, plugin text, version text, space text, job text, priority int)
  where not exists (
      select from public.plugin_results r
      where r.asset_id = a.id and r.operation = w.operation and r.plugin = w.plugin and r.frame_ms = 0
        and r.version = w.version and r.space is not distinct from w.space and r.source_sha256 is not distinct from a.sha256)
    and not exists (select from open o where o.asset_id = a.id and o.operation = w.operation)
$$;

-- Makes the jobs and tells how many of each operation. `p_wanted`: [{operation, plugin, version, space, job, priority}]
-- with job quick | slow | optimize: one job per photo and value of `job`, the newest photos first.
create or replace function public.kizu_enqueue_stale(p_user uuid, p_wanted jsonb, p_root uuid default null) returns jsonb
language plpgsql set search_path = '' as $$
declare
  counts jsonb;
begin
  -- One at a time for a user: the second call then sees what the first one made.
  perform pg_advisory_xact_lock(hashtextextended('kizu_enqueue_stale ' || p_user, 0));
  with job as materialized (
    select s.asset_id, s.job, min(s.priority) as priority, array_agg(s.operation order by s.operation) as todo,
      jsonb_agg(jsonb_build_object('operation', s.operation, 'plugin', s.plugin, 'version', s.version, 'space', s.space)
                order by s.operation) as wanted
    from kizu.stale_operations(p_user, p_wanted, p_root) s group by s.asset_id, s.job
  ), sorted as materialized (
    select j.*, a.sha256, a.metadata ->> 'url' as url,
      a.mime not in ('image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif')
        or greatest(a.width, a.height) > 4096 as needs_web_version,
      -- Below zero, so that all of it is due, and in front of whatever stands in line by the hour of its arrival.
      -1e11 - extract(epoch from coalesce(a.taken_local at time zone 'UTC', a.created_at)) as claim_order,
      md5(jsonb_build_array(j.asset_id, a.sha256, j.job, j.wanted)::text) as dedupe_key
    from job j join public.assets a on a.id = j.asset_id
  ), ai as (
    insert into public.ai_processing_jobs (user_id, asset_id, job_type, input_params, priority, todo, claim_order, dedupe_key)
    select p_user, s.asset_id, 'image_ai',
      jsonb_strip_nulls(jsonb_build_object('operations', s.todo, 'image_url', s.url)) || jsonb_build_object('wanted', s.wanted),
      s.priority, s.todo, s.claim_order, s.dedupe_key
    from sorted s where s.job <> 'optimize' order by s.priority, s.claim_order
    on conflict do nothing returning todo
  ), image as (
    insert into public.image_processing_jobs
      (user_id, asset_id, input_url, needs_web_version, metadata, media_kind, priority, todo, claim_order, dedupe_key)
    select p_user, s.asset_id, s.url, s.needs_web_version, jsonb_build_object('wanted', s.wanted), 'image',
      s.priority, s.todo, s.claim_order, s.dedupe_key
    from sorted s where s.job = 'optimize' order by s.priority, s.claim_order
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
