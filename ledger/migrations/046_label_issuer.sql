-- Which issuer's token had a batch of labels issued over HTTP: it reads that batch there. One of the command has none.
set local search_path = tallystick, pg_temp;
create table if not exists label_issuer (
  batch_root  bytea primary key,
  issuer      text not null
);
create index if not exists label_issuer_name on label_issuer (issuer);
-- Of the batches before, those whose request had a key.
insert into label_issuer (batch_root, issuer)
select batch_root, issuer from label_request where not exists (select from schema_version where version = 46)
on conflict do nothing;
-- By which key a stray is signed: of products that nobody has labels of, as many are noted as it is bounded to.
alter table label_stray add column if not exists kid bytea;
create index if not exists label_stray_kid on label_stray (kid);

insert into schema_version values (46, 'label issuer') on conflict do nothing;
