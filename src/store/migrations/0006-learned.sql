create table account_health (
  account_id text primary key,
  health_json text not null,
  updated_at_ms integer not null
) strict;

create table account_quota (
  account_id text primary key,
  quota_json text not null,
  updated_at_ms integer not null
) strict;

create table quota_readings (
  account_id text not null,
  bucket text not null,
  window_sec integer not null,
  at_ms integer not null,
  used_percent real not null,
  resets_at_sec integer,
  primary key (account_id, bucket, window_sec, at_ms)
) strict, without rowid;

create index quota_readings_by_time on quota_readings (at_ms);
