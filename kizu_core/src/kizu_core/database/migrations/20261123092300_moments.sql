-- Moments: what a day's run of the strategies needs to know, how its result is stored, when it is due, how it ends. What
-- users see of it and say to it stands in the next file.

alter table public.profiles
  add column if not exists notification_settings jsonb default '{}', -- a table of somebody else's may lack it
  add column if not exists time_zone text; -- as IANA names it; null: nobody knows, which counts as UTC
alter table public.moments
  add column if not exists strategy text, -- null: not made by Kizu's service, which leaves such rows alone
  add column if not exists asset_hash text, -- of the set of its photos
  add column if not exists score real,
  add column if not exists day date, -- its user's local day when it was made
  add column if not exists cover_spares uuid[], -- take the place of covers that are deleted, hidden or blocked
  add column if not exists hidden_at timestamptz; -- its user does not want to see it again
create index if not exists kizu_moments_expiry on public.moments (expires_at) where not is_saved;

-- Moments that expired unseen: they rest for a while, unless their photos change.
create table if not exists public.moment_history (
  user_id uuid not null,
  moment_id uuid not null,
  asset_hash text not null,
  day date,
  ended_at timestamptz not null default now(),
  primary key (user_id, moment_id)
);
create index if not exists kizu_moment_history_ended on public.moment_history (ended_at);

-- What a user wants to be reminded of by no moment: one of a person, a place (folded, any of its names) and a range of
-- days, both ends included. A person who is made one with another takes the block along, and back when that is undone.
create table if not exists public.moment_blocks (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  person_id uuid, -- no reference: see above
  place text,
  first_day date,
  last_day date,
  created_at timestamptz not null default now()
);
create index if not exists kizu_moment_blocks_user on public.moment_blocks (user_id);
select kizu.protect('moment_history'), kizu.protect('moment_blocks');

-- The mark of a day's run is the job itself: there is no second one that could go wrong.
create index if not exists kizu_ai_processing_jobs_moments on public.ai_processing_jobs (user_id, created_at)
  where job_type = 'generate_moments';

-- Photos that no moment shows, each with its user: of hidden people, and of what was blocked.
create or replace view kizu.blocked_photos with (security_invoker = true) as
  select f.user_id, f.asset_id from public.face_embeddings f join public.face_clusters c on c.id = f.cluster_id
    where c.hidden
  union
  select f.user_id, f.asset_id from public.moment_blocks b
    join public.face_embeddings f on f.cluster_id = kizu.person_now(b.user_id, b.person_id) and f.user_id = b.user_id
  union
  select a.user_id, a.id from public.moment_blocks b join public.assets a on a.user_id = b.user_id
    where a.taken_local >= b.first_day and a.taken_local < b.last_day + 1 or a.places_folded && array[b.place];

-- The photos of moments that may be shown now.
create or replace view kizu.moment_photos with (security_invoker = true) as
  select x.moment_id, m.user_id, x.asset_id, x.display_order, a.taken_local
  from public.moment_assets x
  join public.moments m on m.id = x.moment_id
  join public.assets a on a.id = x.asset_id and a.user_id = m.user_id
  where a.missing_since is null and not a.hidden
    and not exists (select from kizu.blocked_photos b where b.user_id = m.user_id and b.asset_id = x.asset_id);
grant select on kizu.blocked_photos, kizu.moment_photos to authenticated, service_role;

-- A profile's time zone. What is none counts as UTC: a moment at a wrong hour is better than none.
create or replace function kizu.zone_of(p_zone text) returns text language plpgsql stable set search_path = '' as $$
begin
  perform now() at time zone p_zone;
  return coalesce(p_zone, 'UTC');
exception
  when invalid_parameter_value then
    return 'UTC';
end $$;

create or replace function kizu.local_day(p_user uuid) returns date language sql stable set search_path = '' as $$
  select (now() at time zone kizu.zone_of((select p.time_zone from public.profiles p where p.id = p_user)))::date
$$;

-- When moments are wanted, by the clock of the place; 09:00 where the setting is none.
create or replace function kizu.moments_time(p_settings jsonb) returns time
language sql immutable parallel safe set search_path = '' as $$
  select case when p_settings ->> 'moments_time' ~ '^([01]?\d|2[0-3]):[0-5]\d$' then (p_settings ->> 'moments_time')::time
    else '09:00' end
$$;

-- One run for a user at a time, and one change of what it looks at.
create or replace function kizu.lock_moments(p_user uuid) returns void language sql set search_path = '' as $$
  select pg_advisory_xact_lock(hashtextextended('kizu moments ' || p_user, 0))
$$;

-- Whether a moment expired within the last 180 days with just these photos.
create or replace function kizu.is_resting(p_history public.moment_history) returns boolean
language sql stable set search_path = '' as $$
  select p_history.ended_at > now() - interval '180 days'
$$;

-- Covers that may still be shown, best first; any photo where none is left.
create or replace function kizu.covers_of(p_moment public.moments) returns uuid[]
language sql stable set search_path = '' as $$
  with shown as materialized (
    select s.asset_id, s.display_order, array_position(p_moment.cover_asset_ids || p_moment.cover_spares, s.asset_id) as rank
    from kizu.moment_photos s where s.moment_id = p_moment.id)
  select array(select asset_id from shown
               where rank is not null or not exists (select from shown o where o.rank is not null)
               order by rank, display_order limit case when exists (select from shown o where o.rank is not null) then 6 else 1 end)
$$;

-- Ends unsaved moments whose time has come, of one user or of all. A moment saved meanwhile stays: the row decides.
create or replace function kizu.end_moments(p_user uuid default null) returns void
language sql set search_path = '' as $$
  with ended as (
    delete from public.moments m
    where (p_user is null or m.user_id = p_user) and not coalesce(m.is_saved, false) and m.hidden_at is null
      and m.expires_at <= clock_timestamp()
    returning m.*)
  insert into public.moment_history (user_id, moment_id, asset_hash, day)
    select user_id, id, asset_hash, day from ended where asset_hash is not null
    on conflict (user_id, moment_id) do update set asset_hash = excluded.asset_hash, day = excluded.day, ended_at = now()
$$;

-- Removes moments without a photo left and rests that are done; covers that may not be shown now change places with spare
-- ones. What users see does not wait for this, other programs that read the rows do.
create or replace function kizu.tidy_moments(p_user uuid default null) returns void
language plpgsql set search_path = '' as $$
begin
  delete from public.moment_history h where (p_user is null or h.user_id = p_user) and not kizu.is_resting(h);
  delete from public.moments m where (p_user is null or m.user_id = p_user) and m.strategy is not null
    and not exists (select from public.moment_assets x where x.moment_id = m.id);
  with shown as materialized (
    select s.moment_id, s.asset_id from kizu.moment_photos s where p_user is null or s.user_id = p_user),
  stale as (
    select m.id, kizu.covers_of(m) as covers from public.moments m
    where (p_user is null or m.user_id = p_user) and m.strategy is not null and exists (
      select from unnest(m.cover_asset_ids) c
      where not exists (select from shown s where s.moment_id = m.id and s.asset_id = c)))
  update public.moments m set cover_asset_ids = stale.covers, cover_spares = array(
      select c from unnest(m.cover_asset_ids || m.cover_spares) with ordinality u (c, n) where c <> all (stale.covers) order by n)
    from stale where m.id = stale.id;
end $$;

drop function if exists public.kizu_view_moments(uuid); -- of an earlier version, without pages

-- What the service has to know of a user besides the photos. `now`: by the clock of the user's place. `blocked`: photos
-- that no moment may hold. `existing`: {id, strategy, title, hash, day, saved, hidden, asset_ids}, by id; `history`: {id,
-- hash}. Up to `p_limit` existing ones a page, fewer where they hold many photos, so that a page stays below eight
-- megabytes; `next` is the `p_after` of the next page, which has `existing` and `next` alone, null at the end.
create or replace function public.kizu_view_moments(p_user uuid, p_after uuid default null, p_limit int default 1000)
returns jsonb language sql stable set search_path = '' as $$
  with there as (
    select m.*, x.asset_ids, row_number() over w as number,
      sum(cardinality(x.asset_ids)) over w - cardinality(x.asset_ids) as before
    from (
      select * from public.moments m
      where m.user_id = p_user and m.strategy is not null and (p_after is null or m.id > p_after)
        and (m.is_saved or m.hidden_at is not null or m.expires_at is null or m.expires_at > now())
      order by m.id limit greatest(p_limit, 1) + 1) m -- one more: is there a page after?
    cross join lateral (
      select array(select x.asset_id from public.moment_assets x where x.moment_id = m.id order by x.display_order)) x (asset_ids)
    window w as (order by m.id)),
  page as (
    select * from there t where t.number <= greatest(p_limit, 1) and t.before < 100000)
  select jsonb_build_object(
      'existing', (
        select coalesce(jsonb_agg(jsonb_build_object(
            'id', m.id, 'strategy', m.strategy, 'title', m.title, 'hash', m.asset_hash, 'day', m.day,
            'saved', coalesce(m.is_saved, false), 'hidden', m.hidden_at is not null, 'asset_ids', m.asset_ids)
          order by m.id), '[]') from page m),
      'next', case when (select count(*) from there) > (select count(*) from page) then
        (select m.id from page m order by m.number desc limit 1) end)
    || case when p_after is null then jsonb_build_object(
      'now', date_trunc('second', now()) at time zone kizu.zone_of(p.time_zone),
      'settings', coalesce(p.notification_settings, '{}'),
      'blocked', (select coalesce(jsonb_agg(b.asset_id order by b.asset_id), '[]')
                  from kizu.blocked_photos b where b.user_id = p_user),
      'history', (select coalesce(jsonb_agg(jsonb_build_object('id', h.moment_id, 'hash', h.asset_hash) order by h.moment_id), '[]')
                  from public.moment_history h where h.user_id = p_user and kizu.is_resting(h))) else '{}' end
  from public.profiles p where p.id = p_user
$$;

-- One moment of a run: {id, grouping_type, grouping_criteria, title, subtitle, strategy, asset_hash, score, asset_ids,
-- cover_asset_ids, cover_spares, keep_days, most_a_day}. An existing one gets the new content and keeps its day and its end; a
-- saved or hidden one is its user's and stays as it is. New ones beyond the day's number are left out, whoever made the others.
create or replace function kizu.store_moment(p_user uuid, p_row jsonb) returns void
language plpgsql set search_path = '' as $$
declare
  wanted constant public.moments := jsonb_populate_record(null::public.moments, p_row);
  today constant date := kizu.local_day(p_user);
  photos uuid[];
  known public.moments;
begin
  if exists (select from public.assets a where a.user_id <> p_user
             and a.id in (select x::uuid from jsonb_array_elements_text(p_row -> 'asset_ids') x)) then
    raise exception 'A moment holds a photo that is not of the job''s own user.' using errcode = '42501';
  end if;
  photos := array(select a.id from jsonb_array_elements_text(p_row -> 'asset_ids') with ordinality x (id, n)
                  join public.assets a on a.id = x.id::uuid order by x.n); -- some may be gone by now
  select * into known from public.moments m where m.id = wanted.id for update;
  if known.user_id <> p_user then
    raise exception 'A moment is not of the job''s own user.' using errcode = '42501';
  elsif known.is_saved or known.hidden_at is not null or cardinality(photos) = 0 then
    return;
  elsif known.id is null and (
      exists (select from public.moment_history h where h.user_id = p_user and h.moment_id = wanted.id
              and h.asset_hash = wanted.asset_hash and kizu.is_resting(h))
      or (p_row ->> 'most_a_day')::int <= (
        (select count(*) from public.moments m where m.user_id = p_user and m.day = today and m.strategy is not null)
        + (select count(*) from public.moment_history h where h.user_id = p_user and h.day = today))) then
    return;
  end if;
  insert into public.moments (id, user_id, day, expires_at)
    values (wanted.id, p_user, today, now() + make_interval(days => (p_row ->> 'keep_days')::int)) on conflict do nothing;
  update public.moments m set grouping_type = wanted.grouping_type, grouping_criteria = wanted.grouping_criteria,
    title = wanted.title, subtitle = wanted.subtitle, strategy = wanted.strategy, asset_hash = wanted.asset_hash,
    score = wanted.score,
    cover_asset_ids = array(select c from unnest(wanted.cover_asset_ids) with ordinality u (c, n) where c = any (photos) order by n),
    cover_spares = array(select c from unnest(wanted.cover_spares) with ordinality u (c, n) where c = any (photos) order by n),
    (date_range_start, date_range_end) = (
      select min(t.at), max(t.at) from (
        select coalesce(a.taken_at, a.taken_local at time zone 'UTC') as at from public.assets a where a.id = any (photos)) t)
  where m.id = wanted.id;
  delete from public.moment_assets x where x.moment_id = wanted.id;
  insert into public.moment_assets (moment_id, asset_id, display_order)
    select wanted.id, id, n from unnest(photos) with ordinality u (id, n);
end $$;

-- What a job of the type `generate_moments` made: {moments: [...]}, best first. Of two runs at the same time, the second
-- finds what the first has stored.
create or replace function kizu.store_moments(p_job kizu.jobs, p_rows jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  perform kizu.lock_moments(p_job.user_id);
  perform kizu.end_moments(p_job.user_id);
  perform kizu.tidy_moments(p_job.user_id);
  perform kizu.store_moment(p_job.user_id, r)
    from (select r from jsonb_array_elements(coalesce(p_rows -> 'moments', '[]')) with ordinality x (r, n) order by n) x;
end $$;

-- Whether a user's moments are due: the hour has come (today, or before a sleep), and there was no run since, nor one on
-- this local day. Jobs from the future are no mark: they come from a clock that was wrong.
create or replace function kizu.moments_are_due(p_profile public.profiles, p_now timestamptz) returns boolean
language sql stable set search_path = '' as $$
  with clock as (
    select kizu.zone_of(p_profile.time_zone) as zone, p_now at time zone kizu.zone_of(p_profile.time_zone) as here,
      kizu.moments_time(p_profile.notification_settings) as hour),
  since as (
    select least(date_trunc('day', here),
      date_trunc('day', here) - interval '1 day' * (here::time < hour)::int + hour) at time zone zone as start from clock)
  select coalesce(p_profile.notification_settings -> 'moments', 'true') <> 'false'
    and exists (select from public.assets a where a.user_id = p_profile.id)
    and not exists (
      select from public.ai_processing_jobs j, since
      where j.user_id = p_profile.id and j.job_type = 'generate_moments' and j.created_at between since.start and p_now)
$$;

-- Asks for the runs that are due, ends what is over, and tidies up every ten minutes, whoever asks. Returns how many runs it
-- asked for.
create or replace function public.kizu_moments_due() returns int language plpgsql set search_path = '' as $$
declare
  due uuid[] := array(select p.id from public.profiles p where kizu.moments_are_due(p, now()));
begin
  perform kizu.end_moments();
  insert into kizu.chores as c (name, done_at) values ('moments', clock_timestamp())
    on conflict (name) do update set done_at = excluded.done_at where c.done_at < excluded.done_at - interval '10 min';
  if found then
    perform kizu.tidy_moments();
  end if;
  perform kizu.enqueue_one('ai_processing_jobs', jsonb_build_object(
    'user_id', d, 'job_type', 'generate_moments', 'dedupe_key', 'generate_moments')) from unnest(due) d;
  return cardinality(due);
end $$;

select kizu.expose(f, 'authenticated', 'service_role')
  from unnest(array['kizu.zone_of', 'kizu.local_day', 'kizu.moments_time', 'kizu.covers_of']::regproc[]) f;
select kizu.expose(f, 'service_role') from unnest(array[
  'kizu.lock_moments', 'kizu.is_resting', 'kizu.end_moments', 'kizu.tidy_moments', 'kizu.store_moment', 'kizu.store_moments',
  'kizu.moments_are_due', 'public.kizu_view_moments', 'public.kizu_moments_due']::regproc[]) f;

insert into kizu.schema_version (version, name) values ('20261123092300', 'moments') on conflict do nothing;
notify pgrst, 'reload schema';
