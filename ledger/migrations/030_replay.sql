-- An operator asks for a message in quarantine to be judged again; its chain's writer looks for what is asked for.
-- Nothing is altered that is there already: an ALTER would wait for every gateway that runs.
set local search_path = tallystick, pg_temp;
do $$
begin
  if not exists (select from pg_attribute where attrelid = 'tallystick.quarantine'::regclass and attname = 'replay_at')
  then
    alter table quarantine add column replay_at timestamptz;
    create index quarantine_replay on quarantine (quarantine_id) where replay_at is not null;
  end if;
end $$;

insert into schema_version values (30, 'replay') on conflict do nothing;
