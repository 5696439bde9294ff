-- Applied only where the server can load TimescaleDB 2.22 or later. Idempotent; also turns a plain database over.
-- On the Apache-only build: a hypertable only; the plain views of 020 stay.
set local search_path = tallystick, public, pg_temp;
create extension if not exists timescaledb;

select create_hypertable('tallystick.reading', by_range('ts', interval '1 day'),
                         create_default_indexes => false, if_not_exists => true, migrate_data => true);

do $$
begin
  if current_setting('timescaledb.license') <> 'timescale' then
    raise notice 'tallystick: Apache-only TimescaleDB: no columnstore, policies or continuous aggregates';
    return;
  end if;
  drop index if exists tallystick.reading_ts_brin, tallystick.reading_1h_brin;   -- the plain fallback's

  if not exists (select from timescaledb_information.hypertable_columnstore_settings
                  where hypertable = 'tallystick.reading'::regclass and segmentby is not null) then
    alter table tallystick.reading set (
      timescaledb.enable_columnstore,
      timescaledb.segmentby    = 'device_id, metric_id',
      timescaledb.orderby      = 'ts desc',
      timescaledb.sparse_index = 'minmax(value)');       -- excursion search skips batches
  end if;
  call add_columnstore_policy('tallystick.reading', after => interval '3 days', if_not_exists => true);
  perform add_retention_policy('tallystick.reading', drop_after => interval '400 days', if_not_exists => true);

  -- A plain view of this name makes way; a continuous aggregate stays.
  if not exists (select from timescaledb_information.continuous_aggregates
                  where view_schema = 'tallystick' and view_name = 'reading_1h') then
    drop view if exists tallystick.reading_1d;
    drop view if exists tallystick.reading_1h;
    execute $cagg$
      create materialized view tallystick.reading_1h
      with (timescaledb.continuous, timescaledb.materialized_only = false) as
      select device_id, metric_id, time_bucket('1 hour', ts) as bucket,
             avg(value) as avg_value, min(value) as min_value, max(value) as max_value, count(*) as n
        from tallystick.reading
       group by 1, 2, 3
      with no data $cagg$;
    grant select on tallystick.reading_1h to tallystick_reader, tallystick_writer;   -- not in 090: jobs run by then
  end if;
  if not exists (select from timescaledb_information.continuous_aggregates
                  where view_schema = 'tallystick' and view_name = 'reading_1d') then
    drop view if exists tallystick.reading_1d;
    execute $cagg$
      create materialized view tallystick.reading_1d
      with (timescaledb.continuous, timescaledb.materialized_only = false) as
      select device_id, metric_id, time_bucket('1 day', bucket) as bucket,
             sum(avg_value * n) / sum(n) as avg_value, min(min_value) as min_value, max(max_value) as max_value,
             sum(n)::bigint as n
        from tallystick.reading_1h
       group by 1, 2, 3
      with no data $cagg$;
    grant select on tallystick.reading_1d to tallystick_reader, tallystick_writer;
  end if;
  -- Rows older than start_offset never reach the aggregate, be they late or from before it was made: so all that the
  -- retention keeps, but no more. A refresh redoes only what changed, so a long one is cheap. end_offset is never null.
  -- Newest last: what is older than the newest bucket refreshed is invisible until it is refreshed itself.
  perform add_continuous_aggregate_policy('tallystick.reading_1h',
    start_offset => interval '399 days', end_offset => interval '1 hour',
    schedule_interval => interval '10 minutes', refresh_newest_first => false, if_not_exists => true);
  perform add_continuous_aggregate_policy('tallystick.reading_1d',
    start_offset => interval '399 days', end_offset => interval '1 day',
    schedule_interval => interval '1 hour', refresh_newest_first => false, if_not_exists => true,
    initial_start => now() + interval '10 minutes');   -- beside the first refresh of reading_1h it would miss days
end $$;

insert into schema_version values (10, 'timescale') on conflict do nothing;
