-- The two job tables of the specification, made fit for many workers: leases, retries, partial work, fairness.

create table if not exists public.ai_processing_jobs (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  asset_id uuid,
  job_type text not null default 'image_ai',
  status text not null default 'pending', -- pending | processing | completed | failed
  input_params jsonb default '{}',
  worker_id text,
  progress int default 0,
  result jsonb,
  error_message text,
  created_at timestamptz not null default now(),
  picked_up_at timestamptz,
  completed_at timestamptz
);

create table if not exists public.image_processing_jobs (
  id uuid primary key default gen_random_uuid(),
  asset_id uuid,
  user_id uuid not null,
  status text not null default 'pending',
  input_url text,
  input_orientation int,
  needs_web_version boolean default true,
  metadata jsonb default '{}',
  progress int default 0,
  current_step text,
  thumbnail_url text,
  web_url text,
  error_message text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz
);
alter table public.ai_processing_jobs add column if not exists current_step text;
alter table public.image_processing_jobs
  add column if not exists worker_id text,
  add column if not exists picked_up_at timestamptz,
  add column if not exists media_kind text, -- image | video: tells the unified worker's jobs from the video worker's
  add column if not exists result jsonb;

-- What both tables get.
--   todo, needs     operations still to do; the same with the kind of job in front, as one text to index by
--   claimed         the part of todo that the present holder has
--   priority        lower first: 50 interactive, 100 normal, 200 bulk
--   run_after       not claimable before; claim_order the place in the line, see kizu.prepare_job
--   attempt         counted at claim
--   lease_token     random per claim; it fences every later write. Its holder's last answer leaves it in place, so that
--                   a repeated call is recognised; reaping clears it
--   claim_request   chosen by the caller: a claim whose answer was lost can be repeated
--   source_sha256   content of the asset when it was claimed
--   outcome         ok | cancelled | dead | invalid, behind completed/failed
--   errors          the last 20: {at, attempt, code, message, hint, worker}
do $$
declare
  job_table text;
begin
  foreach job_table in array array['ai_processing_jobs', 'image_processing_jobs'] loop
    execute format($sql$
      alter table public.%1$I
        add column if not exists todo text[],
        add column if not exists needs text,
        add column if not exists claimed text[],
        add column if not exists priority smallint not null default 100,
        add column if not exists run_after timestamptz not null default now(),
        add column if not exists claim_order float8,
        add column if not exists attempt int not null default 0,
        add column if not exists max_attempts int not null default 5,
        add column if not exists lease_token uuid,
        add column if not exists lease_until timestamptz,
        add column if not exists heartbeat_at timestamptz,
        add column if not exists claim_request uuid,
        add column if not exists source_sha256 text,
        add column if not exists outcome text,
        add column if not exists cancel_requested_at timestamptz,
        add column if not exists dedupe_key text,
        add column if not exists errors jsonb not null default '[]',
        add column if not exists reclaim_count int not null default 0,
        add column if not exists crash_count int not null default 0;
      -- Rows of these tables change all their lives: space for updates in the page, and vacuum by the thousand.
      alter table public.%1$I set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01,
        autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
      -- `needs` leads: a worker that can do nothing of a large backlog jumps from value to value and is done. Priority
      -- class next, then one user's line after the other, so that the next user is found by a jump as well.
      create index if not exists kizu_%1$s_claim on public.%1$I (needs, priority, user_id, claim_order)
        where status = 'pending';
      -- Few rows by nature. Nothing that a heartbeat writes may be indexed, or each beat would cost index entries.
      create index if not exists kizu_%1$s_running on public.%1$I (user_id) where status = 'processing';
      -- The last pick of a user, which makes claims go round.
      create index if not exists kizu_%1$s_turn on public.%1$I (user_id, picked_up_at) where picked_up_at is not null;
      create unique index if not exists kizu_%1$s_dedupe on public.%1$I (user_id, dedupe_key)
        where dedupe_key is not null and status in ('pending', 'processing');
    $sql$, job_table);
  end loop;
end $$;

-- The operations of an `image_ai` job: those asked for (none named means all), `all` replaced by what it stands for.
-- While no worker has offered anything, `all` stays and `kizu_worker_hello` replaces it.
create or replace function kizu.image_operations(p_params jsonb) returns text[]
language plpgsql stable set search_path = '' as $$
declare
  asked jsonb := coalesce(p_params -> 'operations', '["all"]');
  named text[];
  offered text[];
begin
  if jsonb_typeof(asked) = 'string' then
    asked := jsonb_build_array(asked);
  end if;
  if jsonb_typeof(asked) = 'array' then
    named := array(select distinct o from jsonb_array_elements_text(asked) o where o ~ '^[a-z][a-z0-9_-]{0,39}$' order by o);
  end if;
  if coalesce(cardinality(named), 0) = 0 then
    named := array['all'];
  end if;
  if 'all' = any (named) then
    offered := array(select name from public.operations where enabled and offered_at is not null);
    if cardinality(offered) > 0 then
      named := array(select distinct o from unnest(named || offered) o where o <> 'all' order by o);
    end if;
  end if;
  return named;
end $$;

-- Old clients say nothing of the kind of media: taken from the metadata, else from the ending of the address.
create or replace function kizu.guess_media_kind(p_metadata jsonb, p_url text) returns text
language sql immutable parallel safe set search_path = '' as $$
  select case
    when coalesce(p_metadata ->> 'media_kind', p_metadata ->> 'mime', p_metadata ->> 'type') ^@ 'video' then 'video'
    when coalesce(p_metadata ->> 'media_kind', p_metadata ->> 'mime', p_metadata ->> 'type') is not null then 'image'
    when split_part(p_url, '?', 1) ~* '\.(mp4|m4v|mov|avi|mkv|webm|mts|m2ts|3gp|mpe?g|wmv)$' then 'video'
    else 'image'
  end
$$;

-- Parameters are somebody else's, and a worker that takes a job has to read them: what is too long, nested without
-- end, or a number that programs can't hold, is refused where it comes in. Rows that are there already are left alone.
create or replace function kizu.check_params(p_params jsonb, p_url text) returns void
language plpgsql immutable parallel safe set search_path = '' as $$
declare
  fault constant text := case
    when length(p_params::text) > 65536 then 'The parameters of a job are limited to 64 kB'
    when jsonb_typeof(p_params) not in ('object', 'null') then 'The parameters of a job are an object of names and values'
    when jsonb_path_exists(p_params, 'strict $.**{64}') then 'The parameters of a job are nested too deeply'
    when jsonb_path_exists(p_params, '$.** ? (@.type() == "number" && (@ > 1e308 || @ < -1e308))')
      then 'The parameters of a job hold a number that is too large'
    when length(p_url) > 4096 then 'The address of a photo is limited to 4096 characters' end;
begin
  if fault is not null then
    raise exception '%.', fault using errcode = 'invalid_parameter_value';
  end if;
end $$;

-- Refuses a 65th kind of work of one user: each claim looks at every kind that waits, so kinds must not be for one user
-- to multiply. Workers make few by nature, and what they make for many photos at once costs no look.
create or replace function kizu.limit_kinds(p_table text, p_user uuid, p_needs text) returns void
language plpgsql set search_path = '' as $$
declare
  is_too_many boolean;
begin
  execute format($sql$
    select not exists (select from public.%1$I j where j.status = 'pending' and j.needs = $1 and j.user_id = $2)
      and (select count(distinct j.needs) from public.%1$I j where j.status = 'pending' and j.user_id = $2) >= 64
  $sql$, p_table) into is_too_many using p_needs, p_user;
  if is_too_many then
    raise exception 'Work of 64 different kinds waits for this user already.' using errcode = '22023';
  end if;
end $$;

-- Fills what clients leave out, and keeps `needs` and `claim_order` true. The latter is where a job stands in its user's
-- line. Fresh jobs: first come, first served; a caller may put them further ahead (kizu_enqueue_stale: newest photos
-- first). Jobs that wait for a retry stand at the time when they are due. So "due" is one comparison with the clock,
-- and it reads the index only.
create or replace function kizu.prepare_job() returns trigger language plpgsql set search_path = '' as $$
declare
  kind text;
begin
  if tg_table_name = 'ai_processing_jobs' then
    if tg_op = 'INSERT' or new.input_params is distinct from old.input_params then
      perform kizu.check_params(new.input_params, new.input_params ->> 'image_url');
    end if;
    kind := case new.job_type when 'image_api' then 'image_ai' else new.job_type end; -- the specification has both
    new.job_type := kind;
    if new.asset_id is null and new.input_params ->> 'asset_id' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
      new.asset_id := (new.input_params ->> 'asset_id')::uuid;
    end if;
    if new.todo is null then
      new.todo := case kind when 'image_ai' then kizu.image_operations(new.input_params) else array[kind] end;
    end if;
  else
    if tg_op = 'INSERT' or (new.metadata, new.input_url) is distinct from (old.metadata, old.input_url) then
      perform kizu.check_params(new.metadata, new.input_url);
    end if;
    kind := coalesce(new.media_kind, kizu.guess_media_kind(new.metadata, new.input_url));
    new.media_kind := kind;
    new.todo := coalesce(new.todo, array[case kind when 'video' then 'video' else 'optimize' end]);
  end if;
  if cardinality(new.todo) > 1 then
    new.todo := array(select distinct t from unnest(new.todo) t order by t);
  end if;
  new.needs := kind || ':' || array_to_string(new.todo, ',');
  if current_user = 'authenticated' then
    perform kizu.limit_kinds(tg_table_name, new.user_id, new.needs);
  end if;
  if new.claim_order is null or new.run_after > now() then
    new.claim_order := extract(epoch from new.run_after);
  end if;
  return new;
end $$;

-- A wake-up without content: polling alone must be enough, and payloads are seen by every listener. One per statement,
-- since a commit that notifies takes a lock of the whole database.
create or replace function kizu.wake_workers() returns trigger language plpgsql set search_path = '' as $$
begin
  if exists (select from added) then
    perform pg_notify('kizu_jobs', '');
  end if;
  return null;
end $$;

create or replace trigger kizu_prepare before insert or update of todo, job_type, run_after, input_params on public.ai_processing_jobs
  for each row execute function kizu.prepare_job();
create or replace trigger kizu_prepare before insert or update of todo, media_kind, run_after, metadata, input_url on public.image_processing_jobs
  for each row execute function kizu.prepare_job();
create or replace trigger kizu_wake after insert on public.ai_processing_jobs
  referencing new table as added for each statement execute function kizu.wake_workers();
create or replace trigger kizu_wake after insert on public.image_processing_jobs
  referencing new table as added for each statement execute function kizu.wake_workers();

-- Unfinished rows of an older schema join the line; the triggers fill the rest. Finished ones are history.
update public.ai_processing_jobs set todo = null, claim_order = extract(epoch from created_at)
  where status in ('pending', 'processing') and todo is null;
update public.image_processing_jobs set todo = null, claim_order = extract(epoch from created_at)
  where status in ('pending', 'processing') and todo is null;

-- Both tables as one, with what the queue functions need of either.
create or replace view kizu.jobs with (security_invoker = true) as
  select 'ai_processing_jobs' as table_name, id, user_id, asset_id, job_type, status, input_params as params,
    input_params ->> 'image_url' as url, null::int as input_orientation, null::boolean as needs_web_version,
    todo, needs, claimed, priority, run_after, attempt, max_attempts, lease_token, lease_until, source_sha256, outcome,
    cancel_requested_at, errors, crash_count, worker_id, picked_up_at, created_at, completed_at, progress, current_step,
    result
  from public.ai_processing_jobs
  union all
  select 'image_processing_jobs', id, user_id, asset_id,
    case media_kind when 'video' then 'video' else 'optimize' end, status, coalesce(metadata, '{}'), input_url, input_orientation, needs_web_version,
    todo, needs, claimed, priority, run_after, attempt, max_attempts, lease_token, lease_until, source_sha256, outcome,
    cancel_requested_at, errors, crash_count, worker_id, coalesce(picked_up_at, started_at), created_at, completed_at,
    progress, current_step, result
  from public.image_processing_jobs;

select kizu.expose(f, 'authenticated', 'service_role') from unnest(array[
  'kizu.image_operations', 'kizu.guess_media_kind', 'kizu.check_params', 'kizu.limit_kinds', 'kizu.prepare_job',
  'kizu.wake_workers']::regproc[]) f;
grant select on kizu.jobs to authenticated, service_role;

insert into kizu.schema_version (version, name) values ('20261123080200', 'jobs') on conflict do nothing;
notify pgrst, 'reload schema';
