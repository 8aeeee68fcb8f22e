-- What a user reads: the list of photos, and one photo with all that was found in it.

-- The order of lists: newest first, photos without a date last.
create index if not exists kizu_assets_list on public.assets
  (user_id, (coalesce(taken_local, '-infinity')) desc, created_at desc, id desc);

-- Where a photo lies on disk: the path of its oldest file, null if none is left. By array_agg, because "order by id
-- limit 1" tempts the planner to walk all files in the order of their ids.
create or replace function kizu.path_of(p_asset uuid) returns text
language sql stable set search_path = '' as $$
  select (array_agg(rtrim(r.path, '/') || '/' || f.path order by f.id))[1]
  from public.asset_files f join public.library_roots r on r.id = f.root_id
  where f.asset_id = p_asset and f.missing_since is null
$$;

-- The caller's photos, newest first: {assets: [...], next}, `next` to be passed as `p_after`, null at the end.
-- p_filter: {kind: 'image'|'video', missing: true, hidden: true, has_text: bool, path: absolute path of a file or folder,
-- name: file name, id}; missing and hidden photos are listed only when asked for or named. At most 1000 a page.
create or replace function public.kizu_assets(p_limit int default 100, p_after jsonb default null, p_filter jsonb default '{}')
returns jsonb language sql stable set search_path = '' as $$
  with page as (
    select a.*, coalesce(a.taken_local, '-infinity') as place,
           row_number() over (order by coalesce(a.taken_local, '-infinity') desc, a.created_at desc, a.id desc) as number
    from public.assets a
    where a.user_id = (select kizu.uid())
      and (p_filter ?| array['id', 'name'] or (a.missing_since is not null) = coalesce((p_filter ->> 'missing')::boolean, false))
      and (p_filter ?| array['id', 'name'] or a.hidden = coalesce((p_filter ->> 'hidden')::boolean, false))
      and (p_filter ->> 'id' is null or a.id = (p_filter ->> 'id')::uuid)
      and (p_filter ->> 'name' is null or a.file_name = p_filter ->> 'name')
      and (p_filter ->> 'kind' is null or a.media_kind = p_filter ->> 'kind')
      and (p_filter ->> 'has_text' is null or (p_filter ->> 'has_text')::boolean
           = exists (select from public.extracted_text t where t.asset_id = a.id))
      and (p_filter ->> 'path' is null or exists (
        select from public.asset_files f join public.library_roots r on r.id = f.root_id
        where f.asset_id = a.id and f.user_id = a.user_id and starts_with(
          rtrim(r.path, '/') || '/' || f.path || '/', rtrim(p_filter ->> 'path', '/') || '/')))
      and (p_after is null or (coalesce(a.taken_local, '-infinity'), a.created_at, a.id)
           < ((p_after ->> 'taken')::timestamp, (p_after ->> 'created')::timestamptz, (p_after ->> 'id')::uuid))
    order by coalesce(a.taken_local, '-infinity') desc, a.created_at desc, a.id desc
    limit least(greatest(p_limit, 1), 1000)
  )
  select jsonb_build_object(
    'assets', coalesce(jsonb_agg(jsonb_build_object(
        'id', id, 'media_kind', media_kind, 'mime', mime, 'file_name', file_name, 'path', kizu.path_of(id),
        'bytes', bytes, 'width', width, 'height', height, 'taken_local', taken_local, 'taken_offset_min', taken_offset_min,
        'latitude', latitude, 'longitude', longitude, 'camera', camera, 'thumbnail', thumbnail, 'web_uri', web_uri,
        'missing_since', missing_since, 'hidden', hidden) order by number), '[]'),
    'next', case when count(*) = least(greatest(p_limit, 1), 1000) then
      (select jsonb_build_object('taken', place, 'created', created_at, 'id', id) from page order by number desc limit 1) end)
  from page
$$;

-- Everything that is known of one photo of the caller; null for another's and for none.
create or replace function public.kizu_asset(p_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select to_jsonb(a) || jsonb_build_object(
    'path', kizu.path_of(a.id),
    'files', (
      select coalesce(jsonb_agg(jsonb_build_object(
          'root', r.path, 'path', f.path, 'size', f.size, 'error', f.error, 'missing_since', f.missing_since,
          'state', r.state) order by f.id), '[]')
      from public.asset_files f join public.library_roots r on r.id = f.root_id where f.asset_id = a.id),
    'texts', (
      select coalesce(jsonb_agg(jsonb_build_object(
          'text', t.text, 'score', t.score, 'bbox', t.bbox, 'quad', t.quad, 'line', t.line, 'model', t.model,
          'runtime', t.runtime, 'frame_ms', t.frame_ms) order by t.frame_ms, t.line), '[]')
      from public.extracted_text t where t.asset_id = a.id),
    'objects', (
      select coalesce(jsonb_agg(jsonb_build_object(
          'label', o.label, 'score', o.score, 'bbox', o.bbox, 'model', o.model, 'runtime', o.runtime,
          'frame_ms', o.frame_ms)
          order by o.frame_ms, o.score desc), '[]')
      from public.detected_objects o where o.asset_id = a.id),
    'faces', (
      select coalesce(jsonb_agg(jsonb_build_object(
          'id', f.id, 'bbox', f.bbox, 'keypoints', f.keypoints, 'score', f.score, 'cluster_id', f.cluster_id,
          'name', c.name,
          'dim', f.dim, 'space', f.space, 'model', f.model, 'runtime', f.runtime, 'frame_ms', f.frame_ms)
          order by f.frame_ms, f.face_index), '[]')
      from public.face_embeddings f left join public.face_clusters c on c.id = f.cluster_id where f.asset_id = a.id),
    'embeddings', (
      select coalesce(jsonb_agg(jsonb_build_object(
          'dim', e.dim, 'space', e.space, 'model', e.model, 'runtime', e.runtime, 'frame_ms', e.frame_ms)
          order by e.space, e.frame_ms), '[]')
      from public.image_embeddings e where e.asset_id = a.id),
    'descriptions', (
      select coalesce(jsonb_agg(jsonb_build_object(
          'description', d.description, 'task', d.task, 'score', d.score, 'model', d.model, 'runtime', d.runtime,
          'frame_ms', d.frame_ms)
          order by d.frame_ms, d.task), '[]')
      from public.image_descriptions d where d.asset_id = a.id),
    'operations', (
      select coalesce(jsonb_agg(jsonb_build_object(
          'operation', p.operation, 'plugin', p.plugin, 'version', p.version, 'space', p.space, 'runtime', p.runtime,
          'found', p.found,
          'seconds', p.seconds, 'error', p.error, 'done_at', p.done_at, 'frame_ms', p.frame_ms,
          'stale', p.source_sha256 is distinct from a.sha256) order by p.operation, p.plugin, p.frame_ms), '[]')
      from public.plugin_results p where p.asset_id = a.id))
  from public.assets a where a.id = p_id and a.user_id = (select kizu.uid())
$$;

select kizu.expose('kizu.path_of', 'authenticated', 'service_role');
select kizu.expose(f::regproc, 'authenticated') from unnest(array['public.kizu_assets', 'public.kizu_asset']) f;

insert into kizu.schema_version (version, name) values ('20261123080500', 'lists') on conflict do nothing;
notify pgrst, 'reload schema';
