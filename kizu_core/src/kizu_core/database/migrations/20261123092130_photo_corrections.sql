-- Corrections of photos: date, place, hidden, forgotten. What the file itself says stays in `assets.original` as long as something
-- else stands in its place, so that undoing gives it back, whatever was undone in which order.

create or replace function kizu.photo_kinds() returns text[] language sql immutable parallel safe set search_path = '' as $$
  select array['date', 'place', 'hide_photo', 'show_photo', 'forget']
$$;

-- The photo that a correction speaks of: itself, or the one with its content after it was read in again.
create or replace function kizu.photo_at(p_user uuid, p_subject jsonb) returns uuid
language sql stable set search_path = '' as $$
  select coalesce(
    (select a.id from public.assets a where a.id = (p_subject ->> 'asset_id')::uuid and a.user_id = p_user),
    (select a.id from public.assets a where a.user_id = p_user and a.sha256 = p_subject ->> 'sha256'))
$$;

-- Whether the user wants to have nothing to do with a content any more.
create or replace function kizu.is_forgotten(p_user uuid, p_sha256 text) returns boolean
language sql stable set search_path = '' as $$
  select exists (select from public.corrections c where c.user_id = p_user and c.subject ->> 'sha256' = p_sha256
                 and c.kind = 'forget' and not kizu.is_undone(c.id))
$$;

-- The columns of a photo that a correction sets. A new position has no names yet: the gazetteer is asked at the next run.
create or replace function kizu.photo_patch(p_said public.corrections, p_photo public.assets) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  new constant jsonb := p_said.subject;
  offset_min constant int := coalesce((new ->> 'offset_min')::int, p_photo.taken_offset_min);
  taken constant timestamp := (new ->> 'taken_local')::timestamp;
begin
  return case p_said.kind
    when 'date' then jsonb_build_object('taken_local', taken, 'taken_offset_min', offset_min, 'taken_source', 'user',
      'taken_at', (taken - make_interval(mins => offset_min)) at time zone 'UTC')
    when 'place' then
      case when new ? 'place_name' then jsonb_build_object('place_name', new -> 'place_name') else '{}' end
      || case when new ? 'latitude' then jsonb_build_object('latitude', new -> 'latitude', 'longitude', new -> 'longitude',
        'placed_for', null, 'district', null, 'city', null, 'county', null, 'state', null, 'country', null, 'country_code', null) else '{}' end
    else jsonb_build_object('hidden', p_said.kind = 'hide_photo') end;
end $$;

-- A photo as its file and the log have it. Called when either changed; does nothing twice.
create or replace function kizu.replay_photo(p_asset uuid) returns void
language plpgsql set search_path = '' as $$
declare
  photo public.assets;
  said public.corrections;
  patch jsonb;
  was jsonb := '{}';
begin
  select * into photo from public.assets a where a.id = p_asset for no key update;
  photo := jsonb_populate_record(photo, coalesce(photo.original, '{}') || '{"hidden": false}');
  for said in select * from public.corrections c
    where c.user_id = photo.user_id and (c.subject ->> 'asset_id' = p_asset::text or c.subject ->> 'sha256' = photo.sha256)
      and c.kind = any (kizu.photo_kinds()) and c.kind <> 'forget' and not kizu.is_undone(c.id) order by c.id
  loop
    patch := kizu.photo_patch(said, photo);
    was := (select coalesce(jsonb_object_agg(k, to_jsonb(photo) -> k), '{}') from jsonb_object_keys(patch - 'hidden') k) || was;
    photo := jsonb_populate_record(photo, patch);
  end loop;
  update public.assets a set hidden = photo.hidden, original = nullif(was, '{}'), updated_at = now(),
    taken_local = photo.taken_local, taken_offset_min = photo.taken_offset_min, taken_at = photo.taken_at,
    taken_source = photo.taken_source, latitude = photo.latitude, longitude = photo.longitude, placed_for = photo.placed_for,
    place_name = photo.place_name, district = photo.district, city = photo.city, county = photo.county, state = photo.state, country = photo.country,
    country_code = photo.country_code
  where a.id = p_asset and (a.hidden <> photo.hidden or a.original is not null or was <> '{}');
end $$;

-- What is said of a photo, as the log keeps it.
create or replace function kizu.read_photo_correction(p_kind text, p_subject jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  latitude constant float8 := (p_subject ->> 'latitude')::float8;
  longitude constant float8 := (p_subject ->> 'longitude')::float8;
  offset_min constant int := (p_subject ->> 'offset_min')::int;
begin
  if p_kind = 'date' then
    if p_subject ->> 'taken_local' is null or not isfinite((p_subject ->> 'taken_local')::timestamp) then
      perform kizu.refuse_correction('A date is missing.');
    elsif offset_min not between -840 and 840 then
      perform kizu.refuse_correction('A time zone is at most 14 hours off.');
    end if;
    return jsonb_strip_nulls(jsonb_build_object('taken_local', (p_subject ->> 'taken_local')::timestamp, 'offset_min', offset_min));
  elsif p_kind = 'place' then
    if (latitude is null) <> (longitude is null) or not p_subject ?| array['place_name', 'latitude']
      or latitude not between -90 and 90 or longitude not between -180 and 180 then
      perform kizu.refuse_correction('A place is a name, a latitude with a longitude, or both.');
    end if;
    return case when p_subject ? 'place_name' then jsonb_build_object('place_name', nullif(btrim(p_subject ->> 'place_name'), '')) else '{}' end
      || case when p_subject ? 'latitude' then jsonb_build_object('latitude', latitude, 'longitude', longitude) else '{}' end;
  end if;
  return '{}';
end $$;

-- Takes a user's word about a photo {asset, ...}:
--   date {taken_local, offset_min?}   place {place_name?, latitude?, longitude?}: null takes one away
--   hide_photo   show_photo   forget: its rows are deleted, and a file with its content is passed over from now on
create or replace function kizu.correct_photo(p_user uuid, p_kind text, p_subject jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  photo public.assets;
  made bigint;
  waiting uuid[];
begin
  select * into photo from public.assets a where a.id = (p_subject ->> 'asset')::uuid and a.user_id = p_user;
  if not found then
    perform kizu.refuse_correction('There is no such photo.', '`kizu assets list` shows them.');
  end if;
  insert into public.corrections (user_id, kind, subject)
    values (p_user, p_kind, kizu.read_photo_correction(p_kind, p_subject)
      || jsonb_build_object('asset_id', photo.id, 'sha256', photo.sha256, 'file_name', photo.file_name)) returning id into made;
  if p_kind = 'forget' then
    waiting := array(select j.id from kizu.jobs j where j.user_id = p_user and j.asset_id = photo.id and j.status in ('pending', 'processing'));
    perform public.kizu_cancel('ai_processing_jobs', waiting), public.kizu_cancel('image_processing_jobs', waiting);
    delete from public.assets a where a.id = photo.id;
    perform kizu.drop_nobody(p_user);
  else
    perform kizu.replay_photo(photo.id);
  end if;
  return jsonb_build_object('id', made, 'kind', p_kind, 'asset', photo.id, 'file_name', photo.file_name);
end $$;

select kizu.expose(f::regproc, 'service_role') from unnest(array[
  'kizu.is_forgotten', 'kizu.photo_patch', 'kizu.replay_photo', 'kizu.read_photo_correction',
  'kizu.correct_photo']) f;
select kizu.expose(f, 'authenticated', 'service_role') from unnest(array['kizu.photo_at', 'kizu.photo_kinds']::regproc[]) f;

insert into kizu.schema_version (version, name) values ('20261123092130', 'photo_corrections') on conflict do nothing;
notify pgrst, 'reload schema';
