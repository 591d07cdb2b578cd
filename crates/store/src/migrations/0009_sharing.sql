-- Where content comes from and goes to: feeds, other servers, the keys that sign protected events, and what
-- was asked for and waits. Definitions; a feed's format and source are kept in MISP's words.
create table feeds (
  id {pk}, name text not null, provider text not null, url text not null, rules text,
  enabled {small} not null, distribution {small} not null, sharing_group_id {int} not null,
  tag_id {int} not null, default_feed {small} not null, source_format text not null,
  fixed_event {small} not null, delta_merge {small} not null, event_id {int} not null,
  publish {small} not null, override_ids {small} not null, settings text not null,
  input_source text not null, delete_local_file {small} not null, lookup_visible {small} not null,
  headers text, caching_enabled {small} not null, force_to_ids {small} not null,
  orgc_id {int} not null, tag_collection_id {int} not null);

-- authkey is a secret of the other server: it is never written into the change log.
create table servers (
  id {pk}, name text not null, url text not null, authkey text not null, org_id {int} not null,
  push {small} not null, pull {small} not null, push_sightings {small} not null,
  push_galaxy_clusters {small} not null, push_analyst_data {small} not null,
  pull_analyst_data {small} not null, pull_galaxy_clusters {small} not null, lastpulledid {int},
  lastpushedid {int}, organization text, remote_org_id {int} not null,
  publish_without_email {small} not null, unpublish_event {small} not null, self_signed {small} not null,
  pull_rules text not null, push_rules text not null, cert_file text, client_cert_file text,
  internal {small} not null, skip_proxy {small} not null, remove_missing_tags {small} not null,
  caching_enabled {small} not null, priority {int} not null);

create table cryptographic_keys (
  id {pk}, uuid {blob} not null unique, event_id {int} not null, timestamp {int} not null,
  key_data text not null, fingerprint text not null, revoked {small} not null,
  unique (event_id, fingerprint));

create table jobs (
  id {pk}, worker text not null, job_type text not null, job_input text not null, status {small} not null,
  message text not null, progress {int} not null, org_id {int} not null, created {int} not null,
  modified {int} not null);
create index jobs_waiting on jobs (status, job_type);

-- sequences: feeds servers cryptographic_keys jobs
