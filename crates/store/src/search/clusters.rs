//! Galaxy clusters in searches: those that meet a filter of their own, and the tags of those that an event or
//! attribute search asks for by their words (`galaxy.synonyms`).

use super::{Arg, Terms, Tri, Where, terms};
use crate::conn::Val;
use crate::{Reader, Result, dialect, list};
use pisax_model::filter::{ClusterFilter, ClusterKey};

/// Words of the cluster itself that a `galaxy.` key may name beside the keys of its elements.
fn column(key: &str) -> Option<&'static str> {
    Some(match key {
        "value" => "c.value",
        "description" => "c.description",
        "source" => "c.source",
        "tag_name" => "c.tag_name",
        "type" => "g.kind",
        "name" | "galaxy" => "g.name",
        "namespace" => "g.namespace",
        _ => return None,
    })
}

/// A condition on the elements of `c`.
fn element(w: &mut Where, key: &str, items: &[String]) -> String {
    let from = dialect::elements(w.lite, "c");
    let name = w.arg(key.to_owned());
    let value = terms::folded(w, &["v.value"], items);
    format!("exists (select 1 from {from} where k.key = {name} and {value})")
}

impl Reader<'_> {
    /// `select id` of the tags of living clusters the actor sees whose `key` says one of the items.
    pub(super) fn cluster_tag_rows(&self, w: &mut Where, key: &str, items: &[String]) -> String {
        let said = if key == "uuid" {
            terms::uuids(w, "c.uuid", items)
        } else {
            let element = element(w, key, items);
            match column(key) {
                Some(column) => format!("({} or {element})", terms::folded(w, &[column], items)),
                None => element,
            }
        };
        format!(
            "select t.id from tags t join clusters c on c.folded = t.folded join galaxies g on g.id = c.galaxy_id \
             where t.is_galaxy = 1 and c.deleted = 0 and {} and {said}",
            self.sees_cluster("c")
        )
    }

    /// Row numbers of the visible clusters that meet the filter, in its order.
    pub fn find_clusters(&mut self, filter: &ClusterFilter) -> Result<Vec<i64>> {
        let mut w = Where::new(self.conn.is_lite());
        let sees = self.sees_cluster("c");
        w.and(sees);
        self.cluster_terms(&mut w, filter);
        for (column, wanted) in
            [("custom", filter.custom), ("published", filter.published), ("deleted", filter.deleted)]
        {
            if let Tri::Only(flag) = wanted {
                w.and(format!("c.{column} = {}", i64::from(flag)));
            }
        }
        w.check()?;
        let mut order: Vec<String> = filter
            .order
            .iter()
            .map(|o| format!("{}{}", order_column(o.key), if o.descending { " desc" } else { "" }))
            .collect();
        order.push("c.id".into());
        let sql = format!(
            "select c.id from clusters c join galaxies g on g.id = c.galaxy_id where {} order by {}",
            terms::joined(&w.conditions, " and "),
            order.join(", ")
        );
        let args: Vec<Val<'_>> = w.args.iter().map(Arg::val).collect();
        self.conn.all(&sql, &args, |r| r.int(0))
    }

    fn cluster_terms(&self, w: &mut Where, f: &ClusterFilter) {
        let plain = |c: String| c;
        self.conjoin(w, &f.id, &plain, &|w, items| terms::refs(w, "c", items));
        self.conjoin(w, &f.uuid, &plain, &|w, items| terms::uuids(w, "c.uuid", items));
        self.conjoin(w, &f.galaxy, &plain, &|w, items| terms::refs(w, "g", items));
        self.conjoin(w, &f.kind, &plain, &|w, items| terms::folded(w, &["g.kind"], items));
        self.conjoin(w, &f.value, &plain, &|w, items| terms::folded(w, &["c.value"], items));
        self.conjoin(w, &f.tag_name, &plain, &|w, items| terms::folded(w, &["c.tag_name"], items));
        self.conjoin(w, &f.version, &plain, &|w, items| terms::numbers(w, "c.version", items));
        self.conjoin(w, &f.distribution, &plain, &|w, items| terms::numbers(w, "c.distribution", items));
        self.conjoin(w, &f.extends_uuid, &plain, &|w, items| terms::uuids(w, "c.extends_uuid", items));
        for (column, orgs) in [("c.org_id", &f.org), ("c.orgc_id", &f.orgc)] {
            self.conjoin(w, orgs, &plain, &|w, items| {
                format!("{column} in ({})", terms::named_rows(w, "orgs", items))
            });
        }
        for (key, wanted) in &f.elements {
            self.conjoin(w, wanted, &plain, &|w, items| element(w, key, items));
        }
        self.conjoin(w, &f.event, &plain, &|w, items| self.attached_to(w, items));
        if let Some(text) = &f.search
            && w.bears(&Terms::one(text))
        {
            let containing = w.arg(list::containing(text));
            let uuid = terms::uuids(w, "c.uuid", std::slice::from_ref(text));
            let from = dialect::elements(w.lite, "c");
            w.and(format!(
                "(pisax_fold(c.value) like {containing} escape '\\' or pisax_fold(c.description) like {containing} \
                 escape '\\' or {uuid} or exists (select 1 from {from} where k.key = 'synonyms' and \
                 pisax_fold(v.value) like {containing} escape '\\'))"
            ));
        }
    }

    /// Clusters whose tag is on one of these visible events or on a visible attribute in it.
    fn attached_to(&self, w: &mut Where, events: &[String]) -> String {
        let one = terms::refs(w, "e", events);
        let two = terms::refs(w, "e", events);
        format!(
            "c.folded in (select t.folded from event_tags x join tags t on t.id = x.tag_id \
             join events e on e.id = x.event_id where {one} and {} \
             union select t.folded from attribute_tags x join tags t on t.id = x.tag_id \
             join attributes a on a.id = x.attribute_id join events e on e.id = a.event_id \
             left join objects o on o.id = a.object_id and a.object_id > 0 \
             where {two} and a.deleted = 0 and {})",
            self.sees_event("e"),
            self.sees_attribute("e", "o", "a")
        )
    }
}

fn order_column(key: ClusterKey) -> &'static str {
    match key {
        ClusterKey::Id => "c.id",
        ClusterKey::Version => "c.version",
        ClusterKey::Value => "lower(c.value)",
        ClusterKey::TagName => "c.folded",
        ClusterKey::Distribution => "c.distribution",
        ClusterKey::Galaxy => "c.galaxy_id",
    }
}
