create table client_keys (
  key_id text primary key,
  key_hash text not null unique,
  prefix text not null,
  name text not null,
  owner text,
  note text,
  enabled integer not null,
  expires_at_ms integer,
  expires_after_use_ms integer,
  policy_json text not null,
  created_at_ms integer not null,
  updated_at_ms integer not null
) strict;

create table key_uses (
  key_id text primary key,
  first_used_at_ms integer not null,
  last_used_at_ms integer not null
) strict;

create table key_counters (
  key_id text not null,
  grain text not null,
  bucket integer not null,
  requests integer not null,
  input_tokens integer not null,
  output_tokens integer not null,
  cost_micro_usd integer not null,
  estimated_requests integer not null,
  primary key (key_id, grain, bucket)
) strict, without rowid;

create index key_counters_by_age on key_counters (grain, bucket);
