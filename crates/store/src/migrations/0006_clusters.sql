-- A cluster that was made here or came from a peer (custom = 1) belongs to an organisation and reaches as far as it
-- is distributed; one that came with a library is everybody's to read and nobody's to change.
alter table galaxies add column local_only {small} not null default 0;
alter table clusters add column custom {small} not null default 0;
alter table clusters add column distribution {small} not null default 3;
alter table clusters add column sharing_group_id {int} not null default 0;
alter table clusters add column org_id {int} not null default 0;
alter table clusters add column orgc_id {int} not null default 0;
alter table clusters add column locked {small} not null default 0;
alter table clusters add column extends_uuid {blob};
alter table clusters add column extends_version {int} not null default 0;
alter table clusters add column published {small} not null default 0;
alter table clusters add column deleted {small} not null default 0;
create index clusters_extends on clusters (extends_uuid) where extends_uuid is not null;
create index clusters_custom on clusters (galaxy_id) where custom = 1;

-- Arrows from custom clusters; those of libraries are in clusters.related. What they point to need not be known.
create table cluster_relations (
  id {pk}, cluster_id {int} not null, referenced_uuid {blob} not null, kind text not null,
  distribution {small} not null, sharing_group_id {int} not null,
  unique (cluster_id, referenced_uuid, kind));
create index cluster_relations_target on cluster_relations (referenced_uuid);
create table cluster_relation_tags (
  relation_id {int} not null, tag_id {int} not null, primary key (relation_id, tag_id)) {compact};
create index cluster_relation_tags_tag on cluster_relation_tags (tag_id);

-- Clusters that must not come (back).
create table cluster_blocklist (
  id {pk}, cluster_uuid {blob} not null unique, created {int} not null, cluster_info text not null,
  cluster_orgc text not null, comment text not null);

create table tag_collections (
  id {pk}, uuid {blob} not null unique, name text not null unique, description text not null,
  org_id {int} not null, user_id {int} not null, all_orgs {small} not null);
create table tag_collection_tags (
  id {pk}, collection_id {int} not null, tag_id {int} not null, unique (collection_id, tag_id));
create index tag_collection_tags_tag on tag_collection_tags (tag_id);

create table favourite_tags (
  user_id {int} not null, tag_id {int} not null, primary key (user_id, tag_id)) {compact};
create index favourite_tags_tag on favourite_tags (tag_id);

alter table taxonomies add column highlighted {small} not null default 0;

-- sequences: cluster_relations cluster_blocklist tag_collections tag_collection_tags
