-- Event reports: markdown about an event, visible as its objects are.
create table event_reports (
  id {pk}, uuid {blob} not null unique, event_id {int} not null, name text not null, content text not null,
  distribution {small} not null, sharing_group_id {int} not null, timestamp {int} not null,
  deleted {small} not null);
create index event_reports_event on event_reports (event_id{and_id});

-- What analysts say about records, here or elsewhere: kind 0 a note, 1 an opinion, 2 a relationship. words is
-- the text of a note or the comment of an opinion. root_uuid is the record that it is about in the end, past the
-- analyst data in between, and event_id the event which that is or is in (0: none that is known): who does not see
-- these does not see it, and it goes with them.
create table analyst_data (
  id {pk}, uuid {blob} not null unique, kind {small} not null, object_uuid {blob} not null,
  object_type {small} not null, root_uuid {blob} not null, event_id {int} not null, authors text not null, org_id {int} not null,
  orgc_id {int} not null, created {int} not null, modified {int} not null, distribution {small} not null,
  sharing_group_id {int} not null, locked {small} not null, words text not null, language text,
  opinion {small}, relationship_type text not null, related_uuid {blob}, related_type {small});
create index analyst_data_object on analyst_data (object_uuid);
create index analyst_data_root on analyst_data (root_uuid);
create index analyst_data_event on analyst_data (event_id{and_id});

create table analyst_data_blocklist (
  id {pk}, analyst_data_uuid {blob} not null unique, created {int} not null, analyst_data_info text not null,
  analyst_data_orgc text not null, comment text not null);

-- Drawings of an event that an organisation keeps: network_json as its client wrote it.
create table event_graphs (
  id {pk}, event_id {int} not null, user_id {int} not null, org_id {int} not null, timestamp {int} not null,
  network_name text, network_json text not null, preview_img text);
create index event_graphs_event on event_graphs (event_id{and_id});

-- sequences: event_reports analyst_data analyst_data_blocklist event_graphs
