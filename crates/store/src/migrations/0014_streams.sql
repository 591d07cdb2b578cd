-- How far each publisher has read the change log: `part` of the messages about change `seq`.
create table stream_cursors (name text primary key, seq {int} not null, part {int} not null);

-- Addresses that are called with what changes. What is sent is what the user `user_id` sees.
create table webhooks (
  id {pk}, uuid {blob} not null unique, org_id {int} not null, user_id {int} not null, name text not null,
  url text not null, secret text not null, kinds text not null, tags text not null, orgs text not null,
  enabled {small} not null, paused text not null, seq {int} not null, part {int} not null,
  delivered {int} not null, delivered_at {int} not null, failures {int} not null, retry_at {int} not null,
  last_error text not null, sees_all {small} not null);
create index webhooks_user on webhooks (user_id);

-- sequences: webhooks
