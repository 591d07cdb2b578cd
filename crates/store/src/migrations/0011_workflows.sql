-- What happens by itself. The graphs are JSON as the editor wrote it.

create table workflows (
  id {pk}, uuid {blob} not null unique, name text not null, description text not null, timestamp {int} not null,
  enabled {small} not null, counter {int} not null, trigger_id text not null, debug_enabled {small} not null,
  data text not null);
create index workflows_trigger on workflows (trigger_id);

-- Parts of graphs to make workflows of.
create table workflow_blueprints (
  id {pk}, uuid {blob} not null unique, name text not null, description text not null, timestamp {int} not null,
  is_default {small} not null, data text not null);

-- sequences: workflows workflow_blueprints
