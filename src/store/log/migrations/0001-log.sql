create table requests (
  id integer primary key,
  request_id text not null,
  key_id text not null,
  account_id text,
  protocol text not null,
  lane text not null,
  model text not null,
  upstream_model text,
  warnings text,
  status integer not null,
  error_kind text,
  error_code text,
  attempts integer not null,
  first_byte_ms integer,
  total_ms integer not null,
  input_tokens integer not null,
  cached_tokens integer not null,
  output_tokens integer not null,
  reasoning_tokens integer not null
) strict;

create index requests_by_key on requests (key_id, id);

create index requests_by_account on requests (account_id, id);

create table attempts (
  request integer not null,
  n integer not null,
  account_id text not null,
  started_at_ms integer not null,
  total_ms integer not null,
  error_kind text not null,
  error_code text,
  upstream_status integer,
  effect text not null,
  next text not null,
  primary key (request, n)
) strict, without rowid;

create table details (
  request integer primary key,
  error_json text,
  decisions_json text
) strict;

create table rolls (
  grain text not null,
  dimension text not null,
  name text not null,
  from_ms integer not null,
  model text not null,
  requests integer not null,
  errors integer not null,
  cancelled integer not null,
  retries integer not null,
  input_tokens integer not null,
  cached_tokens integer not null,
  output_tokens integer not null,
  reasoning_tokens integer not null,
  first_bytes integer not null,
  first_byte_ms integer not null,
  total_ms integer not null,
  primary key (grain, dimension, name, from_ms, model)
) strict, without rowid;

create table dead_letters (
  id integer primary key,
  at_ms integer not null,
  reason text not null,
  entry_json text not null
) strict;

create table quota_history (
  account_id text not null,
  at_ms integer not null,
  bucket text not null,
  window_sec integer not null,
  used_percent real not null,
  resets_at_sec integer,
  primary key (account_id, at_ms, bucket, window_sec)
) strict, without rowid;

create index quota_history_by_time on quota_history (at_ms);

create table account_events (
  id integer primary key,
  account_id text not null,
  at_ms integer not null,
  change text not null,
  detail text not null
) strict;

create index account_events_by_account on account_events (account_id, at_ms);

create table meta (
  key text primary key,
  value text not null
) strict;
