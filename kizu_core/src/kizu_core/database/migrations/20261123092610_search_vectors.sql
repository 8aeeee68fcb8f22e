-- What photos show, by vectors: an exact look at all vectors of a user in one space, and the cut between what fits and
-- what does not. An index would silently lose photos of a user among many, and most under a filter.

-- Whoever changes a library fills this in one go, and a vector is looked at more often than it is written: it stays in
-- its row, however long. Columns of a table that was there before are their owner's business.
do $$ begin
  if not exists (select from kizu.adopted a where a.name = 'image_embeddings') then
    alter table public.image_embeddings alter column embedding set storage main;
  end if;
end $$;
-- In the order of ids, which are random: the first rows of a user are a sample.
create index if not exists kizu_image_embeddings_sample on public.image_embeddings (user_id, space, asset_id);
-- All vectors of a user in the order in which they lie, which is that of equal keys as long as each has an entry of its own.
create index if not exists kizu_image_embeddings_scan on public.image_embeddings
  (user_id, space, (extensions.vector_dims(embedding))) with (deduplicate_items = off);
-- Was here before the two, which do all that it did.
drop index if exists public.kizu_image_embeddings_user;

-- A query's vector as stored ones are, of unit length: halfvec would round a very short one to nothing. Refuses what is
-- none, and one that can't be of that space because the user's vectors of it have another length.
create or replace function kizu.query_vector(p_user uuid, p_vector real[], p_space text) returns extensions.halfvec
language plpgsql stable set search_path = '' as $$
declare
  aim extensions.vector;
begin
  begin
    aim := p_vector::extensions.vector;
  exception when data_exception or program_limit_exceeded then
    aim := null;
  end;
  if aim is null or p_space is null then
    raise exception 'A search by meaning needs a list of at most 16000 finite numbers and the name of their space.'
      using errcode = 'invalid_parameter_value';
  end if;
  if extensions.vector_norm(aim) = 0 then
    raise exception 'A vector of zeros means nothing.' using errcode = 'invalid_parameter_value';
  end if;
  if not exists (select from public.image_embeddings e where e.user_id = p_user and e.space = p_space
      and extensions.vector_dims(e.embedding) = cardinality(p_vector))
    and exists (select from public.image_embeddings e where e.user_id = p_user and e.space = p_space) then
    raise exception 'Vectors of the space % do not have % numbers.', left(p_space, 100), cardinality(p_vector)
      using errcode = 'invalid_parameter_value';
  end if;
  return extensions.l2_normalize(aim)::extensions.halfvec;
end $$;

-- The vector of a photo of the user, to find others like it. Of a video: of its first frame.
create or replace function kizu.photo_vector(p_user uuid, p_asset uuid, p_space text) returns extensions.halfvec
language plpgsql stable set search_path = '' as $$
declare
  found extensions.halfvec;
begin
  select extensions.l2_normalize(e.embedding::extensions.halfvec) into found
    from public.image_embeddings e
    join public.assets a on a.id = e.asset_id and a.user_id = p_user
    where e.asset_id = p_asset and e.user_id = p_user and e.space = p_space
    order by e.frame_ms limit 1;
  if found is null then
    raise exception 'What this photo shows is not known, so none like it can be found.'
      using errcode = 'invalid_parameter_value', hint = 'kizu run FOLDER';
  end if;
  return found;
end $$;

-- What chance gives: how like a vector the user's photos are that have nothing to do with it, as mean and standard
-- deviation, null where there are too few photos to tell (below 100); and the mean of all. From up to 1000 photos of the
-- whole library, whatever is searched.
--
-- Many photos may fit, so only the lower end of the likenesses is read, as that of a normal distribution. And if nearly
-- all fit there is no lower end; then the spread is at most that which the photos have in any direction, once what they
-- have in common is taken away.
create or replace function kizu.chance(p_user uuid, p_aim extensions.halfvec, p_space text)
returns table (centre float8, spread float8, typical float8)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  photos int;
  low float8[];
  common float8;
begin
  select count(s.likeness), avg(s.likeness), percentile_cont(array[0.05, 0.3]) within group (order by s.likeness)
    into photos, typical, low from (
      select case when extensions.vector_dims(e.embedding) = extensions.vector_dims(p_aim) then
        nullif(1 - (e.embedding::extensions.halfvec operator(extensions.<=>) p_aim), 'NaN') end as likeness
      from public.image_embeddings e
      where e.user_id = p_user and e.space = p_space order by e.asset_id limit 1000) s;
  if photos >= 100 then
    -- The mean of many photos' vectors; 200 give its length to a quarter of a percent, at a fifth of the time.
    select extensions.vector_norm(extensions.sum(extensions.l2_normalize(f.photo)::extensions.vector)) / count(*) into common from (
      select e.embedding::extensions.halfvec as photo from public.image_embeddings e
      where e.user_id = p_user and e.space = p_space and extensions.vector_dims(e.embedding) = extensions.vector_dims(p_aim)
        and extensions.l2_norm(e.embedding::extensions.halfvec) > 0
      order by e.asset_id limit 200) f;
    -- The 5th and the 30th part of a hundred lie 1.645 and 0.524 deviations below the mean.
    spread := greatest(1e-6, least((low[2] - low[1]) / 1.121,
      sqrt(greatest(1 - common ^ 2, 0) / extensions.vector_dims(p_aim))));
  end if;
  centre := low[1] + 1.645 * spread;
  return next;
end $$;

-- The user's vectors that are nearer than `p_most` to one, all of them looked at.
--
-- The time goes into memory, not into sums. Rows fill a page from its end to its start and processors read ahead towards
-- higher addresses, so going backwards takes two thirds of the time of going forwards (measured: 34 and 50 ms for 100,000
-- of 512 numbers), and a fifth of that of any other order.
create or replace function kizu.near(p_user uuid, p_aim extensions.halfvec, p_space text, p_most float8)
returns table (asset_id uuid, distance float8)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan
set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  dims constant int := extensions.vector_dims(p_aim);
begin
  return query
    select e.asset_id, e.embedding::extensions.halfvec operator(extensions.<=>) p_aim
    from public.image_embeddings e
    where e.user_id = p_user and e.space = p_space and extensions.vector_dims(e.embedding) between dims and dims
      and (e.embedding::extensions.halfvec operator(extensions.<=>) p_aim) < p_most -- NaN is the largest number
    order by extensions.vector_dims(e.embedding) desc; -- backwards
end $$;

-- The same of a few photos.
create or replace function kizu.near_among(
  p_user uuid, p_aim extensions.halfvec, p_space text, p_most float8, p_among uuid[])
returns table (asset_id uuid, distance float8)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
begin
  return query
    select e.asset_id, d.distance
    from unnest(p_among) a (id) join public.image_embeddings e on e.asset_id = a.id and e.space = p_space
    cross join lateral (
      select case when extensions.vector_dims(e.embedding) = extensions.vector_dims(p_aim) then
        e.embedding::extensions.halfvec operator(extensions.<=>) p_aim end as distance) d
    where e.user_id = p_user and d.distance < p_most;
end $$;

-- How many vectors a user has in a space: of many, about, from a sixteenth of their ids, which are random.
create or replace function kizu.count_vectors(p_user uuid, p_space text) returns bigint
language plpgsql stable set search_path = '' as $$
declare
  sixteenth constant bigint := (select count(*) from public.image_embeddings e
    where e.user_id = p_user and e.space = p_space and e.asset_id < '10000000-0000-0000-0000-000000000000');
begin
  return case when sixteenth >= 100 then sixteenth * 16 else (
    select count(*) from public.image_embeddings e where e.user_id = p_user and e.space = p_space) end;
end $$;

-- The photos of a user that look like what a vector means, best first, at most 1000. `p_among`: only these; null: all
-- but `p_without`. `score`: 1 for the best one, 0 for one that fits no better than most; `likeness`: the cosine.
--
-- What fits must stand out of what chance gives for this query and this user. If chance alone would put a photo as high
-- as the best one in more than 1 of 1000 such libraries, nothing fits. Else as many are taken as keeps the expected share
-- of chance hits under 1 in 1000 (Benjamini and Hochberg): a rare thing is found among many photos, and so is one that is
-- in every third. And a photo must fit at least seven tenths as far above the average photo as the best one. No number
-- belongs to one model. All this was measured on made-up vectors and drawn pictures, not on real photos.
create or replace function kizu.match_vector(
  p_user uuid, p_aim extensions.halfvec, p_space text, p_among uuid[], p_without uuid[])
returns table (asset_id uuid, score float8, likeness float8)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  false_hits constant float8 := 0.001;
  share constant float8 := 0.7;
  all_photos constant bigint := kizu.count_vectors(p_user, p_space);
  photos constant bigint := coalesce(cardinality(p_among), all_photos);
  few constant boolean := photos * 10 < all_photos; -- one after another takes ten times as long
  centre float8;
  spread float8;
  typical float8;
  most float8;
begin
  select c.* into centre, spread, typical from kizu.chance(p_user, p_aim, p_space) c;
  most := coalesce(1 - centre - 2.9 * spread, 'Infinity'); -- two of a thousand by chance
  return query
    with near as (
      select * from kizu.near(p_user, p_aim, p_space, most) where not few
      union all
      select * from kizu.near_among(p_user, p_aim, p_space, most, p_among) where few
    ), best as (
      select n.asset_id, 1 - min(n.distance) as likeness from near n
      where (p_among is null or few or n.asset_id in (select unnest(p_among))) and n.asset_id not in (select unnest(p_without))
      group by n.asset_id
      order by 2 desc, 1 limit 1000
    ), weighed as ( -- how many photos chance alone would put as high (PostgreSQL has erfc from 16 on)
      select b.*, photos * case when z.z > 1 then exp(greatest(-z.z * z.z / 2, -700)) / (z.z * 2.5066) else 1 end as by_chance
      from best b cross join lateral (select (b.likeness - centre) / spread as z) z
    ), ranked as (
      select w.*, row_number() over (order by w.likeness desc, w.asset_id) as place, max(w.likeness) over () as top,
        min(w.by_chance) over () as top_by_chance
      from weighed w
    ), judged as (
      select r.*, max(r.place) filter (where spread is null
        or r.top_by_chance <= false_hits and r.by_chance <= false_hits * r.place) over () as last
      from ranked r
    )
    select j.asset_id, coalesce((j.likeness - typical) / nullif(greatest(j.top - typical, 0), 0), 1), j.likeness
    from judged j
    where j.place <= j.last and j.likeness >= least(typical + share * (j.top - typical), j.top);
end $$;

drop function if exists kizu.tail; -- of an earlier version

select kizu.expose(f::regproc) from unnest(array[
  'kizu.query_vector', 'kizu.photo_vector', 'kizu.chance', 'kizu.near', 'kizu.near_among', 'kizu.count_vectors',
  'kizu.match_vector']) f;

insert into kizu.schema_version (version, name) values ('20261123092610', 'search_vectors') on conflict do nothing;
notify pgrst, 'reload schema';
