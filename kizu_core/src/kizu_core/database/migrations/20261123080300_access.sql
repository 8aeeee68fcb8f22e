-- Who may see and do what. Workers (service_role) do everything, a user (authenticated) reads own rows and asks for
-- jobs, anon nothing. A table that was there before Kizu keeps its own rules: see kizu.protect.

select kizu.protect(t) from unnest(array[
  'contacts', 'assets', 'library_roots', 'asset_files', 'ai_processing_jobs', 'image_processing_jobs', 'image_embeddings',
  'face_clusters', 'face_embeddings', 'detected_objects', 'extracted_text', 'image_descriptions', 'plugin_results',
  'moments']) t;
select kizu.protect('profiles', 'id = (select kizu.uid())');
select kizu.protect('moment_assets',
  'exists (select from public.moments m where m.id = moment_id and m.user_id = (select kizu.uid()))');
select kizu.protect('operations', 'true');
select kizu.protect('kizu_workers', null);

-- A user may ask for work on an own photo: these columns only, and no way to jump every line or to retry for ever.
do $$
declare
  job record;
begin
  for job in
    select * from (values
      ('ai_processing_jobs', 'user_id, asset_id, job_type, input_params, priority, run_after, max_attempts, dedupe_key',
        'input_params'),
      ('image_processing_jobs', 'user_id, asset_id, input_url, input_orientation, needs_web_version, metadata, media_kind, '
        'priority, run_after, max_attempts, dedupe_key', 'metadata')) as v (name, columns, params)
    where name not in (select a.name from kizu.adopted a)
  loop
    execute format('grant insert (id, %s) on public.%I to authenticated', job.columns, job.name);
    execute format('drop policy if exists kizu_ask on public.%I', job.name);
    execute format($sql$
      create policy kizu_ask on public.%I for insert to authenticated with check (
        user_id = (select kizu.uid())
        and (asset_id is null or exists (
          select from public.assets a where a.id = asset_id and a.user_id = (select kizu.uid())))
        and priority between 50 and 1000 and max_attempts between 1 and 10
        and length(coalesce(%I, '{}')::text) <= 65536)
    $sql$, job.name, job.params);
  end loop;
end $$;

-- Realtime wakes workers of a Supabase project. Elsewhere there is no such publication.
do $$
declare
  job_table text;
begin
  foreach job_table in array array['ai_processing_jobs', 'image_processing_jobs'] loop
    if exists (select from pg_publication where pubname = 'supabase_realtime' and not puballtables)
      and not exists (select from pg_publication_tables
                      where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = job_table) then
      execute format('alter publication supabase_realtime add table public.%I', job_table);
    end if;
  end loop;
end $$;

insert into kizu.schema_version (version, name) values ('20261123080300', 'access') on conflict do nothing;
notify pgrst, 'reload schema';
