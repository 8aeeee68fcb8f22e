-- Search by words and by meaning.

create index if not exists kizu_extracted_text_words on public.extracted_text using gin (to_tsvector('simple', folded));
create index if not exists kizu_extracted_text_similar on public.extracted_text using gin (folded extensions.gin_trgm_ops);

-- How like a span of text a search word is: 1 the word itself, 0.9 the start of a word, 0.8 a part of one, else what
-- is left of it after typing errors. Short words have too few letters to be mistyped and still be meant.
create or replace function kizu.likeness(p_word text, p_folded text) returns real
language sql immutable strict parallel safe set search_path = '' as $$
  select case
    when v.at_start and to_tsvector('simple', p_folded) @@ plainto_tsquery('simple', p_word) then 1
    when v.at_start then 0.9
    when octet_length(p_word) >= 3 and strpos(p_folded, p_word) > 0 then 0.8
    when length(p_word) >= 6 and v.similar >= 0.4 or length(p_word) >= 4 and v.similar >= 0.5 then v.similar * 0.8
    else 0 end
  from (select extensions.word_similarity(p_word, p_folded) as similar,
               to_tsvector('simple', p_folded) @@ (quote_literal(p_word) || ':*')::tsquery as at_start) v
$$;

-- Loads pg_trgm into this session: who is no superuser can set parameters of a loaded extension only.
select extensions.show_limit();

-- The photos of a user in whose text every word occurs, perhaps mistyped or as part of a word, in any span of it.
create or replace function kizu.match_words(p_user uuid, p_words text[])
returns table (asset_id uuid, score numeric, reasons jsonb)
language sql stable set search_path = '' set pg_trgm.word_similarity_threshold = 0.4 as $$
  with spans as (
    select t.asset_id, w.word, t.text, kizu.likeness(w.word, t.folded) as score
    from unnest(p_words) as w (word)
    join public.extracted_text t on t.user_id = p_user and (
      to_tsvector('simple', t.folded) @@ (quote_literal(w.word) || ':*')::tsquery
      -- Three bytes make a trigram of letters, and one character of the scripts that write without spaces. By null, so
      -- that the index is not asked at all: for less than a trigram it would be read as a whole.
      or t.folded like case when octet_length(w.word) >= 3 then '%' || w.word || '%' end
      or case when length(w.word) >= 4 then w.word end operator(extensions.<%) t.folded)
  ), best as (
    select s.asset_id, s.word, max(s.score) as score from spans s where s.score > 0 group by s.asset_id, s.word
  )
  select b.asset_id, round(avg(b.score)::numeric, 4), (
    select jsonb_agg(jsonb_build_object('kind', 'text', 'matched', r.text, 'how', r.how) order by r.score desc, r.text)
    from (select s.text, max(s.score) as score, case when max(s.score) = 1 then 'words' else 'similar' end as how
          from spans s where s.asset_id = b.asset_id and s.score > 0 group by s.text order by 2 desc, 1 limit 5) r)
  from best b
  group by b.asset_id
  having count(*) = cardinality(p_words)
$$;

-- The photos of a user whose text satisfies a search expression: "a phrase", -without, this or that.
create or replace function kizu.match_expression(p_user uuid, p_folded text)
returns table (asset_id uuid, score numeric, reasons jsonb)
language sql stable set search_path = '' as $$
  with query as (
    select websearch_to_tsquery('simple', p_folded) as whole,
           (select string_agg(quote_literal(word), '|')::tsquery
            from unnest(tsvector_to_array(to_tsvector('simple',
              regexp_replace(p_folded, '(^|\s)-("[^"]*"?|\S+)', ' ', 'g')))) as word) as any_word
  ), photos as (
    select distinct t.asset_id from query q
    join public.extracted_text t on t.user_id = p_user and to_tsvector('simple', t.folded) @@ q.any_word
  )
  select p.asset_id, round(ts_rank_cd(d.words, q.whole, 32)::numeric, 4), (
    select jsonb_agg(jsonb_build_object('kind', 'text', 'matched', r.text, 'how', 'words') order by r.line)
    from (select s.text, s.line from public.extracted_text s
          where s.asset_id = p.asset_id and to_tsvector('simple', s.folded) @@ q.any_word order by s.line limit 5) r)
  from photos p
  cross join query q
  cross join lateral (
    select to_tsvector('simple', left(string_agg(t.folded, ' ' order by t.frame_ms, t.line), 500000)) as words
    from public.extracted_text t where t.asset_id = p.asset_id and t.user_id = p_user
  ) d
  where d.words @@ q.whole
$$;

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

-- The photos of a user that look like what a vector means, at most 200. An exact look at all vectors of its space: an
-- index would silently lose photos of a user among many. Every photo fits every query somewhat, so only those count
-- that fit at least seven tenths as far above the average photo as the best one does. That follows each query and each
-- model without a number fitted to one. The share itself was chosen on drawn shapes and not measured on real photos,
-- and the rule can't tell a query that fits nothing at all.
--
-- Of a library that was filled just now the planner knows nothing yet. So that it does not go through all photos for
-- each of them, whose a photo is is asked in a way that no index answers, and what is typical is materialised.
create or replace function kizu.match_meaning(p_user uuid, p_vector extensions.halfvec, p_space text)
returns table (asset_id uuid, score numeric, reasons jsonb)
language sql stable set search_path = '' as $$
  with photos as materialized (
    select e.asset_id, max(case when extensions.vector_dims(e.embedding) = extensions.vector_dims(p_vector) then
        nullif(1 - (e.embedding::extensions.halfvec operator(extensions.<=>) p_vector), 'NaN') end) as likeness
    from public.image_embeddings e
    join public.assets a on a.id = e.asset_id and a.user_id is not distinct from p_user and a.missing_since is null
    where e.user_id = p_user and e.space = p_space
    group by e.asset_id
  ), typical as materialized (
    select max(p.likeness) as best, avg(p.likeness) as mean from photos p
  )
  select p.asset_id, round(p.likeness::numeric, 4),
    jsonb_build_array(jsonb_build_object('kind', 'meaning', 'how', 'looks', 'score', round(p.likeness::numeric, 4)))
  from photos p cross join typical t
  where p.likeness >= least(t.mean + 0.7 * (t.best - t.mean), t.best)
  order by p.likeness desc, p.asset_id
  limit 200
$$;

-- Search in the caller's photos: {hits: [...], next}, best first, then newest. At most 200 hits. A hit is {asset_id,
-- file_name, path, taken_local, thumbnail, score, reasons: [{kind: 'text', matched, how: 'words'|'similar'}]}.
--
-- By the words in them: all must occur; without quotes, minus and "or" they may also be parts of words or mistyped.
-- With a vector of the query also by what they show: hits may then have the reason {kind: 'meaning', how: 'looks',
-- score: cosine}. Both lists are interleaved by rank (reciprocal rank fusion), words half a place ahead, so neither
-- can push out the other and a photo of both comes first; `score` is then of use for the order only.
--
-- The one SECURITY DEFINER function: under row level security the text operators, which are not leakproof, could not
-- use their indexes. It takes no user, refuses a caller without one, and every table is filtered by that user.
create or replace function public.kizu_search(
  p_query text, p_limit int default 50, p_after jsonb default null, p_vector real[] default null, p_space text default null)
returns jsonb language plpgsql stable security definer set search_path = '' as $$
declare
  me constant uuid := kizu.uid();
  folded constant text := kizu.fold(coalesce(p_query, ''));
  most constant int := least(greatest(coalesce(p_limit, 50), 1), 200);
  words text[];
  aim extensions.halfvec;
  answer jsonb;
begin
  if me is null then
    raise exception 'Search needs a user.' using errcode = 'insufficient_privilege';
  end if;
  if length(p_query) > 512 then
    raise exception 'A search is at most 512 characters long.' using errcode = 'invalid_parameter_value';
  end if;
  if p_vector is not null then
    aim := kizu.query_vector(me, p_vector, p_space);
  end if;
  select coalesce(array_agg(distinct word), '{}') into words
    from regexp_split_to_table(folded, '[[:space:][:punct:][:cntrl:]]+') as word where word <> '';
  with texts as (
    select m.*, row_number() over (order by m.score desc, a.taken_local desc nulls last, a.id desc) as place
    from (
      select * from kizu.match_expression(me, folded) where folded ~ '"|(^|\s)-\S|\mor\M'
      union all
      select * from kizu.match_words(me, words[1:16]) where folded !~ '"|(^|\s)-\S|\mor\M'
    ) m
    join public.assets a on a.id = m.asset_id and a.user_id = me and a.missing_since is null
  ), meanings as (
    select m.*, row_number() over (order by m.score desc, m.asset_id) as place
    from kizu.match_meaning(me, aim, p_space) m where aim is not null
  ), matches as (
    select asset_id, coalesce(t.reasons, '[]') || coalesce(m.reasons, '[]') as reasons,
      case when aim is null then t.score
      else round(coalesce(1.0 / (60 + t.place), 0) + coalesce(1.0 / (60.5 + m.place), 0), 8) end as score
    from texts t full join meanings m using (asset_id)
  ), page as (
    select m.*, a.file_name, a.taken_local, a.thumbnail, coalesce(a.taken_local, '-infinity') as place
    from matches m join public.assets a on a.id = m.asset_id and a.user_id = me
    where p_after is null or (m.score, coalesce(a.taken_local, '-infinity'), a.id)
          < ((p_after ->> 'score')::numeric, (p_after ->> 'taken')::timestamp, (p_after ->> 'id')::uuid)
    order by m.score desc, place desc, a.id desc
    limit most
  )
  select jsonb_build_object(
    'hits', coalesce(jsonb_agg(jsonb_build_object(
      'asset_id', p.asset_id, 'file_name', p.file_name, 'path', kizu.path_of(p.asset_id), 'taken_local', p.taken_local,
      'thumbnail', p.thumbnail, 'score', p.score, 'reasons', p.reasons) order by p.score desc, p.place desc, p.asset_id desc), '[]'),
    'next', case when count(*) = most then (
      select jsonb_build_object('score', l.score, 'taken', l.place, 'id', l.asset_id)
      from page l order by l.score, l.place, l.asset_id limit 1) end)
  into answer from page p;
  return answer;
end $$;

-- How many of the caller's photos have a vector, by space: {space: photos}.
create or replace function public.kizu_spaces() returns jsonb language sql stable set search_path = '' as $$
  select coalesce(jsonb_object_agg(s.space, s.photos), '{}')
  from (select e.space, count(distinct e.asset_id) as photos from public.image_embeddings e
        where e.user_id = (select kizu.uid()) and e.space is not null group by e.space) s
$$;

select kizu.expose(f::regproc) from unnest(array[
  'kizu.likeness', 'kizu.match_words', 'kizu.match_expression', 'kizu.query_vector', 'kizu.match_meaning']) f;
select kizu.expose(f::regproc, 'authenticated') from unnest(array['public.kizu_search', 'public.kizu_spaces']) f;

insert into kizu.schema_version (version, name) values ('20261123092600', 'search') on conflict do nothing;
notify pgrst, 'reload schema';
