-- Issuing labels in great number. The hashes of a batch's complete subtrees of 256 labels, by which one is proven
-- without reading all; and the requests by which batches were issued, so that one that is repeated issues no more.
set local search_path = tallystick, pg_temp;
create table if not exists label_subtree (
  batch_root  bytea primary key,
  size        int not null,
  hashes      bytea not null
);
create table if not exists label_request (
  issuer      text not null,
  key         text not null,
  asked       bytea not null,  -- the SHA-256 of what was asked
  batch_root  bytea not null,
  primary key (issuer, key)
);
-- A serial is a product's once, whether its label's link names the lot or not; those without are unique by their path.
create index if not exists label_with_lot on label (split_part(path, '/', 3), split_part(path, '/', 7))
  where split_part(path, '/', 4) = '10';

insert into schema_version values (41, 'issuing') on conflict do nothing;
