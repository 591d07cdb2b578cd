-- Proposals. attribute_id is 0 for a new attribute; a change carries the uuid of the attribute it changes, so
-- uuids repeat. Closed ones (accepted, discarded) stay for those who synchronise.
create table proposals (
  id {pk}, uuid {blob} not null, event_id {int} not null, attribute_id {int} not null, kind {small} not null,
  category {small} not null, value1 text not null, value2 text not null, to_ids {small} not null,
  comment text not null, org_id {int} not null, user_id {int} not null, email text not null,
  timestamp {int} not null, deleted {small} not null, to_delete {small} not null,
  disable_correlation {small} not null, first_seen {int}, last_seen {int});
create index proposals_event on proposals (event_id);
create index proposals_attribute on proposals (attribute_id) where attribute_id > 0;
create index proposals_uuid on proposals (uuid);
create index proposals_timestamp on proposals (timestamp);
create table proposal_attachments (proposal_id {int} primary key, bytes {blob} not null);

-- Requests to take an event over: one at a time for each event.
create table event_delegations (
  id {pk}, org_id {int} not null, requester_org_id {int} not null, event_id {int} not null unique,
  message text not null, distribution {small} not null, sharing_group_id {int} not null);
create index event_delegations_org on event_delegations (org_id);

-- Organisations whose sightings must not come.
create table sighting_blocklist (
  id {pk}, org_uuid {blob} not null unique, created {int} not null, org_name text not null,
  comment text not null);

create index sightings_org on sightings (org_id, event_id);

-- sequences: proposals event_delegations sighting_blocklist
