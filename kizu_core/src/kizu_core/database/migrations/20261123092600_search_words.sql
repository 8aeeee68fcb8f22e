-- The words of a search: what stands in pictures, in captions and in file names.

-- The words are stored: taking a text apart costs more than looking it up, and a common word is in most of them.
alter table public.extracted_text
  add column if not exists words tsvector generated always as (to_tsvector('simple', kizu.fold(text))) stored;
alter table public.image_descriptions
  add column if not exists folded text generated always as (kizu.fold(description)) stored,
  add column if not exists words tsvector generated always as (to_tsvector('simple', kizu.fold(description))) stored;
create index if not exists kizu_extracted_text_words on public.extracted_text using gin (words);
create index if not exists kizu_extracted_text_similar on public.extracted_text using gin (folded extensions.gin_trgm_ops);
create index if not exists kizu_image_descriptions_words on public.image_descriptions using gin (words);
create index if not exists kizu_image_descriptions_similar on public.image_descriptions
  using gin (folded extensions.gin_trgm_ops);
create index if not exists kizu_assets_names on public.assets using gin (kizu.fold(file_name) extensions.gin_trgm_ops);

-- Loads pg_trgm into this session: who is no superuser can set parameters of a loaded extension only.
select extensions.show_limit();

-- The words of a folded text, at most 16. A single letter says nothing beside other words.
create or replace function kizu.words(p_folded text) returns text[]
language sql immutable parallel safe set search_path = '' as $$
  with found as (
    select distinct word from regexp_split_to_table(p_folded, '[[:space:][:punct:][:cntrl:]]+') as word where word <> ''
  )
  select coalesce((array_agg(f.word order by f.word))[1:16], '{}') from found f
  where octet_length(f.word) > 1 or not exists (select from found o where octet_length(o.word) > 1)
$$;

-- Ways to say it, any of which will do ("this or that"), each the words that must all be there.
create or replace function kizu.ways(p_folded text) returns table (way bigint, word text)
language sql immutable parallel safe set search_path = '' as $$
  select w.number, unnest(kizu.words(w.part))
  from regexp_split_to_table(p_folded, '\mor\M') with ordinality as w (part, number)
  where w.number <= 4
$$;

-- How like a span of text a word is: 1 the word itself, 0.9 the start of a word, 0.8 a part of one, else what is left of
-- it after typing errors. Short words have too few letters to be mistyped and still be meant.
create or replace function kizu.likeness(p_word text, p_folded text) returns real
language plpgsql immutable strict parallel safe set search_path = '' as $$
declare
  alike real;
begin
  if strpos(p_folded, p_word) > 0 then
    return case
      when to_tsvector('simple', p_folded) @@ (quote_literal(p_word))::tsquery then 1
      when octet_length(p_word) < 3 then 0
      when to_tsvector('simple', p_folded) @@ (quote_literal(p_word) || ':*')::tsquery then 0.9
      else 0.8 end;
  end if;
  alike := extensions.word_similarity(p_word, p_folded);
  return case when length(p_word) >= 6 and alike >= 0.4 or length(p_word) >= 4 and alike >= 0.5
    then alike * 0.8 else 0 end;
end $$;

-- The photos of a user that have a word in a text ('text') or in a caption ('caption'), and how like it. Parts of words
-- and typing errors are looked for only if few photos have it as it was typed: it is slow, and for a common word noise.
create or replace function kizu.match_word(p_user uuid, p_word text)
returns table (asset_id uuid, kind text, score real)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan
set pg_trgm.word_similarity_threshold = 0.4 as $$
declare
  few constant int := 200;
  whole constant tsquery := quote_literal(p_word)::tsquery;
  -- Less than three bytes are no trigram of letters, and not one character of the scripts that write without spaces.
  start constant tsquery := case when octet_length(p_word) >= 3 then quote_literal(p_word) || ':*' else quote_literal(p_word) end;
  part constant text := case when octet_length(p_word) >= 3 then '%' || p_word || '%' end;
  typed constant text := case when length(p_word) >= 4 then p_word end;
  found bigint;
begin
  return query
    select t.asset_id, 'text', case when t.words @@ whole then 1 else 0.9 end::real from public.extracted_text t
      where t.user_id = p_user and t.words @@ start
    union all select d.asset_id, 'caption', case when d.words @@ whole then 1 else 0.9 end::real
      from public.image_descriptions d where d.user_id = p_user and d.words @@ start;
  get diagnostics found = row_count;
  if found < few then
    return query
      select s.asset_id, s.kind, s.score from (
        select t.asset_id, 'text' as kind, kizu.likeness(p_word, t.folded) as score from public.extracted_text t
          where t.user_id = p_user and (t.folded like part or typed operator(extensions.<%) t.folded)
        union all select d.asset_id, 'caption', kizu.likeness(p_word, d.folded) from public.image_descriptions d
          where d.user_id = p_user and (d.folded like part or typed operator(extensions.<%) d.folded)
      ) s where s.score > 0;
  end if;
end $$;

-- The photos in whose text and caption together every word of one of the ways occurs, perhaps mistyped or as part of a
-- word. `kind` is where the better half of it stands.
create or replace function kizu.match_words(p_user uuid, p_folded text)
returns table (asset_id uuid, kind text, score real)
language sql stable set search_path = '' as $$
  with ways as materialized (
    select w.way, w.word, count(*) over (partition by w.way) as words from kizu.ways(p_folded) w
  ), found as materialized (
    select w.word, m.asset_id, max(m.score) filter (where m.kind = 'text') as by_text,
           max(m.score) filter (where m.kind = 'caption') as by_caption
    from (select distinct word from ways) w cross join lateral kizu.match_word(p_user, w.word) m
    group by w.word, m.asset_id
  ), whole as (
    select f.asset_id, avg(greatest(f.by_text, f.by_caption)) as score,
           avg(coalesce(f.by_text, 0)) >= avg(coalesce(f.by_caption, 0)) as in_text
    from ways w join found f on f.word = w.word
    group by w.way, w.words, f.asset_id
    having count(*) = w.words
  )
  select w.asset_id, case when bool_or(w.in_text) then 'text' else 'caption' end, max(w.score)::real
  from whole w group by w.asset_id
$$;

-- The photos that have a phrase, its words one after the other: in their text, which may run over several spans, or in
-- their caption.
create or replace function kizu.match_phrase(p_user uuid, p_folded text) returns table (asset_id uuid)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  phrase constant tsquery := phraseto_tsquery('simple', p_folded);
  lexemes constant text[] := tsvector_to_array(to_tsvector('simple', p_folded));
begin
  return query
    select d.asset_id from public.image_descriptions d
      where d.user_id = p_user and d.words @@ phrase
    union
    select p.asset_id
    from (select w.word, t.asset_id from unnest(lexemes) as w (word)
          join public.extracted_text t
            on t.user_id = p_user and t.words @@ quote_literal(w.word)::tsquery
          group by w.word, t.asset_id) p
    cross join lateral (
      select to_tsvector('simple', left(string_agg(t.folded, ' ' order by t.frame_ms, t.line), 500000)) as words
      from public.extracted_text t where t.asset_id = p.asset_id and t.user_id = p_user) whole
    group by p.asset_id, whole.words
    having count(*) = cardinality(lexemes) and whole.words @@ phrase;
end $$;

-- The photos in whose file name a word stands, as somebody types it who knows the name: one word, four letters or more.
create or replace function kizu.match_name(p_user uuid, p_folded text) returns table (asset_id uuid)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  return query
    select a.id from public.assets a
    where a.user_id = p_user and kizu.fold(a.file_name) like '%' || replace(p_folded, '_', '\_') || '%'
      and p_folded ~ '^[[:alnum:]._-]{4,}$';
end $$;

-- Where a photo says it: [{kind, matched, how: 'words'|'similar', score}], the best first, at most 5.
create or replace function kizu.word_reasons(p_user uuid, p_asset uuid, p_words text[]) returns jsonb
language sql stable set search_path = '' as $$
  with spans as (
    select 'text' as kind, t.text as said, t.folded from public.extracted_text t
      where t.asset_id = p_asset and t.user_id = p_user
    union all select 'caption', d.description, d.folded from public.image_descriptions d
      where d.asset_id = p_asset and d.user_id = p_user
  ), likely as (
    select s.kind, s.said, max(kizu.likeness(w.word, s.folded)) as score
    from spans s cross join unnest(p_words) as w (word)
    group by s.kind, s.said
    having max(kizu.likeness(w.word, s.folded)) > 0
    order by score desc, s.kind desc, s.said
    limit 5
  )
  select coalesce(jsonb_agg(jsonb_build_object('kind', l.kind, 'matched', l.said, 'score', l.score,
    'how', case when l.score = 1 then 'words' else 'similar' end) order by l.score desc, l.kind desc, l.said), '[]')
  from likely l
$$;

select kizu.expose(f::regproc) from unnest(array[
  'kizu.words', 'kizu.ways', 'kizu.likeness', 'kizu.match_word', 'kizu.match_words', 'kizu.match_phrase',
  'kizu.match_name', 'kizu.word_reasons']) f;

insert into kizu.schema_version (version, name) values ('20261123092600', 'search_words') on conflict do nothing;
notify pgrst, 'reload schema';
