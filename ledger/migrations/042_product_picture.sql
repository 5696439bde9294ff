-- The pictures of products, lots and items: the registry has their SHA-256, and none of them.
set local search_path = tallystick, pg_temp;
create table if not exists product_picture (
  sha256      bytea primary key check (octet_length(sha256) = 32),
  media_type  text not null,
  width       int not null,
  height      int not null,
  data        bytea not null
);

insert into schema_version values (42, 'product_picture') on conflict do nothing;
