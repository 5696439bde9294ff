-- The numbers of logistic units that were given, insert-only: a number is given once, whoever asks.
-- What a unit holds, if that was said, is for printing its label again; no log holds it.
set local search_path = tallystick, pg_temp;
create table if not exists sscc (
  sscc      text collate "C" primary key,
  given_at  timestamptz not null,
  gtin      text,
  count     int,
  lot       text
);

insert into schema_version values (44, 'sscc') on conflict do nothing;
