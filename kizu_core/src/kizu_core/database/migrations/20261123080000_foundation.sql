-- What every later migration stands on: extensions, the private schema `kizu`, the identity of the caller,
-- text folding, the record of applied migrations and the helpers that grant rights.

-- `create schema if not exists` asks for CREATE on the database even if the schema exists; hence the look first.
do $$ begin
  if to_regnamespace('extensions') is null then create schema extensions; end if;
  if to_regnamespace('kizu') is null then create schema kizu; end if;
end $$;

create extension if not exists vector with schema extensions;
create extension if not exists pg_trgm with schema extensions;

do $$ begin
  if to_regtype('extensions.halfvec') is null or to_regprocedure('extensions.similarity(text,text)') is null then
    raise exception 'Kizu expects the extensions vector (0.7 or newer) and pg_trgm in the schema "extensions".'
      using hint = 'Move or update them: alter extension vector set schema extensions; alter extension vector update;';
  end if;
end $$;

-- Applied migrations, newest last. `kizu_schema_version()` answers from it.
create table if not exists kizu.schema_version (
  version text primary key,
  name text not null,
  applied_at timestamptz not null default now(),
  checksum text -- SHA-256 of the file; null when another tool applied it
);

-- Tables that were there before Kizu came: their types, policies, grants and RLS flags are their owner's business.
-- Filled once, in the same statement that makes it. `kizu db migrate --with-policies` empties it first.
do $$
declare
  kizu_tables constant text[] := array[
    'profiles', 'contacts', 'assets', 'library_roots', 'asset_files', 'ai_processing_jobs', 'image_processing_jobs',
    'image_embeddings', 'face_clusters', 'face_embeddings', 'detected_objects', 'extracted_text', 'image_descriptions',
    'plugin_results', 'moments', 'moment_assets', 'moment_history', 'moment_blocks', 'operations', 'kizu_workers',
    'corrections', 'face_rules', 'face_centroids', 'face_reviews'];
begin
  if to_regclass('kizu.adopted') is null then
    create table kizu.adopted (name text primary key);
    insert into kizu.adopted select t from unnest(kizu_tables) t where to_regclass('public.' || t) is not null;
  end if;
end $$;

-- Subject of the verified token, as PostgREST and Kizu's own transport set it; null for workers.
create or replace function kizu.uid() returns uuid language sql stable set search_path = '' as $$
  select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                  nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;

-- Text as it is searched: accents off, lower case. Own and IMMUTABLE, so that it may stand in indexes and generated
-- columns, and the same on every host (unaccent is neither). The ranges are the combining marks for Latin, Greek and
-- Cyrillic letters; marks that tell letters apart (Japanese, Arabic, Indic) stay.
create or replace function kizu.fold(p_text text) returns text
language sql immutable strict parallel safe set search_path = '' as $$
  select lower(regexp_replace(normalize(p_text, NFD),
                              '[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]', '', 'g'))
$$;

-- Roles that grants and policies name. Supabase has them; elsewhere they are made here, never able to log in or to
-- pass row level security.
do $$
declare
  wanted text;
begin
  foreach wanted in array array['anon', 'authenticated', 'service_role'] loop
    if to_regrole(wanted) is null then
      begin
        execute format('create role %I nologin noinherit', wanted);
        execute format('grant %I to current_user', wanted); -- who made it without being superuser may not act as it yet
      exception
        when duplicate_object or unique_violation then null; -- another migration was quicker
        when insufficient_privilege then
          raise exception 'The role "%" is missing and "%" may not create it.', wanted, current_user
            using hint = format('As a superuser: create role %I nologin noinherit;', wanted);
      end;
    end if;
  end loop;
end $$;

-- In a database of Kizu's own, a function that somebody forgets to `expose` is nobody's. Elsewhere the default is the
-- application's own, and `expose` alone does it.
do $$ begin
  if current_user = 'kizu_owner' then
    alter default privileges revoke execute on functions from public;
  end if;
end $$;

-- Who may call a function: exactly the named roles. PostgreSQL grants EXECUTE to PUBLIC by itself, older Supabase
-- projects also to the three roles.
create or replace function kizu.expose(p_function regproc, variadic p_roles text[] default array[]::text[]) returns void
language plpgsql set search_path = '' as $$
declare
  role_name text;
begin
  execute format('revoke all on function %s from public, anon, authenticated, service_role', p_function);
  foreach role_name in array p_roles loop
    execute format('grant execute on function %s to %I', p_function, role_name);
  end loop;
end $$;

-- Row level security of one table: workers see all, a user reads the rows for which `p_mine` is true (null: none).
-- Does nothing to a table that was there before Kizu.
create or replace function kizu.protect(p_table text, p_mine text default 'user_id = (select kizu.uid())') returns void
language plpgsql set search_path = '' as $$
begin
  if exists (select from kizu.adopted a where a.name = p_table) then
    return;
  end if;
  execute format('alter table public.%I enable row level security', p_table);
  execute format('revoke all on public.%I from public, anon, authenticated, service_role', p_table);
  execute format('grant select, insert, update, delete on public.%I to service_role', p_table);
  execute format('drop policy if exists kizu_service on public.%I', p_table);
  execute format('create policy kizu_service on public.%I to service_role using (true) with check (true)', p_table);
  execute format('drop policy if exists kizu_own on public.%I', p_table);
  if p_mine is not null then
    execute format('grant select on public.%I to authenticated', p_table);
    execute format('create policy kizu_own on public.%I for select to authenticated using (%s)', p_table, p_mine);
  end if;
end $$;

-- The newest applied migration, for the check at start-up.
create or replace function public.kizu_schema_version() returns text language sql stable set search_path = '' as $$
  select max(version) from kizu.schema_version
$$;

grant usage on schema kizu to authenticated, service_role;
grant usage on schema extensions to authenticated, service_role;
grant select on kizu.schema_version to authenticated, service_role;
select kizu.expose('kizu.expose'), kizu.expose('kizu.protect');
select kizu.expose('kizu.uid', 'authenticated', 'service_role'), kizu.expose('kizu.fold', 'authenticated', 'service_role');
select kizu.expose('public.kizu_schema_version', 'authenticated', 'service_role');

insert into kizu.schema_version (version, name) values ('20261123080000', 'foundation') on conflict do nothing;
notify pgrst, 'reload schema';
