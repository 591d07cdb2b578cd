-- What is known of a feed's source, and what became of it each time it was fetched or cached.
create table feed_state (
  feed_id {int} primary key, etag text not null, last_modified text not null, definition text not null,
  asked {int} not null);

create table feed_runs (
  id {pk}, feed_id {int} not null, kind {small} not null, started {int} not null, ended {int} not null,
  outcome {small} not null, error text not null, event_id {int} not null, bytes {int} not null,
  lines {int} not null, remarks {int} not null, unrecognised {int} not null, holding {int} not null,
  total {int} not null, taken {int} not null, known {int} not null, duplicate {int} not null,
  excluded {int} not null, refused {int} not null, left_out {int} not null, removed {int} not null);
create index feed_runs_of_feed on feed_runs (feed_id, id);

create table feed_refusals (
  run_id {int} not null, place {int} not null, line {int} not null, value text not null, reason text not null,
  primary key (run_id, place)) {compact};

-- What feeds and other servers hold, by MD5 of the value: of each source one generation is read while the next is
-- written. Without event: sixteen zero bytes.
create table source_cache (
  kind {small} not null, source_id {int} not null, generation {int} not null, hash {blob} not null,
  event_uuid {blob} not null, primary key (kind, source_id, generation, hash, event_uuid)) {compact};
create index source_cache_hash on source_cache (hash);
create table source_cache_state (
  kind {small} not null, source_id {int} not null, generation {int} not null, elements {int} not null,
  cached {int} not null, primary key (kind, source_id)) {compact};

-- Feeds that are published from here. The token is kept as its hash.
create table published_feeds (
  id {pk}, name text not null, slug text not null unique, filter text not null, user_id {int} not null,
  any_tlp {small} not null, token {blob}, signed {small} not null, enabled {small} not null,
  revision {int} not null, published_revision {int} not null, published_at {int} not null,
  whole_at {int} not null, events {int} not null, attributes {int} not null, error text not null);

-- sequences: feed_runs published_feeds
