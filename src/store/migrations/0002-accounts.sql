create table accounts (
  account_id text primary key,
  provider text not null,
  label text not null,
  email text,
  plan text,
  workspace_id text,
  user_id text,
  fedramp integer not null,
  origin text not null,
  created_at_ms integer not null
) strict;

create table account_settings (
  account_id text primary key,
  settings_json text not null,
  updated_at_ms integer not null
) strict;

create table sealed_values (
  name text primary key,
  secret_json text not null,
  updated_at_ms integer not null
) strict;
