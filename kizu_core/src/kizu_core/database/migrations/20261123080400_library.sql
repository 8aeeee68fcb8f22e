-- Folders and the photos in them: what `kizu run` tells the database about a disk. All for workers only; a user
-- reads the result through the functions of the next migration.
--
-- Roots of one user never lie inside each other: a folder inside a known root is scanned as a part of that root, and
-- a new root takes over the files of those inside it. So a file has one row per user, and one history.

alter table public.asset_files
  -- Folder below the root where another disk was mounted when the file was seen; '' on the root's own disk.
  add column if not exists mount text not null default '';

-- "C" because paths are compared byte by byte in the program, too.
create index if not exists kizu_asset_files_path on public.asset_files (root_id, path collate "C");

-- The last part of a stored path. The private block stands for bytes that are no text (see `database/paths.py`).
create or replace function kizu.file_name(p_path text) returns text
language sql immutable strict parallel safe set search_path = '' as $$
  select regexp_replace(regexp_replace(p_path, '^.*/', ''), U&'[\+10F700-\+10F7FF]', U&'\FFFD', 'g')
$$;

-- One writer per library: two imports could otherwise wait for each other's photos in opposite order.
create or replace function kizu.lock_library(p_user uuid) returns void
language sql set search_path = '' as $$
  select pg_advisory_xact_lock(hashtextextended('kizu library ' || p_user, 0))
$$;

-- Photos whose files may have gone or come: missing is what has no file left; a photo is called what its oldest file
-- is called. Planned at each call, for the library as it is now: a plan that is kept from the time when the tables
-- were empty reads all of them for every photo.
create or replace function kizu.settle_assets(p_assets uuid[]) returns void
language sql set search_path = '' set plan_cache_mode = force_custom_plan as $$
  update public.assets a
  set missing_since = case when f.path is null then coalesce(a.missing_since, now()) end,
      file_name = coalesce(kizu.file_name(f.path), a.file_name),
      updated_at = now()
  from (
    select touched.id, (array_agg(f.path order by f.id))[1] as path
    from unnest(p_assets) as touched (id)
    left join public.asset_files f on f.asset_id = touched.id and f.missing_since is null
    group by touched.id
  ) f
  where a.id = f.id
    and ((a.missing_since is null) <> (f.path is not null)
         or a.file_name is distinct from coalesce(kizu.file_name(f.path), a.file_name))
$$;

-- The root that a folder belongs to, as {id, path, below, device, state}; `below` is the folder's place inside the
-- root, '' for the root itself. A folder that is in no known root becomes one if `p_device` is given, the device it
-- lies on; without it (the folder is not there now) the answer is null.
create or replace function public.kizu_root(p_user uuid, p_path text, p_device text default null) returns jsonb
language plpgsql set search_path = '' as $$
declare
  base constant text := rtrim(p_path, '/') || '/';
  root public.library_roots;
begin
  if p_path !~ '^/' then
    raise exception 'A library folder needs an absolute path.' using errcode = 'invalid_parameter_value';
  end if;
  perform kizu.lock_library(p_user);
  select * into root from public.library_roots r
    where r.user_id = p_user and starts_with(base, rtrim(r.path, '/') || '/');
  if not found and p_device is not null then
    insert into public.library_roots (user_id, path, device) values (p_user, p_path, p_device) returning * into root;
    perform kizu.take_over_roots(root, base);
  end if;
  if root.id is null then
    return null;
  end if;
  return jsonb_build_object('id', root.id, 'path', root.path, 'device', root.device, 'state', root.state,
    'below', rtrim(substr(base, length(rtrim(root.path, '/')) + 2), '/'));
end $$;

-- The roots inside a new one become a part of it.
create or replace function kizu.take_over_roots(p_root public.library_roots, p_base text) returns void
language plpgsql set search_path = '' as $$
declare
  part public.library_roots;
  prefix text;
begin
  for part in select * from public.library_roots r
    where r.user_id = p_root.user_id and r.id <> p_root.id and starts_with(r.path, p_base)
  loop
    prefix := substr(part.path, length(p_base) + 1);
    update public.asset_files f set
      root_id = p_root.id,
      path = prefix || '/' || f.path,
      mount = case when f.mount <> '' then prefix || '/' || f.mount
                   when part.device is distinct from p_root.device then prefix
                   else '' end
      where f.root_id = part.id;
    delete from public.library_roots r where r.id = part.id;
  end loop;
end $$;

-- What is known of a root's files, by path, up to 1000 a call; `p_after` is the last path of the page before.
create or replace function public.kizu_root_files(p_root uuid, p_after text default null, p_limit int default 1000)
returns jsonb language plpgsql stable set search_path = '' as $$
begin
  return (select coalesce(jsonb_agg(jsonb_build_object(
      'path', f.path, 'size', f.size, 'mtime_ns', f.mtime_ns, 'inode', f.inode, 'mount', f.mount, 'sha256', f.sha256,
      'asset_id', f.asset_id, 'error', f.error, 'missing', f.missing_since is not null,
      'forgotten', f.asset_id is null and f.sha256 is not null and kizu.is_forgotten(f.user_id, f.sha256))
    order by f.path collate "C"), '[]')
  from (
    select * from public.asset_files
    where root_id = p_root and path collate "C" > coalesce(p_after, '')
    order by path collate "C"
    limit least(greatest(p_limit, 1), 1000)
  ) f);
end $$;

-- Files as they were just seen and read, each {path, size, mtime_ns, inode, mount} and
--   sha256, asset {columns of the photo}   read and understood
--   sha256                                 known to be the same as before, only seen again
--   error {code, message, hint, retryable} not readable
-- Answers [{path, outcome, asset_id}], outcome one of
--   new        content that the library did not know
--   edited     the photo of this path has new content: same photo, its results are stale now
--   linked     content that the library knows, at a path where it was not before
--   returned   a missing photo is back
--   forgotten  content that the user told to forget: passed over
--   same       nothing changed
--   unreadable
create or replace function public.kizu_import_files(p_root uuid, p_files jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner uuid := (select user_id from public.library_roots where id = p_root);
  one record;
  answer jsonb;
  answers jsonb[] := '{}';
  touched uuid[] := '{}';
begin
  if owner is null then
    raise exception 'There is no library folder %.', p_root using errcode = 'no_data_found';
  end if;
  perform kizu.lock_library(owner);
  -- Known content first: a file that was put aside before its original was edited keeps that photo from changing.
  -- By `execute`, so that each batch is planned anew (see kizu.settle_assets).
  for one in execute $sql$
    select f.value as file, b as before, a as photo,
           row_number() over (partition by f.value ->> 'sha256' order by f.place) > 1 as twin
    from jsonb_array_elements($1) with ordinality as f (value, place)
    left join public.asset_files b on b.root_id = $2 and b.path = f.value ->> 'path'
    left join public.assets a on a.user_id = $3 and a.sha256 = f.value ->> 'sha256'
    order by a.id is null, f.place
  $sql$ using p_files, p_root, owner
  loop
    if one.twin then -- of a file that this loop may have just made a photo of
      one.photo := (select a from public.assets a where a.user_id = owner and a.sha256 = one.file ->> 'sha256');
    end if;
    answer := kizu.import_file(p_root, owner, one.file, one.before, one.photo);
    answers := answers || answer;
    touched := touched || array[(answer ->> 'asset_id')::uuid, (one.before).asset_id];
  end loop;
  perform kizu.settle_assets(touched);
  return to_jsonb(answers);
end $$;

-- One file of `kizu_import_files`; `p_before` is its row as it was, `p_photo` the photo with its content.
create or replace function kizu.import_file(
  p_root uuid, p_user uuid, p_file jsonb, p_before public.asset_files, p_photo public.assets) returns jsonb
language plpgsql set search_path = '' as $$
declare
  target uuid := p_photo.id;
  outcome text;
begin
  if p_file -> 'error' is not null then
    -- A file that can't be opened now may well hold what it held; damaged content does not.
    target := case when (p_file -> 'error' ->> 'retryable')::boolean then p_before.asset_id end;
    outcome := 'unreadable';
  else
    outcome := case
      when target is null and kizu.is_forgotten(p_user, p_file ->> 'sha256') then 'forgotten'
      when target is null and kizu.is_only_file(p_before) then 'edited'
      when target is null then 'new'
      when p_photo.missing_since is not null or p_before.asset_id = target and p_before.missing_since is not null then 'returned'
      when p_before.asset_id = target then 'same'
      else 'linked' end;
    if p_file -> 'asset' is not null and outcome in ('new', 'edited', 'same') then
      target := kizu.write_photo(p_user, case when outcome <> 'new' then p_before.asset_id end, p_file);
      perform kizu.replay_photo(target);
    end if;
  end if;
  insert into public.asset_files as f (root_id, user_id, asset_id, path, size, mtime_ns, inode, mount, sha256, error)
    values (p_root, p_user, target, p_file ->> 'path', (p_file ->> 'size')::bigint, (p_file ->> 'mtime_ns')::bigint,
            (p_file ->> 'inode')::bigint, coalesce(p_file ->> 'mount', ''), p_file ->> 'sha256', p_file -> 'error')
    on conflict (root_id, path) do update set
      asset_id = excluded.asset_id, size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode,
      mount = excluded.mount, sha256 = coalesce(excluded.sha256, case when excluded.asset_id = f.asset_id then f.sha256 end),
      error = excluded.error, missing_since = null, seen_at = now();
  return jsonb_build_object('path', p_file ->> 'path', 'outcome', outcome, 'asset_id', target);
end $$;

-- Whether the photo of a file has no other file that still holds its content: then an edit changes the photo itself.
create or replace function kizu.is_only_file(p_file public.asset_files) returns boolean
language sql stable set search_path = '' as $$
  select p_file.asset_id is not null and p_file.missing_since is null and not exists (
    select from public.asset_files other
    where other.asset_id = p_file.asset_id and other.id <> p_file.id and other.missing_since is null)
$$;

-- A new photo, or new content of photo `p_asset`; the answer is its id. The thumbnail of old content stays until the
-- new one is made.
create or replace function kizu.write_photo(p_user uuid, p_asset uuid, p_file jsonb) returns uuid
language sql set search_path = '' as $$
  insert into public.assets as a (
    id, user_id, sha256, file_name, media_kind, mime, bytes, width, height, orientation, taken_local, taken_offset_min,
    taken_at, taken_source, latitude, longitude, altitude, place_name, placed_for, district, city, county, state, country,
    country_code, camera, metadata)
  select
    coalesce(p_asset, gen_random_uuid()), p_user, p_file ->> 'sha256', kizu.file_name(p_file ->> 'path'),
    coalesce(n.media_kind, 'image'), n.mime, n.bytes, n.width, n.height, n.orientation, n.taken_local, n.taken_offset_min,
    n.taken_at, n.taken_source, n.latitude, n.longitude, n.altitude, n.place_name, n.placed_for, n.district, n.city,
    n.county, n.state, n.country, n.country_code, n.camera, coalesce(n.metadata, '{}')
  from jsonb_populate_record(null::public.assets, p_file -> 'asset') n
  on conflict (id) do update set
    sha256 = excluded.sha256, file_name = excluded.file_name, media_kind = excluded.media_kind, mime = excluded.mime,
    bytes = excluded.bytes, width = excluded.width, height = excluded.height, orientation = excluded.orientation,
    taken_local = excluded.taken_local, taken_offset_min = excluded.taken_offset_min, taken_at = excluded.taken_at,
    taken_source = excluded.taken_source, latitude = excluded.latitude, longitude = excluded.longitude,
    altitude = excluded.altitude, place_name = excluded.place_name, placed_for = excluded.placed_for,
    district = excluded.district, city = excluded.city, county = excluded.county, state = excluded.state,
    country = excluded.country, country_code = excluded.country_code,
    camera = excluded.camera, metadata = excluded.metadata, original = null, updated_at = now()
  returning a.id
$$;

-- Files that are gone from an online root; the answer is how many. A photo without any file left is missing: nothing
-- of it is forgotten, and it returns when one of its files does.
create or replace function public.kizu_mark_missing(p_root uuid, p_paths text[]) returns int
language plpgsql set search_path = '' as $$
declare
  gone int;
  touched uuid[];
begin
  perform kizu.lock_library(r.user_id) from public.library_roots r where r.id = p_root;
  with marked as (
    update public.asset_files f set missing_since = now()
    where f.root_id = p_root and f.path = any (p_paths) and f.missing_since is null
    returning f.asset_id
  )
  select count(*), array_agg(distinct asset_id) filter (where asset_id is not null) into gone, touched from marked;
  perform kizu.settle_assets(touched);
  return gone;
end $$;

-- The end of a scan: `online` with the device that the root lies on, or `offline`.
create or replace function public.kizu_root_state(p_root uuid, p_state text, p_device text default null) returns void
language sql set search_path = '' as $$
  update public.library_roots set
    state = p_state,
    device = coalesce(p_device, device),
    last_scan = case when p_state = 'online' then now() else last_scan end
  where id = p_root
$$;

select kizu.expose(f::regproc, 'service_role') from unnest(array[
  'kizu.file_name', 'kizu.lock_library', 'kizu.settle_assets', 'kizu.take_over_roots', 'kizu.import_file',
  'kizu.is_only_file', 'kizu.write_photo', 'public.kizu_root', 'public.kizu_root_files', 'public.kizu_import_files',
  'public.kizu_mark_missing', 'public.kizu_root_state']) f;

insert into kizu.schema_version (version, name) values ('20261123080400', 'library') on conflict do nothing;
notify pgrst, 'reload schema';
