-- A worker that died need not be waited for by those who can see that: the others on its machine.

-- Takes away what a worker holds, if it is still the one that said `p_info` of itself: a worker started again under the
-- same id has another number. It is forgotten once it holds nothing: a last call of it may still be on its way, and what
-- that claims or locks is found at the next look. Returns how many jobs.
create or replace function public.kizu_bury(p_worker text, p_info jsonb) returns int
language plpgsql set search_path = '' as $$
declare
  taken int := 0;
  job_table text;
  held uuid;
begin
  perform from public.kizu_workers w where w.id = p_worker and not exists (
    select from unnest(array['place', 'pid', 'started']) k
    where w.info -> k is null or w.info -> k is distinct from p_info -> k) for update;
  if not found then
    return 0;
  end if;
  foreach job_table in array array['ai_processing_jobs', 'image_processing_jobs'] loop
    for held in execute format($sql$
      select id from public.%I where status = 'processing' and worker_id = $1 for update skip locked
    $sql$, job_table) using p_worker loop
      perform kizu.take_away(kizu.job(job_table, held));
      taken := taken + 1;
    end loop;
  end loop;
  if taken = 0 then
    delete from public.kizu_workers where id = p_worker;
  end if;
  return taken;
end $$;

select kizu.expose('public.kizu_bury', 'service_role');

insert into kizu.schema_version (version, name) values ('20261123090010', 'neighbours') on conflict do nothing;
notify pgrst, 'reload schema';
