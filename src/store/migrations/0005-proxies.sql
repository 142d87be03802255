create table proxies (
  proxy_id text primary key,
  name text not null,
  region text,
  enabled integer not null,
  max_concurrent integer not null,
  state text not null,
  fail_streak integer not null,
  success_streak integer not null,
  down_since_ms integer,
  exit_address text,
  latency_ms integer,
  failure text,
  checked_at_ms integer,
  created_at_ms integer not null
) strict;
