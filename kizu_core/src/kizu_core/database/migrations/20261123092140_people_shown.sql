-- What a user reads: people, one of them with all faces, what Kizu is not sure of, and the log of corrections. Faces are
-- those of the space that answers; photos that are hidden or gone count nowhere.

-- The face that the user chose to stand for a person, where it can be seen; else null.
create or replace function kizu.cover_of(p_user uuid, p_space text, p_person uuid, p_cover jsonb) returns uuid
language plpgsql stable set search_path = '' as $$
begin
  if p_cover is null then
    return null;
  end if;
  return (
    select f.id from public.face_embeddings f
    join public.assets a on a.id = f.asset_id and a.user_id = p_user and not a.hidden and a.missing_since is null
    where f.asset_id = kizu.photo_at(p_user, p_cover) and f.cluster_id = p_person and f.space = p_space
      and f.frame_ms = (p_cover ->> 'frame_ms')::int and kizu.overlap(f.bbox, p_cover -> 'box') > 0.5
    order by kizu.overlap(f.bbox, p_cover -> 'box') desc limit 1);
end $$;

-- The caller's people, biggest first: {people: [{id, name, contact, photos, faces, hidden, cover: {face_id, asset_id, bbox,
-- path}}]}. p_filter: {named: bool, hidden: true (those too), limit, or: name, ids: [...], which find whoever it is}. At most
-- 1000.
create or replace function public.kizu_people(p_filter jsonb default '{}') returns jsonb
language sql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
  with me as (
    select kizu.uid() as id, kizu.active_space(kizu.uid(), 'face') as space
  ), person as materialized (
    select c.* from public.face_clusters c, me
    where c.user_id = me.id and case
      when p_filter ? 'ids' then p_filter -> 'ids' ? c.id::text
      when p_filter ? 'name' then kizu.name_key(c.name) = kizu.name_key(p_filter ->> 'name')
      else (not c.hidden or coalesce((p_filter ->> 'hidden')::boolean, false))
        and (p_filter ->> 'named' is null or (p_filter ->> 'named')::boolean = (c.name is not null)) end
  ), face as (
    select f.id, f.cluster_id, f.asset_id, f.score from me
    join public.face_embeddings f on f.user_id = me.id and f.space = me.space
    join public.assets a on a.id = f.asset_id and a.user_id = me.id and not a.hidden and a.missing_since is null
    where f.cluster_id in (select p.id from person p)
  ), counted as (
    select f.cluster_id, count(*) as faces, count(distinct f.asset_id) as photos,
      (array_agg(f.id order by f.score desc nulls last, f.id))[1] as best
    from face f group by f.cluster_id
  ), page as (
    select p.id, p.name, p.contact_id, p.hidden, p.cover, coalesce(n.photos, 0) as photos, coalesce(n.faces, 0) as faces, n.best
    from person p left join counted n on n.cluster_id = p.id
    where n.photos is not null or p.kept or p.name is not null
    order by 6 desc, p.name, p.id limit least(greatest(coalesce((p_filter ->> 'limit')::int, 1000), 1), 1000)
  ), shown as materialized ( -- before faces are fetched: row level security lets no index be used for what a function says
    select p.*, coalesce(kizu.cover_of(me.id, me.space, p.id, p.cover), p.best) as face_id from page p, me
  )
  select jsonb_build_object('people', coalesce(jsonb_agg(jsonb_build_object(
      'id', p.id, 'name', p.name, 'contact', p.contact_id, 'photos', p.photos, 'faces', p.faces, 'hidden', p.hidden,
      'cover', (
        select jsonb_build_object('face_id', f.id, 'asset_id', f.asset_id, 'bbox', f.bbox, 'path', kizu.path_of(f.asset_id))
        from public.face_embeddings f where f.id = p.face_id))
    order by p.photos desc, p.name, p.id), '[]'))
  from shown p
$$;

-- One of the caller's people, or whom it was merged into, with faces, newest photo first: {..., faces: [{face_id,
-- asset_id, bbox, score, path, taken_local, certainty: likeness to the mean face, 1 is the same, fixed: the user said
-- so}], next}. Null if there is none.
create or replace function public.kizu_person(p_id uuid, p_limit int default 100, p_after jsonb default null) returns jsonb
language sql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
  with me as (
    select kizu.uid() as id, kizu.active_space(kizu.uid(), 'face') as space, kizu.person_now(kizu.uid(), p_id) as person
  ), page as materialized (
    select f.*, a.taken_local, coalesce(a.taken_local, '-infinity') as place,
      round((1 - (f.embedding::extensions.halfvec operator(extensions.<=>) c.centroid))::numeric, 4) as certainty
    from me
    join public.face_embeddings f on f.cluster_id = me.person and f.user_id = me.id and f.space = me.space
    join public.assets a on a.id = f.asset_id and a.user_id = me.id and not a.hidden and a.missing_since is null
    left join public.face_centroids c on c.cluster_id = f.cluster_id and c.space = f.space
    where p_after is null or (coalesce(a.taken_local, '-infinity'), f.id)
          < ((p_after ->> 'taken')::timestamp, (p_after ->> 'id')::uuid)
    order by place desc, f.id desc limit least(greatest(p_limit, 1), 1000)
  ), said as materialized (
    select r.face_id from me cross join lateral kizu.ruled_faces(me.id, array(select asset_id from page)) r where not r.is_not
  )
  select p.value || jsonb_build_object(
    'faces', (
      select coalesce(jsonb_agg(jsonb_build_object(
          'face_id', f.id, 'asset_id', f.asset_id, 'bbox', f.bbox, 'score', f.score, 'path', kizu.path_of(f.asset_id),
          'taken_local', f.taken_local, 'certainty', f.certainty, 'fixed', f.id in (select face_id from said))
        order by f.place desc, f.id desc), '[]') from page f),
    'next', (select jsonb_build_object('taken', l.place, 'id', l.id) from page l
             where (select count(*) from page) = least(greatest(p_limit, 1), 1000) order by l.place, l.id limit 1))
  from me, jsonb_array_elements(public.kizu_people(jsonb_build_object('ids', jsonb_build_array(me.person))) -> 'people') p
$$;

-- Up to three of the caller's faces whose id begins so: [{face_id, asset_id, person, bbox, path}].
create or replace function public.kizu_faces(p_id text) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object('face_id', f.id, 'asset_id', f.asset_id, 'person', f.cluster_id,
    'bbox', f.bbox, 'path', kizu.path_of(f.asset_id)) order by f.id), '[]')
  from (select * from public.face_embeddings f
        where f.user_id = (select kizu.uid()) and f.space = kizu.active_space((select kizu.uid()), 'face')
          and starts_with(f.id::text, lower(p_id)) order by f.id limit 3) f
$$;

-- What is worth asking the caller: {pairs: [{kind: 'merge'|'twins', a, b: people, score}], faces: [{face: as in
-- kizu_person, person, certainty}]}: likely twins and the least certain merges first, then the least certain faces of people with names.
create or replace function public.kizu_people_review(p_limit int default 20) returns jsonb
language sql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
  with me as (
    select kizu.uid() as id, kizu.active_space(kizu.uid(), 'face') as space, least(greatest(p_limit, 1), 200) as most
  ), pair as materialized (
    select r.kind, r.a, r.b, r.score, row_number() over (order by r.kind <> 'twins', r.score desc, r.a, r.b) as place
    from me join public.face_reviews r on r.user_id = me.id
    join public.face_clusters a on a.id = r.a and not a.hidden and r.b <> all (a.apart)
    join public.face_clusters b on b.id = r.b and not b.hidden
    order by place limit (select most from me)
  ), said as materialized (
    select r.face_id from me cross join lateral kizu.ruled_faces(me.id) r where not r.is_not
  ), face as materialized (
    select f.id, f.asset_id, f.bbox, f.score, a.taken_local, c.cluster_id,
      round((1 - (f.embedding::extensions.halfvec operator(extensions.<=>) c.centroid))::numeric, 4) as certainty
    from me
    join public.face_clusters p on p.user_id = me.id and p.name is not null and not p.hidden
    join public.face_centroids c on c.cluster_id = p.id and c.space = me.space and c.size > 1
    join public.face_embeddings f on f.cluster_id = p.id and f.space = me.space and f.user_id = me.id
    join public.assets a on a.id = f.asset_id and not a.hidden and a.missing_since is null
    where f.id not in (select face_id from said)
    order by certainty, f.id limit (select most from me)
  ), person as materialized (
    select v.value, (v.value ->> 'id')::uuid as id from jsonb_array_elements(public.kizu_people(jsonb_build_object('ids', (
      select coalesce(jsonb_agg(distinct id), '[]') from (
        select a as id from pair union select b from pair union select cluster_id from face) ids))) -> 'people') v
  )
  select jsonb_build_object(
    'pairs', (select coalesce(jsonb_agg(jsonb_build_object('kind', r.kind, 'a', a.value, 'b', b.value, 'score', r.score)
        order by r.place), '[]')
      from pair r join person a on a.id = r.a join person b on b.id = r.b),
    'faces', (select coalesce(jsonb_agg(jsonb_build_object('face', jsonb_build_object('face_id', f.id, 'asset_id', f.asset_id,
          'bbox', f.bbox, 'score', f.score, 'path', kizu.path_of(f.asset_id), 'taken_local', f.taken_local),
        'person', p.value, 'certainty', f.certainty) order by f.certainty, f.id), '[]')
      from face f join person p on p.id = f.cluster_id))
$$;

-- The caller's corrections, newest first: {corrections: [{id, kind, at, subject, undone, undoes}], next}. Of people,
-- `subject` has `person` and how many `faces`; what only the log needs is left out.
create or replace function public.kizu_corrections(p_limit int default 50, p_after bigint default null) returns jsonb
language sql stable set search_path = '' as $$
  with page as (
    select c.* from public.corrections c
    where c.user_id = (select kizu.uid()) and (p_after is null or c.id < p_after)
    order by c.id desc limit least(greatest(p_limit, 1), 1000)
  )
  select jsonb_build_object(
    'corrections', coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'kind', c.kind, 'at', c.at, 'undoes', c.undoes,
      'undone', kizu.is_undone(c.id),
      'subject', case when c.subject ? 'faces' then (c.subject - 'people') || jsonb_build_object(
        'faces', jsonb_array_length(c.subject -> 'faces')) else c.subject end) order by c.id desc), '[]'),
    'next', case when count(*) = least(greatest(p_limit, 1), 1000) then min(c.id) end)
  from page c
$$;

select kizu.expose(f::regproc, 'authenticated') from unnest(array[
  'kizu.cover_of', 'public.kizu_people', 'public.kizu_person', 'public.kizu_faces', 'public.kizu_people_review', 'public.kizu_corrections']) f;

insert into kizu.schema_version (version, name) values ('20261123092140', 'people_shown') on conflict do nothing;
notify pgrst, 'reload schema';
