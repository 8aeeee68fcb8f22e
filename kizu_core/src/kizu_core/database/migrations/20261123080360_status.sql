-- What a person wants to know: how far it is, what failed and why, who works.

-- Per operation: jobs by their state, photos by what the ledger says of them.
create or replace function kizu.operation_counts(p_user uuid) returns jsonb
language sql stable set search_path = '' as $$
  with job as (
    select t.operation,
      count(*) filter (where j.status = 'pending' and (j.attempt = 0 or j.run_after <= now())) as waiting,
      count(*) filter (where j.status = 'pending' and j.attempt > 0 and j.run_after > now()) as retrying,
      count(*) filter (where j.status = 'processing') as running
    from kizu.jobs j cross join unnest(coalesce(j.todo, '{}')) t (operation)
    where j.status in ('pending', 'processing') and j.user_id = coalesce(p_user, j.user_id)
    group by t.operation
  ), photo as (
    -- With several plugins, or frames, one success is enough.
    select r.operation, count(*) filter (where r.good) as done, count(*) filter (where not r.good) as failed
    from (select r.asset_id, r.operation, bool_or(r.error is null) as good
          from public.plugin_results r join public.assets a on a.id = r.asset_id and a.missing_since is null
          where r.user_id = coalesce(p_user, r.user_id) group by r.asset_id, r.operation) r
    group by r.operation
  )
  select coalesce(jsonb_object_agg(coalesce(j.operation, p.operation), jsonb_build_object(
    'waiting', coalesce(j.waiting, 0), 'running', coalesce(j.running, 0), 'retrying', coalesce(j.retrying, 0),
    'done', coalesce(p.done, 0), 'failed', coalesce(p.failed, 0))), '{}')
  from job j full join photo p on p.operation = j.operation
$$;

-- Failures by cause, the most frequent first, each with up to three file names: operations that failed for good, and
-- files that could not be taken into the library.
create or replace function kizu.failure_causes(p_user uuid) returns jsonb
language sql stable set search_path = '' as $$
  with failure as (
    select r.error, coalesce(a.file_name, a.id::text) as file, r.operation
    from public.plugin_results r join public.assets a on a.id = r.asset_id and a.missing_since is null
    where r.error is not null and r.user_id = coalesce(p_user, r.user_id)
      and not exists (select from public.plugin_results g
                      where g.asset_id = r.asset_id and g.operation = r.operation and g.error is null)
    union all
    select f.error, f.path, null from public.asset_files f
    where f.error is not null and f.missing_since is null and f.user_id = coalesce(p_user, f.user_id)
  ), cause as (
    select f.error ->> 'code' as code, f.error ->> 'message' as message, min(f.error ->> 'hint') as hint,
      count(distinct f.file) as count, array_remove(array_agg(distinct f.operation), null) as operations,
      (array_agg(distinct f.file))[:3] as examples
    from failure f group by 1, 2
  )
  select coalesce(jsonb_agg(to_jsonb(c) order by c.count desc, c.code, c.message), '[]') from cause c
$$;

-- The state of one user's library, or of all (workers only). Users do not see the machines of others.
create or replace function public.kizu_status(p_user uuid default null) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  workers jsonb := '[]';
begin
  if has_table_privilege('public.kizu_workers', 'select') then
    select coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'info', w.info, 'can', w.can, 'started_at', w.started_at,
        'beat_at', w.beat_at, 'held', (select count(*) from kizu.jobs j where j.status = 'processing' and j.worker_id = w.id))
        order by w.id), '[]')
      into workers from public.kizu_workers w where w.beat_at > now() - interval '2 min';
  end if;
  return jsonb_build_object(
    'jobs', kizu.operation_counts(p_user),
    'assets', (select jsonb_build_object(
        'images', count(*) filter (where a.media_kind = 'image' and a.missing_since is null),
        'videos', count(*) filter (where a.media_kind = 'video' and a.missing_since is null),
        'missing', count(*) filter (where a.missing_since is not null))
      from public.assets a where a.user_id = coalesce(p_user, a.user_id)),
    'failures', kizu.failure_causes(p_user),
    'workers', workers,
    'oldest_waiting_s', (select round(extract(epoch from now() - min(j.created_at)))::int from kizu.jobs j
      where j.status = 'pending' and j.user_id = coalesce(p_user, j.user_id)),
    'roots', (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'path', r.path, 'state', r.state,
        'last_scan', r.last_scan) order by r.path), '[]')
      from public.library_roots r where r.user_id = coalesce(p_user, r.user_id)));
end $$;

select kizu.expose(f, 'authenticated', 'service_role')
  from unnest(array['kizu.operation_counts', 'kizu.failure_causes', 'public.kizu_status']::regproc[]) f;

insert into kizu.schema_version (version, name) values ('20261123080360', 'status') on conflict do nothing;
notify pgrst, 'reload schema';
