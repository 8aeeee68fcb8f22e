-- What users see of their moments, and what they say to them: keep it, never again, not this person, place or time.

-- A moment as lists show it: days are those of the place where its photos were taken.
create or replace function kizu.moment_json(p_moment public.moments) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'id', p_moment.id, 'kind', p_moment.grouping_type, 'strategy', p_moment.strategy, 'title', p_moment.title,
    'subtitle', p_moment.subtitle, 'score', p_moment.score, 'day', p_moment.day, 'saved', coalesce(p_moment.is_saved, false),
    'hidden', p_moment.hidden_at is not null, 'expires_at', p_moment.expires_at, 'reasons', p_moment.grouping_criteria,
    'photos', count(*), 'first_day', min(s.taken_local)::date, 'last_day', max(s.taken_local)::date,
    'covers', (
      select coalesce(jsonb_agg(jsonb_build_object(
          'asset_id', a.id, 'file_name', a.file_name, 'path', kizu.path_of(a.id), 'thumbnail', a.thumbnail) order by c.n), '[]')
      from unnest(kizu.covers_of(p_moment)) with ordinality c (id, n) join public.assets a on a.id = c.id))
  from kizu.moment_photos s where s.moment_id = p_moment.id
$$;

-- The caller's moments, the latest day's first and of a day the best: {moments, next}, `next` to be passed as `p_after`.
-- Those without a photo to show are left out. `p_filter`: {today: true, saved: bool, hidden: bool, kind, id: how it begins}.
create or replace function public.kizu_moments(p_filter jsonb default '{}', p_limit int default 50, p_after jsonb default null)
returns jsonb language sql stable set search_path = '' as $$
  with page as (
    select m as moment, m.id, coalesce(m.day, m.created_at::date) as at, coalesce(m.score, 0) as worth
    from public.moments m
    where m.user_id = (select kizu.uid())
      and (m.is_saved or m.hidden_at is not null or m.expires_at is null or m.expires_at > now())
      and (p_filter ? 'id' or (m.hidden_at is not null) = coalesce((p_filter ->> 'hidden')::boolean, false))
      and (p_filter ->> 'saved' is null or coalesce(m.is_saved, false) = (p_filter ->> 'saved')::boolean)
      and (p_filter ->> 'kind' is null or m.grouping_type = p_filter ->> 'kind')
      and (p_filter ->> 'id' is null or starts_with(m.id::text, lower(p_filter ->> 'id')))
      and (not coalesce((p_filter ->> 'today')::boolean, false) or m.day = kizu.local_day((select kizu.uid())))
      and exists (select from kizu.moment_photos s where s.moment_id = m.id)
      and (p_after is null or (coalesce(m.day, m.created_at::date), coalesce(m.score, 0), m.id)
           < ((p_after ->> 'day')::date, (p_after ->> 'score')::real, (p_after ->> 'id')::uuid))
    order by at desc, worth desc, m.id desc
    limit least(greatest(p_limit, 1), 200)
  )
  select jsonb_build_object(
    'moments', coalesce(jsonb_agg(kizu.moment_json(moment) order by at desc, worth desc, id desc), '[]'),
    'next', case when count(*) = least(greatest(p_limit, 1), 200) then (
      select jsonb_build_object('day', l.at, 'score', l.worth, 'id', l.id) from page l order by l.at, l.worth, l.id limit 1) end)
  from page
$$;

-- One moment of the caller with up to `p_limit` of its photos after the place `p_after` in it, in order; null for another's.
-- {..., photo_list: [{asset_id, file_name, path, taken_local, bytes, thumbnail}], next}
create or replace function public.kizu_moment(p_id uuid, p_limit int default 1000, p_after int default null) returns jsonb
language sql stable set search_path = '' as $$
  with page as materialized (
    select s.asset_id, s.display_order from kizu.moment_photos s
    where s.moment_id = p_id and s.display_order > coalesce(p_after, -1)
    order by s.display_order limit least(greatest(p_limit, 1), 1000))
  select kizu.moment_json(m) || jsonb_build_object(
    'photo_list', (
      select coalesce(jsonb_agg(jsonb_build_object(
          'asset_id', a.id, 'file_name', a.file_name, 'path', kizu.path_of(a.id), 'taken_local', a.taken_local,
          'bytes', a.bytes, 'thumbnail', a.thumbnail) order by p.display_order), '[]')
      from page p join public.assets a on a.id = p.asset_id),
    'next', (select case when count(*) = least(greatest(p_limit, 1), 1000) then max(p.display_order) end from page p))
  from public.moments m where m.id = p_id and m.user_id = (select kizu.uid())
$$;

-- Everything around the caller's moments: {time_zone, now, time, settings, moments, saved, last}. `last`: the latest run, with
-- what came of it and why.
create or replace function public.kizu_moments_state() returns jsonb language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'time_zone', p.time_zone, 'now', now() at time zone kizu.zone_of(p.time_zone),
    'time', to_char(kizu.moments_time(p.notification_settings), 'HH24:MI'), 'settings', coalesce(p.notification_settings, '{}'),
    'moments', (select count(*) from public.moments m where m.user_id = p.id and m.hidden_at is null),
    'saved', (select count(*) from public.moments m where m.user_id = p.id and m.is_saved),
    'last', (
      select jsonb_build_object('id', j.id, 'status', j.status, 'outcome', j.outcome, 'created_at', j.created_at,
        'completed_at', j.completed_at, 'result', j.result, 'error', j.error_message)
      from public.ai_processing_jobs j where j.user_id = p.id and j.job_type = 'generate_moments'
      order by j.created_at desc, j.id limit 1))
  from public.profiles p where p.id = (select kizu.uid())
$$;

-- What the caller does not want to be reminded of: [{id, person: {id, name}, place, first_day, last_day, photos}].
create or replace function public.kizu_moment_blocks() returns jsonb language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'id', b.id, 'place', b.place, 'first_day', b.first_day, 'last_day', b.last_day,
      'person', (select jsonb_build_object('id', c.id, 'name', c.name) from public.face_clusters c
                 where c.id = kizu.person_now(b.user_id, b.person_id)),
      'photos', case when b.person_id is not null then (
          select count(distinct f.asset_id) from public.face_embeddings f where f.cluster_id = kizu.person_now(b.user_id, b.person_id))
        else (select count(*) from public.assets a where a.user_id = b.user_id
              and (a.taken_local >= b.first_day and a.taken_local < b.last_day + 1 or a.places_folded && array[b.place])) end)
    order by b.created_at, b.id), '[]')
  from public.moment_blocks b where b.user_id = (select kizu.uid())
$$;

-- Keeps a moment for ever, or no longer. Also in the last second: as long as the row is there. Null for another's and for none,
-- else the moment's title. A moment that is let go stays a week at least.
create or replace function public.kizu_moment_save(p_user uuid, p_id uuid, p_saved boolean default true) returns text
language sql set search_path = '' as $$
  update public.moments set is_saved = p_saved, hidden_at = null,
    expires_at = case when p_saved then expires_at else greatest(expires_at, now() + interval '7 days') end
  where id = p_id and user_id = p_user returning title
$$;

-- Shows a moment never again, or again. Answers as kizu_moment_save.
create or replace function public.kizu_moment_hide(p_user uuid, p_id uuid, p_hidden boolean default true) returns text
language sql set search_path = '' as $$
  update public.moments set hidden_at = case when p_hidden then coalesce(hidden_at, now()) end,
    is_saved = coalesce(is_saved, false) and not p_hidden
  where id = p_id and user_id = p_user returning title
$$;

-- Keeps a person, a place or a range of days (one of them) out of all moments, those that exist included: {id}. A block that
-- is there already is found again. Null where the person is not the user's.
create or replace function public.kizu_moment_block(
  p_user uuid, p_person uuid default null, p_place text default null, p_first_day date default null,
  p_last_day date default null) returns jsonb
language plpgsql set search_path = '' as $$
declare
  found_id uuid;
begin
  if num_nonnulls(p_person, p_place, p_first_day) <> 1 or (p_first_day is null) <> (p_last_day is null)
    or p_first_day > p_last_day or kizu.fold(trim(p_place)) = '' then
    raise exception 'A block is of a person, a place, or a first and a last day.' using errcode = '22023';
  end if;
  if p_person is not null and not exists (
      select from public.face_clusters c where c.id = p_person and c.user_id = p_user) then
    return null;
  end if;
  perform kizu.lock_moments(p_user);
  select b.id into found_id from public.moment_blocks b where b.user_id = p_user
    and (b.person_id, b.place, b.first_day, b.last_day)
      is not distinct from (p_person, kizu.fold(trim(p_place)), p_first_day, p_last_day);
  if found_id is null then
    insert into public.moment_blocks (user_id, person_id, place, first_day, last_day)
      values (p_user, p_person, kizu.fold(trim(p_place)), p_first_day, p_last_day) returning id into found_id;
    perform kizu.tidy_moments(p_user);
  end if;
  return jsonb_build_object('id', found_id);
end $$;

-- Takes a block back; false where there is none of the user that has this id.
create or replace function public.kizu_moment_unblock(p_user uuid, p_id uuid) returns boolean
language plpgsql set search_path = '' as $$
begin
  delete from public.moment_blocks b where b.id = p_id and b.user_id = p_user;
  return found;
end $$;

-- Changes settings of a user: values by name, null takes one back to its default. `p_time_zone` only if it is given.
create or replace function public.kizu_moments_settings(p_user uuid, p_change jsonb default '{}', p_time_zone text default null)
returns void language sql set search_path = '' as $$
  update public.profiles set time_zone = coalesce(p_time_zone, time_zone),
    notification_settings = jsonb_strip_nulls(
      case jsonb_typeof(notification_settings) when 'object' then notification_settings else '{}' end || p_change)
  where id = p_user
$$;

-- The zone of a user of whom nobody knows it yet: that of the machine on which the library is opened.
create or replace function public.kizu_note_time_zone(p_user uuid, p_time_zone text) returns void
language sql set search_path = '' as $$
  update public.profiles set time_zone = p_time_zone where id = p_user and time_zone is null
$$;

select kizu.expose(f, 'authenticated', 'service_role') from unnest(array[
  'kizu.moment_json', 'public.kizu_moments', 'public.kizu_moment', 'public.kizu_moments_state',
  'public.kizu_moment_blocks']::regproc[]) f;
select kizu.expose(f, 'service_role') from unnest(array[
  'public.kizu_moment_save', 'public.kizu_moment_hide', 'public.kizu_moment_block', 'public.kizu_moment_unblock',
  'public.kizu_moments_settings', 'public.kizu_note_time_zone']::regproc[]) f;

insert into kizu.schema_version (version, name) values ('20261123092310', 'moments_shown') on conflict do nothing;
notify pgrst, 'reload schema';
