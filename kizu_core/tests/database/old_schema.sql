-- A database as the specification describes it, and nothing more: its tables, its columns, rows in every status, the
-- vector type with 512 dimensions, and an application's own policies and grants.
create table profiles (id uuid primary key, notification_settings jsonb);
create table contacts (id uuid primary key default gen_random_uuid(), user_id uuid, name text);
create table assets (id uuid primary key, user_id uuid, thumbnail text, web_uri text, created_at timestamptz default now());
create table ai_processing_jobs (
  id uuid primary key default gen_random_uuid(), user_id uuid, asset_id uuid, job_type text default 'image_api', status text default 'pending',
  input_params jsonb, worker_id text, progress int, result jsonb, error_message text, created_at timestamptz default now(),
  picked_up_at timestamptz, completed_at timestamptz);
create table image_processing_jobs (
  id uuid primary key default gen_random_uuid(), asset_id uuid, user_id uuid, status text default 'pending', input_url text, input_orientation int,
  needs_web_version boolean, metadata jsonb, progress int, current_step text, thumbnail_url text, web_url text,
  error_message text, created_at timestamptz default now(), started_at timestamptz, completed_at timestamptz);
create table image_embeddings (id uuid primary key default gen_random_uuid(), user_id uuid, asset_id uuid, embedding extensions.vector(512));
create table face_clusters (id uuid primary key default gen_random_uuid(), user_id uuid, name text);
create table face_embeddings (id uuid primary key default gen_random_uuid(), user_id uuid, asset_id uuid, embedding extensions.vector(512), bbox jsonb);
create table detected_objects (id uuid primary key default gen_random_uuid(), user_id uuid, asset_id uuid, label text);
create table extracted_text (id uuid primary key default gen_random_uuid(), user_id uuid, asset_id uuid, text text);
create table image_descriptions (id uuid primary key default gen_random_uuid(), user_id uuid, asset_id uuid, description text);
create table moments (
  id uuid primary key default gen_random_uuid(), user_id uuid, grouping_type text, grouping_criteria jsonb, title text, subtitle text,
  cover_asset_ids uuid[], date_range_start timestamptz, date_range_end timestamptz, is_saved boolean, expires_at timestamptz,
  created_at timestamptz default now());
create table moment_assets (id uuid primary key default gen_random_uuid(), moment_id uuid references moments, asset_id uuid references assets, display_order int);

insert into profiles values ('a0000000-0000-0000-0000-000000000000', '{"moments": true, "moments_time": "09:00"}');
insert into assets (id, user_id, thumbnail) select ('b0000000-0000-0000-0000-00000000000' || n)::uuid, 'a0000000-0000-0000-0000-000000000000', 't' || n
  from generate_series(1, 6) n;
insert into ai_processing_jobs (id, user_id, asset_id, job_type, status, input_params, worker_id, progress, result, error_message, picked_up_at, completed_at)
select ('c0000000-0000-0000-0000-00000000000' || n)::uuid, 'a0000000-0000-0000-0000-000000000000',
  case when type = 'generate_moments' then null else ('b0000000-0000-0000-0000-00000000000' || n)::uuid end, type, status, params, worker, progress,
  result, error, now() - age, case when status in ('completed', 'failed') then now() - interval '1 h' end
from (values
  (1, 'image_api', 'pending', '{"operations": ["ocr"]}'::jsonb, null, null, null::jsonb, null, null::interval),
  (2, 'image_ai', 'pending', '{"operations": ["all"]}', null, 0, null, null, null),
  (3, 'image_api', 'processing', '{"operations": ["ocr"]}', 'nas-1', 40, null, null, '16 min'),
  (4, 'image_ai', 'processing', '{"operations": ["ocr"]}', 'nas-1', 40, null, null, '14 min'),
  (5, 'image_api', 'completed', '{"operations": ["ocr"]}', 'nas-1', 100, '{"faces": 2}', null, '2 h'),
  (6, 'image_ai', 'failed', null, 'nas-2', 10, null, 'Out of memory', '2 h'),
  (7, 'generate_moments', 'pending', '{}', null, null, null, null, null)) v (n, type, status, params, worker, progress, result, error, age);
insert into image_processing_jobs (id, user_id, asset_id, status, input_url, metadata, started_at, completed_at, error_message)
select ('d0000000-0000-0000-0000-00000000000' || n)::uuid, 'a0000000-0000-0000-0000-000000000000', ('b0000000-0000-0000-0000-00000000000' || n)::uuid,
  status, url, metadata, now() - age, case when status in ('completed', 'failed') then now() - interval '1 h' end, error
from (values
  (1, 'pending', 'https://example.org/a.heic', null::jsonb, null::interval, null),
  (2, 'pending', 'https://example.org/b.mov', '{}', null, null),
  (3, 'processing', 'https://example.org/c.jpg', '{}', '16 min', null),
  (4, 'completed', 'https://example.org/d.jpg', '{}', '2 h', null),
  (5, 'failed', 'https://example.org/e.jpg', '{}', '2 h', 'Not found')) v (n, status, url, metadata, age, error);
insert into image_embeddings (user_id, asset_id, embedding)
  select user_id, id, ('[' || repeat('0.5,', 511) || '1]')::extensions.vector from assets limit 2;
insert into image_embeddings (user_id, asset_id, embedding) select user_id, asset_id, embedding from image_embeddings limit 1; -- a double: nothing forbade it
insert into face_clusters (user_id, name) values ('a0000000-0000-0000-0000-000000000000', 'Anna');
insert into face_embeddings (user_id, asset_id, embedding, bbox) select user_id, asset_id, embedding, '{"x": 1}' from image_embeddings;
insert into detected_objects (user_id, asset_id, label) select user_id, id, 'cat' from assets;
insert into extracted_text (user_id, asset_id, text) select user_id, id, 'Café' from assets;
insert into image_descriptions (user_id, asset_id, description) select user_id, id, 'A cat.' from assets;
insert into moments (id, user_id, title, cover_asset_ids) values ('e0000000-0000-0000-0000-000000000000', 'a0000000-0000-0000-0000-000000000000', 'Day', '{}');
insert into moment_assets (moment_id, asset_id, display_order) select 'e0000000-0000-0000-0000-000000000000', id, 1 from assets;

alter table assets enable row level security;
create policy application_assets on assets for select to authenticated using (true);
alter table ai_processing_jobs enable row level security;
create policy application_jobs on ai_processing_jobs to authenticated using (user_id is not null) with check (true);
grant select, insert on ai_processing_jobs to authenticated;
grant select on assets to anon;
grant all on assets, ai_processing_jobs, image_processing_jobs, extracted_text, image_embeddings to service_role;
create policy application_worker on assets to service_role using (true);
create policy application_worker on ai_processing_jobs to service_role using (true);
