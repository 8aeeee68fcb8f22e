-- Which model's vectors answer: for embedders (search) and face models (people), of the whole database.

-- A space that photos have vectors of, or are to have. `settings`: values of the model's own settings, by environment
-- name, so that it can be set up as it was whatever the environment says today.
create table if not exists public.kizu_models (
  kind text not null, -- embedder | face
  space text not null,
  model text not null,
  settings jsonb not null default '{}',
  state text not null, -- active: answers; next: is being filled; previous: answered before; old
  since timestamptz not null default now(),
  primary key (kind, space)
);
create unique index if not exists kizu_kizu_models_state on public.kizu_models (kind, state) where state <> 'old';
select kizu.protect('kizu_models', 'true');

-- The space of a kind in a state, of all users. Null while nothing was recorded.
create or replace function kizu.space_in(p_kind text, p_state text) returns text
language sql stable set search_path = '' as $$
  select m.space from public.kizu_models m where m.kind = p_kind and m.state = p_state
$$;

-- The space that answers a user: the one in use; where none was recorded, that of the newest vector.
create or replace function kizu.active_space(p_user uuid, p_kind text) returns text
language plpgsql stable set search_path = '' as $$
begin
  return coalesce(kizu.space_in(p_kind, 'active'), case p_kind
    when 'face' then (select f.space from public.face_embeddings f where f.user_id = p_user and f.space is not null
                      order by f.created_at desc, f.space limit 1)
    else (select e.space from public.image_embeddings e where e.user_id = p_user and e.space is not null
          order by e.created_at desc, e.space limit 1) end);
end $$;

select kizu.expose(f, 'authenticated', 'service_role')
  from unnest(array['kizu.space_in', 'kizu.active_space']::regproc[]) f;

insert into kizu.schema_version (version, name) values ('20261123092050', 'spaces') on conflict do nothing;
notify pgrst, 'reload schema';
