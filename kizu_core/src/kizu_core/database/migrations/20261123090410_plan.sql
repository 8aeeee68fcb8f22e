-- What a run will have to do, before it begins: operation -> photos that are in the library already, and for which it
-- is missing, out of date, waiting or in hand. For workers only; changes nothing. `p_wanted`: see kizu_enqueue_stale.
create or replace function public.kizu_backlog(p_user uuid, p_wanted jsonb) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_object_agg(t.operation, t.photos), '{}') from (
    select operation, sum(photos) as photos from (
      select s.operation, count(*) as photos from kizu.stale_operations(p_user, p_wanted, null) s group by 1
      union all
      select w.operation, count(*) from kizu.jobs j cross join unnest(j.todo) w (operation)
      where j.user_id = p_user and j.status in ('pending', 'processing')
        and w.operation in (select o ->> 'operation' from jsonb_array_elements(p_wanted) o)
      group by 1
    ) counted group by operation
  ) t
$$;

select kizu.expose('public.kizu_backlog', 'service_role');

insert into kizu.schema_version (version, name) values ('20261123090410', 'plan') on conflict do nothing;
notify pgrst, 'reload schema';
