-- What became of each issued label, insert-only: `labels/uses.py` says what `use` stands for. And the print runs.
-- The last of a label's rows by use_id counts; no log holds them.
set local search_path = tallystick, pg_temp;
create table if not exists label_use (
  batch_root  bytea not null,
  index       int not null,
  use_id      bigint generated always as identity,
  use         smallint not null,
  at          timestamptz not null,
  run         uuid,
  note        text not null,
  primary key (batch_root, index, use_id)
);
-- A run prints what is due of a lot: what was recorded up to `anew_after`, of the lot's newest run, does not count.
create table if not exists print_run (
  run         uuid primary key,
  began_at    timestamptz not null,
  gtin        text not null,
  lot         text not null,
  sent_to     text not null,
  anew_after  bigint not null
);
create index if not exists print_run_lot on print_run (gtin, lot, began_at);

insert into schema_version values (40, 'label use') on conflict do nothing;
