-- People: which faces are whose. A person is a row of face_clusters and stays one: names and ids outlive whatever a machine
-- finds out later. New faces are matched here, inside completion; only the job `recluster` makes people of faces. What
-- the user said is kept as rules on places in photos (face_rules), which hold for every space and every new detection.
-- They follow from the log of corrections (the next file) and from nothing else.

alter table public.face_clusters
  add column if not exists kept boolean not null default false, -- named or corrected: no machine removes it
  add column if not exists apart uuid[] not null default '{}'; -- people of whom the user said that they are others
alter table public.profiles
  add column if not exists people_at timestamptz; -- faces that came before were looked at together

-- Mean faces, a person's own in each space. `total` is exact enough for adding and taking away; what is compared is of
-- unit length and short enough to lie in the row itself.
create table if not exists public.face_centroids (
  cluster_id uuid not null references public.face_clusters (id) on delete cascade,
  space text not null,
  user_id uuid not null,
  size int not null,
  total extensions.vector not null,
  centroid extensions.halfvec not null generated always as (extensions.l2_normalize(total)::extensions.halfvec) stored,
  primary key (cluster_id, space)
);
alter table public.face_centroids set (fillfactor = 70);
create index if not exists kizu_face_centroids_user on public.face_centroids (user_id, space);

-- What the user said of a face: it is this person, or (`is_not`) is not. The face is wherever a box of the photo, or of a
-- photo with the same content, covers this one by more than half.
create table if not exists public.face_rules (
  id bigint generated always as identity primary key,
  user_id uuid not null,
  person_id uuid not null references public.face_clusters (id) on delete cascade,
  is_not boolean not null,
  follows boolean not null default false, -- not said of this face, but it is one of those by which a person is known
  asset_id uuid not null, -- not a reference: it outlives the photo
  sha256 text,
  frame_ms int not null default 0,
  box jsonb not null
);
create index if not exists kizu_face_rules_photo on public.face_rules (user_id, asset_id);
create index if not exists kizu_face_rules_content on public.face_rules (user_id, sha256);
create index if not exists kizu_face_rules_person on public.face_rules (person_id);

-- What grouping was not sure of: two people who may be one (merge), or whose faces may be mixed up (twins).
create table if not exists public.face_reviews (
  user_id uuid not null,
  kind text not null,
  a uuid not null references public.face_clusters (id) on delete cascade,
  b uuid not null references public.face_clusters (id) on delete cascade,
  score real not null,
  primary key (user_id, kind, a, b)
);
create index if not exists kizu_face_reviews_b on public.face_reviews (b);

create index if not exists kizu_face_embeddings_alone on public.face_embeddings (user_id, space, created_at)
  where cluster_id is null;

select kizu.protect(t) from unnest(array['face_centroids', 'face_rules', 'face_reviews']) t;

-- One at a time changes whose a user's faces are. Taken before any photo is locked, so that nobody waits in a circle.
create or replace function kizu.lock_people(p_user uuid) returns void language sql set search_path = '' as $$
  select pg_advisory_xact_lock(hashtextextended('kizu people ' || p_user, 0))
$$;

-- Whether a completion changes whose faces are whose.
create or replace function kizu.touches_people(p_payload jsonb) returns boolean
language sql immutable parallel safe set search_path = '' as $$
  select exists (select from jsonb_array_elements(coalesce(p_payload -> 'operations', '[]')) o
                 where kizu.base_operation(o ->> 'operation') = 'faces')
$$;

-- How much two boxes are one: the area they share, as a part of what they cover together.
create or replace function kizu.overlap(p_a jsonb, p_b jsonb) returns float8
language sql immutable parallel safe set search_path = '' as $$
  select coalesce(v.shared / nullif((a_right - a_left) * (a_bottom - a_top) + (b_right - b_left) * (b_bottom - b_top) - v.shared, 0), 0)
  from (select (p_a ->> 'left')::float8 as a_left, (p_a ->> 'right')::float8 as a_right, (p_a ->> 'top')::float8 as a_top,
               (p_a ->> 'bottom')::float8 as a_bottom, (p_b ->> 'left')::float8 as b_left, (p_b ->> 'right')::float8 as b_right,
               (p_b ->> 'top')::float8 as b_top, (p_b ->> 'bottom')::float8 as b_bottom) c
  cross join lateral (select greatest(0, least(a_right, b_right) - greatest(a_left, b_left))
                           * greatest(0, least(a_bottom, b_bottom) - greatest(a_top, b_top)) as shared) v
$$;

-- Faces join a person (`p_faces` above zero) or leave it.
create or replace function kizu.shift_person(
  p_person uuid, p_space text, p_user uuid, p_faces bigint, p_total extensions.vector) returns void
language plpgsql set search_path = '' as $$
begin
  if p_faces > 0 then
    insert into public.face_centroids as c (cluster_id, space, user_id, size, total)
      values (p_person, p_space, p_user, p_faces, p_total)
      on conflict (cluster_id, space) do update
        set size = c.size + excluded.size, total = c.total operator(extensions.+) excluded.total;
  else
    delete from public.face_centroids c where c.cluster_id = p_person and c.space = p_space and c.size + p_faces <= 0;
    update public.face_centroids c set size = c.size + p_faces, total = c.total operator(extensions.-) p_total
      where c.cluster_id = p_person and c.space = p_space;
  end if;
end $$;

-- Mean faces follow the faces, whatever changes those: one function for each event, as each sees other rows.
create or replace function kizu.faces_came() returns trigger language plpgsql set search_path = '' as $$
begin
  perform kizu.shift_person(f.cluster_id, f.space, f.user_id, count(*), extensions.sum(f.embedding::extensions.vector))
    from added f where f.cluster_id is not null and f.space is not null group by f.cluster_id, f.space, f.user_id;
  return null;
end $$;

create or replace function kizu.faces_went() returns trigger language plpgsql set search_path = '' as $$
begin
  perform kizu.shift_person(f.cluster_id, f.space, f.user_id, -count(*), extensions.sum(f.embedding::extensions.vector))
    from removed f where f.cluster_id is not null and f.space is not null group by f.cluster_id, f.space, f.user_id;
  return null;
end $$;

create or replace function kizu.faces_moved() returns trigger language plpgsql set search_path = '' as $$
begin
  perform kizu.shift_person(o.cluster_id, o.space, o.user_id, -count(*), extensions.sum(o.embedding::extensions.vector))
    from removed o join added n on n.id = o.id
    where o.cluster_id is not null and o.space is not null and n.cluster_id is distinct from o.cluster_id
    group by o.cluster_id, o.space, o.user_id;
  perform kizu.shift_person(n.cluster_id, n.space, n.user_id, count(*), extensions.sum(n.embedding::extensions.vector))
    from removed o join added n on n.id = o.id
    where n.cluster_id is not null and n.space is not null and n.cluster_id is distinct from o.cluster_id
    group by n.cluster_id, n.space, n.user_id;
  return null;
end $$;

create or replace trigger kizu_faces_came after insert on public.face_embeddings
  referencing new table as added for each statement execute function kizu.faces_came();
create or replace trigger kizu_faces_went after delete on public.face_embeddings
  referencing old table as removed for each statement execute function kizu.faces_went();
create or replace trigger kizu_faces_moved after update on public.face_embeddings
  referencing old table as removed new table as added for each statement execute function kizu.faces_moved();

-- Whether rules speak of any of these photos, or of any at all: so mostly nothing more has to be looked up.
create or replace function kizu.has_rules(p_user uuid, p_assets uuid[]) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  if p_assets is null then
    return exists (select from public.face_rules r where r.user_id = p_user);
  end if;
  return exists (select from unnest(p_assets) p (id) join public.face_rules r on r.user_id = p_user and r.asset_id = p.id)
    or exists (select from public.assets a join public.face_rules r on r.user_id = p_user and r.sha256 = a.sha256
               where a.id = any (p_assets));
end $$;

-- The faces that rules speak of: in these photos, or in all. A face is whose the rule that fits it best says.
create or replace function kizu.ruled_faces(p_user uuid, p_assets uuid[] default null)
returns table (face_id uuid, asset_id uuid, space text, frame_ms int, person_id uuid, is_not boolean)
language sql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
  with photo as (
    select r.id as rule, a.id from public.face_rules r join public.assets a on a.id = r.asset_id and a.user_id = r.user_id
    where r.user_id = p_user and (p_assets is null or a.id = any (p_assets))
    union
    select r.id, a.id from public.face_rules r join public.assets a on a.user_id = r.user_id and a.sha256 = r.sha256
    where r.user_id = p_user and (p_assets is null or a.id = any (p_assets))
  ), fit as (
    select distinct on (r.id, f.asset_id, f.space) r.id, r.person_id, r.is_not, f.id as face_id, f.asset_id, f.space,
      f.frame_ms, kizu.overlap(r.box, f.bbox) as overlap
    from photo p
    join public.face_rules r on r.id = p.rule
    join public.face_embeddings f on f.asset_id = p.id and f.frame_ms = r.frame_ms
    where kizu.overlap(r.box, f.bbox) > 0.5
    order by r.id, f.asset_id, f.space, overlap desc, f.id
  )
  (select distinct on (f.face_id) f.face_id, f.asset_id, f.space, f.frame_ms, f.person_id, f.is_not
   from fit f where not f.is_not order by f.face_id, f.overlap desc, f.id desc)
  union all
  select f.face_id, f.asset_id, f.space, f.frame_ms, f.person_id, f.is_not from fit f where f.is_not
$$;

-- Makes the rules true of faces as they are now. Where the user said who a face is, a machine's guess that another face of
-- the photo is the same person is taken back. Changes nothing the second time.
create or replace function kizu.place_faces(p_user uuid, p_assets uuid[] default null) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  if not kizu.has_rules(p_user, p_assets) then
    return;
  end if;
  update public.face_embeddings f set cluster_id = r.person_id from kizu.ruled_faces(p_user, p_assets) r
    where f.id = r.face_id and not r.is_not and f.cluster_id is distinct from r.person_id;
  update public.face_embeddings f set cluster_id = null from kizu.ruled_faces(p_user, p_assets) r
    where f.id = r.face_id and r.is_not and f.cluster_id = r.person_id;
  with said as materialized (
    select * from kizu.ruled_faces(p_user, p_assets) r where not r.is_not
  )
  update public.face_embeddings f set cluster_id = null from said s
    where f.asset_id = s.asset_id and f.cluster_id = s.person_id and f.space is not distinct from s.space
      and f.frame_ms = s.frame_ms and not exists (select from said o where o.face_id = f.id);
end $$;

-- New faces of a photo take over whose the old ones were, where they cover each other. In the same space they must also
-- look alike: an edit may have put somebody else there.
create or replace function kizu.carry_over(p_asset uuid, p_old uuid[], p_threshold float8) returns void
language sql set search_path = '' as $$
  update public.face_embeddings f set cluster_id = c.cluster_id
  from (
    select distinct on (l.cluster_id, l.frame_ms) l.id, l.cluster_id from (
      select distinct on (n.id) n.id, n.frame_ms, o.cluster_id, kizu.overlap(o.bbox, n.bbox) as overlap
      from public.face_embeddings n
      join public.face_embeddings o on o.id = any (p_old) and o.frame_ms = n.frame_ms and o.cluster_id is not null
        and kizu.overlap(o.bbox, n.bbox) > 0.5
        and (o.space is distinct from n.space
             or o.embedding::extensions.halfvec operator(extensions.<=>) n.embedding::extensions.halfvec <= coalesce(p_threshold, 2))
      where n.asset_id = p_asset and n.id <> all (p_old)
      order by n.id, overlap desc, o.created_at desc) l
    order by l.cluster_id, l.frame_ms, l.overlap desc
  ) c
  where f.id = c.id
$$;

-- Faces of a photo that are nobody's yet join the nearest person within the threshold (cosine distance to the mean face),
-- the likest pair first, nobody twice in a photo. An exact look at all of the user's people of that space.
create or replace function kizu.match_faces(p_user uuid, p_asset uuid, p_space text, p_threshold float8) returns void
language plpgsql set search_path = '' as $$
declare
  pair record;
  rejected text[] := '{}';
begin
  if kizu.has_rules(p_user, array[p_asset]) then
    rejected := array(select r.face_id || ' ' || r.person_id from kizu.ruled_faces(p_user, array[p_asset]) r where r.is_not);
  end if;
  for pair in
    with face as materialized (
      select f.id, f.frame_ms, extensions.l2_normalize(f.embedding::extensions.halfvec) as vector
      from public.face_embeddings f
      where f.asset_id = p_asset and f.user_id = p_user and f.space = p_space and f.cluster_id is null
        and coalesce(f.usable, true)
    ), near as (
      -- `offset` keeps the order of loops: each mean face is fetched once and compared with all faces of the photo.
      select n.*, c.cluster_id from public.face_centroids c
      cross join lateral (
        select f.id, f.frame_ms, c.centroid operator(extensions.<#>) f.vector as likeness from face f offset 0) n
      where c.user_id = p_user and c.space = p_space and n.likeness <= p_threshold - 1
    )
    select n.* from near n where n.id || ' ' || n.cluster_id <> all (rejected) order by n.likeness, n.cluster_id
  loop
    update public.face_embeddings f set cluster_id = pair.cluster_id
      where f.id = pair.id and f.cluster_id is null and not exists (
        select from public.face_embeddings o where o.asset_id = p_asset and o.space = p_space
          and o.frame_ms = pair.frame_ms and o.cluster_id = pair.cluster_id);
  end loop;
end $$;

-- The faces of a photo in one space are these now: whoever was there before stays who he was, the others are matched.
create or replace function kizu.replace_faces(p_job kizu.jobs, p_space text, p_rows jsonb, p_threshold float8) returns void
language plpgsql set search_path = '' as $$
declare
  old constant uuid[] := array(select f.id from public.face_embeddings f where f.asset_id = p_job.asset_id);
begin
  if jsonb_array_length(coalesce(p_rows, '[]')) > 0 then
    perform kizu.insert_results('face_embeddings', p_job, p_rows);
    perform kizu.carry_over(p_job.asset_id, old, p_threshold);
  end if;
  delete from public.face_embeddings f
    where f.id = any (old) and (f.space is null or f.space is not distinct from p_space);
  perform kizu.place_faces(p_job.user_id, array[p_job.asset_id]);
  perform kizu.match_faces(p_job.user_id, p_job.asset_id, p_space, p_threshold);
end $$;

-- What the job `recluster` found: {face_clusters: [{id, faces: [id]}], face_reviews: [{kind, a, b, score}]}. Every usable
-- face of the space that it can have seen is whose it says, or nobody's; faces that were completed meanwhile stay with whom
-- they were matched. A person whom the user merged into another meanwhile is that other one. Nobody is twice in a photo.
create or replace function kizu.store_people(p_job kizu.jobs, p_rows jsonb) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  used_space constant text := coalesce((
    select f.space from public.face_embeddings f
    where f.id = (p_rows #>> '{face_clusters,0,faces,0}')::uuid and f.user_id = p_job.user_id),
    kizu.active_space(p_job.user_id, 'face'));
  seen_until constant timestamptz := coalesce(p_job.picked_up_at, now());
begin
  perform kizu.lock_people(p_job.user_id);
  insert into public.face_clusters (id, user_id)
    select (c ->> 'id')::uuid, p_job.user_id from jsonb_array_elements(coalesce(p_rows -> 'face_clusters', '[]')) c
    where kizu.person_now(p_job.user_id, (c ->> 'id')::uuid) is null
    on conflict do nothing;
  with person as materialized (
    select kizu.person_now(p_job.user_id, c.id) as id, c.faces
    from jsonb_to_recordset(coalesce(p_rows -> 'face_clusters', '[]')) as c (id uuid, faces jsonb)
  ), grouped as materialized (
    select f.face::uuid as id, p.id as person_id from person p, jsonb_array_elements_text(p.faces) f (face)
  ), chosen as materialized (
    select g.id, case when row_number() over (partition by f.asset_id, f.frame_ms, g.person_id
                        order by f.cluster_id = g.person_id desc nulls last, f.score desc nulls last, f.id) = 1 then g.person_id end as person_id
    from grouped g join public.face_embeddings f on f.id = g.id
    where f.user_id = p_job.user_id and f.space = used_space
  ), becomes as (
    select f.id, c.person_id from public.face_embeddings f left join chosen c on c.id = f.id
    where f.user_id = p_job.user_id and f.space = used_space and f.cluster_id is distinct from c.person_id
      -- A completion that began before the job may have been finished after it looked.
      and (c.id is not null or coalesce(f.usable, true) and f.created_at < seen_until - interval '15 s')
  )
  update public.face_embeddings f set cluster_id = b.person_id from becomes b where b.id = f.id;
  perform kizu.place_faces(p_job.user_id);
  perform kizu.drop_nobody(p_job.user_id);
  perform kizu.store_reviews(p_job.user_id, coalesce(p_rows -> 'face_reviews', '[]'));
  update public.profiles p set people_at = seen_until where p.id = p_job.user_id;
end $$;

-- People whom no face is left of, and whom nobody named or corrected.
create or replace function kizu.drop_nobody(p_user uuid) returns void language sql set search_path = '' as $$
  delete from public.face_clusters c
  where c.user_id = p_user and not c.kept and c.name is null and c.contact_id is null
    and not exists (select from public.face_embeddings f where f.cluster_id = c.id)
$$;

create or replace function kizu.store_reviews(p_user uuid, p_reviews jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  delete from public.face_reviews r where r.user_id = p_user;
  insert into public.face_reviews (user_id, kind, a, b, score)
    select p_user, v.kind, a.id, b.id, v.score
    from jsonb_to_recordset(p_reviews) as v (kind text, a uuid, b uuid, score real)
    join public.face_clusters a on a.id = kizu.person_now(p_user, v.a)
    join public.face_clusters b on b.id = kizu.person_now(p_user, v.b)
    where v.kind in ('merge', 'twins') and v.score is not null and a.id <> b.id and b.id <> all (a.apart)
    on conflict do nothing;
end $$;

-- After the change to another space: what the user said holds there too, and its faces are to be looked at together.
create or replace function kizu.people_in_space(p_user uuid, p_space text) returns void
language plpgsql set search_path = '' as $$
begin
  perform kizu.lock_people(p_user);
  perform kizu.place_faces(p_user);
  update public.profiles p set people_at = null where p.id = p_user;
end $$;

-- What grouping has to respect, of the job's user: {named, hidden: [person], apart: [[a, b]], rejected, fixed:
-- [[face, person]]}, faces of the active space. `named` are all who stay themselves, also without a name.
create or replace function public.kizu_view_people(p_user uuid default null) returns jsonb
language sql stable set search_path = '' as $$
  with me as (
    select coalesce((select kizu.uid()), p_user) as id
  ), rule as materialized (
    select r.* from me cross join lateral kizu.ruled_faces(me.id) r where r.space = kizu.active_space(me.id, 'face')
  )
  select jsonb_build_object(
    'named', coalesce(jsonb_agg(c.id order by c.id) filter (where c.kept or c.name is not null), '[]'),
    'hidden', coalesce(jsonb_agg(c.id order by c.id) filter (where c.hidden), '[]'),
    'apart', (select coalesce(jsonb_agg(jsonb_build_array(a.id, other) order by a.id, other), '[]')
              from public.face_clusters a, unnest(a.apart) other where a.user_id = me.id and a.id < other),
    'rejected', (select coalesce(jsonb_agg(jsonb_build_array(r.face_id, r.person_id) order by r.face_id, r.person_id), '[]')
                 from rule r where r.is_not),
    'fixed', (select coalesce(jsonb_agg(jsonb_build_array(r.face_id, r.person_id) order by r.face_id), '[]')
              from rule r where not r.is_not))
  from me left join public.face_clusters c on c.user_id = me.id
  group by me.id
$$;

-- Asks for grouping where it is worth it: many faces are nobody's that came since the last one; with `p_now`, any. The
-- answer is how many jobs were made.
create or replace function public.kizu_people_due(p_now boolean default false) returns int
language plpgsql set search_path = '' as $$
declare
  made int;
begin
  with waiting as materialized (
    select p.id, (select count(*) from (
        select from public.face_embeddings f
        where f.user_id = p.id and f.space = s.space and f.cluster_id is null and coalesce(f.usable, true)
          and f.created_at > coalesce(p.people_at, '-infinity') limit 1000) n) as faces,
      (select coalesce(sum(c.size), 0) from public.face_centroids c where c.user_id = p.id and c.space = s.space) as known
    from public.profiles p cross join lateral (select kizu.active_space(p.id, 'face') as space) s
    where s.space is not null
  )
  select count(*) filter (where (kizu.enqueue_one('ai_processing_jobs', jsonb_build_object('user_id', w.id,
      'job_type', 'recluster', 'priority', 200, 'max_attempts', 2, 'dedupe_key', 'recluster')) ->> 'created')::boolean) into made
  from waiting w
  where w.faces > 0 and p_now or w.faces >= least(greatest(50, w.known / 20), 1000);
  return made;
end $$;

select kizu.expose(f::regproc, 'service_role') from unnest(array[
  'kizu.lock_people', 'kizu.touches_people', 'kizu.shift_person', 'kizu.faces_came', 'kizu.faces_went', 'kizu.faces_moved', 'kizu.has_rules', 'kizu.place_faces',
  'kizu.carry_over', 'kizu.match_faces', 'kizu.replace_faces', 'kizu.store_people', 'kizu.drop_nobody',
  'kizu.store_reviews', 'kizu.people_in_space', 'public.kizu_people_due']) f;
select kizu.expose(f::regproc, 'authenticated', 'service_role') from unnest(array[
  'kizu.overlap', 'kizu.ruled_faces', 'public.kizu_view_people']) f;

insert into kizu.schema_version (version, name) values ('20261123092100', 'people') on conflict do nothing;
notify pgrst, 'reload schema';
