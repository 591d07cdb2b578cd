//! Custom galaxy clusters, relations, tag collections.

use super::Methods::{Any, Get, Post};
use super::Need::{Key, Read, Write};
use super::{OWN, Route, SITE_ADMIN, TAGGER, route};
use crate::{blocklists, cluster_relations, clusters, galaxy_actions, tag_collections, taxonomies};
use pisax_access::Permission as P;

const GALAXY_EDITOR: super::Need = Write(&[P::GalaxyEditor]);
const TAG_EDITOR: super::Need = Write(&[P::TagEditor]);

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
    // Galaxies
    route(Post, "galaxies", "enable", SITE_ADMIN, galaxy_actions::enable, "Show a galaxy's clusters."),
    route(Post, "galaxies", "disable", SITE_ADMIN, galaxy_actions::disable, "Leave a galaxy's clusters out of answers."),
    route(Post, "galaxies", "toggle", SITE_ADMIN, galaxy_actions::toggle, "Enable a galaxy, or disable it."),
    route(Post, "galaxies", "delete", SITE_ADMIN, galaxy_actions::delete, "Delete a galaxy with its clusters."),
    route(Post, "galaxies", "import", GALAXY_EDITOR, galaxy_actions::import, "Take in clusters with their galaxies."),
    route(Post, "galaxies", "pushcluster", Write(&[P::Sync]), galaxy_actions::push, "Take in clusters from a peer."),
    route(Any, "galaxies", "export", Key, galaxy_actions::export, "A galaxy's clusters as a file."),
    route(Get, "galaxies", "forktree", Key, galaxy_actions::fork_tree, "Which clusters were forked from which."),
    route(Post, "galaxies", "attachcluster", TAGGER, galaxy_actions::attach, "Attach a cluster to an event, attribute or tag collection."),
    route(Post, "galaxies", "attachmultipleclusters", TAGGER, galaxy_actions::attach_many, "Attach several clusters."),
    // Clusters
    route(Any, "galaxyclusters", "index", Key, clusters::index, "List the clusters of a galaxy."),
    route(Get, "galaxyclusters", "view", Key, clusters::view, "One cluster with elements and relations."),
    route(Post, "galaxyclusters", "add", GALAXY_EDITOR, clusters::add, "Add a cluster to a galaxy, or fork one."),
    route(Post, "galaxyclusters", "edit", GALAXY_EDITOR, clusters::edit, "Change a cluster; its elements are replaced."),
    route(Post, "galaxyclusters", "publish", GALAXY_EDITOR, clusters::publish, "Publish a cluster."),
    route(Post, "galaxyclusters", "unpublish", GALAXY_EDITOR, clusters::unpublish, "Take a publication back."),
    route(Post, "galaxyclusters", "delete", GALAXY_EDITOR, clusters::delete, "Tombstone a cluster, or remove and block it."),
    route(Post, "galaxyclusters", "restore", GALAXY_EDITOR, clusters::restore, "Take a tombstone away."),
    route(Any, "galaxyclusters", "restsearch", Key, clusters::search, "Search clusters."),
    route(Post, "galaxyclusters", "detach", TAGGER, galaxy_actions::detach, "Detach a cluster by its tag."),
    route(Get, "galaxyclusters", "exportformispgalaxy", Key, galaxy_actions::export_one, "A cluster as the published libraries have it."),
    route(Get, "galaxyclusterrelations", "index", Key, cluster_relations::index, "List relations of custom clusters."),
    route(Get, "galaxyclusterrelations", "view", Key, cluster_relations::view, "One relation with its tags."),
    route(Post, "galaxyclusterrelations", "add", GALAXY_EDITOR, cluster_relations::add, "Add a relation between clusters."),
    route(Post, "galaxyclusterrelations", "edit", GALAXY_EDITOR, cluster_relations::edit, "Change a relation."),
    route(Post, "galaxyclusterrelations", "delete", GALAXY_EDITOR, cluster_relations::delete, "Delete a relation."),
    route(Get, "galaxyclusterblocklists", "index", Read(&[P::SiteAdmin]), blocklists::index_clusters, "List blocked clusters."),
    route(Post, "galaxyclusterblocklists", "add", SITE_ADMIN, blocklists::add_clusters, "Block clusters by uuid."),
    route(Post, "galaxyclusterblocklists", "edit", SITE_ADMIN, blocklists::edit_cluster, "Change what is noted beside a blocked cluster."),
    route(Post, "galaxyclusterblocklists", "delete", SITE_ADMIN, blocklists::delete_cluster, "Let a cluster come again."),
    route(Post, "galaxyclusterblocklists", "massdelete", SITE_ADMIN, blocklists::delete_clusters, "Let several clusters come again."),
    // Tags
    route(Get, "tagcollections", "index", Key, tag_collections::index, "List tag collections."),
    route(Get, "tagcollections", "view", Key, tag_collections::view, "One tag collection with its tags."),
    route(Post, "tagcollections", "add", TAG_EDITOR, tag_collections::add, "Add a tag collection."),
    route(Post, "tagcollections", "edit", TAG_EDITOR, tag_collections::edit, "Change a tag collection."),
    route(Post, "tagcollections", "delete", TAG_EDITOR, tag_collections::delete, "Delete a tag collection."),
    route(Post, "tagcollections", "addtag", TAG_EDITOR, tag_collections::add_tag, "Put tags into a collection."),
    route(Post, "tagcollections", "removetag", TAG_EDITOR, tag_collections::remove_tag, "Take a tag out of a collection."),
    route(Post, "tagcollections", "import", TAG_EDITOR, tag_collections::import, "Take in tag collections with their tags."),
    route(Get, "favouritetags", "index", Key, tag_collections::favourites, "One's favourite tags."),
    route(Post, "favouritetags", "toggle", OWN, tag_collections::toggle_favourite, "Make a tag a favourite, or no longer."),
    // Taxonomies
    route(Get, "taxonomies", "export", Key, taxonomies::export, "A taxonomy as its library publishes it."),
    route(Post, "taxonomies", "import", SITE_ADMIN, taxonomies::import, "Take in one taxonomy."),
    route(Get, "taxonomies", "taxonomytags", Key, taxonomies::view, "The tags of a taxonomy."),
    route(Post, "taxonomies", "togglehighlighted", SITE_ADMIN, taxonomies::highlight, "Let a taxonomy stand out, or not."),
    route(Post, "taxonomies", "delete", SITE_ADMIN, taxonomies::delete, "Delete a taxonomy; its tags stay."),
];
