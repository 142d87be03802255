create table credentials (
  account_id text primary key,
  fingerprint text not null,
  secret_json text not null,
  generation integer not null,
  previous_fingerprint text,
  previous_secret_json text,
  previous_at_ms integer,
  updated_at_ms integer not null
) strict;

create index credentials_by_fingerprint on credentials (fingerprint);

create index credentials_by_previous_fingerprint on credentials (previous_fingerprint);

create table refresh_intents (
  fingerprint text primary key,
  account_id text not null,
  generation integer not null,
  started_at_ms integer not null
) strict;

create table scheduler_blocks (
  account_id text not null,
  scope_type text not null,
  scope_key text not null,
  cause text not null,
  since_ms integer not null,
  until_ms integer not null,
  evidence_at_ms integer not null,
  detail text not null,
  primary key (account_id, scope_type, scope_key, cause)
) strict;

create table model_lists (
  list_class text primary key,
  etag text,
  list_json text not null,
  fetched_at_ms integer not null
) strict;

create table meta (
  key text primary key,
  value text not null
) strict;
