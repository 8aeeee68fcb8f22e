-- What the user corrected: a log to which rows are only ever added. Whatever is undone is undone by another row. People and
-- faces follow from it at any time (kizu.replay_people); photos do in the next file.
--
-- A correction names faces by their place in a photo, never by the id of a row: {asset_id, sha256, frame_ms, box}. So it
-- holds for rows of another model, of the next detection, and of a photo that was thrown away and read in again.

create table if not exists public.corrections (
  id bigint generated always as identity primary key,
  user_id uuid not null,
  kind text not null,
  -- What was said. Of people: `person`, `faces`: places in photos, and `people`: for everybody spoken of the places of
  -- their most certain faces, by which they are found again when all grouping is thrown away.
  subject jsonb not null default '{}',
  moved jsonb not null default '[]', -- faces that changed hands by it: [{place of the face, was: person or null}]
  undoes bigint unique references public.corrections (id) on delete cascade,
  at timestamptz not null default clock_timestamp()
);
create index if not exists kizu_corrections_user on public.corrections (user_id, id);
create index if not exists kizu_corrections_kind on public.corrections (user_id, kind);
create index if not exists kizu_corrections_photo on public.corrections (user_id, (subject ->> 'asset_id'));
create index if not exists kizu_corrections_content on public.corrections (user_id, (subject ->> 'sha256'));
alter table public.face_clusters
  add column if not exists cover jsonb; -- the place of the face that the user chose to stand for the person

select kizu.protect('corrections');
revoke update on public.corrections from service_role;

-- A sentence for the user, and what to do next.
create or replace function kizu.refuse_correction(p_message text, p_hint text default null) returns void
language plpgsql set search_path = '' as $$
begin
  raise exception '%', p_message using errcode = 'KZ001', hint = coalesce(p_hint, '');
end $$;

-- Undone, and that not undone again.
create or replace function kizu.is_undone(p_id bigint) returns boolean
language plpgsql stable set search_path = '' as $$
declare
  undoing constant bigint := (select c.id from public.corrections c where c.undoes = p_id);
begin
  return undoing is not null and not kizu.is_undone(undoing);
end $$;

create or replace function kizu.people_kinds() returns text[] language sql immutable parallel safe set search_path = '' as $$
  select array['name', 'merge', 'split', 'assign', 'reject', 'hide', 'show', 'cover', 'apart', 'contact']
$$;

-- Who was merged into whom by corrections older than `p_before`: {person: person}. Read in their order, so it ends even
-- where two were merged into each other by turns.
create or replace function kizu.merged(p_user uuid, p_before bigint) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  into_whom jsonb := '{}';
  pair record;
begin
  for pair in select f as gone, c.subject ->> 'person' as stays
    from public.corrections c, jsonb_array_elements_text(c.subject -> 'from') f
    where c.user_id = p_user and c.kind = 'merge' and c.id < p_before and not kizu.is_undone(c.id) order by c.id
  loop
    pair.gone := kizu.follow(into_whom, pair.gone);
    pair.stays := kizu.follow(into_whom, pair.stays);
    if pair.gone <> pair.stays then
      into_whom := into_whom || jsonb_build_object(pair.gone, pair.stays);
    end if;
  end loop;
  return into_whom;
end $$;

create or replace function kizu.follow(p_into jsonb, p_person text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return case when p_into ? p_person then kizu.follow(p_into, p_into ->> p_person) else p_person end;
end $$;

-- The person with this id, or the one whom the user merged it into before the correction `p_before`.
create or replace function kizu.person_then(p_user uuid, p_person uuid, p_before bigint) returns uuid
language plpgsql stable set search_path = '' as $$
begin
  if exists (select from public.face_clusters c where c.id = p_person and c.user_id = p_user) then
    return p_person;
  end if;
  return kizu.follow(kizu.merged(p_user, p_before), p_person::text)::uuid;
end $$;

-- The person with this id, or the one whom the user merged it into; null if there is none.
create or replace function kizu.person_now(p_user uuid, p_person uuid) returns uuid
language sql stable set search_path = '' as $$
  select c.id from public.face_clusters c
  where c.user_id = p_user and c.id = kizu.person_then(p_user, p_person, 9223372036854775807)
$$;

-- The places of these faces. A face without a box has none.
create or replace function kizu.places_of(p_faces uuid[]) returns jsonb language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'asset_id', f.asset_id, 'sha256', a.sha256, 'frame_ms', f.frame_ms, 'box', f.bbox) order by f.asset_id, f.id), '[]')
  from public.face_embeddings f join public.assets a on a.id = f.asset_id
  where f.id = any (p_faces) and f.bbox is not null
$$;

-- The faces at these places, in all spaces, each with its place.
create or replace function kizu.faces_at(p_user uuid, p_places jsonb) returns table (face_id uuid, asset_id uuid, place jsonb)
language sql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
  with place as materialized (
    select p.value, (p.value ->> 'frame_ms')::int as frame_ms, p.value -> 'box' as box, coalesce(
      (select a.id from public.assets a where a.id = (p.value ->> 'asset_id')::uuid and a.user_id = p_user),
      (select a.id from public.assets a where a.user_id = p_user and a.sha256 = p.value ->> 'sha256')) as asset_id
    from jsonb_array_elements(p_places) p
  )
  select distinct on (f.id) f.id, f.asset_id, p.value
  from place p join public.face_embeddings f on f.asset_id = p.asset_id and f.frame_ms = p.frame_ms
  where kizu.overlap(f.bbox, p.box) > 0.5
  order by f.id, kizu.overlap(f.bbox, p.box) desc
$$;

-- The faces by which a person is known best: near to the mean face, one a photo, at most 16.
create or replace function kizu.certain_faces(p_user uuid, p_person uuid) returns uuid[]
language sql stable set search_path = '' as $$
  select array(
    select b.id from (
      select distinct on (f.asset_id) f.id, f.space is not distinct from kizu.active_space(p_user, 'face') as is_active,
        f.embedding::extensions.halfvec operator(extensions.<=>) c.centroid as distance
      from public.face_embeddings f
      left join public.face_centroids c on c.cluster_id = f.cluster_id and c.space = f.space
      where f.cluster_id = p_person and f.user_id = p_user and f.bbox is not null
      order by f.asset_id, 2 desc, 3) b
    order by b.is_active desc, b.distance limit 16)
$$;

-- Rules for faces at places. What the user said of a face takes the place of what was said of it before, and of what only
-- follows (the certain faces of somebody who was spoken of) for the same person in the photo; the latter takes no place.
create or replace function kizu.add_rules(
  p_user uuid, p_person uuid, p_places jsonb, p_is_not boolean, p_follows boolean default false) returns void
language plpgsql set search_path = '' as $$
declare
  place record;
  same bigint[];
begin
  for place in select p.asset_id, p.sha256, coalesce(p.frame_ms, 0) as frame_ms, p.box
    from jsonb_to_recordset(p_places) as p (asset_id uuid, sha256 text, frame_ms int, box jsonb)
  loop
    same := array(select r.id from public.face_rules r
      where r.user_id = p_user and (r.asset_id = place.asset_id or r.sha256 = place.sha256)
        and r.frame_ms = place.frame_ms
        and case when kizu.overlap(r.box, place.box) > 0.5 then r.person_id = p_person or not r.is_not and not p_is_not
            else r.person_id = p_person and not r.is_not and not p_is_not and (r.follows or p_follows) end);
    continue when p_follows and cardinality(same) > 0;
    delete from public.face_rules r where r.id = any (same);
    insert into public.face_rules (user_id, person_id, is_not, follows, asset_id, sha256, frame_ms, box)
      values (p_user, p_person, p_is_not, p_follows, place.asset_id, place.sha256, place.frame_ms, place.box);
  end loop;
end $$;

-- A person's contact: the one called so, made if there is none. Contacts are never removed.
create or replace function kizu.link_contact(p_user uuid, p_person uuid, p_name text, p_contact uuid default null) returns void
language plpgsql set search_path = '' as $$
declare
  linked uuid := coalesce(p_contact, (
    select k.id from public.contacts k
    where k.user_id = p_user and kizu.name_key(k.name) = kizu.name_key(p_name) and coalesce(k.face_cluster_id, p_person) = p_person
    order by k.face_cluster_id is null, k.created_at, k.id limit 1));
begin
  if linked is null then
    insert into public.contacts (user_id, name) values (p_user, p_name) returning id into linked;
  end if;
  update public.face_clusters c set contact_id = null where c.user_id = p_user and c.contact_id = linked and c.id <> p_person;
  update public.contacts k set face_cluster_id = case when k.id = linked then p_person end
    where k.user_id = p_user and (k.face_cluster_id = p_person or k.id = linked);
  update public.face_clusters c set contact_id = linked where c.id = p_person and c.user_id = p_user;
end $$;

-- Names that people would take for the same.
create or replace function kizu.name_key(p_name text) returns text
language sql immutable strict parallel safe set search_path = '' as $$
  select kizu.fold(btrim(regexp_replace(normalize(p_name, NFKC), '[[:space:]]+', ' ', 'g')))
$$;

-- One person becomes part of another: faces, rules, and what was said of it.
create or replace function kizu.merge_person(p_user uuid, p_from uuid, p_into uuid) returns void
language plpgsql set search_path = '' as $$
declare
  gone public.face_clusters;
begin
  select * into gone from public.face_clusters c where c.id = p_from and c.user_id = p_user and c.id <> p_into;
  if not found then
    return;
  end if;
  update public.face_rules r set person_id = p_into where r.user_id = p_user and r.person_id = p_from;
  update public.face_embeddings f set cluster_id = p_into where f.cluster_id = p_from and f.user_id = p_user;
  update public.face_clusters c set apart = array(
      select distinct nullif(o, p_from) from unnest(c.apart || case when c.id = p_into then gone.apart else array[p_into] end) o
      where o not in (p_from, c.id))
    where c.user_id = p_user and (c.id = p_into or p_from = any (c.apart));
  update public.moment_blocks b set person_id = p_into where b.person_id = p_from;
  update public.contacts k set face_cluster_id = null where k.user_id = p_user and k.face_cluster_id = p_from;
  delete from public.face_clusters c where c.id = p_from;
  update public.face_clusters c set name = coalesce(c.name, gone.name), cover = coalesce(c.cover, gone.cover)
    where c.id = p_into;
  if gone.contact_id is not null and (select c.contact_id is null from public.face_clusters c where c.id = p_into) then
    perform kizu.link_contact(p_user, p_into, gone.name, gone.contact_id);
  end if;
end $$;

-- What one correction of people means for people and rules. Said once or ten times, the end is the same.
create or replace function kizu.apply_correction(p_said public.corrections) returns void
language plpgsql set search_path = '' as $$
declare
  me constant uuid := p_said.user_id;
  person constant uuid := kizu.person_then(me, (p_said.subject ->> 'person')::uuid, p_said.id);
  other constant uuid := kizu.person_then(me, (p_said.subject ->> 'other')::uuid, p_said.id);
  places constant jsonb := coalesce(p_said.subject -> 'faces', '[]');
  spoken_of record;
begin
  for spoken_of in select kizu.person_then(me, p.key::uuid, p_said.id) as id, p.value as places
    from jsonb_each(p_said.subject -> 'people') p
  loop
    insert into public.face_clusters as c (id, user_id, kept) values (spoken_of.id, me, true)
      on conflict (id) do update set kept = true where c.user_id = me;
    perform kizu.add_rules(me, spoken_of.id, spoken_of.places, false, true);
  end loop;
  if p_said.kind = 'merge' then
    perform kizu.merge_person(me, kizu.person_then(me, f::uuid, p_said.id), person)
      from jsonb_array_elements_text(p_said.subject -> 'from') f;
  end if;
  if p_said.kind in ('name', 'merge', 'split', 'assign', 'reject') then
    perform kizu.add_rules(me, person, places, p_said.kind = 'reject');
  end if;
  case p_said.kind
    when 'name' then
      update public.face_clusters c set name = p_said.subject ->> 'name' where c.id = person;
      perform kizu.link_contact(me, person, p_said.subject ->> 'name');
    when 'hide', 'show' then
      update public.face_clusters c set hidden = p_said.kind = 'hide' where c.id = person;
    when 'cover' then
      update public.face_clusters c set cover = places -> 0 where c.id = person;
    when 'apart' then
      update public.face_clusters c set apart = array(
          select distinct o from unnest(c.apart || case c.id when person then other else person end) o)
        where c.id in (person, other) and person <> other;
    when 'contact' then
      perform kizu.link_contact(me, person, null, (p_said.subject ->> 'contact')::uuid);
    else null; -- all is said by rules
  end case;
end $$;

-- People as the log has them: rules and what is known of everybody are made anew, faces follow. Does nothing twice.
create or replace function kizu.replay_people(p_user uuid) returns void
language plpgsql set search_path = '' as $$
declare
  said public.corrections;
begin
  delete from public.face_rules r where r.user_id = p_user;
  update public.contacts k set face_cluster_id = null from public.face_clusters c
    where k.user_id = p_user and c.id = k.face_cluster_id and c.kept;
  update public.face_clusters c set kept = false, name = null, hidden = false, cover = null, contact_id = null, apart = '{}'
    where c.user_id = p_user and c.kept;
  for said in select * from public.corrections c
    where c.user_id = p_user and c.kind = any (kizu.people_kinds()) and not kizu.is_undone(c.id) order by c.id
  loop
    perform kizu.apply_correction(said);
  end loop;
  perform kizu.place_faces(p_user);
end $$;

select kizu.expose(f::regproc, 'service_role') from unnest(array[
  'kizu.refuse_correction', 'kizu.places_of', 'kizu.faces_at', 'kizu.certain_faces', 'kizu.add_rules', 'kizu.link_contact', 'kizu.merge_person', 'kizu.apply_correction',
  'kizu.replay_people']) f;
select kizu.expose(f::regproc, 'authenticated', 'service_role') from unnest(array[
  'kizu.is_undone', 'kizu.people_kinds', 'kizu.merged', 'kizu.follow', 'kizu.person_then', 'kizu.person_now', 'kizu.name_key']) f;

insert into kizu.schema_version (version, name) values ('20261123092110', 'corrections') on conflict do nothing;
notify pgrst, 'reload schema';
