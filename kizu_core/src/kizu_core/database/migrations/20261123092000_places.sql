-- Where photos lie, in names: an offline gazetteer in the program turns positions into them (`library/places.py`), at
-- import and for whatever has a position that was not looked up yet: photos of an earlier version, or one that its user
-- put somewhere else.

-- A position as the gazetteer is asked for it; null if there is none.
create or replace function kizu.position(p_latitude float8, p_longitude float8) returns float8[]
language sql immutable parallel safe set search_path = '' as $$
  select case when p_latitude is not null and p_longitude is not null then array[p_latitude, p_longitude] end
$$;

-- Whether a position says anything: cameras without a fix write 0, 0, which is in the sea.
create or replace function kizu.has_position(p_latitude float8, p_longitude float8) returns boolean
language sql immutable parallel safe set search_path = '' as $$
  select coalesce((p_latitude, p_longitude) <> (0, 0), false)
$$;

-- Holds what is still to be looked up and nothing else, so that a run with nothing to do finds that out at once.
create index if not exists kizu_assets_unplaced on public.assets (user_id, id)
  where placed_for is distinct from kizu.position(latitude, longitude);

-- Up to `p_limit` photos whose names of places are not those of their positions: [[id, latitude, longitude]].
create or replace function public.kizu_unplaced(p_user uuid, p_limit int default 1000) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_array(a.id, a.latitude, a.longitude) order by a.id), '[]')
  from (select id, latitude, longitude from public.assets
        where user_id = p_user and placed_for is distinct from kizu.position(latitude, longitude)
        order by id limit p_limit) a
$$;

-- Writes names down: [{id, placed_for, district, city, county, state, country, country_code}]. A photo that was put
-- somewhere else meanwhile is left for the next call.
create or replace function public.kizu_place(p_user uuid, p_places jsonb) returns int
language plpgsql set search_path = '' as $$
declare
  placed int;
begin
  perform kizu.lock_library(p_user);
  update public.assets a set placed_for = p.placed_for, district = p.district, city = p.city, county = p.county,
    state = p.state, country = p.country, country_code = p.country_code, updated_at = now()
  from jsonb_populate_recordset(null::public.assets, p_places) p
  where a.id = p.id and a.user_id = p_user
    and kizu.position(a.latitude, a.longitude) is not distinct from p.placed_for;
  get diagnostics placed = row_count;
  return placed;
end $$;

select kizu.expose(f::regproc, 'authenticated', 'service_role') from unnest(array[
  'kizu.position', 'kizu.has_position']) f;
select kizu.expose(f::regproc, 'service_role') from unnest(array['public.kizu_unplaced', 'public.kizu_place']) f;

insert into kizu.schema_version (version, name) values ('20261123092000', 'places') on conflict do nothing;
notify pgrst, 'reload schema';
