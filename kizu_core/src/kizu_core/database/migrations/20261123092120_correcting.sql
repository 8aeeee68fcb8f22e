-- Correcting and undoing, of people and of photos. Workers call these for the user they name; whoever is named, nobody
-- else's faces, people and photos are found.

-- The person, or those, that a subject names under `p_key`.
create or replace function kizu.named_person(p_user uuid, p_subject jsonb, p_key text) returns uuid
language plpgsql stable set search_path = '' as $$
declare
  person constant uuid := kizu.person_now(p_user, (p_subject ->> p_key)::uuid);
begin
  if person is null then
    perform kizu.refuse_correction('There is no such person.', '`kizu people list` shows everybody.');
  end if;
  return person;
end $$;

-- The faces that a subject names: `face`, or `faces`.
create or replace function kizu.named_faces(p_user uuid, p_subject jsonb) returns uuid[]
language plpgsql stable set search_path = '' as $$
declare
  asked constant uuid[] := array(select distinct v::uuid from jsonb_array_elements_text(
    coalesce(p_subject -> 'faces', '[]') || coalesce(p_subject -> 'face', '[]')) v);
begin
  if cardinality(asked) = 0 or cardinality(asked) <> (
    select count(*) from public.face_embeddings f where f.id = any (asked) and f.user_id = p_user and f.bbox is not null) then
    perform kizu.refuse_correction('There is no such face.', '`kizu people show NAME` shows the faces of a person.');
  end if;
  return asked;
end $$;

-- A name as it is kept. Two people are called alike only if that is asked for (`anyway`).
create or replace function kizu.named_name(p_user uuid, p_subject jsonb, p_person uuid) returns text
language plpgsql stable set search_path = '' as $$
declare
  wanted constant text := btrim(regexp_replace(normalize(p_subject ->> 'name', NFC), '[[:space:][:cntrl:]]+', ' ', 'g'));
  known text;
begin
  if coalesce(wanted, '') = '' or length(wanted) > 200 then
    perform kizu.refuse_correction('A name has between 1 and 200 characters.');
  end if;
  known := (select c.name from public.face_clusters c where c.user_id = p_user and c.id <> p_person
            and kizu.name_key(c.name) = kizu.name_key(wanted) limit 1);
  if known is not null and not coalesce((p_subject ->> 'anyway')::boolean, false) then
    perform kizu.refuse_correction(format('There is somebody called %s already.', known),
      'Merge the two if they are one person: `kizu people merge`. Two people of one name need `--anyway`.');
  end if;
  return wanted;
end $$;

-- A correction of people as the log keeps it.
create or replace function kizu.read_correction(p_user uuid, p_kind text, p_subject jsonb) returns public.corrections
language plpgsql set search_path = '' as $$
declare
  said public.corrections;
  faces uuid[] := '{}';
  person uuid;
  spoken_of uuid[];
  more jsonb := '{}';
begin
  if p_kind in ('split', 'assign', 'reject', 'cover') or p_kind = 'name' and p_subject ->> 'person' is null then
    faces := kizu.named_faces(p_user, p_subject);
    person := (select f.cluster_id from public.face_embeddings f where f.id = faces[1]);
  end if;
  if p_kind = 'split' or p_kind = 'name' and person is null and cardinality(faces) > 0 then
    person := gen_random_uuid();
    spoken_of := array(select distinct f.cluster_id from public.face_embeddings f where f.id = any (faces) and f.cluster_id is not null);
  elsif p_kind not in ('name', 'reject', 'cover') or p_subject ->> 'person' is not null or person is null then
    person := kizu.named_person(p_user, p_subject, case p_kind when 'merge' then 'into' when 'apart' then 'a' else 'person' end);
  end if;
  case p_kind
    when 'name' then more := jsonb_build_object('name', kizu.named_name(p_user, p_subject, person));
    when 'apart' then
      spoken_of := array[kizu.named_person(p_user, p_subject, 'b')];
      more := jsonb_build_object('other', spoken_of[1]);
    when 'contact' then more := jsonb_build_object('contact', kizu.named_contact(p_user, p_subject));
    when 'merge' then
      more := jsonb_build_object('from', kizu.merged_people(p_user, p_subject, person));
      faces := kizu.merged_faces(p_user, more -> 'from', person);
    else null;
  end case;
  said.user_id := p_user;
  said.kind := p_kind;
  said.subject := more || jsonb_build_object('person', person, 'faces', kizu.places_of(faces), 'people', (
    select jsonb_object_agg(s.id, kizu.places_of(kizu.certain_faces(p_user, s.id)))
    from (select distinct id from unnest(spoken_of || person) id) s));
  return said;
end $$;

create or replace function kizu.named_contact(p_user uuid, p_subject jsonb) returns uuid
language plpgsql stable set search_path = '' as $$
declare
  contact constant uuid := (select k.id from public.contacts k where k.id = (p_subject ->> 'contact')::uuid and k.user_id = p_user);
begin
  if contact is null then
    perform kizu.refuse_correction('There is no such contact.');
  end if;
  return contact;
end $$;

create or replace function kizu.merged_people(p_user uuid, p_subject jsonb, p_into uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  gone constant jsonb := (select jsonb_agg(distinct kizu.named_person(p_user, jsonb_build_object('from', f), 'from'))
    from jsonb_array_elements_text(p_subject -> 'from') f);
begin
  if gone is null or gone ? p_into::text then
    perform kizu.refuse_correction('To merge takes at least two different people.');
  end if;
  return gone;
end $$;

-- What is said by a merge: all faces of those who go are this person's. So are its own of which the opposite would follow:
-- that share a photo with one of those, or that were said to be none of them.
create or replace function kizu.merged_faces(p_user uuid, p_from jsonb, p_into uuid) returns uuid[]
language sql stable set search_path = '' as $$
  with gone as materialized (
    select f.id, f.asset_id from public.face_embeddings f
    where f.user_id = p_user and f.cluster_id in (select v::uuid from jsonb_array_elements_text(p_from) v)
  )
  select array(
    select g.id from gone g
    union select f.id from public.face_embeddings f
      where f.user_id = p_user and f.cluster_id = p_into and f.asset_id in (select g.asset_id from gone g)
    union select f.id from kizu.ruled_faces(p_user) r join public.face_embeddings f on f.id = r.face_id
      where r.is_not and f.cluster_id = p_into and p_from ? r.person_id::text)
$$;

-- Whose the faces are in the photos that a correction speaks of: {face: person}.
create or replace function kizu.hands(p_said public.corrections) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_object_agg(f.id, f.cluster_id), '{}') from public.face_embeddings f
  where f.user_id = p_said.user_id and f.asset_id in (
    select (p ->> 'asset_id')::uuid from jsonb_array_elements(p_said.subject -> 'faces') p)
$$;

-- Makes a correction of people: what it says becomes true, and the log has it with all that changed hands.
create or replace function kizu.correct_people(p_user uuid, p_kind text, p_subject jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  said public.corrections;
  before jsonb;
begin
  said := kizu.read_correction(p_user, p_kind, p_subject);
  said.id := 9223372036854775807; -- after all others
  before := kizu.hands(said);
  perform kizu.apply_correction(said);
  perform kizu.place_faces(p_user, array(
    select distinct (p ->> 'asset_id')::uuid from jsonb_array_elements(said.subject -> 'faces') p));
  said.moved := (
    select coalesce(jsonb_agg(jsonb_build_object('asset_id', f.asset_id, 'sha256', a.sha256, 'frame_ms', f.frame_ms,
      'box', f.bbox, 'was', b.value)), '[]')
    from jsonb_each_text(before) b
    join public.face_embeddings f on f.id = b.key::uuid and f.cluster_id is distinct from b.value::uuid
    join public.assets a on a.id = f.asset_id
    where f.bbox is not null);
  insert into public.corrections (user_id, kind, subject, moved)
    values (p_user, p_kind, said.subject, said.moved) returning id into said.id;
  perform kizu.drop_nobody(p_user);
  return jsonb_build_object('id', said.id, 'kind', p_kind, 'person', kizu.person_shown(p_user, (said.subject ->> 'person')::uuid),
    'faces', jsonb_array_length(said.moved));
end $$;

create or replace function kizu.person_shown(p_user uuid, p_person uuid) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('id', c.id, 'name', c.name, 'contact', c.contact_id, 'hidden', c.hidden)
  from public.face_clusters c where c.id = kizu.person_now(p_user, p_person)
$$;

-- Names from before there was a log, or that another program wrote, are put into it: they are a user's word too.
create or replace function kizu.log_names(p_user uuid) returns void language plpgsql set search_path = '' as $$
declare
  person record;
begin
  for person in select c.id, c.name from public.face_clusters c
    where c.user_id = p_user and not c.kept and btrim(c.name) <> ''
  loop
    perform kizu.correct_people(p_user, 'name', jsonb_build_object('person', person.id, 'name', left(person.name, 200), 'anyway', true));
  end loop;
end $$;

-- Takes a user's word: {id, kind, ...what changed}. Subjects of people, faces and people by id:
--   name {person | face, name, anyway?}   merge {from: [...], into}   split {faces: [...]}: a new person
--   assign {face, person}   reject {face, person?}   hide, show {person}   cover {face, person?}
--   apart {a, b}: they are two   contact {person, contact}
-- and of photos: see kizu.correct_photo. Refuses with SQLSTATE KZ001, a sentence for the user and a hint.
create or replace function public.kizu_correct(p_user uuid, p_kind text, p_subject jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  perform kizu.lock_people(p_user);
  if p_kind = any (kizu.people_kinds()) then
    perform kizu.log_names(p_user);
    return kizu.correct_people(p_user, p_kind, p_subject);
  elsif p_kind = any (kizu.photo_kinds()) then
    return kizu.correct_photo(p_user, p_kind, p_subject);
  end if;
  raise exception 'There is no correction "%".', p_kind using errcode = 'invalid_parameter_value';
end $$;

-- Faces go back to whom they were with before a correction, except where the user said something else of them.
create or replace function kizu.take_back(p_user uuid, p_moved jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.face_clusters (id, user_id)
    select distinct (m ->> 'was')::uuid, p_user from jsonb_array_elements(p_moved) m
    where m ->> 'was' is not null and kizu.person_now(p_user, (m ->> 'was')::uuid) is null;
  update public.face_embeddings f set cluster_id = kizu.person_now(p_user, (m.place ->> 'was')::uuid)
    from kizu.faces_at(p_user, p_moved) m where f.id = m.face_id;
  perform kizu.place_faces(p_user);
  perform kizu.drop_nobody(p_user);
end $$;

create or replace function kizu.twins_by_name(p_user uuid) returns bigint
language sql stable set search_path = '' as $$
  select count(*) - count(distinct kizu.name_key(c.name)) from public.face_clusters c where c.user_id = p_user and c.name is not null
$$;

-- Undoes a correction, the last one if none is named; undoing an undoing makes it true again: {id, undone, kind}.
create or replace function public.kizu_undo(p_user uuid, p_id bigint default null) returns jsonb
language plpgsql set search_path = '' as $$
declare
  said public.corrections;
  made bigint;
  undone bigint;
  twins bigint;
begin
  perform kizu.lock_people(p_user);
  twins := kizu.twins_by_name(p_user);
  select * into said from public.corrections c
    where c.user_id = p_user and not kizu.is_undone(c.id) and c.id = coalesce(p_id, c.id) and (p_id is not null or c.kind <> 'undo')
    order by c.id desc limit 1;
  if not found then
    perform kizu.refuse_correction('There is nothing to undo.', '`kizu people log` shows what was corrected.');
  end if;
  insert into public.corrections (user_id, kind, undoes) values (p_user, 'undo', said.id) returning id into made;
  undone := said.id;
  while said.undoes is not null loop
    select * into said from public.corrections c where c.id = said.undoes;
  end loop;
  if said.kind = any (kizu.photo_kinds()) then
    perform kizu.replay_photo(kizu.photo_at(p_user, said.subject));
  else
    perform kizu.replay_people(p_user);
    perform kizu.take_back(p_user, case when kizu.is_undone(said.id) then said.moved else '[]' end);
    if kizu.twins_by_name(p_user) > twins then
      perform kizu.refuse_correction('Then two people would have one name.', 'Name one of them otherwise first.');
    end if;
  end if;
  return jsonb_build_object('id', made, 'undone', undone, 'kind', said.kind);
end $$;

-- Throws all grouping by machines away; what the user said comes back at once, the rest with the next grouping:
-- {people: how many the user's word keeps, faces: how many are nobody's now}.
create or replace function public.kizu_people_reset(p_user uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  perform kizu.lock_people(p_user);
  perform kizu.log_names(p_user);
  update public.face_embeddings f set cluster_id = null where f.user_id = p_user and f.cluster_id is not null;
  delete from public.face_reviews r where r.user_id = p_user;
  perform kizu.replay_people(p_user);
  perform kizu.drop_nobody(p_user);
  update public.profiles p set people_at = null where p.id = p_user;
  return jsonb_build_object(
    'people', (select count(*) from public.face_clusters c where c.user_id = p_user),
    'faces', (select count(*) from public.face_embeddings f where f.user_id = p_user and f.cluster_id is null
              and f.space = kizu.active_space(p_user, 'face')));
end $$;

select kizu.expose(f::regproc, 'service_role') from unnest(array[
  'kizu.named_person', 'kizu.named_faces', 'kizu.named_name', 'kizu.named_contact', 'kizu.merged_people', 'kizu.merged_faces',
  'kizu.read_correction', 'kizu.hands', 'kizu.correct_people', 'kizu.person_shown', 'kizu.log_names', 'kizu.take_back',
  'kizu.twins_by_name', 'public.kizu_correct', 'public.kizu_undo', 'public.kizu_people_reset']) f;

insert into kizu.schema_version (version, name) values ('20261123092120', 'correcting') on conflict do nothing;
notify pgrst, 'reload schema';
