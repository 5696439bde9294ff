-- Labels that were seen, are signed by a key that may sign them, and are in no published batch: more than were declared.
set local search_path = tallystick, pg_temp;
create table if not exists label_stray (
  gtin       text not null,
  path       text not null,
  signature  text not null,
  day        int not null,
  seen_at    timestamptz not null,
  primary key (gtin, path, signature)
);
-- The last rows of a batch's labels, without a sort of all uses.
create index if not exists label_use_seen on label_use (batch_root, index, at) where use = 6;

insert into schema_version values (43, 'label stray') on conflict do nothing;
