//! The parameters of `galaxy_clusters/restSearch` (semantics 5.8).

use crate::search::{SearchError, body_members};
use crate::terms::{Params, each, lower_uuid, truthy};
use pisax_model::filter::{ClusterFilter, ClusterKey, ClusterOrder, Terms, Tri};

/// A search among clusters and how to answer it.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterSearch {
    pub filter: ClusterFilter,
    /// Uuid and version only.
    pub minimal: bool,
    /// Only the number of matches.
    pub count: bool,
    pub limit: Option<i64>,
    /// 1-based; counts only with a limit.
    pub page: i64,
}

/// Element keys in one search; more are a mistake.
const KEYS: usize = 20;

/// Reads a cluster search; nothing given means all.
pub fn read_cluster_search(
    body: &[u8],
    url_params: &[(String, String)],
) -> Result<ClusterSearch, SearchError> {
    let params = Params::join(body_members(body)?, url_params);
    let tri = |names: &[&str]| params.tri(names, truthy).unwrap_or_default();
    let refs = |names: &[&str]| {
        let mut terms = params.terms(names);
        each(&mut terms, |item| lower_uuid(item));
        terms
    };
    let filter = ClusterFilter {
        id: refs(&["id"]),
        uuid: refs(&["uuid"]),
        galaxy: refs(&["galaxy_id", "galaxy_uuid"]),
        kind: params.terms(&["type"]),
        value: params.terms(&["value"]),
        tag_name: params.terms(&["tag_name"]),
        version: params.terms(&["version"]),
        distribution: params.codes(&["distribution"]),
        org: refs(&["org_id"]),
        orgc: refs(&["orgc_id"]),
        extends_uuid: refs(&["extends_uuid"]),
        elements: elements(&params),
        event: refs(&["eventid"]),
        search: None,
        custom: match tri(&["custom"]) {
            // The same question asked the other way round.
            Tri::Any => match tri(&["default"]) {
                Tri::Only(default) => Tri::Only(!default),
                Tri::Any => Tri::Any,
            },
            asked => asked,
        },
        published: tri(&["published"]),
        // Tombstones travel to peers, which ask for all there are.
        deleted: params.tri(&["deleted"], truthy).unwrap_or(Tri::Any),
        order: params.list(&["order"]).iter().filter_map(|text| order(text)).collect(),
    };
    let first = params.on(&["first"]);
    Ok(ClusterSearch {
        filter,
        minimal: params.on(&["minimal"]),
        count: params.on(&["count"]),
        limit: if first { Some(1) } else { params.count(&["limit"]) },
        page: params.count(&["page"]).unwrap_or(1),
    })
}

fn elements(params: &Params) -> Vec<(String, Terms)> {
    let Some(serde_json::Value::Object(map)) = params.get(&["elements"]) else { return Vec::new() };
    map.iter().take(KEYS).map(|(key, value)| (key.clone(), crate::terms::terms(value))).collect()
}

/// One `field [asc|desc]`; what clusters cannot be ordered by is ignored.
fn order(text: &str) -> Option<ClusterOrder> {
    let mut words = text.split_whitespace();
    let field = words.next()?;
    let key = match field.strip_prefix("GalaxyCluster.").unwrap_or(field) {
        "id" => ClusterKey::Id,
        "version" => ClusterKey::Version,
        "value" => ClusterKey::Value,
        "tag_name" => ClusterKey::TagName,
        "distribution" => ClusterKey::Distribution,
        "galaxy_id" | "type" => ClusterKey::Galaxy,
        _ => return None,
    };
    let descending = words.next().is_some_and(|word| word.eq_ignore_ascii_case("desc"));
    Some(ClusterOrder { key, descending })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulling_peer_asks_for_custom_published_ones_in_short() {
        let body = br#"{"published":1,"minimal":1,"custom":1,"page":2,"limit":50}"#;
        let search = read_cluster_search(body, &[]).unwrap();
        assert_eq!((search.filter.published, search.filter.custom), (Tri::Only(true), Tri::Only(true)));
        assert_eq!((search.minimal, search.limit, search.page), (true, Some(50), 2));
        assert_eq!(search.filter.deleted, Tri::Any);
        let other = read_cluster_search(br#"{"default":1,"order":"version desc"}"#, &[]).unwrap();
        assert_eq!(other.filter.custom, Tri::Only(false));
        assert_eq!(other.filter.order, [ClusterOrder { key: ClusterKey::Version, descending: true }]);
    }

    #[test]
    fn elements_are_asked_for_by_key() {
        let search = read_cluster_search(br#"{"elements":{"synonyms":["%bear","!x"]}}"#, &[]).unwrap();
        let (key, terms) = &search.filter.elements[0];
        assert_eq!(
            (key.as_str(), &terms.or[..], &terms.not[..]),
            ("synonyms", &["%bear".into()][..], &["x".into()][..])
        );
    }
}
