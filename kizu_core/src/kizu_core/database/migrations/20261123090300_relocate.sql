-- The folders of a library, and the same photos in another place: a moved disk, a restored backup.

-- The caller's folders, each with how many photos and videos it holds, how many are gone and how many can't be read.
create or replace function public.kizu_roots() returns jsonb language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'path', r.path, 'state', r.state, 'last_scan', r.last_scan,
      'photos', f.photos, 'missing', f.missing, 'unreadable', f.unreadable) order by r.path), '[]')
  from public.library_roots r cross join lateral (
    select count(distinct f.asset_id) filter (where f.missing_since is null) as photos,
      count(*) filter (where f.missing_since is not null) as missing,
      count(*) filter (where f.error is not null and f.missing_since is null) as unreadable
    from public.asset_files f where f.root_id = r.id) f
  where r.user_id = (select kizu.uid())
$$;

-- A path below a folder, with that folder called something else. Both without "/" at the end, '' being the top.
create or replace function kizu.path_moved(p_path text, p_old text, p_new text) returns text
language sql immutable strict parallel safe set search_path = '' as $$
  select p_new || substr(p_path, length(p_old) + 1)
$$;

-- Moves the folders at and below `p_old` to the same places below `p_new`, or with `p_check` only tells what it would do:
-- {moves: [{id, old, new, files, sample: [{path, size}]}]}, the sample being some of the files that should be there.
-- Nothing moves where the answer has `inside` (the folder that `p_old` is only a part of) or `meets` (a folder of the
-- library that the new place lies in or holds). The device is forgotten: file numbers of another disk mean nothing.
create or replace function public.kizu_relocate(p_user uuid, p_old text, p_new text, p_check boolean default false)
returns jsonb language plpgsql set search_path = '' as $$
declare
  old constant text := rtrim(p_old, '/');
  new constant text := rtrim(p_new, '/');
  answer jsonb;
begin
  if p_old !~ '^/' or p_new !~ '^/' then
    raise exception 'A library folder needs an absolute path.' using errcode = 'invalid_parameter_value';
  end if;
  perform kizu.lock_library(p_user);
  select jsonb_build_object('inside', min(r.path)) into answer from public.library_roots r
    where r.user_id = p_user and r.path <> p_old and starts_with(old || '/', rtrim(r.path, '/') || '/');
  if answer ->> 'inside' is not null then
    return answer;
  end if;
  select jsonb_build_object('meets', min(stays.path)) into answer
    from public.library_roots moves, public.library_roots stays
    where moves.user_id = p_user and stays.user_id = p_user
      and starts_with(moves.path || '/', old || '/') and not starts_with(stays.path || '/', old || '/')
      and (starts_with(kizu.path_moved(moves.path, old, new) || '/', rtrim(stays.path, '/') || '/')
        or starts_with(rtrim(stays.path, '/') || '/', kizu.path_moved(moves.path, old, new) || '/'));
  if answer ->> 'meets' is not null then
    return answer;
  end if;
  select jsonb_build_object('moves', coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'old', r.path,
      'new', kizu.path_moved(r.path, old, new),
      'files', (select count(*) from public.asset_files f where f.root_id = r.id and f.missing_since is null),
      'sample', kizu.some_files(r.id)) order by r.path), '[]')) into answer
    from public.library_roots r where r.user_id = p_user and starts_with(r.path || '/', old || '/');
  if not p_check then
    update public.library_roots r set path = kizu.path_moved(r.path, old, new), device = null
      where r.user_id = p_user and starts_with(r.path || '/', old || '/');
  end if;
  return answer;
end $$;

-- Some files of a root, from all over it: always the same ones, so that a second look looks at what the first did.
create or replace function kizu.some_files(p_root uuid) returns jsonb language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object('path', f.path, 'size', f.size)), '[]')
  from (select f.path, f.size from public.asset_files f where f.root_id = p_root and f.missing_since is null
        order by md5(f.path) limit 50) f
$$;

select kizu.expose('public.kizu_roots', 'authenticated');
select kizu.expose(f::regproc, 'service_role') from unnest(array[
  'kizu.path_moved', 'kizu.some_files', 'public.kizu_relocate']) f;

insert into kizu.schema_version (version, name) values ('20261123090300', 'relocate') on conflict do nothing;
notify pgrst, 'reload schema';
