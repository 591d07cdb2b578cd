//! A bundle, written object by object: nothing is kept but the ids of what several events share.
//!
//! A report names all its objects before they come. So an event is walked twice, the second time for the
//! objects themselves ([`Bundle::begin_event`], [`Bundle::begin_objects`], [`Bundle::end_event`]).

use super::cluster::Cluster;
use super::marking::marking;
use super::record::{Attribute, Event, Link, Object, Org, Target};
use super::seen::Seen;
use super::{Version, attribute, derived, id, micros, moment, object, pattern};
use pisax_model::Uuid;
use pisax_model::attribute::AttributeView;
use pisax_model::sighting::Sighting;
use rustc_hash::FxHashSet;
use serde_json::{Map, Value, json};

pub struct Bundle {
    version: Version,
    /// What is shared by several events and was written: identities, markings, clusters.
    written: FxHashSet<String>,
    first: bool,
    pass: Pass,
    /// Identity of the creator of what is being written.
    author: String,
    created: String,
}

enum Pass {
    /// Objects are written.
    Objects,
    /// Only their ids, as members of a report. Holds the shared ones that were named in it.
    Ids(FxHashSet<String>),
}

/// MISP's readers take a bundle with this label for one of MISP's own.
pub(crate) const TOOL: &str = "misp:tool=\"MISP-STIX-Converter\"";

/// What has no indicator says so that it is meant for detection.
const FOR_DETECTION: &str = "misp:to_ids=\"True\"";

impl Bundle {
    pub fn new(version: Version) -> Self {
        Self {
            version,
            written: FxHashSet::default(),
            first: true,
            pass: Pass::Objects,
            author: String::new(),
            created: String::new(),
        }
    }

    /// `key` makes the bundle's id: the same search at the same time gives the same bundle.
    pub fn begin(&mut self, key: &str, out: &mut Vec<u8>) {
        let id = id("bundle", derived(key, self.version));
        let version = if self.version == Version::V20 { "\"spec_version\":\"2.0\"," } else { "" };
        out.extend_from_slice(
            format!("{{\"type\":\"bundle\",{version}\"id\":\"{id}\",\"objects\":[").as_bytes(),
        );
    }

    pub fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"]}");
    }

    /// Sets whose what follows is. Without [`Bundle::begin_event`], attributes stand alone.
    pub fn author(&mut self, org: Org<'_>, timestamp: i64, out: &mut Vec<u8>) {
        self.created = moment(timestamp);
        self.author = self.identity(org, out);
    }

    /// Begins the report of an event, up to the ids of its objects: walk the event now.
    pub fn begin_event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        self.author(event.org, event.event.timestamp, out);
        let stored = event.event;
        let published = stored.published || self.version == Version::V20;
        let kind = if published { "report" } else { "grouping" };
        let mut head = self.head(kind, stored.uuid, stored.timestamp);
        head.insert("created".into(), format!("{}T00:00:00.000Z", stored.date).into());
        // A report made later than it was changed is none.
        if moment(stored.timestamp)[..10] < stored.date[..] {
            head.insert("created".into(), moment(stored.timestamp).into());
        }
        head.insert("name".into(), stored.info.as_str().into());
        if published {
            let when = if stored.publish_timestamp > 0 { stored.publish_timestamp } else { stored.timestamp };
            head.insert("published".into(), moment(when).into());
        } else {
            head.insert("context".into(), "suspicious-activity".into());
        }
        let mut labels = vec![Value::from("Threat-Report"), TOOL.into()];
        let markings = self.markings(event.tags, &mut labels, out);
        head.insert("labels".into(), labels.into());
        self.mark(&mut head, markings);
        self.separate(out);
        let mut json = Value::Object(head).to_string();
        json.pop();
        out.extend_from_slice(json.as_bytes());
        out.extend_from_slice(b",\"object_refs\":[");
        self.first = true;
        self.pass = Pass::Ids(FxHashSet::default());
        self.clusters(event.clusters, out);
    }

    /// All ids are named: walk the event again for the objects.
    pub fn begin_objects(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        if self.first {
            // A report about nothing is not allowed; this one is about who made it.
            out.extend_from_slice(format!("\"{}\"", self.author).as_bytes());
        }
        out.extend_from_slice(b"]}");
        self.first = false;
        self.pass = Pass::Objects;
        self.clusters(event.clusters, out);
    }

    pub fn attribute(&mut self, attribute: &Attribute<'_>, out: &mut Vec<u8>) {
        let view = &attribute.view;
        let kind = view.kind.name();
        let mut labels = vec![
            Value::from(format!("misp:type=\"{kind}\"")),
            format!("misp:category=\"{}\"", view.category.name()).into(),
        ];
        let markings = self.markings(attribute.tags, &mut labels, out);
        if let Some(sdo) = self.domain_object(view) {
            let id = id(sdo, view.uuid);
            if view.to_ids {
                labels.push(FOR_DETECTION.into());
            }
            self.clusters_of(&id, attribute, out);
            let mut map = self.head(sdo, view.uuid, view.timestamp);
            map.insert("name".into(), view.value1.into());
            if !view.comment.is_empty() {
                map.insert("description".into(), view.comment.into());
            }
            map.insert("labels".into(), labels.into());
            if sdo == "vulnerability" {
                let reference = json!([{"source_name": "cve", "external_id": view.value1}]);
                map.insert("external_references".into(), reference);
            }
            self.mark(&mut map, markings);
            self.emit(id, Value::Object(map), out);
            return;
        }
        let seen = attribute_seen(view, attribute.data, self.version);
        let parts = Parts {
            uuid: view.uuid,
            timestamp: view.timestamp,
            first_seen: view.first_seen,
            last_seen: view.last_seen,
            to_ids: view.to_ids,
            comment: view.comment,
            phase: view.category.name(),
            rule: rule(view, self.version),
            members: Map::new(),
        };
        let anchor = self.observed(&seen, &parts, &labels, &markings, out);
        let anchor = match anchor {
            Some(anchor) => anchor,
            None => {
                let mut map = self.head("x-misp-attribute", view.uuid, view.timestamp);
                if view.to_ids {
                    labels.push(FOR_DETECTION.into());
                }
                map.insert("labels".into(), labels.into());
                self.mark(&mut map, markings);
                map.insert("x_misp_category".into(), view.category.name().into());
                if !view.comment.is_empty() {
                    map.insert("x_misp_comment".into(), view.comment.into());
                }
                map.insert("x_misp_type".into(), kind.into());
                map.insert("x_misp_value".into(), view.value().into());
                if let Some(data) = attribute.data {
                    map.insert("x_misp_data".into(), data.into());
                }
                let id = id("x-misp-attribute", view.uuid);
                self.emit(id.clone(), Value::Object(map), out);
                id
            }
        };
        self.clusters_of(&anchor, attribute, out);
        self.sightings(&anchor, attribute.sightings, out);
    }

    /// Kinds of attribute that are domain objects rather than observables.
    fn domain_object(&self, view: &AttributeView<'_>) -> Option<&'static str> {
        match view.kind.name() {
            "vulnerability" => Some("vulnerability"),
            "campaign-name" => Some("campaign"),
            _ => None,
        }
    }

    pub fn object(&mut self, object: &Object<'_>, out: &mut Vec<u8>) {
        let stored = object.object;
        let views: Vec<AttributeView<'_>> = object.attributes.iter().map(|a| a.view).collect();
        let mut labels = vec![
            Value::from(format!("misp:name=\"{}\"", stored.name)),
            format!("misp:meta-category=\"{}\"", stored.meta_category).into(),
        ];
        let tags: Vec<&str> = object.attributes.iter().flat_map(|a| a.tags).copied().collect();
        let markings = self.markings(&tags, &mut Vec::new(), out);
        let members: Vec<Value> = object.attributes.iter().map(member).collect();
        let mut exact = Map::new();
        exact.insert("x_misp_attributes".into(), members.into());
        for (key, text) in [
            ("x_misp_comment", &stored.comment),
            ("x_misp_description", &stored.description),
            ("x_misp_template_uuid", &stored.template_uuid),
            ("x_misp_template_version", &stored.template_version),
        ] {
            if !text.is_empty() {
                exact.insert(key.into(), text.as_str().into());
            }
        }
        let seen = object::seen(&stored.name, stored.uuid, &views, self.version);
        let parts = Parts {
            uuid: stored.uuid,
            timestamp: stored.timestamp,
            first_seen: stored.first_seen,
            last_seen: stored.last_seen,
            to_ids: views.iter().any(|v| v.to_ids),
            comment: &stored.comment,
            phase: &stored.meta_category,
            rule: None,
            members: exact,
        };
        let anchor = match self.observed(&seen, &parts, &labels, &markings, out) {
            Some(anchor) => anchor,
            None => {
                let mut map = self.head("x-misp-object", stored.uuid, stored.timestamp);
                if parts.to_ids {
                    labels.push(FOR_DETECTION.into());
                }
                map.insert("labels".into(), labels.into());
                self.mark(&mut map, markings);
                map.insert("x_misp_name".into(), stored.name.as_str().into());
                map.insert("x_misp_meta_category".into(), stored.meta_category.as_str().into());
                map.extend(parts.members);
                let id = id("x-misp-object", stored.uuid);
                self.emit(id.clone(), Value::Object(map), out);
                id
            }
        };
        for attribute in object.attributes {
            self.clusters_of(&anchor, attribute, out);
            self.sightings(&anchor, attribute.sightings, out);
        }
    }

    pub fn link(&mut self, link: &Link<'_>, out: &mut Vec<u8>) {
        let source = self.object_anchor(&link.source);
        let target = match &link.target {
            Target::Attribute(view) => self.attribute_anchor(view),
            Target::Object(object) => self.object_anchor(object),
        };
        let reference = link.reference;
        let kind = match reference.relationship_type.trim() {
            "" => "related-to",
            kind => kind,
        };
        let mut map = self.head("relationship", reference.uuid, reference.timestamp);
        map.insert("relationship_type".into(), kind.into());
        map.insert("source_ref".into(), source.into());
        map.insert("target_ref".into(), target.into());
        if !reference.comment.is_empty() {
            map.insert("description".into(), reference.comment.as_str().into());
        }
        self.emit(id("relationship", reference.uuid), Value::Object(map), out);
    }

    fn attribute_anchor(&self, view: &AttributeView<'_>) -> String {
        if let Some(kind) = self.domain_object(view) {
            return id(kind, view.uuid);
        }
        let seen = attribute_seen(view, None, self.version);
        let rule = rule(view, self.version).is_some();
        self.anchor(&seen, view.uuid, view.to_ids, rule).unwrap_or_else(|| id("x-misp-attribute", view.uuid))
    }

    fn object_anchor(&self, object: &Object<'_>) -> String {
        let views: Vec<AttributeView<'_>> = object.attributes.iter().map(|a| a.view).collect();
        let (stored, to_ids) = (object.object, views.iter().any(|v| v.to_ids));
        let seen = object::seen(&stored.name, stored.uuid, &views, self.version);
        self.anchor(&seen, stored.uuid, to_ids, false).unwrap_or_else(|| id("x-misp-object", stored.uuid))
    }

    /// The object that stands for a record: the indicator, else what was observed.
    fn anchor(&self, seen: &Seen, uuid: Uuid, to_ids: bool, rule: bool) -> Option<String> {
        if to_ids && (rule || !seen.clauses.is_empty()) {
            return Some(id("indicator", uuid));
        }
        (!seen.observables.is_empty()).then(|| id("observed-data", uuid))
    }

    /// Writes what was observed and the indicator; gives the anchor, `None` when there is neither.
    fn observed(
        &mut self,
        seen: &Seen,
        parts: &Parts<'_>,
        labels: &[Value],
        markings: &[Value],
        out: &mut Vec<u8>,
    ) -> Option<String> {
        let anchor = self.anchor(seen, parts.uuid, parts.to_ids, parts.rule.is_some())?;
        let observed = !seen.observables.is_empty();
        if observed {
            let mut map = self.head("observed-data", parts.uuid, parts.timestamp);
            let since = parts.first_seen.map_or_else(|| moment(parts.timestamp), micros);
            let until = parts.last_seen.map_or_else(|| since.clone(), micros);
            let until = if until < since { since.clone() } else { until };
            map.insert("first_observed".into(), since.into());
            map.insert("last_observed".into(), until.into());
            map.insert("number_observed".into(), 1.into());
            match self.version {
                Version::V20 => map.insert("objects".into(), seen.nested()),
                Version::V21 => map.insert("object_refs".into(), json!(seen.ids())),
            };
            map.insert("labels".into(), labels.into());
            self.mark(&mut map, markings.to_vec());
            if !parts.to_ids && !parts.comment.is_empty() {
                map.insert("x_misp_comment".into(), parts.comment.into());
            }
            map.extend(parts.members.clone());
            self.emit(id("observed-data", parts.uuid), Value::Object(map), out);
            if self.version == Version::V21 {
                for (id, object) in seen.objects() {
                    self.emit(id, object, out);
                }
            }
        }
        if anchor.starts_with("indicator") {
            self.indicator(seen, parts, labels, markings, out);
            if observed && self.version == Version::V21 {
                let target = id("observed-data", parts.uuid);
                self.relate("based-on", &anchor, &target, out);
            }
        }
        Some(anchor)
    }

    fn indicator(
        &mut self,
        seen: &Seen,
        parts: &Parts<'_>,
        labels: &[Value],
        markings: &[Value],
        out: &mut Vec<u8>,
    ) {
        let mut map = self.head("indicator", parts.uuid, parts.timestamp);
        if !parts.comment.is_empty() {
            map.insert("description".into(), parts.comment.into());
        }
        let (language, text) = match &parts.rule {
            Some((language, text)) => (*language, (*text).to_owned()),
            None => ("stix", pattern::write(&seen.clauses)),
        };
        map.insert("pattern".into(), text.into());
        if self.version == Version::V21 {
            map.insert("pattern_type".into(), language.into());
            if language == "stix" {
                map.insert("pattern_version".into(), self.version.name().into());
            }
        }
        let since = parts.first_seen.map_or_else(|| moment(parts.timestamp), micros);
        if let Some(until) = parts.last_seen.map(micros).filter(|until| *until > since) {
            map.insert("valid_until".into(), until.into());
        }
        map.insert("valid_from".into(), since.into());
        let phase = json!([{"kill_chain_name": "misp-category", "phase_name": parts.phase}]);
        map.insert("kill_chain_phases".into(), phase);
        map.insert("labels".into(), labels.into());
        self.mark(&mut map, markings.to_vec());
        // Without an observed-data it has to carry everything itself.
        if seen.observables.is_empty() {
            map.extend(parts.members.clone());
        }
        self.emit(id("indicator", parts.uuid), Value::Object(map), out);
    }

    fn clusters_of(&mut self, anchor: &str, attribute: &Attribute<'_>, out: &mut Vec<u8>) {
        self.clusters(attribute.clusters, out);
        for cluster in attribute.clusters {
            let kind = if anchor.starts_with("indicator") { "indicates" } else { "related-to" };
            let target = cluster.id(self.version);
            self.relate(kind, anchor, &target, out);
        }
    }

    fn clusters(&mut self, clusters: &[&Cluster], out: &mut Vec<u8>) {
        for cluster in clusters {
            let (version, created) = (self.version, self.created.clone());
            self.share(cluster.id(version), || cluster.object(version, &created), out);
        }
    }

    fn sightings(&mut self, anchor: &str, sightings: &[Sighting], out: &mut Vec<u8>) {
        for sighting in sightings {
            let org = Org { uuid: sighting.org_uuid, name: &sighting.org_name };
            let by = self.identity(org, out);
            match (sighting.kind, self.version) {
                (0, _) => {
                    let mut map = self.head("sighting", sighting.uuid, sighting.date_sighting);
                    if !sighting.source.is_empty() {
                        map.insert("description".into(), sighting.source.as_str().into());
                    }
                    map.insert("sighting_of_ref".into(), anchor.into());
                    map.insert("where_sighted_refs".into(), json!([by]));
                    self.emit(id("sighting", sighting.uuid), Value::Object(map), out);
                }
                (1, Version::V21) => {
                    let mut map = self.head("opinion", sighting.uuid, sighting.date_sighting);
                    map.insert("explanation".into(), "False positive Sighting".into());
                    map.insert("authors".into(), json!([sighting.org_name]));
                    map.insert("opinion".into(), "strongly-disagree".into());
                    map.insert("object_refs".into(), json!([anchor]));
                    map.insert("x_misp_author_ref".into(), by.into());
                    self.emit(id("opinion", sighting.uuid), Value::Object(map), out);
                }
                _ => {}
            }
        }
    }

    fn relate(&mut self, kind: &str, source: &str, target: &str, out: &mut Vec<u8>) {
        let uuid = derived(&format!("{source} {kind} {target}"), self.version);
        let own = id("relationship", uuid);
        let mut map = self.plain_head("relationship", uuid);
        map.insert("created".into(), self.created.as_str().into());
        map.insert("modified".into(), self.created.as_str().into());
        map.insert("relationship_type".into(), kind.into());
        map.insert("source_ref".into(), source.into());
        map.insert("target_ref".into(), target.into());
        self.emit(own, Value::Object(map), out);
    }

    fn identity(&mut self, org: Org<'_>, out: &mut Vec<u8>) -> String {
        let own = id("identity", org.uuid);
        let mut map = self.plain_head("identity", org.uuid);
        map.insert("created".into(), self.created.as_str().into());
        map.insert("modified".into(), self.created.as_str().into());
        map.insert("name".into(), if org.name.is_empty() { "unknown" } else { org.name }.into());
        map.insert("identity_class".into(), "organization".into());
        if matches!(self.pass, Pass::Objects) {
            self.share(own.clone(), || Value::Object(map), out);
        }
        own
    }

    /// Ids of the markings these tags stand for; the other tags become labels.
    fn markings(&mut self, tags: &[&str], labels: &mut Vec<Value>, out: &mut Vec<u8>) -> Vec<Value> {
        let mut ids = Vec::new();
        for tag in tags {
            match marking(tag, self.version) {
                Some((own, object)) => {
                    if matches!(self.pass, Pass::Objects) {
                        self.share(own.clone(), || object, out);
                    }
                    if !ids.contains(&Value::from(own.as_str())) {
                        ids.push(own.into());
                    }
                }
                None => labels.push((*tag).into()),
            }
        }
        ids
    }

    fn mark(&self, map: &mut Map<String, Value>, markings: Vec<Value>) {
        if !markings.is_empty() {
            map.insert("object_marking_refs".into(), markings.into());
        }
    }

    fn plain_head(&self, kind: &str, uuid: Uuid) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("type".into(), kind.into());
        if self.version == Version::V21 {
            map.insert("spec_version".into(), self.version.name().into());
        }
        map.insert("id".into(), id(kind, uuid).into());
        map
    }

    fn head(&self, kind: &str, uuid: Uuid, timestamp: i64) -> Map<String, Value> {
        let mut map = self.plain_head(kind, uuid);
        map.insert("created_by_ref".into(), self.author.as_str().into());
        map.insert("created".into(), moment(timestamp).into());
        map.insert("modified".into(), moment(timestamp).into());
        map
    }

    /// What several events may share is written once a bundle, and named once a report.
    fn share(&mut self, own: String, object: impl FnOnce() -> Value, out: &mut Vec<u8>) {
        let is_new = match &mut self.pass {
            Pass::Ids(named) => named.insert(own.clone()),
            Pass::Objects => self.written.insert(own.clone()),
        };
        if is_new {
            self.emit(own, object(), out);
        }
    }

    fn emit(&mut self, own: String, object: Value, out: &mut Vec<u8>) {
        self.separate(out);
        match self.pass {
            Pass::Ids(_) => out.extend_from_slice(format!("\"{own}\"").as_bytes()),
            Pass::Objects => out.extend_from_slice(object.to_string().as_bytes()),
        }
    }

    fn separate(&mut self, out: &mut Vec<u8>) {
        if !std::mem::take(&mut self.first) {
            out.push(b',');
        }
    }
}

/// What an observed-data and an indicator say beside their observables.
struct Parts<'a> {
    uuid: Uuid,
    timestamp: i64,
    first_seen: Option<i64>,
    last_seen: Option<i64>,
    to_ids: bool,
    comment: &'a str,
    phase: &'a str,
    /// Language and text, when the value is a rule of its own.
    rule: Option<(&'static str, &'a str)>,
    /// Members of PISAX's and MISP's own.
    members: Map<String, Value>,
}

fn attribute_seen(view: &AttributeView<'_>, data: Option<&str>, version: Version) -> Seen {
    attribute::seen(view.kind.name(), view.value1, view.value2, view.uuid, data, version)
}

fn rule<'a>(view: &AttributeView<'a>, version: Version) -> Option<(&'static str, &'a str)> {
    // STIX 2.0 knows its own patterns only.
    let language = attribute::rule_language(view.kind.name()).filter(|_| version == Version::V21)?;
    Some((language, view.value1))
}

/// An attribute of an object, whole, for readers that know MISP.
fn member(attribute: &Attribute<'_>) -> Value {
    let view = &attribute.view;
    let mut out = json!({
        "type": view.kind.name(),
        "object_relation": view.object_relation.unwrap_or_default(),
        "value": view.value(),
        "category": view.category.name(),
        "uuid": view.uuid.to_string(),
        "to_ids": view.to_ids,
    });
    if !view.comment.is_empty() {
        out["comment"] = view.comment.into();
    }
    if let Some(data) = attribute.data {
        out["data"] = data.into();
    }
    if !attribute.tags.is_empty() {
        out["tags"] = json!(attribute.tags);
    }
    out
}
