-- Taking jobs. A claim walks the index of its table by jumps and locks only the rows that it takes, skipping those that
-- others hold: no claim ever waits for another one. Time is the database's own.

-- The two job tables are the only names that ever reach dynamic SQL.
create or replace function kizu.job_table(p_table text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  if p_table is null or p_table not in ('ai_processing_jobs', 'image_processing_jobs') then
    raise exception 'There is no job table "%".', p_table using errcode = '22023';
  end if;
  return p_table;
end $$;

-- Whose turn it is: users with a due job that one of `p_can` can do, within the best priority class that has any. Who
-- has least running goes first, then who was served longest ago. With more than 64 users waiting it looks at 64 of
-- them, starting anywhere (`p_start`), so that the cost of a claim has a limit.
create or replace function kizu.turns(p_table text, p_can text[], p_start uuid, p_now float8)
returns table (needs text, priority smallint, user_id uuid) language plpgsql stable set search_path = '' as $$
begin
  return query execute format($sql$
    with recursive waiting (needs) as (
      (select j.needs from public.%1$I j where j.status = 'pending' order by j.needs limit 1)
      union all
      select (select j.needs from public.%1$I j where j.status = 'pending' and j.needs > w.needs order by j.needs limit 1)
      from waiting w where w.needs is not null
    ), able as materialized (
      select w.needs, (
        select j.priority from public.%1$I j where j.status = 'pending' and j.needs = w.needs and j.claim_order <= $3
        order by j.priority, j.user_id limit 1) as priority
      from waiting w where string_to_array(split_part(w.needs, ':', 2), ',') && $1
    ), seat (needs, priority, first, user_id, number) as (
      select a.needs, a.priority, null::uuid, $2, 0 from able a where a.priority = (select min(b.priority) from able b)
      union all
      select s.needs, s.priority, coalesce(s.first, n.user_id), n.user_id, s.number + 1
      from seat s cross join lateral (select coalesce(
        (select j.user_id from public.%1$I j where j.status = 'pending' and j.needs = s.needs and j.priority = s.priority
           and j.user_id > s.user_id and j.claim_order <= $3 order by j.user_id limit 1),
        (select j.user_id from public.%1$I j where j.status = 'pending' and j.needs = s.needs and j.priority = s.priority
           and j.claim_order <= $3 order by j.user_id limit 1)) as user_id) n
      where s.number < 64 and n.user_id is not null and n.user_id is distinct from s.first
    )
    select s.needs, s.priority, s.user_id from seat s where s.number > 0
    order by (select count(*) from public.%1$I j where j.status = 'processing' and j.user_id = s.user_id),
      (select max(j.picked_up_at) from public.%1$I j where j.user_id = s.user_id and j.picked_up_at is not null) nulls first,
      s.user_id, s.needs
  $sql$, kizu.job_table(p_table)) using p_can, p_start, p_now;
end $$;

-- Locks and marks up to `p_limit` jobs from the head of one user's line. `forged`: it names a photo that is not its
-- user's, or none where it needs one; such a job never reaches a worker. `p_claim`: {worker, request, can, lease_s}.
create or replace function kizu.take(
  p_table text, p_needs text, p_priority smallint, p_user uuid, p_now float8, p_limit int, p_claim jsonb)
returns table (id uuid, forged boolean) language plpgsql set search_path = '' as $$
declare
  is_image constant boolean := kizu.job_table(p_table) = 'image_processing_jobs';
begin
  -- MATERIALIZED, or the planner may run the limited part again and update more rows than the limit.
  return query execute format($sql$
    with head as materialized (
      select j.id from public.%1$I j
      where j.status = 'pending' and j.needs = $1 and j.priority = $2 and j.user_id = $3 and j.claim_order <= $4
      order by j.claim_order limit $5 for update skip locked)
    update public.%1$I j set status = 'processing', attempt = j.attempt + 1, progress = 0,
      worker_id = $6 ->> 'worker', claim_request = ($6 ->> 'request')::uuid, lease_token = gen_random_uuid(),
      lease_until = clock_timestamp() + make_interval(secs => ($6 ->> 'lease_s')::int),
      heartbeat_at = clock_timestamp(), picked_up_at = clock_timestamp() %2$s,
      claimed = array(select t from unnest(j.todo) t where $6 -> 'can' ? t),
      source_sha256 = (select a.sha256 from public.assets a where a.id = j.asset_id and a.user_id = j.user_id)
    from head where j.id = head.id
    returning j.id, case when j.asset_id is null then %3$s else not exists (
      select from public.assets a where a.id = j.asset_id and a.user_id = j.user_id) end
  $sql$, p_table, case when is_image then ', started_at = clock_timestamp()' else '' end,
    case when is_image then 'true' else 'j.job_type = ''image_ai''' end)
  using p_needs, p_priority, p_user, p_now, p_limit, p_claim;
end $$;

-- Fills a batch from one priority class, turn by turn. A user alone gets all of it; several share it evenly: what one
-- who has little leaves over is shared again in the next round.
create or replace function kizu.pick(p_table text, p_can text[], p_limit int, p_claim jsonb) returns uuid[]
language plpgsql set search_path = '' as $$
declare
  line_now constant float8 := extract(epoch from clock_timestamp());
  picked uuid[] := '{}';
  class smallint;
  places int;
  moved boolean;
  turn record;
  job record;
begin
  loop
    moved := false;
    places := p_limit - cardinality(picked);
    for turn in
      select t.*, count(*) over () as seats
      from kizu.turns(p_table, p_can, (p_claim ->> 'request')::uuid, line_now) t
    loop
      class := coalesce(class, turn.priority);
      exit when turn.priority <> class or cardinality(picked) >= p_limit;
      for job in
        select * from kizu.take(p_table, turn.needs, turn.priority, turn.user_id, line_now,
                                least(ceil(places::numeric / turn.seats)::int, p_limit - cardinality(picked)), p_claim)
      loop
        moved := true;
        if job.forged then
          perform kizu.refuse(p_table, job.id);
        else
          picked := picked || job.id;
        end if;
      end loop;
    end loop;
    exit when not moved or cardinality(picked) >= p_limit;
  end loop;
  return picked;
end $$;

-- What a worker gets to know of its jobs. `todo` is the part that it can do; `files` are the places on disk that hold
-- exactly the asset's content, those under a root that is there first.
create or replace function kizu.claim_answer(p_table text, p_ids uuid[]) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', j.id, 'table', j.table_name, 'job_type', j.job_type, 'user_id', j.user_id, 'asset_id', j.asset_id,
    'params', coalesce(j.params, '{}'), 'todo', j.claimed, 'attempt', j.attempt, 'max_attempts', j.max_attempts,
    'crash_count', j.crash_count, 'lease_token', j.lease_token, 'url', j.url, 'input_orientation', j.input_orientation,
    'needs_web_version', j.needs_web_version, 'asset', to_jsonb(a) - 'metadata', 'files', coalesce(f.files, '[]'))
    order by array_position(p_ids, j.id)), '[]')
  from kizu.jobs j
  left join public.assets a on a.id = j.asset_id and a.user_id = j.user_id
  left join lateral (
    select jsonb_agg(jsonb_build_object('root', r.path, 'path', f.path, 'size', f.size)
                     order by r.state = 'online' desc, f.id) as files
    from public.asset_files f join public.library_roots r on r.id = f.root_id and r.user_id = f.user_id
    where f.asset_id = a.id and f.user_id = a.user_id and f.missing_since is null and f.sha256 = a.sha256) f on true
  where j.table_name = p_table and j.id = any (p_ids)
$$;

-- Up to `p_limit` jobs of one table for one worker. `p_can`: entries of `todo` that it can do. `p_request` names the
-- call: repeated after a lost answer, it returns the same jobs.
create or replace function public.kizu_claim(
  p_table text, p_worker text, p_request uuid, p_can text[], p_limit int, p_lease_s int) returns jsonb
language plpgsql set search_path = '' as $$
declare
  ids uuid[];
  claim constant jsonb := jsonb_build_object(
    'worker', p_worker, 'request', p_request, 'can', to_jsonb(p_can), 'lease_s', p_lease_s);
begin
  -- Waits for nobody but an earlier, still running call of the same request.
  perform pg_advisory_xact_lock(hashtextextended('kizu_claim ' || p_request, 0));
  execute format('select array_agg(id) from public.%I where status = ''processing'' and claim_request = $1',
                 kizu.job_table(p_table)) into ids using p_request;
  ids := coalesce(ids, kizu.pick(p_table, p_can, least(p_limit, 100), claim));
  return kizu.claim_answer(p_table, ids);
end $$;

-- Extends leases and writes progress, many jobs in one call. Answers for each: ok, lost, or cancel (its user took it
-- back). Locks in the order of the ids, as everything does that locks several jobs. A job that somebody holds locked is
-- passed over, and still its holder's: its completion may take minutes, and nobody reaps a locked row.
create or replace function public.kizu_heartbeat(p_worker text, p_items jsonb, p_lease_s int) returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := '[]';
  part jsonb;
  job_table text;
begin
  update public.kizu_workers set beat_at = clock_timestamp() where id = p_worker;
  for job_table in select distinct i ->> 'table' from jsonb_array_elements(p_items) i order by 1 loop
    execute format($sql$
      with item as materialized (
        select i.id, i.token, i.progress, i.step
        from jsonb_to_recordset($1) as i ("table" text, id uuid, token uuid, progress int, step text) where i."table" = %1$L
      ), held as materialized (
        select j.id, i.progress, i.step from public.%1$I j join item i on j.id = i.id and j.lease_token = i.token
        where j.status = 'processing' order by j.id for update of j skip locked
      ), beaten as (
        update public.%1$I j set lease_until = clock_timestamp() + make_interval(secs => $2),
          heartbeat_at = clock_timestamp(), current_step = coalesce(left(h.step, 40), j.current_step),
          progress = greatest(j.progress, least(h.progress, 99)) -- 100 comes with completion only
        from held h where j.id = h.id returning j.id, j.cancel_requested_at)
      select jsonb_agg(jsonb_build_object('id', i.id, 'state',
        case when b.cancel_requested_at is not null then 'cancel' when b.id is not null or j.id is not null then 'ok'
          else 'lost' end))
      from item i left join beaten b on b.id = i.id
      left join public.%1$I j on j.id = i.id and j.lease_token = i.token and j.status = 'processing'
    $sql$, kizu.job_table(job_table)) into part using p_items, p_lease_s;
    answer := answer || part;
  end loop;
  return answer;
end $$;

select kizu.expose(f, 'service_role') from unnest(array[
  'kizu.job_table', 'kizu.turns', 'kizu.take', 'kizu.pick', 'kizu.claim_answer',
  'public.kizu_claim', 'public.kizu_heartbeat']::regproc[]) f;

insert into kizu.schema_version (version, name) values ('20261123080320', 'queue_claim') on conflict do nothing;
notify pgrst, 'reload schema';
