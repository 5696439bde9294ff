-- Hidden codes under scratch fields: what a batch commits to of each, never a code itself; and those redeemed, once each.
-- `hashes` are those of the complete subtrees of 256 commitments, by which one is proven without reading all.
set local search_path = tallystick, pg_temp;
create table if not exists hidden_batch (
  batch_root  bytea primary key,
  root        bytea not null,
  hashes      bytea not null
);
create table if not exists hidden_code (
  batch_root  bytea not null,
  index       int not null,
  secret      bytea not null,
  commitment  bytea not null,
  primary key (batch_root, index)
);
create table if not exists redemption (
  batch_root  bytea not null,
  index       int not null,
  at          timestamptz not null,
  nonce       bytea not null,  -- of who was first: who asks again with it gets the same answer
  primary key (batch_root, index)
);

insert into schema_version values (45, 'hidden codes') on conflict do nothing;
