-- Search in one call: filters first, then what fits by words, objects and looks, fused into one list with reasons; and
-- the vocabulary that a query is understood with.

-- Photos that are in no search: their files are gone, or their user hid them.
create index if not exists kizu_assets_unseen on public.assets (user_id, id) where missing_since is not null or hidden;

create or replace function kizu.texts(p_list jsonb) returns text[]
language sql immutable strict parallel safe set search_path = '' as $$
  select array_agg(t) from jsonb_array_elements_text(p_list) t
$$;

-- The days that a query names, as one set of times; null if none.
create or replace function kizu.days(p_dates jsonb) returns tsmultirange
language sql immutable strict parallel safe set search_path = '' as $$
  select range_agg(tsrange((d ->> 0)::date, (d ->> 1)::date)) from jsonb_array_elements(p_dates) d
$$;

-- The photos that pass every filter of a query, null if it has none; unseen ones may be among them (`kizu.excluded`).
-- An array, so that no index for vectors can come between: what is looked at is exactly this.
create or replace function kizu.candidates(p_user uuid, p_query jsonb) returns uuid[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan
set random_page_cost = 1.1 as $$
declare
  days constant tsmultirange := kizu.days(p_query -> 'dates');
  wanted constant text := p_query ->> 'type';
  place constant text[] := kizu.texts(p_query -> 'places' -> 0); -- nearly every query names one or none
  further constant jsonb := nullif((p_query -> 'places') - 0, '[]');
  one jsonb;
  found uuid[];
begin
  for one in select * from jsonb_array_elements(p_query -> 'people') loop
    found := array(
      select distinct f.asset_id from public.face_embeddings f
      where f.user_id = p_user and f.cluster_id = any (kizu.texts(one)::uuid[])
        and (found is null or f.asset_id = any (found)));
  end loop;
  for one in select * from jsonb_array_elements(p_query -> 'phrases') loop
    found := array(
      select m.asset_id from kizu.match_phrase(p_user, kizu.fold(one #>> '{}')) m
      where found is null or m.asset_id = any (found));
  end loop;
  if days is null and wanted is null and place is null then
    return found;
  end if;
  return array(
    select a.id from public.assets a
    where a.user_id = p_user and a.missing_since is null and not a.hidden
      and (found is null or a.id in (select unnest(found)))
      and (place is null or a.places_folded && place)
      and (further is null or not exists (
        select from jsonb_array_elements(further) p where not a.places_folded && kizu.texts(p)))
      and (wanted is null or a.media_kind = wanted)
      and (days is null or a.taken_local <@ days)
      and (days is null or lower_inf(days) or a.taken_local >= lower(days)) -- what an index can answer
      and (days is null or upper_inf(days) or a.taken_local < upper(days)));
end $$;

-- Photos that have anything to do with one of the words: written in them or in their caption, seen in them, who is in
-- them or where they were taken.
create or replace function kizu.having(p_user uuid, p_words text[]) returns uuid[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  return array(
    select m.asset_id from unnest(p_words) w cross join lateral kizu.match_phrase(p_user, w) m
    union select o.asset_id from public.detected_objects o where o.user_id = p_user and o.label = any (
      array(select l from kizu.labels_of(p_user) l where kizu.fold(l) = any (p_words)))
    union select a.id from public.assets a where a.user_id = p_user and a.places_folded && p_words
    union select f.asset_id from public.face_embeddings f where f.user_id = p_user and f.cluster_id = any (
      array(select c.id from public.face_clusters c where c.user_id = p_user and kizu.fold(c.name) = any (p_words))));
end $$;

-- The kinds of objects that were seen in the user's photos. From one entry of the index to the next kind: there are
-- many objects of few kinds.
create or replace function kizu.labels_of(p_user uuid) returns setof text
language sql stable set search_path = '' as $$
  with recursive kinds as (
    (select o.label from public.detected_objects o where o.user_id = p_user and o.label is not null
     order by o.label limit 1)
    union all
    select (select o.label from public.detected_objects o where o.user_id = p_user and o.label > k.label
            order by o.label limit 1)
    from kinds k where k.label is not null
  )
  select k.label from kinds k where k.label is not null
$$;

-- How much each kind of evidence counts. What stands in a photo as it was typed is certain; a look is a guess.
create or replace function kizu.weights() returns jsonb language sql immutable parallel safe set search_path = '' as $$
  select '{"text": 1, "name": 1, "like": 0.8, "meaning": 0.8, "caption": 0.6, "object": 0.5}'::jsonb
$$;

-- Everything that speaks for photos: one row for each photo and kind, the best 1000 of a kind. `score` is 0 to 1 within
-- its kind, `shown` what its reason tells.
create or replace function kizu.evidence(
  p_user uuid, p_query jsonb, p_aim extensions.halfvec, p_space text, p_among uuid[], p_without uuid[])
returns table (asset_id uuid, kind text, score numeric, shown numeric)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan
set random_page_cost = 1.1 as $$
declare
  words constant text := kizu.fold(coalesce(p_query ->> 'text', ''));
  labels constant text[] := coalesce(kizu.texts(p_query -> 'labels'), '{}');
begin
  if words <> '' or labels <> '{}' then
    return query
      with found as (
        select m.asset_id, m.kind, m.score::numeric, m.score::numeric as shown from kizu.match_words(p_user, words) m
        union all select m.asset_id, 'name', 1, 1 from kizu.match_name(p_user, words) m
        union all select o.asset_id, 'object', (sum(o.score) / cardinality(labels))::numeric, max(o.score)::numeric
          from (select o.asset_id, o.label, max(coalesce(o.score, 0.5)) as score from public.detected_objects o
                where o.user_id = p_user and o.label = any (labels) group by o.asset_id, o.label) o
          group by o.asset_id
      ), ranked as (
        select f.*, row_number() over (partition by f.kind order by f.score desc, a.taken_local desc nulls last, a.id) as place
        from found f join public.assets a on a.id = f.asset_id and a.user_id = p_user
        where (p_among is null or f.asset_id in (select unnest(p_among))) and f.asset_id not in (select unnest(p_without))
      )
      select r.asset_id, r.kind, round(r.score, 4), round(r.shown, 4) from ranked r where r.place <= 1000;
  end if;
  if p_aim is not null then
    return query
      select m.asset_id, 'meaning', round(m.score::numeric, 4), round(m.likeness::numeric, 4)
      from kizu.match_vector(p_user, p_aim, p_space, p_among, p_without) m;
  end if;
  if p_query ->> 'like' is not null then
    return query
      select m.asset_id, 'like', round(m.score::numeric, 4), round(m.likeness::numeric, 4)
      from kizu.match_vector(p_user, kizu.photo_vector(p_user, (p_query ->> 'like')::uuid, p_space), p_space,
        p_among, p_without) m;
  end if;
end $$;

-- Which filters a photo passed: its people, place and date, as far as the query names them.
create or replace function kizu.filter_reasons(p_user uuid, p_asset public.assets, p_query jsonb)
returns table (kind text, matched text, how text, score numeric)
language sql stable set search_path = '' as $$
  select distinct 'person', c.name, 'filter', 1.0
  from jsonb_array_elements(p_query -> 'people') g
  join public.face_clusters c on c.user_id = p_user and c.id = any (kizu.texts(g)::uuid[])
  join public.face_embeddings f on f.cluster_id = c.id and f.asset_id = p_asset.id and f.user_id = p_user
  union all
  select distinct 'place', n.name, 'filter', 1.0
  from jsonb_array_elements(p_query -> 'places') g
  join unnest(array[(p_asset).place_name, (p_asset).city, (p_asset).county, (p_asset).state, (p_asset).country]) as n (name)
    on kizu.fold(n.name) = any (kizu.texts(g))
  union all
  select 'date', (p_asset).taken_local::date::text, 'filter', 1.0 where p_query ? 'dates'
$$;

-- Why a photo is a hit: [{kind, matched, how, score}], what counts most first, filters last. `p_seen`: its evidence.
create or replace function kizu.reasons(p_user uuid, p_asset public.assets, p_query jsonb, p_words text[], p_seen jsonb)
returns jsonb language sql stable set search_path = '' as $$
  with reasons as (
    select 1 as place, r.kind, r.matched, r.how, r.score
    from jsonb_to_recordset(kizu.word_reasons(p_user, (p_asset).id, p_words)) as r (kind text, matched text, how text, score numeric)
    where p_seen ?| array['text', 'caption'] or p_query ? 'phrases'
    union all select 2, 'name', (p_asset).file_name, 'similar', 1.0 where p_seen ? 'name'
    union all select 3, k.kind, null, 'looks', (p_seen ->> k.kind)::numeric
      from unnest(array['like', 'meaning']) as k (kind) where p_seen ? k.kind
    union all select 4, 'object', o.label, 'seen', round(max(o.score)::numeric, 4) from public.detected_objects o
      where o.asset_id = (p_asset).id and o.user_id = p_user and o.label = any (kizu.texts(p_query -> 'labels'))
      group by o.label
    union all select 5, f.kind, f.matched, f.how, f.score from kizu.filter_reasons(p_user, p_asset, p_query) f
  )
  select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
    'kind', r.kind, 'matched', r.matched, 'how', r.how, 'score', r.score)) order by r.place, r.score desc, r.kind, r.matched), '[]')
  from reasons r
$$;

-- The query without what it leaves open. Refuses what is none, in a sentence.
create or replace function kizu.checked_query(p_query jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
declare
  asked jsonb;
begin
  if length(p_query ->> 'text') > 512 then
    raise exception 'A search is at most 512 characters long.' using errcode = 'invalid_parameter_value';
  end if;
  begin
    select coalesce(jsonb_object_agg(q.key, q.value), '{}') into asked
      from jsonb_each(p_query) q where q.value not in ('null', '""', '[]');
    perform from jsonb_each(asked) q where jsonb_typeof(q.value) <> case
      when q.key in ('text', 'type', 'like') then 'string' when q.key = 'explain' then 'boolean' else 'array' end;
    if found or length(asked::text) > 20000 or asked ->> 'type' not in ('image', 'video') then
      raise invalid_parameter_value;
    end if;
    perform (asked ->> 'like')::uuid, kizu.days(asked -> 'dates'), kizu.texts(asked -> 'phrases'),
      kizu.texts(asked -> 'not'), kizu.texts(asked -> 'labels'),
      (select count(kizu.texts(g)) from jsonb_array_elements(asked -> 'places') g),
      (select count(kizu.texts(g)::uuid[]) from jsonb_array_elements(asked -> 'people') g);
    return asked;
  exception when data_exception then
    raise exception 'This is not a search as kizu_search takes it.' using errcode = 'invalid_parameter_value';
  end;
end $$;

-- Photos that a query can't have: unseen ones, those with what it does not want, and the one that it wants others like.
create or replace function kizu.excluded(p_user uuid, p_query jsonb) returns uuid[]
language plpgsql stable set search_path = '' as $$
declare
  found uuid[] := array(
    select a.id from public.assets a where a.user_id = p_user and (a.missing_since is not null or a.hidden));
begin
  if p_query ? 'not' then -- a branch, as to plan a call of `having` costs as much as the rest
    found := found || kizu.having(p_user, kizu.texts(p_query -> 'not'));
  end if;
  return case when p_query ? 'like' then found || (p_query ->> 'like')::uuid else found end;
end $$;

-- What --explain shows: how many photos passed the filters, what each kind of evidence found, and what chance gives.
create or replace function kizu.explained(
  p_user uuid, p_aim extensions.halfvec, p_space text, p_among uuid[], p_words text[], p_evidence jsonb)
returns jsonb language sql stable set search_path = '' as $$
  select jsonb_build_object('among', cardinality(p_among), 'words', p_words, 'weights', kizu.weights(),
    'found', p_evidence, 'chance', (select to_jsonb(c) from kizu.chance(p_user, p_aim, p_space) c where p_aim is not null))
$$;

-- Search in the caller's photos: {hits: [...], next}, best first, then newest. A hit is {asset_id, file_name, path,
-- taken_local, thumbnail, score, reasons: [{kind, matched, how, score}]}; `next` goes into `p_after`, null at the end.
--
-- p_query: {text, phrases: [..], not: [..], dates: [[from, until], ..] (local days, half-open, null: open), places: [[a, b],
-- ..] and people: [[id, ..], ..] (one of each group), labels: [..], type: 'image'|'video', like: id of a photo, explain}.
-- Phrases, dates, places, people, type and "not" decide which photos are looked at; text, labels, `like` and the vector
-- of the query (`p_vector` in `p_space`) which of them fit, and how well. Without the latter: all of them, newest first.
--
-- `score` is the weighted sum of what speaks for a photo, each 0 to 1 within its kind (`kizu.weights`): better than ranks
-- alone, which give the first of a bad list as much as the first of a good one, and many equal objects an order of chance.
-- Hits of one kind are at most 1000.
--
-- The one SECURITY DEFINER function: under row level security the text operators, which are not leakproof, could not
-- use their indexes. It takes no user, refuses a caller without one, and every table is filtered by that user.
create or replace function public.kizu_search(
  p_query jsonb, p_limit int default 50, p_after jsonb default null, p_vector real[] default null, p_space text default null)
returns jsonb language plpgsql stable security definer set search_path = '' as $$
declare
  me constant uuid := kizu.uid();
  most constant int := least(greatest(coalesce(p_limit, 50), 1), 200);
  weights constant jsonb := kizu.weights();
  query jsonb;
  words text[];
  aim extensions.halfvec;
  among uuid[];
  without uuid[];
  asks boolean;
  answer jsonb;
begin
  if me is null then
    raise exception 'Search needs a user.' using errcode = 'insufficient_privilege';
  end if;
  query := kizu.checked_query(p_query);
  aim := case when p_vector is not null then kizu.query_vector(me, p_vector, p_space) end;
  asks := aim is not null or query ?| array['text', 'labels', 'like'];
  words := kizu.words(kizu.fold(concat_ws(' ', query ->> 'text', query ->> 'phrases')));
  among := kizu.candidates(me, query);
  without := kizu.excluded(me, query);
  with evidence as materialized (
    select * from kizu.evidence(me, query, aim, p_space, among, without) where asks
  ), sums as (
    select e.asset_id, sum(e.score * (weights ->> e.kind)::numeric) as score, jsonb_object_agg(e.kind, e.shown) as seen
    from evidence e group by e.asset_id
    union all
    select a.id, 0, '{}' from public.assets a
    where not asks and a.user_id = me and (a.id in (select unnest(among)) or among is null and query ? 'not')
      and a.id not in (select unnest(without))
  ), page as (
    select s.score, s.seen, a, coalesce(a.taken_local, '-infinity') as taken
    from sums s join public.assets a on a.id = s.asset_id and a.user_id = me
    where p_after is null or (s.score, coalesce(a.taken_local, '-infinity'), a.id)
          < ((p_after ->> 'score')::numeric, (p_after ->> 'taken')::timestamp, (p_after ->> 'id')::uuid)
    order by s.score desc, taken desc, a.id desc
    limit most
  ), hits as (
    select row_number() over (order by p.score desc, p.taken desc, (p.a).id desc) as place, p.score, p.taken, (p.a).id,
      jsonb_build_object('asset_id', (p.a).id, 'file_name', (p.a).file_name, 'path', kizu.path_of((p.a).id),
        'taken_local', (p.a).taken_local, 'thumbnail', (p.a).thumbnail, 'score', p.score,
        'reasons', kizu.reasons(me, p.a, query, words, p.seen)) as hit
    from page p
  )
  select jsonb_strip_nulls(jsonb_build_object('explain', case when query ? 'explain' then kizu.explained(
      me, aim, p_space, among, words, (
        select jsonb_object_agg(k.kind, k.photos) from (select e.kind, count(*) as photos from evidence e group by 1) k)) end))
    || jsonb_build_object('hits', coalesce(jsonb_agg(h.hit order by h.place), '[]'), 'next', case when count(*) = most then (
      select jsonb_build_object('score', l.score, 'taken', l.taken, 'id', l.id) from hits l order by l.place desc limit 1) end)
  into answer from hits h;
  return answer;
end $$;

-- The names of places in the user's photos. From one entry of the index to the next: many photos lie at few places.
create index if not exists kizu_assets_places on public.assets (user_id, place_names)
  where missing_since is null and not hidden and place_names is not null;
create or replace function kizu.known_places(p_user uuid) returns setof text
language sql stable set search_path = '' as $$
  with recursive photos as not materialized (
    select a.place_names from public.assets a
    where a.user_id = p_user and a.missing_since is null and not a.hidden and a.place_names is not null
  ), spots as (
    (select p.place_names from photos p order by p.place_names limit 1)
    union all
    select (select p.place_names from photos p where p.place_names > s.place_names order by p.place_names limit 1)
    from spots s where s.place_names is not null
  )
  select distinct n from spots s cross join lateral unnest(string_to_array(s.place_names, chr(31))) n where n <> ''
$$;

-- What the caller's queries are understood with: {places: [[folded, shown], ..], people: [{id, name, folded}], labels:
-- [..]}.
create or replace function public.kizu_vocabulary() returns jsonb language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'places', (select coalesce(jsonb_agg(jsonb_build_array(kizu.fold(n), n) order by n), '[]')
               from kizu.known_places((select kizu.uid())) n),
    'people', (select coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name, 'folded', kizu.fold(c.name))
                 order by c.name, c.id), '[]')
               from public.face_clusters c where c.user_id = (select kizu.uid()) and c.name <> '' and not c.hidden),
    'labels', (select coalesce(jsonb_agg(l order by l), '[]') from kizu.labels_of((select kizu.uid())) l))
$$;

-- The spaces in which the caller's photos have vectors: [space, ..].
create or replace function public.kizu_spaces() returns jsonb language sql stable set search_path = '' as $$
  with recursive spaces as (
    (select e.space from public.image_embeddings e
     where e.user_id = (select kizu.uid()) and e.space is not null order by e.space limit 1)
    union all
    select (select e.space from public.image_embeddings e
            where e.user_id = (select kizu.uid()) and e.space > s.space order by e.space limit 1)
    from spaces s where s.space is not null
  )
  select coalesce(jsonb_agg(s.space), '[]') from spaces s where s.space is not null
$$;

select kizu.expose(f::regproc) from unnest(array[
  'kizu.texts', 'kizu.days', 'kizu.candidates', 'kizu.having', 'kizu.weights', 'kizu.evidence', 'kizu.filter_reasons',
  'kizu.reasons', 'kizu.checked_query', 'kizu.excluded', 'kizu.explained']) f;
select kizu.expose(f::regproc, 'authenticated') from unnest(array['kizu.labels_of', 'kizu.known_places']) f;
select kizu.expose(f::regproc, 'authenticated') from unnest(array[
  'public.kizu_search', 'public.kizu_vocabulary', 'public.kizu_spaces']) f;

insert into kizu.schema_version (version, name) values ('20261123092620', 'search') on conflict do nothing;
notify pgrst, 'reload schema';
