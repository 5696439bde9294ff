-- Whether the section that names a thing is public, and an index of those alone: how long a page of the thing takes then
-- says nothing of events that are not. Null where a gateway of before wrote it, which `section` decides.
-- An expression, so that no other index serves: which of two plain ones does is a matter of statistics.
set local search_path = tallystick, pg_temp;
do $$
begin
  if exists (select from schema_version where version = 47) then
    return;                                       -- not even a lock: what is asked of a busy table waits for backups
  end if;
  alter table event_item add column if not exists is_public boolean;
  update event_item i set is_public = false
    from section s where (s.entry_id, s.line) = (i.entry_id, i.section) and s.privacy <> 0;
  create index if not exists event_item_public on event_item
    using hash ((case when is_public is not false then uri end));
  insert into schema_version values (47, 'event public');
end $$;
