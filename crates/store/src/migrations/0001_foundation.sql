-- Placeholders: {pk} row number, {int} 64-bit integer, {small} small code or flag, {blob} bytes,
-- {compact} clustered storage where the engine has it. Times are unix seconds unless the name says micros.

create table settings (name text primary key, value text not null);

create table orgs (
  id {pk}, uuid {blob} not null unique, name text not null unique, description text, kind text not null,
  nationality text not null, sector text not null, contacts text, local {small} not null,
  restricted_to_domain text not null, landingpage text, created_by {int} not null,
  date_created {int} not null, date_modified {int} not null);

create table roles (
  id {pk}, name text not null unique, permissions {int} not null, permission {small} not null,
  default_role {small} not null, memory_limit text, max_execution_time text,
  restricted_to_site_admin {small} not null, enforce_rate_limit {small} not null,
  rate_limit_count {int} not null, created {int} not null, modified {int} not null);

create table users (
  id {pk}, org_id {int} not null, role_id {int} not null, email text not null unique, password text not null,
  autoalert {small} not null, contactalert {small} not null, disabled {small} not null,
  change_pw {small} not null, termsaccepted {small} not null, gpgkey text, certif_public text not null,
  nids_sid {int} not null, invited_by {int} not null, current_login {int} not null, last_login {int} not null,
  last_api_access {int} not null, date_created {int} not null, date_modified {int} not null,
  last_pw_change {int}, expiration {int}, notification_daily {small} not null,
  notification_weekly {small} not null, notification_monthly {small} not null);

create table auth_keys (
  id {pk}, uuid {blob} not null unique, hash {blob} not null unique, key_start text not null,
  key_end text not null, created {int} not null, expiration {int} not null, read_only {small} not null,
  user_id {int} not null, comment text not null, allowed_ips text not null, last_used {int} not null);
create index auth_keys_user on auth_keys (user_id);

create table sessions (
  hash {blob} primary key, user_id {int} not null, created {int} not null, last_seen {int} not null,
  expires {int} not null);
create index sessions_user on sessions (user_id);

create table sharing_groups (
  id {pk}, uuid {blob} not null unique, name text not null unique, releasability text not null,
  description text not null, organisation_uuid {blob} not null, org_id {int} not null,
  sync_user_id {int} not null, active {small} not null, local {small} not null, roaming {small} not null,
  created {int} not null, modified {int} not null);
create table sharing_group_orgs (
  id {pk}, sharing_group_id {int} not null, org_id {int} not null, extend {small} not null,
  unique (sharing_group_id, org_id));
create index sharing_group_orgs_org on sharing_group_orgs (org_id);
create table sharing_group_servers (
  id {pk}, sharing_group_id {int} not null, server_id {int} not null, all_orgs {small} not null,
  unique (sharing_group_id, server_id));

create table events (
  id {pk}, uuid {blob} not null unique, org_id {int} not null, orgc_id {int} not null, user_id {int} not null,
  date text not null, info text not null, threat_level_id {small} not null, analysis {small} not null,
  published {small} not null, publish_timestamp {int} not null, timestamp {int} not null,
  sighting_timestamp {int} not null, attribute_count {int} not null, distribution {small} not null,
  sharing_group_id {int} not null, locked {small} not null, proposal_email_lock {small} not null,
  disable_correlation {small} not null, extends_uuid {blob}, protected {small});
create index events_timestamp on events (timestamp);
create index events_publish_timestamp on events (publish_timestamp);
create index events_extends on events (extends_uuid);

-- hash1 and hash2 are the posting keys of the two halves (see postings); correlates has bit 0 for the first
-- half and bit 1 for the second.
create table attributes (
  id {pk}, uuid {blob} not null unique, event_id {int} not null, object_id {int} not null,
  object_relation text, category {small} not null, kind {small} not null, value1 text not null,
  value2 text not null, hash1 {int} not null, hash2 {int}, correlates {small} not null,
  to_ids {small} not null, timestamp {int} not null, distribution {small} not null,
  sharing_group_id {int} not null, comment text not null, deleted {small} not null,
  disable_correlation {small} not null, first_seen {int}, last_seen {int});
create index attributes_event on attributes (event_id{and_id});
create index attributes_timestamp on attributes (timestamp);
create index attributes_group on attributes (sharing_group_id) where sharing_group_id > 0;
create index attributes_object on attributes (object_id) where object_id > 0;

-- Who has this value: one row per half of each attribute, in key order.
create table postings (
  hash {int} not null, event_id {int} not null, attribute_id {int} not null, correlates {small} not null,
  primary key (hash, event_id, attribute_id)) {compact};

-- Addresses and networks of attributes, IPv4 mapped into IPv6, in address order: what lies inside a network
-- is a range. networks holds those shorter than one address: what contains an address is a short walk.
create table addresses (
  first {blob} not null, len {small} not null, event_id {int} not null, attribute_id {int} not null,
  primary key (first, len, event_id, attribute_id)) {compact};
create table networks (
  first {blob} not null, len {small} not null, event_id {int} not null, attribute_id {int} not null,
  primary key (first, len, event_id, attribute_id)) {compact};

create table attachments (attribute_id {int} primary key, bytes {blob} not null);

create table objects (
  id {pk}, uuid {blob} not null unique, event_id {int} not null, name text not null,
  meta_category text not null, description text not null, template_uuid text not null,
  template_version text not null, timestamp {int} not null, distribution {small} not null,
  sharing_group_id {int} not null, comment text not null, deleted {small} not null,
  first_seen {int}, last_seen {int});
create index objects_event on objects (event_id);
create index objects_name on objects (name);

create table object_references (
  id {pk}, uuid {blob} not null unique, timestamp {int} not null, object_id {int} not null,
  event_id {int} not null, source_uuid {blob} not null, referenced_uuid {blob} not null,
  referenced_id {int} not null, to_object {small} not null, relationship_type text not null,
  comment text not null, deleted {small} not null);
create index object_references_object on object_references (object_id);
create index object_references_event on object_references (event_id);
create index object_references_target on object_references (referenced_uuid);

-- folded is the name in lower case: names that differ in case alone are one tag.
create table tags (
  id {pk}, name text not null, folded text not null unique, colour text not null, exportable {small} not null,
  org_id {int} not null, user_id {int} not null, hide_tag {small} not null, numerical_value {int},
  is_galaxy {small} not null, is_custom_galaxy {small} not null, local_only {small} not null);
create table event_tags (
  id {pk}, event_id {int} not null, tag_id {int} not null, local {small} not null, relationship_type text,
  unique (event_id, tag_id));
create index event_tags_tag on event_tags (tag_id);
create table attribute_tags (
  id {pk}, attribute_id {int} not null, event_id {int} not null, tag_id {int} not null,
  local {small} not null, relationship_type text, unique (attribute_id, tag_id));
create index attribute_tags_tag on attribute_tags (tag_id);
create index attribute_tags_event on attribute_tags (event_id);

create table sightings (
  id {pk}, uuid {blob} not null unique, attribute_id {int} not null, event_id {int} not null,
  org_id {int} not null, date_sighting {int} not null, source text not null, kind {small} not null);
create index sightings_attribute on sightings (attribute_id);
create index sightings_event on sightings (event_id);

create table event_blocklist (
  id {pk}, event_uuid {blob} not null unique, created {int} not null, event_info text not null,
  event_orgc text not null, comment text not null);

-- What changed, in commit order. Everything downstream reads this with a cursor.
create table changes (
  seq {serial}, at {int} not null, kind {small} not null, action {small} not null, uuid {blob} not null,
  event_id {int} not null, org_id {int} not null, user_id {int} not null, reason text{txid});

create table taxonomies (
  id {pk}, namespace text not null unique, description text not null, version {int} not null,
  enabled {small} not null, exclusive {small} not null, required {small} not null, body text not null);
create table galaxies (
  id {pk}, uuid {blob} not null unique, name text not null, kind text not null, description text not null,
  version {int} not null, icon text not null, namespace text not null, enabled {small} not null,
  kill_chain_order text not null);
create table clusters (
  id {pk}, uuid {blob} not null, galaxy_id {int} not null, collection_uuid {blob} not null,
  tag_name text not null, folded text not null unique, value text not null, description text not null, source text not null,
  authors text not null, version {int} not null, meta text not null, related text not null);
create index clusters_galaxy on clusters (galaxy_id);
create index clusters_uuid on clusters (uuid);
create table object_templates (
  id {pk}, uuid {blob} not null, name text not null, meta_category text not null, description text not null,
  version {int} not null, active {small} not null, raw text not null, unique (uuid, version));
create table warninglists (
  id {pk}, name text not null unique, kind text not null, description text not null, version {int} not null,
  category text not null, enabled {small} not null, types text not null, entry_count {int} not null,
  entries text not null);

-- sequences: orgs roles users auth_keys sharing_groups sharing_group_orgs sharing_group_servers events attributes objects object_references tags event_tags attribute_tags sightings event_blocklist taxonomies galaxies clusters object_templates warninglists
