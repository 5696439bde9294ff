-- Where 010 made no continuous aggregates: the same names, computed on read. Steps aside by itself after 010.
set local search_path = tallystick, pg_temp;
do $$
begin
  if exists (select from pg_extension where extname = 'timescaledb') then      -- two IFs on purpose: the
    if exists (select from timescaledb_information.continuous_aggregates       -- second must not even be
                where view_schema = 'tallystick' and view_name = 'reading_1h') then  -- parsed without the extension
      return;
    end if;
  end if;

  -- Small indexes for scans by time. The second is on the expression that the view groups by.
  create index if not exists reading_ts_brin on reading using brin (ts)
    with (pages_per_range = 32, autosummarize = on);
  create index if not exists reading_1h_brin on reading
    using brin (date_bin('1 hour', ts, timestamptz '2000-01-01 00:00:00+00'))
    with (pages_per_range = 32, autosummarize = on);

  create or replace view reading_1h as
  select device_id, metric_id,
         date_bin('1 hour', ts, timestamptz '2000-01-01 00:00:00+00') as bucket,
         avg(value) as avg_value, min(value) as min_value, max(value) as max_value, count(*) as n
    from reading
   group by 1, 2, 3;

  create or replace view reading_1d as
  select device_id, metric_id,
         date_bin('1 day', bucket, timestamptz '2000-01-01 00:00:00+00') as bucket,
         sum(avg_value * n) / sum(n) as avg_value, min(min_value) as min_value, max(max_value) as max_value,
         sum(n)::bigint as n
    from reading_1h
   group by 1, 2, 3;
end $$;

insert into schema_version values (20, 'plain') on conflict do nothing;
