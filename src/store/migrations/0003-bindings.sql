create table bindings (
  kind text not null,
  key integer not null,
  account_id text not null,
  used_at_ms integer not null,
  primary key (kind, key)
) strict, without rowid;

create index bindings_by_use on bindings (kind, used_at_ms);
