-- What goes away by itself, and what is said of a database that can't tidy up. Any worker does it, none leads.

-- When something that is to be done now and then was done last.
create table if not exists kizu.chores (name text primary key, done_at timestamptz not null);
grant select, insert, update on kizu.chores to service_role;

-- Removes jobs that ended more than `p_keep_days` days ago (0: keeps all), and workers that were not heard of for a day.
-- What was found in photos, and what failed on them, stays in the ledger. A call takes up to `p_limit` jobs of each table,
-- and leaves those alone that somebody else has locked. {jobs, workers, more}: `more` asks for another call at once; after
-- one that is not, calls of the next hour do nothing.
create or replace function public.kizu_prune(p_keep_days int, p_limit int default 1000) returns jsonb
language plpgsql set search_path = '' as $$
declare
  jobs int;
  workers int;
  pruned int := 0;
  more boolean := false;
  job_table text;
begin
  if exists (select from kizu.chores c where c.name = 'prune' and c.done_at > clock_timestamp() - interval '1 hour') then
    return jsonb_build_object('jobs', 0, 'workers', 0, 'more', false);
  end if;
  foreach job_table in array array['ai_processing_jobs', 'image_processing_jobs'] loop
    execute format($sql$
      delete from public.%1$I where id in (
        select j.id from public.%1$I j
        where j.status in ('completed', 'failed') and j.completed_at < clock_timestamp() - make_interval(days => $1) and $1 > 0
        order by j.completed_at limit $2 for update skip locked)
    $sql$, job_table) using p_keep_days, p_limit;
    get diagnostics jobs = row_count;
    pruned := pruned + jobs;
    more := more or jobs = p_limit;
  end loop;
  delete from public.kizu_workers w where w.beat_at < clock_timestamp() - interval '1 day';
  get diagnostics workers = row_count;
  if not more then
    insert into kizu.chores (name, done_at) values ('prune', clock_timestamp())
      on conflict (name) do update set done_at = excluded.done_at;
  end if;
  return jsonb_build_object('jobs', pruned, 'workers', workers, 'more', more);
end $$;

-- Of these keys of thumbnails and web versions (`{user}/processed/{asset}/{name}`) those that nothing refers to. Keys of
-- users that this database does not know are somebody else's: two databases may share a folder.
create or replace function public.kizu_orphan_blobs(p_keys text[]) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(k.key), '[]')
  from (select key, split_part(key, '/', 1)::uuid as user_id, split_part(key, '/', 3)::uuid as asset_id
        from unnest(p_keys) u (key)) k
  where exists (select from public.profiles p where p.id = k.user_id) and not exists (
    select from public.assets a
    where a.id = k.asset_id and a.user_id = k.user_id
      and (right(a.thumbnail, length(k.key)) = k.key or right(a.web_uri, length(k.key)) = k.key))
$$;

select kizu.expose(f, 'service_role')
  from unnest(array['public.kizu_prune', 'public.kizu_orphan_blobs']::regproc[]) f;

insert into kizu.schema_version (version, name) values ('20261123090200', 'retention') on conflict do nothing;
notify pgrst, 'reload schema';
