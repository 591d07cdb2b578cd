-- Work that is done later: who does it holds a lease that ends by itself when he is gone.
alter table jobs add column user_id {int} not null default 0;
alter table jobs add column attempts {int} not null default 0;
alter table jobs add column run_after {int} not null default 0;
alter table jobs add column lease_until {int} not null default 0;
alter table jobs add column owner text not null default '';
alter table jobs add column cancelled {small} not null default 0;

-- What became of each record on its way from and to a peer, the last time it was looked at.
create table peer_ledger (
  server_id {int} not null, direction {small} not null, kind {small} not null, uuid {blob} not null,
  outcome {small} not null, reason text not null, title text not null, version {int} not null,
  attempts {int} not null, at {int} not null, retry_at {int} not null,
  primary key (server_id, direction, kind, uuid)) {compact};
create index peer_ledger_recent on peer_ledger (server_id, at);
create index peer_ledger_retry on peer_ledger (server_id, retry_at) where retry_at > 0;

-- How far the exchange with a peer is, and how it goes.
create table peer_state (
  server_id {int} not null, name text not null, value text not null, primary key (server_id, name)) {compact};
