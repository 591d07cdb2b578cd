//! A galaxy cluster with all that belongs to it: galaxy, elements, relations both ways, organisations.

use crate::event_writer::org_summary;
use crate::galaxies::{cluster_columns, galaxy_columns};
use crate::knowledge::write_elements;
use crate::reply::{flag_member, member, number_member};
use pisax_formats::knowledge::stored;
use pisax_model::Uuid;
use pisax_model::sharing::SharingGroup;
use pisax_model::tag::Tag;
use pisax_store::cluster_relations::RelationRow;
use pisax_store::clusters::ClusterRow;
use pisax_store::knowledge::GalaxyRow;
use pisax_store::orgs::OrgName;
use pisax_store::tags::folded;
use pisax_store::{Reader, Result};
use pisax_wire::JsonWriter;
use pisax_wire::sharing_out::{EventGroup, write_event_group_member};
use pisax_wire::tag_out::write_bare_tag;
use rustc_hash::FxHashMap;

/// Clusters and what belongs to them, read by set.
pub(crate) struct Clusters {
    pub(crate) rows: Vec<ClusterRow>,
    galaxies: FxHashMap<i64, GalaxyRow>,
    orgs: FxHashMap<i64, OrgName>,
    groups: FxHashMap<i64, SharingGroup>,
    relations: Vec<RelationRow>,
    /// Row numbers of what libraries' relations point to, where it is known.
    targets: FxHashMap<Uuid, i64>,
    /// The tags that libraries' relations carry, by folded name.
    tags: FxHashMap<String, Tag>,
}

/// A relation that came with a library: from which cluster, to which, how.
pub(crate) struct LibraryRelation<'a> {
    source: &'a ClusterRow,
    relation: pisax_model::knowledge::ClusterRelation,
}

impl Clusters {
    pub(crate) fn load(r: &mut Reader<'_>, rows: Vec<ClusterRow>) -> Result<Self> {
        let of = |f: fn(&ClusterRow) -> i64| rows.iter().map(f).collect::<Vec<i64>>();
        let owned = || rows.iter().filter_map(|row| row.owned.as_ref());
        let orgs: Vec<i64> = owned().flat_map(|o| [o.org_id, o.orgc_id]).collect();
        let uuids: Vec<Uuid> = rows.iter().map(|row| row.uuid).collect();
        let relations = r.relations_around(&of(|row| row.id), &uuids)?;
        let groups: Vec<i64> = owned()
            .map(|o| o.sharing_group_id)
            .chain(relations.iter().map(|x| x.sharing_group_id))
            .filter(|g| *g > 0)
            .collect();
        let groups = r.sharing_groups_by_ids(&groups)?;
        let owners = groups.values().map(|g| g.org_id);
        let orgs = r.org_names(&orgs.into_iter().chain(owners).collect::<Vec<_>>())?;
        let related: Vec<_> = rows.iter().flat_map(|row| stored::read_related(&row.related)).collect();
        let targets: Vec<Uuid> = related.iter().map(|x| x.dest_uuid).collect();
        Ok(Self {
            galaxies: r.galaxies_by_ids(&of(|row| row.galaxy_id))?,
            targets: r.cluster_ids(&targets)?,
            tags: r.tags_named(related.iter().flat_map(|x| &x.tags).map(String::as_str))?,
            orgs,
            groups,
            relations,
            rows,
        })
    }

    /// The relations that libraries have from `others` to this cluster.
    pub(crate) fn towards<'a>(target: &ClusterRow, others: &'a [ClusterRow]) -> Vec<LibraryRelation<'a>> {
        let mut found = Vec::new();
        for source in others {
            let related = stored::read_related(&source.related).into_iter();
            let leads = related.filter(|relation| relation.dest_uuid == target.uuid);
            found.extend(leads.map(|relation| LibraryRelation { source, relation }));
        }
        found
    }

    /// `{"GalaxyCluster":{…}}`; `more` writes further members.
    pub(crate) fn write(
        &self,
        w: &mut JsonWriter<'_>,
        row: &ClusterRow,
        base_url: &str,
        incoming: &[LibraryRelation<'_>],
        more: impl FnOnce(&mut JsonWriter<'_>),
    ) {
        let galaxy = self.galaxies.get(&row.galaxy_id);
        w.begin_object();
        w.key("GalaxyCluster");
        w.begin_object();
        cluster_columns(w, row, galaxy.map_or("", |g| &g.kind));
        if let Some(galaxy) = galaxy {
            w.key("Galaxy");
            w.begin_object();
            galaxy_columns(w, galaxy);
            w.end_object();
        }
        if let Some(owned) = row.owned.as_ref().filter(|o| o.distribution == 4) {
            self.group(w, owned.sharing_group_id, base_url);
        }
        write_elements(w, row, &mut 0);
        self.outgoing(w, row, base_url);
        let owned = row.owned.as_ref();
        self.org(w, "Org", owned.map(|o| o.org_id));
        self.org(w, "Orgc", owned.map(|o| o.orgc_id));
        self.incoming(w, row, base_url, incoming);
        more(w);
        w.end_object();
        w.end_object();
    }

    fn outgoing(&self, w: &mut JsonWriter<'_>, row: &ClusterRow, base_url: &str) {
        w.key("GalaxyClusterRelation");
        w.begin_array();
        for relation in self.relations.iter().filter(|x| x.cluster_id == row.id) {
            self.relation(w, relation, base_url);
        }
        for relation in stored::read_related(&row.related) {
            self.library_relation(w, &LibraryRelation { source: row, relation });
        }
        w.end_array();
    }

    fn incoming(
        &self,
        w: &mut JsonWriter<'_>,
        row: &ClusterRow,
        base_url: &str,
        library: &[LibraryRelation<'_>],
    ) {
        w.key("TargetingClusterRelation");
        w.begin_array();
        for relation in self.relations.iter().filter(|x| x.referenced_uuid == row.uuid) {
            self.relation(w, relation, base_url);
        }
        library.iter().for_each(|relation| self.library_relation(w, relation));
        w.end_array();
    }

    fn relation(&self, w: &mut JsonWriter<'_>, relation: &RelationRow, base_url: &str) {
        w.begin_object();
        relation_columns(w, relation);
        if relation.distribution == 4 {
            self.group(w, relation.sharing_group_id, base_url);
        }
        relation_tags(w, &relation.tags);
        w.end_object();
    }

    fn library_relation(&self, w: &mut JsonWriter<'_>, known: &LibraryRelation<'_>) {
        let LibraryRelation { source, relation } = known;
        w.begin_object();
        number_member(w, "id", 0);
        number_member(w, "galaxy_cluster_id", source.id);
        number_member(
            w,
            "referenced_galaxy_cluster_id",
            self.targets.get(&relation.dest_uuid).copied().unwrap_or(0),
        );
        w.key("referenced_galaxy_cluster_uuid");
        w.uuid(relation.dest_uuid);
        member(w, "referenced_galaxy_cluster_type", &relation.kind);
        w.key("galaxy_cluster_uuid");
        w.uuid(source.uuid);
        number_member(w, "distribution", 3);
        w.key("sharing_group_id");
        w.null();
        flag_member(w, "default", true);
        if !relation.tags.is_empty() {
            w.key("Tag");
            w.begin_array();
            for name in &relation.tags {
                match self.tags.get(&folded(name)) {
                    Some(tag) => write_bare_tag(w, tag),
                    None => {
                        w.begin_object();
                        member(w, "name", name);
                        w.end_object();
                    }
                }
            }
            w.end_array();
        }
        w.end_object();
    }

    fn group(&self, w: &mut JsonWriter<'_>, id: i64, base_url: &str) {
        if let Some(group) = self.groups.get(&id) {
            let organisation = org_summary(&self.orgs, group.org_id);
            write_event_group_member(w, &EventGroup { group, organisation, base_url });
        }
    }

    fn org(&self, w: &mut JsonWriter<'_>, key: &str, id: Option<i64>) {
        w.key(key);
        w.begin_object();
        match id {
            Some(id) => {
                let org = org_summary(&self.orgs, id);
                number_member(w, "id", id);
                member(w, "name", org.name);
                w.key("uuid");
                w.uuid(org.uuid);
            }
            // What MISP shows as the organisation of its libraries.
            None => {
                number_member(w, "id", 0);
                member(w, "name", "MISP");
                member(w, "uuid", "0");
            }
        }
        w.end_object();
    }
}

/// The columns of a relation.
pub(crate) fn relation_columns(w: &mut JsonWriter<'_>, relation: &RelationRow) {
    number_member(w, "id", relation.id);
    number_member(w, "galaxy_cluster_id", relation.cluster_id);
    number_member(w, "referenced_galaxy_cluster_id", relation.referenced_id);
    w.key("referenced_galaxy_cluster_uuid");
    w.uuid(relation.referenced_uuid);
    member(w, "referenced_galaxy_cluster_type", &relation.kind);
    w.key("galaxy_cluster_uuid");
    w.uuid(relation.cluster_uuid);
    number_member(w, "distribution", relation.distribution);
    w.key("sharing_group_id");
    if relation.distribution == 4 {
        w.str_num(relation.sharing_group_id)
    } else {
        w.null()
    }
    flag_member(w, "default", false);
}

/// `"Tag":[…]` where there are any.
pub(crate) fn relation_tags(w: &mut JsonWriter<'_>, tags: &[Tag]) {
    if tags.is_empty() {
        return;
    }
    w.key("Tag");
    w.begin_array();
    tags.iter().for_each(|tag| write_bare_tag(w, tag));
    w.end_array();
}
