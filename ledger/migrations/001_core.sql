-- The ledger and its projections, on PostgreSQL 15+ with or without TimescaleDB.
-- Idempotent: every file runs at every start, each in one transaction under the caller's advisory lock.

-- Roles belong to the whole cluster, so another database's first start may win the race.
do $$
declare r text;
begin
  foreach r in array array['tallystick_reader', 'tallystick_writer'] loop
    begin
      if not exists (select from pg_roles where rolname = r) then execute format('create role %I nologin', r); end if;
    exception when duplicate_object or unique_violation then null;
    end;
  end loop;
end $$;

create schema if not exists tallystick;
set local search_path = tallystick, pg_temp;

create table if not exists schema_version (
  version     int primary key,
  name        text not null,
  applied_at  timestamptz not null default now()
);

-- The logs. The genesis names them; the anchor is one more.
create table if not exists chain (
  chain_id  smallint primary key,
  name      text not null unique,
  origin    text not null unique,
  kind      text not null
);

-- A device's or service's unbroken run of statements on one lane of one chain.
create table if not exists stream (
  stream_id  int generated always as identity primary key,
  chain_id   smallint not null references chain,
  kid        bytea not null,
  lane       smallint not null,
  stream     bytea not null,
  unique (kid, chain_id, lane, stream)
);

-- The leaves. entry_id = chain_id * 2^40 + index, so that any row points to its proof in one step.
-- data may be erased later; leaf_hash and statement_hash stay. The anchor's entries have no stream.
create table if not exists entry (
  entry_id        bigint primary key,
  stream_id       int,
  seq             bigint,
  lines           smallint not null default 0,
  statement_hash  bytea not null,
  leaf_hash       bytea not null,
  data            bytea
);
create unique index if not exists entry_stream_seq on entry (stream_id, seq) where stream_id is not null;
create index if not exists entry_statement_hash on entry using hash (statement_hash);

-- Sections as they arrived whole; a manifest line without a row is lacking.
create table if not exists section (
  entry_id        bigint not null,
  line            smallint not null,
  privacy         smallint not null,
  content_format  int not null,
  data            bytea,
  primary key (entry_id, line)
);

-- Full hash tiles (C2SP tlog-tiles) with the hash that stands for them one level up. Partial ones are derived.
create table if not exists tile (
  chain_id  smallint not null,
  level     smallint not null,
  index     bigint not null,
  hashes    bytea not null,
  root      bytea not null,
  primary key (chain_id, level, index)
);

create table if not exists block (
  chain_id    smallint not null,
  height      bigint not null,
  first       bigint not null,
  size        bigint not null,
  root        bytea not null,
  header      bytea not null,
  checkpoint  text not null,
  time_ms     bigint not null,
  primary key (chain_id, height),
  unique (chain_id, size)
);

-- Which anchor entry holds which block's header.
create table if not exists anchored (
  chain_id      smallint not null,
  height        bigint not null,
  anchor_index  bigint not null unique,
  primary key (chain_id, height)
);

-- Signed statements of those who are not a chain's writer, until the writer seals them.
create table if not exists inbox (
  inbox_id   bigint generated always as identity primary key,
  chain_id   smallint not null references chain,
  kid        bytea not null,
  stream     bytea not null,
  seq        bigint not null,
  hash       bytea not null,
  message    bytea not null
);

-- Refused bytes, bounded: the oldest are forgotten. The counts stay.
create table if not exists quarantine (
  quarantine_id  bigint generated always as identity primary key,
  seen_at        timestamptz not null default now(),
  topic          text not null,
  reason         text not null,
  message        bytea not null
);
create table if not exists quarantine_count (
  reason  text primary key,
  n       bigint not null
);

-- From here on: projections of sections, rebuilt from them at will.

create table if not exists device (
  device_id  int generated always as identity primary key,
  urn        text not null unique,
  name       text not null
);

create table if not exists metric (
  metric_id  int generated always as identity primary key,
  name       text not null,
  unit       text not null,
  lo         double precision,                 -- excursion limits; null = none
  hi         double precision,
  unique (name, unit)
);

-- The time series. No unique key: a statement enters once, in the same transaction as its rows.
-- No foreign key on purpose: a trigger a row costs ingest. quality is the signing clock's (0 unknown .. 3 GNSS).
create table if not exists reading (
  ts         timestamptz not null,
  device_id  int not null,
  metric_id  int not null,
  value      double precision,
  quality    smallint not null,
  entry_id   bigint not null,
  section    smallint not null
);
create index if not exists reading_series on reading (device_id, metric_id, ts desc);

create table if not exists reading_other (
  ts         timestamptz not null,
  device_id  int not null,
  metric_id  int not null,
  text       text,
  boolean    boolean,
  bytes      bytea,
  quality    smallint not null,
  entry_id   bigint not null,
  section    smallint not null
);
create index if not exists reading_other_series on reading_other (device_id, metric_id, ts desc);

create table if not exists event (
  entry_id      bigint not null,
  section       smallint not null,
  ts            timestamptz not null,
  type          text not null,
  action        text not null,
  biz_step      text,
  disposition   text,
  read_point    text,
  biz_location  text,
  document      jsonb not null,
  primary key (entry_id, section)
);

-- What an event is about: role 0 an object or child, 1 the parent, 2 a sensing device.
create table if not exists event_item (
  uri       text not null,
  entry_id  bigint not null,
  section   smallint not null,
  role      smallint not null
);
create index if not exists event_item_uri on event_item using hash (uri);
create index if not exists event_item_entry on event_item (entry_id, section);

-- Content that was admitted and cannot be read, or contradicts itself; and forks. `about` is the entry in question.
create table if not exists finding (
  entry_id  bigint not null,
  section   smallint not null,
  reason    text not null,
  about     bigint,
  primary key (entry_id, section)
);

-- Lots of labels that were issued.
create table if not exists label_batch (
  entry_id  bigint primary key,
  gtin      text not null,
  lot       text not null,
  size      int not null,
  root      bytea not null,
  unique (gtin, lot, root)
);
-- The signed labels of a batch, kept by the label service; a leaf of the batch's tree each, in order.
create table if not exists label (
  batch_root  bytea not null,
  index       int not null,
  path        text not null unique,
  signature   text not null,
  primary key (batch_root, index)
);

-- Newest point of each series: an index probe per series, on either engine.
create or replace view reading_latest as
select d.device_id, d.name as device, m.metric_id, m.name as metric, m.unit, l.ts, l.value, l.entry_id
  from device d
 cross join metric m
 cross join lateral (
   select r.ts, r.value, r.entry_id from reading r
    where r.device_id = d.device_id and r.metric_id = m.metric_id
    order by r.ts desc limit 1) l;

-- Readings outside their metric's limits.
create or replace view excursion as
select r.ts, d.name as device, m.name as metric, m.unit, r.value, m.lo, m.hi, r.entry_id, r.section
  from metric m
  join reading r on r.metric_id = m.metric_id and (r.value > m.hi or r.value < m.lo)
  join device d on d.device_id = r.device_id;

insert into schema_version values (1, 'core') on conflict do nothing;
