-- Last, every time: covers whichever form the views took. What the services write they may not change:
-- ledger tables are insert-only for them; the inbox and the quarantine are where things leave again.
-- Only what is lacking: a GRANT writes to every chunk of a hypertable, and fails beside a policy's job that does too.
set local search_path = tallystick, pg_temp;
grant usage on schema tallystick to tallystick_reader, tallystick_writer;
grant update (n) on quarantine_count to tallystick_writer;
grant update (reason, replay_at) on quarantine to tallystick_writer;
do $$
declare change text;
begin
  for change in
    select format('grant %s on %s to %I', privilege, name, role)
      from (values
        ('tallystick_writer', 'select', array(select quote_ident(relname) from pg_class
           where relnamespace = 'tallystick'::regnamespace and relkind in ('r', 'v'))),
        ('tallystick_reader', 'select', '{chain, stream, entry, block, anchored, tile, device, metric, reading,
          reading_other, event, event_item, finding, label_batch, reading_latest, excursion, reading_1h, reading_1d,
          product_picture}'),
        ('tallystick_writer', 'insert', '{chain, stream, entry, section, tile, block, anchored, inbox, quarantine,
          quarantine_count, device, metric, reading, reading_other, event, event_item, finding, label_batch, label,
          label_use, label_stray, print_run, product_picture, sscc, label_subtree, label_request, label_issuer,
          hidden_batch, hidden_code, redemption}'),
        ('tallystick_writer', 'delete', '{inbox, quarantine}')
      ) as granted (role, privilege, names), unnest(names) as name
     where not has_table_privilege(role, name, privilege)
     union all
    select format('revoke %s on %s from tallystick_writer', privilege, name)
      from unnest('{update, delete, truncate}'::text[]) as privilege,
           unnest('{chain, stream, entry, section, tile, block, anchored, reading, reading_other,
                    event, event_item, finding}'::text[]) as name
     where has_table_privilege('tallystick_writer', name, privilege)
  loop
    execute change;
  end loop;
end $$;
