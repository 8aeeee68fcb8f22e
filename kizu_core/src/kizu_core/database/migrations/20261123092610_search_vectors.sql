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

-- A query's vector as stored ones are, of unit length: halfvec would round a very short one to nothing. Refuses what is
-- none, and one that can't be of that space because the user's vectors of it have another length.
create or replace function kizu.query_vector(p_user uuid, p_vector real[], p_space text) returns extensions.halfvec
language plpgsql stable set search_path = '' as $$
declare
  aim extensions.vector;
begin
  if p_space is null or array_ndims(p_vector) is distinct from 1 or cardinality(p_vector) > 16000
    or exists (select from unnest(p_vector) v where v is null or v in ('NaN', 'Infinity', '-Infinity')) then
    raise exception 'A search by meaning needs a list of at most 16000 finite numbers and the name of their space.'
      using errcode = 'invalid_parameter_value';
  end if;
  aim := p_vector::extensions.vector;
  if extensions.vector_norm(aim) = 0 then
    raise exception 'A vector of zeros means nothing.' using errcode = 'invalid_parameter_value';
  end if;
  if exists (select from public.image_embeddings e where e.user_id = p_user and e.space = p_space)
    and not exists (select from public.image_embeddings e where e.user_id = p_user and e.space = p_space
      and extensions.vector_dims(e.embedding) = cardinality(p_vector)) then
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
begin
  return query
    with sample as materialized (
      select e.embedding::extensions.halfvec as photo from public.image_embeddings e
      where e.user_id = p_user and e.space = p_space order by e.asset_id limit 1000
    ), photos as (
      select case when extensions.vector_dims(s.photo) = extensions.vector_dims(p_aim) then
        nullif(1 - (s.photo operator(extensions.<=>) p_aim), 'NaN') end as likeness
      from sample s
    ), seen as (
      select count(p.likeness) as photos, avg(p.likeness) as typical,
        percentile_cont(array[0.05, 0.3]) within group (order by p.likeness) as low
      from photos p
    ), shared as (
      -- The mean of many photos' vectors; 200 give its length to a quarter of a percent, at a fifth of the time.
      select extensions.l2_norm(extensions.avg(extensions.l2_normalize(f.photo))) as common from (
        select s.photo from sample s
        where extensions.vector_dims(s.photo) = extensions.vector_dims(p_aim) and extensions.l2_norm(s.photo) > 0
        limit 200) f
    ), spreads as (
      -- The 5th and the 30th part of a hundred lie 1.645 and 0.524 deviations below the mean.
      select s.low[1] as lowest, s.typical, case when s.photos >= 100 then greatest(least((s.low[2] - s.low[1]) / 1.121,
        sqrt(greatest(1 - m.common ^ 2, 0) / extensions.vector_dims(p_aim))), 1e-6) end as spread
      from seen s cross join shared m
    )
    select s.lowest + 1.645 * s.spread, s.spread, s.typical from spreads s;
end $$;

-- The photos of a user that look like what a vector means, best first, at most 1000. `p_among`: only these; null: all
-- but `p_without`. `score`: 1 for the best one, 0 for one that fits no better than most; `likeness`: the cosine.
--
-- What fits must stand out of what chance gives for this query and this user. If chance alone would put a photo as high
-- as the best one in more than 1 of 1000 such libraries, nothing fits. Else as many are taken as keeps the expected share
-- of chance hits under 1 in 1000 (Benjamini and Hochberg): a rare thing is found among many photos, and so is one that is
-- in every third. And a photo must fit at least seven tenths as far above the average photo as the best one. No number
-- belongs to one model. All this was measured on made-up vectors and drawn pictures, not on real photos.
--
-- Through the index of users, whatever the planner thinks: it takes a scan of everybody's rows for cheaper, and vectors
-- make the rows long.
create or replace function kizu.match_vector(
  p_user uuid, p_aim extensions.halfvec, p_space text, p_among uuid[], p_without uuid[])
returns table (asset_id uuid, score float8, likeness float8)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan set enable_seqscan = off as $$
declare
  false_hits constant float8 := 0.001;
  share constant float8 := 0.7;
  centre float8;
  spread float8;
  typical float8;
  most_distance float8;
  photos constant bigint := coalesce(cardinality(p_among),
    (select count(*) from public.image_embeddings e where e.user_id = p_user and e.space = p_space));
begin
  select c.* into centre, spread, typical from kizu.chance(p_user, p_aim, p_space) c;
  most_distance := coalesce(1 - centre - 2.9 * spread, 'Infinity'); -- two of a thousand by chance
  return query
    with near as materialized (
      select e.asset_id, d.distance from public.image_embeddings e
      cross join lateral (
        select case when extensions.vector_dims(e.embedding) = extensions.vector_dims(p_aim) then
          e.embedding::extensions.halfvec operator(extensions.<=>) p_aim end as distance) d
      where e.user_id = p_user and e.space = p_space and d.distance < most_distance -- NaN is the largest number
        and (p_among is null or e.asset_id = any (p_among)) and (p_without is null or e.asset_id <> all (p_without))
    ), best as (
      select n.asset_id, 1 - min(n.distance) as likeness from near n
      group by n.asset_id
      order by 2 desc, 1 limit 1000
    ), ranked as (
      select b.*, row_number() over (order by b.likeness desc, b.asset_id) as place, max(b.likeness) over () as top
      from best b
    ), judged as (
      select r.*, max(r.place) filter (where spread is null
        or photos * kizu.tail((r.top - centre) / spread) <= false_hits
          and photos * kizu.tail((r.likeness - centre) / spread) <= false_hits * r.place) over () as last
      from ranked r
    )
    select j.asset_id, coalesce((j.likeness - typical) / nullif(greatest(j.top - typical, 0), 0), 1), j.likeness
    from judged j
    where j.place <= j.last and j.likeness >= least(typical + share * (j.top - typical), j.top);
end $$;

-- About how often chance alone gives as much as `p_z` standard deviations above the mean (PostgreSQL has erfc from 16 on).
create or replace function kizu.tail(p_z float8) returns float8
language sql immutable parallel safe set search_path = '' as $$
  select case when p_z > 1 then exp(greatest(-p_z * p_z / 2, -700)) / (p_z * 2.5066) else 1 end
$$;

select kizu.expose(f::regproc) from unnest(array[
  'kizu.query_vector', 'kizu.photo_vector', 'kizu.chance', 'kizu.match_vector', 'kizu.tail']) f;

insert into kizu.schema_version (version, name) values ('20261123092610', 'search_vectors') on conflict do nothing;
notify pgrst, 'reload schema';
