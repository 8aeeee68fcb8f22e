-- The change to another model: its space is filled behind the one that answers, then both change places in one
-- transaction. For embedders (search) and face models (people); of the whole database, all users.

create or replace function kizu.operation_of(p_kind text) returns text
language sql immutable parallel safe set search_path = '' as $$
  select case p_kind when 'embedder' then 'embedding' when 'face' then 'faces' end
$$;

-- All that is known: [{kind, space, model, settings, state, since}].
create or replace function public.kizu_models_known() returns jsonb language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(to_jsonb(m) order by m.kind, m.since desc), '[]') from public.kizu_models m
$$;

-- The first model of a kind that is used becomes the one that answers. The same space from another plugin, or by other
-- settings, is the same: the record follows. Another space changes nothing. Answers with the record that holds.
create or replace function public.kizu_model_adopt(p_kind text, p_space text, p_model text, p_settings jsonb default '{}')
returns jsonb language plpgsql set search_path = '' as $$
begin
  if exists (select from public.kizu_models m where m.kind = p_kind and m.state = 'active' and m.space = p_space
             and m.model = p_model and m.settings = p_settings) then
    null; -- nothing to write, which is so nearly always
  else
    insert into public.kizu_models as m (kind, space, model, settings, state)
      select p_kind, p_space, p_model, p_settings, 'active'
      where coalesce(kizu.space_in(p_kind, 'active'), p_space) = p_space
      on conflict (kind, space) do update set model = excluded.model, settings = excluded.settings
        where m.state = 'active';
  end if;
  return (select to_jsonb(m) from public.kizu_models m where m.kind = p_kind and m.state = 'active');
exception when unique_violation then -- another worker was quicker
  return (select to_jsonb(m) from public.kizu_models m where m.kind = p_kind and m.state = 'active');
end $$;

-- From now on the space of this model is filled. One that was being filled is given up; what it has stays.
create or replace function public.kizu_model_next(p_kind text, p_space text, p_model text, p_settings jsonb default '{}')
returns void language plpgsql set search_path = '' as $$
begin
  if kizu.operation_of(p_kind) is null or kizu.space_in(p_kind, 'active') is null then
    raise exception 'No model of the kind % is in use yet.', p_kind using errcode = 'invalid_parameter_value';
  elsif kizu.space_in(p_kind, 'active') = p_space then
    raise exception 'The space % answers already.', p_space using errcode = 'invalid_parameter_value';
  end if;
  update public.kizu_models m set state = 'old' where m.kind = p_kind and m.state = 'next' and m.space <> p_space;
  insert into public.kizu_models as m (kind, space, model, settings, state)
    values (p_kind, p_space, p_model, p_settings, 'next')
    on conflict (kind, space) do update
      set model = excluded.model, settings = excluded.settings, state = 'next', since = now();
end $$;

-- The space that was to be next is filled no further; what it has stays until it is pruned. Jobs for it end.
create or replace function public.kizu_model_cancel(p_kind text) returns int
language plpgsql set search_path = '' as $$
declare
  waiting uuid[];
begin
  update public.kizu_models m set state = 'old' where m.kind = p_kind and m.state = 'next';
  select array_agg(j.id) into waiting from public.ai_processing_jobs j
    where j.job_type = 'next_model' and j.status = 'pending' and 'next-' || kizu.operation_of(p_kind) = any (j.todo);
  return public.kizu_cancel('ai_processing_jobs', coalesce(waiting, '{}'));
end $$;

-- Photos that the active space knows and the next one has not seen, or not as they are now. Missing photos are not
-- counted: nobody sees them, and they are done when they return. One that failed for good was seen.
create or replace function kizu.photos_left(p_kind text) returns bigint
language sql stable set search_path = '' as $$
  select count(*) from public.plugin_results r
  join public.assets a on a.id = r.asset_id and a.missing_since is null
  where r.operation = kizu.operation_of(p_kind) and r.space = kizu.space_in(p_kind, 'active') and r.frame_ms = 0
    and r.error is null and not exists (
      select from public.plugin_results n
      where n.asset_id = r.asset_id and n.operation = r.operation and n.space = kizu.space_in(p_kind, 'next')
        and n.frame_ms = 0 and n.source_sha256 is not distinct from a.sha256)
$$;

-- What a change means: {photos: that have vectors of the active space, left: of them without one of the next,
-- seconds: median of one photo in the active space}.
create or replace function public.kizu_model_progress(p_kind text) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('left', kizu.photos_left(p_kind), 'photos', count(*),
    'seconds', percentile_cont(0.5) within group (order by r.seconds))
  from public.plugin_results r join public.assets a on a.id = r.asset_id and a.missing_since is null
  where r.operation = kizu.operation_of(p_kind) and r.space = kizu.space_in(p_kind, 'active') and r.frame_ms = 0
    and r.error is null
$$;

-- The next space answers and the active one becomes the previous, if no photo is left behind (or `p_anyway`):
-- {switched, left}. People follow their faces (kizu.people_in_space).
create or replace function public.kizu_model_switch(p_kind text, p_anyway boolean default false) returns jsonb
language plpgsql set search_path = '' as $$
declare
  target text;
  behind bigint;
begin
  perform from public.kizu_models m where m.kind = p_kind order by m.space for update;
  target := kizu.space_in(p_kind, 'next');
  if target is null then
    raise exception 'Nothing is prepared to switch to.' using errcode = 'invalid_parameter_value';
  end if;
  behind := kizu.photos_left(p_kind);
  if behind > 0 and not p_anyway then
    return jsonb_build_object('switched', false, 'left', behind);
  end if;
  update public.kizu_models m set state = 'old' where m.kind = p_kind and m.state = 'previous';
  update public.kizu_models m set state = 'previous', since = now() where m.kind = p_kind and m.state = 'active';
  update public.kizu_models m set state = 'active', since = now() where m.kind = p_kind and m.space = target;
  if p_kind = 'face' then
    perform kizu.people_in_space(p.id, target) from public.profiles p;
  end if;
  return jsonb_build_object('switched', true, 'left', behind);
end $$;

-- Removes at most `p_limit` photos' vectors of spaces that neither answer nor are being filled: {photos, more}. Then the
-- way back is a new change.
create or replace function public.kizu_model_prune(p_kind text, p_limit int default 5000) returns jsonb
language plpgsql set search_path = '' as $$
declare
  gone uuid[];
  unused constant text[] := array(select m.space from public.kizu_models m
    where m.kind = p_kind and m.state in ('previous', 'old'));
begin
  gone := array(select r.asset_id from public.plugin_results r
    where r.operation = kizu.operation_of(p_kind) and r.space = any (unused) limit p_limit);
  execute format('delete from public.%I e where e.asset_id = any ($1) and e.space = any ($2)',
                 kizu.result_table(kizu.operation_of(p_kind))) using gone, unused;
  delete from public.plugin_results r
    where r.asset_id = any (gone) and r.operation = kizu.operation_of(p_kind) and r.space = any (unused);
  if cardinality(gone) = 0 then
    delete from public.kizu_models m where m.kind = p_kind and m.space = any (unused);
  end if;
  return jsonb_build_object('photos', cardinality(gone), 'more', cardinality(gone) > 0);
end $$;

select kizu.expose('public.kizu_models_known', 'authenticated', 'service_role');
select kizu.expose(f, 'service_role') from unnest(array['kizu.operation_of', 'kizu.photos_left', 'public.kizu_model_adopt',
  'public.kizu_model_next', 'public.kizu_model_cancel', 'public.kizu_model_progress', 'public.kizu_model_switch',
  'public.kizu_model_prune']::regproc[]) f;

insert into kizu.schema_version (version, name) values ('20261123092400', 'switch') on conflict do nothing;
notify pgrst, 'reload schema';
