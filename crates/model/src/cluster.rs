//! Custom galaxy clusters, their relations, and tag collections, as clients send them.

use crate::Uuid;
use crate::ids::Ref;
use crate::org::OrgRef;
use crate::sharing::SharingGroupDraft;

/// A cluster as a client or peer sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClusterDraft {
    pub uuid: Option<Uuid>,
    pub bad_uuid: bool,
    pub collection_uuid: Option<Uuid>,
    /// The galaxy's `type`.
    pub kind: Option<String>,
    pub value: Option<String>,
    pub description: Option<String>,
    pub source: Option<String>,
    pub authors: Option<Vec<String>>,
    pub version: Option<i64>,
    pub distribution: Option<i64>,
    pub sharing_group: Option<Ref>,
    pub orgc: Option<OrgRef>,
    /// It says of itself that it came with a library.
    pub default: bool,
    pub published: Option<bool>,
    pub deleted: Option<bool>,
    pub extends_uuid: Option<Uuid>,
    pub extends_version: Option<i64>,
    /// Key and value each, in order.
    pub elements: Vec<(String, String)>,
    /// `elements` was a text that is no JSON list of elements.
    pub bad_elements: bool,
    pub relations: Vec<RelationDraft>,
    pub galaxy: Option<GalaxyDraft>,
}

/// An arrow from one cluster to another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RelationDraft {
    /// The cluster it starts at, where that is not said otherwise.
    pub cluster: Option<Ref>,
    /// The cluster it points to, by uuid or, from forms, by number.
    pub referenced: Option<Ref>,
    pub kind: Option<String>,
    pub distribution: Option<i64>,
    pub sharing_group: Option<Ref>,
    pub tags: Option<Vec<String>>,
}

/// A stored cluster on its way to another server.
#[derive(Debug, Clone, PartialEq)]
pub struct CarriedCluster {
    /// Without groups: they are beside it, whole.
    pub draft: ClusterDraft,
    pub group: Option<SharingGroupDraft>,
    /// One for each relation.
    pub relation_groups: Vec<Option<SharingGroupDraft>>,
}

/// The galaxy that a cluster brings with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GalaxyDraft {
    pub uuid: Option<Uuid>,
    pub name: String,
    pub kind: String,
    pub description: String,
    pub version: i64,
    pub icon: String,
    pub namespace: String,
    pub kill_chain_order: Vec<(String, Vec<String>)>,
}

/// A tag collection as a client sent it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CollectionDraft {
    pub uuid: Option<Uuid>,
    pub bad_uuid: bool,
    pub name: Option<String>,
    pub description: Option<String>,
    pub all_orgs: Option<bool>,
    /// Names of tags; for imports.
    pub tags: Vec<String>,
}

/// Elements as `meta` keeps them: values by key, keys in the order in which they came first.
pub fn by_key(elements: &[(String, String)]) -> Vec<(String, Vec<String>)> {
    let mut meta: Vec<(String, Vec<String>)> = Vec::new();
    let mut places: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    for (key, value) in elements {
        let place = *places.entry(key).or_insert_with(|| {
            meta.push((key.clone(), Vec::new()));
            meta.len() - 1
        });
        meta[place].1.push(value.clone());
    }
    meta
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_key_stand_together_in_their_order() {
        let element = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let elements = [element("b", "1"), element("a", "2"), element("b", "3")];
        let meta = by_key(&elements);
        assert_eq!(meta, [("b".into(), vec!["1".into(), "3".into()]), ("a".into(), vec!["2".into()])]);
    }
}
