-- What handlers of jobs about a whole library may see of it (`LibraryView`, answered by `worker/views.py`). All act as
-- the job's user and take no user: whatever a child process asks, there is nothing in which it could name another one,
-- and row level security stands behind the filters. Answers come in pages and in short forms, since libraries are
-- large: lists instead of objects, vectors as base64 of what `halfvec_send` gives, one after the other.

-- Row level security adds the user to every look-up by photo. Without an index of both, a planner that knows nothing yet
-- of tables that were just filled reads all rows of the user for each photo.
create index if not exists kizu_assets_owner on public.assets (user_id, id);
create index if not exists kizu_face_embeddings_owner on public.face_embeddings (user_id, asset_id, id);
create index if not exists kizu_detected_objects_owner on public.detected_objects (user_id, asset_id, label);
create index if not exists kizu_extracted_text_owner on public.extracted_text (user_id, asset_id);

-- Names of persons who have one and are not hidden, that of their contact if they have no other: {people: {id: name}}.
create or replace function public.kizu_view_names() returns jsonb language sql stable set search_path = '' as $$
  select jsonb_build_object('people', coalesce(jsonb_object_agg(p.id, p.name), '{}')) from (
    select c.id, coalesce(nullif(c.name, ''), k.name) as name
    from public.face_clusters c left join public.contacts k on k.id = c.contact_id and k.user_id = c.user_id
    where c.user_id = (select kizu.uid()) and not c.hidden) p
  where p.name is not null
$$;

-- Photos that are neither hidden nor gone, by id: {photos: [[id, taken_local, trusted, latitude, longitude, place_name,
-- city, county, state, country, persons, labels, media_kind]], next}. A date that programs write when they save a file
-- is not trusted. `next` is the `p_after` of the next page, null at the end.
create or replace function public.kizu_view_photos(p_after uuid default null, p_limit int default 5000) returns jsonb
language sql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
  with page as materialized (
    select a.*, kizu.has_position(a.latitude, a.longitude) as placed from public.assets a
    where a.user_id = (select kizu.uid()) and not a.hidden and a.missing_since is null
      and (p_after is null or a.id > p_after)
    order by a.id limit least(greatest(p_limit, 1), 5000)
  )
  select jsonb_build_object(
    'photos', coalesce(jsonb_agg(jsonb_build_array(
      p.id, p.taken_local, coalesce(p.taken_source <> 'IFD0:ModifyDate', false),
      case when p.placed then p.latitude end, case when p.placed then p.longitude end,
      p.place_name, p.city, p.county, p.state, p.country, coalesce(f.persons, '[]'), coalesce(o.labels, '[]'),
      p.media_kind) order by p.id), '[]'),
    'next', case when count(*) = least(greatest(p_limit, 1), 5000) then (array_agg(p.id order by p.id desc))[1] end)
  from page p
  left join lateral (
    select jsonb_agg(distinct f.cluster_id) as persons from public.face_embeddings f
    where f.user_id = p.user_id and f.asset_id = p.id and f.cluster_id is not null) f on true
  left join lateral (
    select jsonb_agg(distinct o.label) as labels from public.detected_objects o
    where o.user_id = p.user_id and o.asset_id = p.id and o.label is not null) o on true
$$;

-- Faces of one space, photo by photo: {space, faces: [[id, asset_id, cluster_id, score, usable]], vectors, next}. Those
-- of hidden and missing photos are among them, for they keep their persons. `p_space`: that of the first page, so that
-- all pages are of one; null for the one that answers.
create or replace function public.kizu_view_faces(
  p_space text default null, p_after uuid[] default null, p_limit int default 2000) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  used_space constant text := coalesce(p_space, kizu.active_space((select kizu.uid()), 'face'));
  page_size constant int := least(greatest(p_limit, 1), 2000);
begin
  return (
    with page as materialized (
      select f.* from public.face_embeddings f
      where f.user_id = (select kizu.uid()) and f.space = used_space
        and (p_after is null or (f.asset_id, f.id) > (p_after[1], p_after[2]))
      order by f.asset_id, f.id limit page_size
    )
    select jsonb_build_object('space', used_space,
      'faces', coalesce(jsonb_agg(jsonb_build_array(
        f.id, f.asset_id, f.cluster_id, coalesce(f.score, 0), coalesce(f.usable, true)) order by f.asset_id, f.id), '[]'),
      'vectors', encode(string_agg(
        extensions.halfvec_send(f.embedding::extensions.halfvec), '' order by f.asset_id, f.id), 'base64'),
      'next', case when count(*) = page_size then (
        select jsonb_build_array(l.asset_id, l.id) from page l order by l.asset_id desc, l.id desc limit 1) end)
    from page f);
end $$;

-- The search vectors of some photos: {space, assets: [id], vectors}. Of a video, that of its first picture.
create or replace function public.kizu_view_vectors(p_assets uuid[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  used_space constant text := kizu.active_space((select kizu.uid()), 'embedder');
begin
  return (
    with found as materialized (
      select distinct on (e.asset_id) e.asset_id, e.embedding from public.image_embeddings e
      where e.user_id = (select kizu.uid()) and e.space = used_space and e.asset_id = any (p_assets)
      order by e.asset_id, e.frame_ms
    )
    select jsonb_build_object('space', used_space,
      'assets', coalesce(jsonb_agg(e.asset_id order by e.asset_id), '[]'),
      'vectors', encode(string_agg(
        extensions.halfvec_send(e.embedding::extensions.halfvec), '' order by e.asset_id), 'base64'))
    from found e);
end $$;

-- What tells how good some photos are to look at: {facts: [{id, width, ...}]}, see `LibraryView.facts`.
create or replace function public.kizu_view_facts(p_assets uuid[]) returns jsonb
language sql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
  select jsonb_build_object('facts', coalesce(jsonb_agg(jsonb_build_object(
    'id', a.id, 'width', a.width, 'height', a.height, 'mime', a.mime, 'file_name', a.file_name, 'sha256', a.sha256,
    'bytes', a.bytes, 'camera', a.camera, 'taken', a.taken_local, 'labels', o.labels, 'text_length', t.letters,
    'faces', f.faces, 'face_score', f.score, 'sharpness', f.sharpness)), '[]'))
  from public.assets a
  left join lateral (
    select jsonb_object_agg(l.label, l.score) as labels from (
      select o.label, max(o.score) as score from public.detected_objects o
      where o.user_id = a.user_id and o.asset_id = a.id and o.label is not null group by o.label) l) o on true
  left join lateral (
    select sum(length(t.text)) as letters from public.extracted_text t
    where t.user_id = a.user_id and t.asset_id = a.id) t on true
  left join lateral ( -- of one space: two may stand side by side while models change
    select count(*) as faces, max(f.score) as score,
      (array_agg(f.sharpness order by f.score desc nulls last))[1] as sharpness
    from public.face_embeddings f where f.user_id = a.user_id and f.asset_id = a.id
    group by f.space order by count(*) desc limit 1) f on true
  where a.user_id = (select kizu.uid()) and a.id = any (p_assets)
$$;

select kizu.expose(f::regproc, 'authenticated') from unnest(array[
  'public.kizu_view_names', 'public.kizu_view_photos', 'public.kizu_view_faces', 'public.kizu_view_vectors',
  'public.kizu_view_facts']) f;

insert into kizu.schema_version (version, name) values ('20261123092500', 'views') on conflict do nothing;
notify pgrst, 'reload schema';
