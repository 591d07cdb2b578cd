-- Organisations whose events must not come.
create table org_blocklist (
  id {pk}, org_uuid {blob} not null unique, created {int} not null, org_name text not null,
  comment text not null);

-- sequences: org_blocklist
