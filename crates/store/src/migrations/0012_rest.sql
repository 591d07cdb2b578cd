-- What integrators keep here: calls made from the REST client, who works on an event, news.

-- A user's newest calls, and those he marked; headers and body without what is secret in them.
create table rest_client_history (
  id {pk}, user_id {int} not null, org_id {int} not null, headers text not null, body text not null,
  url text not null, http_method text not null, timestamp {int} not null, use_full_path {small} not null,
  show_result {small} not null, skip_ssl {small} not null, outcome {int} not null, bookmark {small} not null,
  bookmark_name text not null);
create index rest_client_history_user on rest_client_history (user_id);

-- Who works on an event, for a quarter of an hour; hand: 0 a page, 1 a tool.
create table event_locks (
  id {pk}, event_id {int} not null, user_id {int} not null, hand {small} not null, created {int} not null);
create index event_locks_event on event_locks (event_id);
create index event_locks_created on event_locks (created);
create index event_locks_user on event_locks (user_id);

create table news (
  id {pk}, title text not null, message text not null, user_id {int} not null, date_created {int} not null);
-- When who read them last.
create table news_reads (user_id {int} primary key, seen {int} not null);

-- sequences: rest_client_history event_locks news
