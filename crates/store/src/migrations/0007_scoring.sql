-- Warninglists made here (is_default 0) beside published ones; notes holds a comment for each line of entries,
-- and is empty where there are none.
alter table warninglists add column is_default {small} not null default 1;
alter table warninglists add column notes text not null default '';

create table noticelists (
  id {pk}, name text not null unique, expanded_name text not null, version {int} not null,
  enabled {small} not null, refs text not null, areas text not null, notices text not null);

create table decaying_models (
  id {pk}, uuid {blob} unique, name text not null, description text not null, parameters text not null,
  types text not null, org_id {int} not null, enabled {small} not null, all_orgs {small} not null,
  refs text not null, formula text not null, version {int} not null, is_default {small} not null);

-- Values that do not correlate. One without wildcards has the key of its value (see postings), one with them a
-- LIKE pattern over folded values.
create table correlation_exclusions (
  id {pk}, value text not null unique, comment text not null, from_json {small} not null,
  hash {int} unique, pattern text unique);

-- sequences: noticelists decaying_models correlation_exclusions
