-- The change log is the audit log as well: what was changed in which record, from where, and a hash over the row
-- and the one before it. detail holds name, old and new value of each field (see changes.rs).
alter table changes add column record_id {int} not null default 0;
alter table changes add column title text not null default '';
alter table changes add column detail text not null default '';
alter table changes add column via {small} not null default 0;
alter table changes add column address text not null default '';
alter table changes add column key_id {int} not null default 0;
alter table changes add column hash {blob};
create index changes_event on changes (event_id);

-- 'head': the hash of the newest row; 'anchor': that of the newest row that retention has removed.
create table audit_marks (name text primary key, seq {int} not null, hash {blob} not null);
