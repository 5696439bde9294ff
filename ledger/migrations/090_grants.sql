-- Last, every time: covers whichever form the views took. What the services write they may not change:
-- ledger tables are insert-only for them; the inbox and the quarantine are where things leave again.
set local search_path = tallystick, pg_temp;
grant usage on schema tallystick to tallystick_reader, tallystick_writer;
grant select on all tables in schema tallystick to tallystick_writer;
grant select on chain, stream, entry, block, anchored, tile, device, metric, reading, reading_other,
  event, event_item, finding, label_batch, reading_latest, excursion, reading_1h, reading_1d to tallystick_reader;
grant insert on chain, stream, entry, section, tile, block, anchored, inbox, quarantine, quarantine_count, device, metric,
  reading, reading_other, event, event_item, finding, label_batch, label to tallystick_writer;
grant delete on inbox, quarantine to tallystick_writer;
grant update (n) on quarantine_count to tallystick_writer;
revoke update, delete, truncate on chain, stream, entry, section, tile, block, anchored, reading, reading_other,
  event, event_item, finding from tallystick_writer;
