-- The people whose photos are kept here: for workers only, as whoever may rename or delete a user may do it to any.

-- "anna", " Anna" and "ANNA" are one name to a person: made the same here.
create or replace function kizu.user_key(p_name text) returns text
language sql immutable strict parallel safe set search_path = '' as $$
  select lower(regexp_replace(normalize(p_name, NFKC), '\s', '', 'g'))
$$;

-- All users with what they have, by name.
create or replace function public.kizu_users() returns jsonb language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'name', p.display_name, 'created_at', p.created_at,
      'photos', (select count(*) from public.assets a where a.user_id = p.id),
      'roots', (select count(*) from public.library_roots r where r.user_id = p.id))
    order by p.display_name), '[]')
  from public.profiles p where p.display_name is not null
$$;

-- What would go with a user.
create or replace function public.kizu_user_counts(p_user uuid) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'photos', (select count(*) from public.assets a where a.user_id = p_user),
    'thumbnails', (select count(*) from public.assets a where a.user_id = p_user and a.thumbnail is not null),
    'faces', (select count(*) from public.face_embeddings f where f.user_id = p_user),
    'people', (select count(*) from public.face_clusters c where c.user_id = p_user),
    'texts', (select count(*) from public.extracted_text t where t.user_id = p_user),
    'moments', (select count(*) from public.moments m where m.user_id = p_user),
    'roots', (select count(*) from public.library_roots r where r.user_id = p_user),
    'jobs', (select count(*) from kizu.jobs j where j.user_id = p_user))
$$;

-- One at a time: two names that only differ by case would otherwise both find nobody.
create or replace function kizu.lock_names() returns void language sql set search_path = '' as $$
  select pg_advisory_xact_lock(hashtextextended('kizu users', 0))
$$;

-- The user called so, made if there is none: what every command starts with.
create or replace function public.kizu_ensure_user(p_name text) returns uuid language plpgsql set search_path = '' as $$
declare
  known uuid := (select p.id from public.profiles p where p.display_name = p_name);
begin
  if known is null then
    perform kizu.lock_names();
    insert into public.profiles (display_name)
      select p_name where not exists (
        select from public.profiles p where kizu.user_key(p.display_name) = kizu.user_key(p_name));
    select p.id into known from public.profiles p where kizu.user_key(p.display_name) = kizu.user_key(p_name)
      order by p.display_name <> p_name, p.created_at limit 1;
  end if;
  return known;
end $$;

-- A new user; null if somebody has that name already, or one that only differs by case and spaces.
create or replace function public.kizu_add_user(p_name text) returns uuid language plpgsql set search_path = '' as $$
declare
  made uuid;
begin
  perform kizu.lock_names();
  insert into public.profiles (display_name)
    select p_name where not exists (
      select from public.profiles p where kizu.user_key(p.display_name) = kizu.user_key(p_name))
    returning id into made;
  return made;
end $$;

-- False if somebody else has that name, or one that only differs by case and spaces.
create or replace function public.kizu_rename_user(p_user uuid, p_name text) returns boolean
language plpgsql set search_path = '' as $$
begin
  perform kizu.lock_names();
  update public.profiles set display_name = p_name where id = p_user and not exists (
    select from public.profiles p where p.id <> p_user and kizu.user_key(p.display_name) = kizu.user_key(p_name));
  return found;
end $$;

-- Deletes up to `p_limit` rows of each kind, to stay within a statement's time, and tells how many of which table; call
-- it until it returns {}. Jobs go first: with its row a job loses its fence, so a worker that still has it in hand can
-- write nothing more; then the folders, so that nothing new is read in. The user goes last, so that whatever
-- interrupts this can be made up for by the same call. Nothing is deleted, and the answer is {"running": how many}, while
-- a living worker has jobs of the user in hand.
create or replace function public.kizu_delete_user(p_user uuid, p_limit int default 5000) returns jsonb
language plpgsql set search_path = '' as $$
declare
  tables constant text[] := array[
    'ai_processing_jobs', 'image_processing_jobs', 'asset_files', 'library_roots', 'plugin_results', 'image_embeddings',
    'face_embeddings', 'face_centroids', 'face_rules', 'face_reviews', 'corrections', 'face_clusters', 'detected_objects', 'extracted_text', 'image_descriptions', 'moments',
    'moment_history', 'moment_blocks', 'contacts',
    'assets'];
  one text;
  gone bigint;
  counts jsonb := '{}';
  running constant bigint := (select count(*) from kizu.jobs j
    where j.user_id = p_user and j.status = 'processing' and j.lease_until > now());
begin
  if running > 0 then
    return jsonb_build_object('running', running);
  end if;
  foreach one in array tables loop
    execute format('delete from public.%1$I where ctid = any (array(
      select ctid from public.%1$I where user_id = $1 limit $2))', one) using p_user, p_limit;
    get diagnostics gone = row_count;
    if gone > 0 then
      counts := counts || jsonb_build_object(one, gone);
    end if;
  end loop;
  if counts = '{}' then
    delete from public.profiles p where p.id = p_user;
    get diagnostics gone = row_count;
    counts := case when gone > 0 then jsonb_build_object('profiles', gone) else '{}' end;
  end if;
  return counts;
end $$;

select kizu.expose(f, 'service_role') from unnest(array[
  'kizu.user_key', 'kizu.lock_names', 'public.kizu_users', 'public.kizu_user_counts',
  'public.kizu_ensure_user', 'public.kizu_add_user', 'public.kizu_rename_user', 'public.kizu_delete_user']::regproc[]) f;

insert into kizu.schema_version (version, name) values ('20261123090400', 'users') on conflict do nothing;
notify pgrst, 'reload schema';
