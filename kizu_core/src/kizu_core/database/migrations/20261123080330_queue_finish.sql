-- The verbs of a job's holder besides heartbeat. Each answers 'already' to a call repeated after a lost answer and
-- 'lease_lost' where the job is somebody else's now; then nothing is written. 'cancelled' says that its user took the
-- job back while it ran: it has ended, without results.

-- Where the rows of an operation live; null for operations that leave none.
create or replace function kizu.result_table(p_operation text) returns text
language sql immutable parallel safe set search_path = '' as $$
  select case kizu.base_operation(p_operation) when 'embedding' then 'image_embeddings' when 'faces' then 'face_embeddings'
    when 'objects' then 'detected_objects' when 'ocr' then 'extracted_text' when 'describe' then 'image_descriptions'
    when 'selftest' then 'kizu_selftest_ledger' end
$$;

-- Where the rows of a job about a whole library live; empty for other jobs.
create or replace function kizu.library_tables(p_job_type text) returns text[]
language sql immutable parallel safe set search_path = '' as $$
  select case p_job_type when 'recluster' then array['face_clusters', 'face_reviews']
    when 'generate_moments' then array['moments', 'moment_assets'] else '{}' end
$$;

-- Inserts a list of like rows into a result table. Photo and user are the job's; a row that names others is refused, as
-- is a column that the table does not have. Values are cast to the columns' own types.
create or replace function kizu.insert_results(p_table text, p_job kizu.jobs, p_rows jsonb) returns void
language plpgsql set search_path = '' as $$
declare
  columns text;
  unknown text;
begin
  if exists (select from jsonb_array_elements(p_rows) r
             where coalesce((r ->> 'asset_id')::uuid, p_job.asset_id) <> p_job.asset_id
                or coalesce((r ->> 'user_id')::uuid, p_job.user_id) <> p_job.user_id) then
    raise exception 'A result row is not of the job''s own photo and user.' using errcode = '42501';
  end if;
  select string_agg(quote_ident(k), ', ') filter (where a.attname is not null), min(k) filter (where a.attname is null)
    into columns, unknown
    from (select distinct k from jsonb_array_elements(p_rows) r, jsonb_object_keys(r) k
          where k not in ('id', 'asset_id', 'user_id', 'created_at')) keys
    left join pg_catalog.pg_attribute a on a.attrelid = ('public.' || p_table)::regclass and a.attname = keys.k
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = '';
  if unknown is not null then
    raise exception 'The table "%" has no column "%".', p_table, unknown using errcode = '42703';
  end if;
  execute format('insert into public.%1$I (asset_id, user_id, %2$s)
                  select $1, $2, %2$s from jsonb_populate_recordset(null::public.%1$I, $3)', p_table, columns)
    using p_job.asset_id, p_job.user_id, p_rows;
end $$;

-- Replaces what is stored of one operation of the job's photo: rows and ledger. Vectors of other spaces stay beside the
-- new ones, so that the model can be changed while the old one answers, and back; of everything else there is one version.
-- `p_face_threshold`: see kizu.match_faces; without one, new faces are nobody's.
create or replace function kizu.replace_results(p_job kizu.jobs, p_done jsonb, p_rows jsonb, p_face_threshold float8) returns void
language plpgsql set search_path = '' as $$
declare
  done_operation constant text := kizu.base_operation(p_done ->> 'operation');
  result_table constant text := kizu.result_table(done_operation);
  has_space constant boolean := done_operation in ('embedding', 'faces');
begin
  if done_operation = 'faces' then
    perform kizu.replace_faces(p_job, p_done ->> 'space', p_rows, p_face_threshold);
  elsif result_table is not null then
    execute format('delete from public.%I where asset_id = $1 %s', result_table,
                   case when has_space then 'and (space is null or space is not distinct from $2)' end)
      using p_job.asset_id, p_done ->> 'space';
    perform kizu.insert_results(result_table, p_job, p_rows) where jsonb_array_length(p_rows) > 0;
  end if;
  delete from public.plugin_results r
    where r.asset_id = p_job.asset_id and r.operation = done_operation
      and (not has_space or r.space is not distinct from p_done ->> 'space');
  insert into public.plugin_results
    (asset_id, user_id, operation, plugin, version, space, runtime, source_sha256, found, seconds, error, data)
  values (p_job.asset_id, p_job.user_id, done_operation, p_done ->> 'plugin', p_done ->> 'version', p_done ->> 'space',
    p_done ->> 'runtime', p_job.source_sha256, coalesce((p_done ->> 'found')::int, 0), (p_done ->> 'seconds')::real,
    nullif(p_done -> 'error', 'null'), nullif(p_done -> 'data', 'null'));
end $$;

-- Everything that a completion writes besides the job's own state.
create or replace function kizu.store_results(p_job kizu.jobs, p_payload jsonb) returns void
language plpgsql set search_path = '' as $$
declare
  done jsonb;
  stray text;
begin
  select min(t) into stray from jsonb_object_keys(coalesce(p_payload -> 'rows', '{}')) t
    where t not in (select coalesce(kizu.result_table(o ->> 'operation'), '')
                    from jsonb_array_elements(coalesce(p_payload -> 'operations', '[]')) o)
      and t <> all (kizu.library_tables(p_job.job_type));
  if stray is not null then
    raise exception 'There are rows for "%", but no operation that makes them.', stray using errcode = '22023';
  end if;
  if p_job.job_type = 'selftest' then
    perform kizu.store_selftest(p_job, p_payload -> 'rows' -> 'kizu_selftest_ledger');
  elsif p_job.job_type = 'recluster' then
    perform kizu.store_people(p_job, coalesce(p_payload -> 'rows', '{}'));
  elsif p_job.job_type = 'generate_moments' then
    perform kizu.store_moments(p_job, coalesce(p_payload -> 'rows', '{}'));
  elsif p_job.asset_id is not null then
    for done in select * from jsonb_array_elements(coalesce(p_payload -> 'operations', '[]')) loop
      perform kizu.replace_results(p_job, done, p_payload -> 'rows' -> kizu.result_table(done ->> 'operation'),
                                   (p_payload ->> 'face_threshold')::float8);
    end loop;
    perform kizu.set_asset(p_job, coalesce(p_payload -> 'asset', '{}'));
  end if;
end $$;

-- The columns of a photo that a handler may set. An image job shows the same addresses in the specification's columns.
create or replace function kizu.set_asset(p_job kizu.jobs, p_values jsonb) returns void
language plpgsql set search_path = '' as $$
declare
  unknown text;
begin
  select min(k) into unknown from jsonb_object_keys(p_values) k
    where k not in ('thumbnail', 'web_uri', 'width', 'height', 'orientation', 'mime', 'media_kind', 'metadata');
  if unknown is not null then
    raise exception 'A job may not set the column "%" of a photo.', unknown using errcode = '42703';
  end if;
  if p_values = '{}' then
    return;
  end if;
  update public.assets a set updated_at = now(),
    thumbnail = coalesce(p_values ->> 'thumbnail', a.thumbnail), web_uri = coalesce(p_values ->> 'web_uri', a.web_uri),
    width = coalesce((p_values ->> 'width')::int, a.width), height = coalesce((p_values ->> 'height')::int, a.height),
    orientation = coalesce((p_values ->> 'orientation')::int, a.orientation), mime = coalesce(p_values ->> 'mime', a.mime),
    media_kind = coalesce(p_values ->> 'media_kind', a.media_kind),
    metadata = coalesce(a.metadata, '{}') || coalesce(p_values -> 'metadata', '{}')
  where a.id = p_job.asset_id and a.user_id = p_job.user_id;
  if p_job.table_name = 'image_processing_jobs' then
    update public.image_processing_jobs j set thumbnail_url = coalesce(p_values ->> 'thumbnail', j.thumbnail_url),
      web_url = coalesce(p_values ->> 'web_uri', j.web_url)
    where j.id = p_job.id;
  end if;
end $$;

-- Makes completions for one photo wait for each other (old clients may ask twice for the same). False where the photo is
-- not the user's, also if it became so after the claim.
create or replace function kizu.lock_asset(p_job kizu.jobs) returns boolean language plpgsql set search_path = '' as $$
begin
  perform from public.assets a where a.id = p_job.asset_id and a.user_id = p_job.user_id for no key update;
  return found or p_job.asset_id is null;
end $$;

-- What becomes of a job after a completion: operations may be left for other workers, some may have to be tried again.
-- `result.done` keeps the operations that succeeded over all rounds; a job without any has failed.
create or replace function kizu.settle_completed(
  p_job kizu.jobs, p_finished text[], p_failed text[], p_retry text[], p_payload jsonb) returns void language plpgsql set search_path = '' as $$
declare
  rest text[] := array(select t from unnest(p_job.todo) t where t <> all (p_finished));
  succeeded constant text[] := array(select f from unnest(p_finished) f where f <> all (p_failed));
  result jsonb := coalesce(p_job.result, '{}') || coalesce(p_payload -> 'result', '{}');
  spent constant boolean := cardinality(p_retry) > 0 and p_job.attempt >= p_job.max_attempts;
  reason constant jsonb := coalesce(nullif(p_payload -> 'error', 'null'),
                                    jsonb_path_query_first(p_payload, '$.operations[*].error ? (@ != null)'));
begin
  result := jsonb_set(result, '{done}', coalesce(p_job.result -> 'done', '[]') || to_jsonb(succeeded));
  if spent then
    perform kizu.note_failure(p_job, p_retry, coalesce(reason, '{"code": "job", "message": "It failed too often."}'));
    rest := array(select t from unnest(rest) t where t <> all (p_retry));
  end if;
  if cardinality(rest) > 0 and cardinality(p_retry) > 0 and not spent then
    perform kizu.settle(p_job, 'pending', p_todo => rest, p_delay_s => kizu.backoff(p_job.attempt), p_error => reason,
                        p_result => result);
  elsif cardinality(rest) > 0 then
    perform kizu.settle(p_job, 'pending', p_todo => rest, p_attempt => case when spent then 0 else p_job.attempt - 1 end,
                        p_crashes => 0, p_error => reason, p_result => result);
  elsif spent then
    perform kizu.settle(p_job, 'failed', 'dead', p_todo => p_retry, p_error => reason, p_result => result);
  elsif cardinality(p_failed) > 0 and jsonb_array_length(result -> 'done') = 0 then
    perform kizu.settle(p_job, 'failed', 'invalid', p_todo => p_failed, p_error => reason, p_result => result);
  else
    perform kizu.settle(p_job, 'completed', 'ok', p_todo => '{}', p_error => reason, p_result => result);
  end if;
end $$;

-- The only finisher. `p_payload`: {operations: [{operation, plugin, version, space, runtime, found, seconds, error,
-- data}], rows: {table: [...]}, asset: {column: value}, result: {}, enqueue: [...], retry: [operation], error: {...}}. Results
-- and the job's new state appear together or not at all. Without `operations` and `retry`, all that was claimed is done.
create or replace function public.kizu_complete(p_table text, p_id uuid, p_token uuid, p_payload jsonb) returns text
language plpgsql set search_path = '' as $$
declare
  state text := kizu.hold(p_table, p_id, p_token);
  job constant kizu.jobs := kizu.job(p_table, p_id);
  done constant jsonb := coalesce(p_payload -> 'operations', '[]');
  retry constant text[] := array(select jsonb_array_elements_text(coalesce(p_payload -> 'retry', '[]')));
  finished text[] := array(select distinct d ->> 'operation' from jsonb_array_elements(done) d);
begin
  if state = 'held' and job.cancel_requested_at is not null then
    perform kizu.settle(job, 'failed', 'cancelled');
    return 'cancelled';
  elsif state <> 'held' then
    return state;
  end if;
  if kizu.touches_people(p_payload) then
    perform kizu.lock_people(job.user_id);
  end if;
  if not kizu.lock_asset(job) then
    perform kizu.refuse(p_table, p_id);
    return 'lease_lost';
  end if;
  if cardinality(finished || retry) = 0 then
    finished := coalesce(job.claimed, job.todo);
  end if;
  if not (finished || retry) <@ job.todo or finished && retry then
    raise exception 'The job is for %, not for %.', job.todo, finished || retry using errcode = '22023';
  end if;
  perform kizu.store_results(job, p_payload);
  perform public.kizu_enqueue(e ->> 'table', jsonb_build_array(e || jsonb_build_object('user_id', job.user_id)))
    from jsonb_array_elements(coalesce(p_payload -> 'enqueue', '[]')) e;
  perform kizu.settle_completed(job, finished,
    array(select d ->> 'operation' from jsonb_array_elements(done) d where d -> 'error' <> 'null'), retry, p_payload);
  return 'ok';
end $$;

-- Many completions in one transaction. `p_items`: [{id, token, payload}]; answers [{id, answer}] in that order. What the
-- database refuses of one job ({id, refused}) takes nothing back of the others.
create or replace function public.kizu_complete_many(p_table text, p_items jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  answers jsonb := '[]';
  item record;
begin
  -- Jobs in the order of their ids, then people, then photos: two such calls never wait for each other in a circle.
  execute format('select from public.%I where id in (select (i ->> ''id'')::uuid from jsonb_array_elements($1) i)
                  order by id for update', kizu.job_table(p_table)) using p_items;
  perform kizu.lock_people(u.user_id) from (
    select distinct j.user_id from jsonb_array_elements(p_items) i
    join kizu.jobs j on j.table_name = p_table and j.id = (i ->> 'id')::uuid
    where kizu.touches_people(i -> 'payload') order by 1) u;
  for item in
    select i.id, i.token, i.payload from jsonb_to_recordset(p_items) as i (id uuid, token uuid, payload jsonb)
    left join kizu.jobs j on j.table_name = p_table and j.id = i.id order by j.asset_id, i.id
  loop
    begin
      answers := answers || jsonb_build_object('id', item.id,
        'answer', public.kizu_complete(p_table, item.id, item.token, item.payload));
    exception
      when transaction_rollback or insufficient_resources or operator_intervention or lock_not_available then
        raise; -- a deadlock, a full disk: no job's fault, so all of it is to be repeated
      when others then
        answers := answers || jsonb_build_object('id', item.id, 'refused', sqlerrm);
    end;
  end loop;
  return (select jsonb_agg(a order by i.n) from jsonb_array_elements(p_items) with ordinality i (item, n)
          join jsonb_array_elements(answers) a on a ->> 'id' = i.item ->> 'id');
end $$;

-- The claimed part failed. `p_error`: {code, message, hint, retryable, crashed, operations}. Two crashes are tried again
-- at once (the worker runs such a job alone), the third is the end. Else the database decides on the delay, unless the
-- storage has named one (`p_retry_s`).
create or replace function public.kizu_fail(p_table text, p_id uuid, p_token uuid, p_error jsonb, p_retry_s real default null)
returns text language plpgsql set search_path = '' as $$
declare
  state constant text := kizu.hold(p_table, p_id, p_token);
  job constant kizu.jobs := kizu.job(p_table, p_id);
  crashed constant boolean := coalesce((p_error ->> 'crashed')::boolean, false);
  crashes constant int := job.crash_count + crashed::int;
begin
  if state <> 'held' then
    return state;
  elsif job.cancel_requested_at is not null then
    perform kizu.settle(job, 'failed', 'cancelled', p_error => p_error);
    return 'cancelled';
  elsif not crashed and not coalesce((p_error ->> 'retryable')::boolean, false) then
    perform kizu.give_up(job, 'invalid', p_error);
    return 'invalid';
  elsif job.attempt >= job.max_attempts or crashed and crashes >= 3 then
    perform kizu.give_up(job, 'dead', p_error);
    return 'dead';
  end if;
  perform kizu.settle(job, 'pending', p_crashes => crashes, p_error => p_error,
    p_delay_s => case when not crashed then coalesce(p_retry_s, kizu.backoff(job.attempt)) end);
  return 'retry';
end $$;

-- Gives a job back as if it had never been claimed; it is not claimed again before `p_delay_s` seconds (the disk of its
-- photo is away, say).
create or replace function public.kizu_release(p_table text, p_id uuid, p_token uuid, p_delay_s real default null)
returns text language plpgsql set search_path = '' as $$
declare
  state constant text := kizu.hold(p_table, p_id, p_token);
  job constant kizu.jobs := kizu.job(p_table, p_id);
begin
  if state <> 'held' then
    return state;
  elsif job.cancel_requested_at is not null then
    perform kizu.settle(job, 'failed', 'cancelled');
  else
    perform kizu.settle(job, 'pending', p_attempt => greatest(job.attempt - 1, 0), p_delay_s => p_delay_s);
  end if;
  return 'ok';
end $$;

-- Takes jobs away from holders that were not heard of in time; every worker calls it, none leads. A row that an old
-- client marked has no lease: 15 minutes after its start count as one. Returns how many.
create or replace function public.kizu_reap(p_limit int default 100) returns int
language plpgsql set search_path = '' as $$
declare
  reaped int := 0;
  job_table text;
  expired uuid;
begin
  foreach job_table in array array['ai_processing_jobs', 'image_processing_jobs'] loop
    for expired in execute format($sql$
      select id from public.%I
      where status = 'processing'
        and clock_timestamp() > coalesce(lease_until, coalesce(picked_up_at, %s created_at) + interval '15 min')
      order by lease_until limit $1 for update skip locked
    $sql$, job_table, case job_table when 'image_processing_jobs' then 'started_at,' else '' end) using p_limit loop
      perform kizu.take_away(kizu.job(job_table, expired));
      reaped := reaped + 1;
    end loop;
  end loop;
  return reaped;
end $$;

create or replace function kizu.take_away(p_job kizu.jobs) returns void
language plpgsql set search_path = '' as $$
declare
  reason constant jsonb := jsonb_build_object('code', 'lease_expired', 'retryable', true,
    'message', format('The worker "%s" was not heard of in time.', coalesce(p_job.worker_id, '?')));
begin
  if p_job.cancel_requested_at is not null then
    perform kizu.settle(p_job, 'failed', 'cancelled', p_taken_away => true);
  elsif p_job.attempt >= p_job.max_attempts then
    perform kizu.give_up(p_job, 'dead', reason, p_taken_away => true);
  else
    -- No delay: the lease was one.
    perform kizu.settle(p_job, 'pending', p_error => reason, p_taken_away => true);
  end if;
end $$;

select kizu.expose(f, 'service_role') from unnest(array[
  'kizu.result_table', 'kizu.insert_results', 'kizu.replace_results', 'kizu.store_results', 'kizu.set_asset',
  'kizu.settle_completed', 'kizu.take_away', 'kizu.lock_asset', 'public.kizu_complete',
  'public.kizu_complete_many', 'public.kizu_fail',
  'public.kizu_release', 'public.kizu_reap']::regproc[]) f;
select kizu.expose('kizu.library_tables', 'authenticated', 'service_role');

insert into kizu.schema_version (version, name) values ('20261123080330', 'queue_finish') on conflict do nothing;
notify pgrst, 'reload schema';
