-- What belongs to people: their settings, requests for accounts, mails to them, what they keep at hand, and a log
-- of requests. JSON that clients wrote is kept as they wrote it, in text columns.

create table user_settings (
  id {pk}, user_id {int} not null, setting text not null, value text not null, timestamp {int} not null,
  unique (user_id, setting));

-- Requests of people without an account; kind is 'registration'.
create table inbox (
  id {pk}, uuid {blob} not null unique, title text not null, kind text not null, email text not null,
  address text not null, user_agent text not null, comment text not null, timestamp {int} not null, data text not null);

-- Mails on their way; who was sent what stands in the change log. state: 0 to be sent, 1 given up.
create table mails (
  id {pk}, created {int} not null, due {int} not null, attempts {int} not null, state {small} not null,
  user_id {int} not null, recipient text not null, reply_to text not null, subject text not null,
  body text not null, failure text not null);
create index mails_due on mails (due) where state = 0;
-- Events whose publication is to be told to those who asked for it.
create table alerts (event_id {int} primary key, created {int} not null);

-- One row per HTTP request while MISP.log_paranoid is on; created is in milliseconds.
create table access_logs (
  id {pk}, created {int} not null, user_id {int} not null, org_id {int} not null, key_id {int} not null,
  address text not null, method text not null, user_agent text not null, controller text not null,
  action text not null, url text not null, code {int} not null, duration {int} not null);
create index access_logs_created on access_logs (created);

create table bookmarks (
  id {pk}, user_id {int} not null, org_id {int} not null, name text not null, url text not null,
  exposed_to_org {small} not null, comment text not null);
create index bookmarks_user on bookmarks (user_id);

create table collections (
  id {pk}, uuid {blob} not null unique, org_id {int} not null, orgc_id {int} not null, user_id {int} not null,
  created {int} not null, modified {int} not null, distribution {small} not null,
  sharing_group_id {int} not null, name text not null, kind text not null, description text not null);
create table collection_elements (
  id {pk}, uuid {blob} not null unique, element_uuid {blob} not null, element_type text not null,
  collection_id {int} not null, description text not null, unique (collection_id, element_uuid));

-- Dashboards that others may choose from.
create table dashboards (
  id {pk}, uuid {blob} not null unique, name text not null, description text not null,
  is_default {small} not null, selectable {small} not null, user_id {int} not null,
  restrict_to_org_id {int} not null, restrict_to_role_id {int} not null,
  restrict_to_permission_flag text not null, value text not null, timestamp {int} not null);

create table blueprints (
  id {pk}, uuid {blob} not null unique, name text not null, timestamp {int} not null, user_id {int} not null,
  org_id {int} not null, sharing_group_id {int} not null, rules text not null);

-- sequences: user_settings inbox mails access_logs bookmarks collections collection_elements dashboards blueprints
