-- Photos, what was found in them, people and moments. The specification's columns stand in `create table`, Kizu's
-- additions in `alter table`, so that a database that knows only the former becomes the same. A vector column that
-- exists keeps its type: `halfvec` without a dimension is for new tables only, rows are cast on the way in.
-- Result tables refer to a photo by key, so deleting it deletes what was found in it.

create table if not exists public.profiles (
  id uuid primary key default gen_random_uuid(),
  notification_settings jsonb default '{}'
);
alter table public.profiles
  add column if not exists display_name text,
  add column if not exists created_at timestamptz not null default now();
create unique index if not exists kizu_profiles_name on public.profiles (display_name);

create table if not exists public.contacts (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  name text
);
alter table public.contacts
  add column if not exists face_cluster_id uuid,
  add column if not exists created_at timestamptz not null default now();

-- One photo or video of one user; copies of the same bytes share it.
create table if not exists public.assets (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  thumbnail text,
  web_uri text,
  created_at timestamptz not null default now()
);
alter table public.assets
  add column if not exists media_kind text not null default 'image', -- image | video
  add column if not exists mime text,
  add column if not exists file_name text,
  add column if not exists sha256 text,
  add column if not exists bytes bigint,
  add column if not exists width int, -- pixels, upright, as shown
  add column if not exists height int,
  add column if not exists orientation int, -- EXIF tag as written, null if the file has none
  add column if not exists taken_local timestamp, -- the camera's wall clock
  add column if not exists taken_offset_min int, -- minutes east of UTC, null if unknown
  add column if not exists taken_at timestamptz, -- only where the offset is known
  add column if not exists taken_source text,
  add column if not exists latitude float8,
  add column if not exists longitude float8,
  add column if not exists altitude float8, -- metres
  add column if not exists camera text,
  add column if not exists metadata jsonb default '{}',
  add column if not exists group_id uuid, -- files that belong together: live photo, RAW + JPEG
  add column if not exists role text default 'primary', -- primary | motion | raw | edited
  add column if not exists missing_since timestamptz, -- no file of it is left
  add column if not exists hidden boolean not null default false, -- by its user: in no list, search or moment
  add column if not exists original jsonb, -- values of columns that their user corrected; null: none
  add column if not exists place_name text, -- the very spot, from its user or the file
  add column if not exists district text, -- part of a larger city; from here on what the gazetteer says of the position
  add column if not exists city text,
  add column if not exists county text,
  add column if not exists state text,
  add column if not exists country text,
  add column if not exists country_code text,
  add column if not exists placed_for float8[], -- {latitude, longitude} that those names were looked up for
  add column if not exists places_folded text[] generated always as (array_remove(array[kizu.fold(place_name),
    kizu.fold(district), kizu.fold(city), kizu.fold(county), kizu.fold(state), kizu.fold(country)], null)) stored,
  add column if not exists place_names text generated always as (nullif(coalesce(place_name, '') || chr(31) || coalesce(city, '')
    || chr(31) || coalesce(county, '') || chr(31) || coalesce(state, '') || chr(31) || coalesce(country, ''), repeat(chr(31), 4)))
    stored, -- as they are shown, in one text, so that an index can go from one place to the next
  add column if not exists updated_at timestamptz not null default now();
create unique index if not exists kizu_assets_content on public.assets (user_id, sha256);
create index if not exists kizu_assets_newest on public.assets (user_id, taken_local desc nulls last, id);

-- A folder that a user handed over. Offline: absent, empty or another device; then nothing under it is "missing".
create table if not exists public.library_roots (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  path text not null,
  device text,
  state text not null default 'online', -- online | offline
  last_scan timestamptz,
  created_at timestamptz not null default now(),
  unique (user_id, path)
);

-- A place on disk. `error` says why a file could not be taken into the library: {code, message, hint}.
create table if not exists public.asset_files (
  id bigint generated always as identity primary key,
  root_id uuid not null references public.library_roots (id) on delete cascade,
  user_id uuid not null,
  asset_id uuid references public.assets (id) on delete set null,
  path text not null, -- relative to the root, "/" between folders
  size bigint,
  mtime_ns bigint,
  inode bigint,
  sha256 text,
  error jsonb,
  missing_since timestamptz,
  seen_at timestamptz not null default now(),
  unique (root_id, path)
);
create index if not exists kizu_asset_files_asset on public.asset_files (asset_id);

create table if not exists public.image_embeddings (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  asset_id uuid not null references public.assets (id) on delete cascade,
  embedding extensions.halfvec not null,
  created_at timestamptz not null default now()
);
alter table public.image_embeddings
  add column if not exists created_at timestamptz not null default now(),
  add column if not exists dim int,
  add column if not exists space text, -- vectors of different spaces are never compared
  add column if not exists model text,
  add column if not exists output_version text,
  add column if not exists runtime text,
  add column if not exists frame_ms int not null default 0;
create unique index if not exists kizu_image_embeddings_key on public.image_embeddings (asset_id, space, frame_ms);

create table if not exists public.face_clusters (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  name text,
  created_at timestamptz not null default now()
);
alter table public.face_clusters
  add column if not exists contact_id uuid,
  add column if not exists hidden boolean not null default false;
create index if not exists kizu_face_clusters_user on public.face_clusters (user_id);

create table if not exists public.face_embeddings (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  asset_id uuid not null references public.assets (id) on delete cascade,
  cluster_id uuid references public.face_clusters (id) on delete set null,
  embedding extensions.halfvec not null,
  bbox jsonb,
  created_at timestamptz not null default now()
);
alter table public.face_embeddings
  add column if not exists created_at timestamptz not null default now(),
  add column if not exists cluster_id uuid,
  add column if not exists dim int,
  add column if not exists space text,
  add column if not exists model text,
  add column if not exists output_version text,
  add column if not exists runtime text,
  add column if not exists bbox jsonb, -- {"left","top","right","bottom"} relative to the upright picture
  add column if not exists keypoints jsonb,
  add column if not exists score real,
  add column if not exists face_index int,
  add column if not exists sharpness real,
  add column if not exists usable boolean, -- good enough to tell people apart; null: nobody looked
  add column if not exists frame_ms int not null default 0;
create index if not exists kizu_face_embeddings_asset on public.face_embeddings (asset_id);
create index if not exists kizu_face_embeddings_user on public.face_embeddings (user_id, space);
create index if not exists kizu_face_embeddings_cluster on public.face_embeddings (cluster_id);

create table if not exists public.detected_objects (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  asset_id uuid not null references public.assets (id) on delete cascade,
  label text,
  created_at timestamptz not null default now()
);
alter table public.detected_objects
  add column if not exists score real,
  add column if not exists bbox jsonb,
  add column if not exists model text,
  add column if not exists output_version text,
  add column if not exists runtime text,
  add column if not exists frame_ms int not null default 0;
create index if not exists kizu_detected_objects_asset on public.detected_objects (asset_id);
create index if not exists kizu_detected_objects_label on public.detected_objects (user_id, label);

-- One row per span of text, in reading order (`line`).
create table if not exists public.extracted_text (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  asset_id uuid not null references public.assets (id) on delete cascade,
  text text,
  created_at timestamptz not null default now()
);
alter table public.extracted_text
  add column if not exists score real,
  add column if not exists bbox jsonb,
  add column if not exists quad jsonb, -- four corners, clockwise from the text's own top left
  add column if not exists line int,
  add column if not exists model text,
  add column if not exists output_version text,
  add column if not exists runtime text,
  add column if not exists language text,
  add column if not exists frame_ms int not null default 0,
  add column if not exists folded text generated always as (kizu.fold(text)) stored;
create index if not exists kizu_extracted_text_asset on public.extracted_text (asset_id);
create index if not exists kizu_extracted_text_user on public.extracted_text (user_id);

create table if not exists public.image_descriptions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  asset_id uuid not null references public.assets (id) on delete cascade,
  description text,
  created_at timestamptz not null default now()
);
alter table public.image_descriptions
  add column if not exists task text,
  add column if not exists score real,
  add column if not exists model text,
  add column if not exists output_version text,
  add column if not exists runtime text,
  add column if not exists frame_ms int not null default 0;
create index if not exists kizu_image_descriptions_asset on public.image_descriptions (asset_id);
create index if not exists kizu_image_descriptions_user on public.image_descriptions (user_id);

-- The ledger of operations: that one was done by which plugin at which version on which bytes. `found` 0 is a result
-- too; `error` not null means "failed for good", so that the same bytes are not tried again.
create table if not exists public.plugin_results (
  asset_id uuid not null references public.assets (id) on delete cascade,
  operation text not null,
  plugin text not null,
  frame_ms int not null default 0,
  user_id uuid not null,
  version text not null,
  space text,
  source_sha256 text,
  found int not null default 0,
  seconds real,
  error jsonb,
  data jsonb,
  done_at timestamptz not null default now()
);
alter table public.plugin_results
  add column if not exists runtime text; -- what computed it, which never makes a result stale
-- One model fills two spaces while a library changes over (`kizu models switch`).
create unique index if not exists kizu_plugin_results_key on public.plugin_results
  (asset_id, operation, plugin, coalesce(space, ''), frame_ms);
create index if not exists kizu_plugin_results_user on public.plugin_results (user_id, operation);

create table if not exists public.moments (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  grouping_type text,
  grouping_criteria jsonb,
  title text,
  subtitle text,
  cover_asset_ids uuid[],
  date_range_start timestamptz,
  date_range_end timestamptz,
  is_saved boolean default false,
  expires_at timestamptz,
  created_at timestamptz not null default now()
);
create index if not exists kizu_moments_user on public.moments (user_id, created_at desc);

create table if not exists public.moment_assets (
  id uuid primary key default gen_random_uuid(),
  moment_id uuid not null references public.moments (id) on delete cascade,
  asset_id uuid not null references public.assets (id) on delete cascade,
  display_order int
);
create index if not exists kizu_moment_assets_moment on public.moment_assets (moment_id, display_order);
create index if not exists kizu_moment_assets_asset on public.moment_assets (asset_id);

-- The operations that `all` may stand for: those offered by some worker and not switched off.
create table if not exists public.operations (
  name text primary key,
  enabled boolean not null default true,
  offered_at timestamptz
);
insert into public.operations (name) values ('embedding'), ('faces'), ('objects'), ('ocr'), ('describe')
  on conflict do nothing;

create table if not exists public.kizu_workers (
  id text primary key,
  info jsonb not null default '{}', -- host, pid, version: whatever the worker says of itself
  can text[] not null default '{}',
  started_at timestamptz not null default now(),
  beat_at timestamptz not null default now()
);

insert into kizu.schema_version (version, name) values ('20261123080100', 'schema') on conflict do nothing;
notify pgrst, 'reload schema';
