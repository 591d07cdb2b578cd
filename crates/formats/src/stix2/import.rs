//! Bundles read into drafts of events: PISAX's and MISP's own come back as they were, those of others as
//! well as MISP can say it. What cannot be said otherwise is kept as a pattern, so that nothing is lost.

mod domain;
mod facts;
mod parts;

use super::marking::marking_tag;
use super::{Version, derived};
use facts::Budget;
use parts::{Labels, list, text};
use pisax_model::Uuid;
use pisax_model::attribute::AttributeDraft;
use pisax_model::event::EventDraft;
use pisax_model::ids::Ref;
use pisax_model::object::{ObjectDraft, ReferenceDraft};
use pisax_model::org::OrgRef;
use pisax_model::sighting::SightingDraft;
use pisax_model::tag::TagDraft;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value};

/// Why a bundle is not read: which member, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct Problem {
    pub path: String,
    pub message: String,
}

impl Problem {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

/// An object of the bundle.
type Stix = Map<String, Value>;

/// Reads a bundle, already parsed, into one draft per report or grouping; a bundle without any becomes one
/// event.
pub fn read_bundle(bundle: &Value) -> Result<Vec<EventDraft>, Problem> {
    let Value::Object(bundle) = bundle else {
        return Err(Problem::new("bundle", "A STIX 2 bundle is a JSON object."));
    };
    if text(bundle, "type") != Some("bundle") {
        return Err(Problem::new("type", "The type of a STIX 2 bundle is \"bundle\"."));
    }
    let objects = match bundle.get("objects") {
        None => &Vec::new(),
        Some(Value::Array(objects)) => objects,
        Some(_) => return Err(Problem::new("objects", "The objects of a bundle are a list.")),
    };
    let mut reading = Reading { budget: Budget::of(objects.len()), ..Reading::default() };
    for (place, object) in objects.iter().enumerate() {
        reading.take(place, object)?;
    }
    if reading.order.is_empty() {
        return Err(Problem::new("objects", "There is nothing in the bundle."));
    }
    reading.relations();
    let reports: Vec<&Stix> =
        reading.order.iter().copied().filter(|o| matches!(kind(o), "report" | "grouping")).collect();
    let mut events = Vec::new();
    for report in &reports {
        events.push(reading.event(Some(report), text(bundle, "id").unwrap_or_default())?);
    }
    // What no report names still came along: with the only report, or in an event of its own.
    let mut rest = match &mut events[..] {
        [only] => std::mem::take(only),
        _ => reading.event(None, text(bundle, "id").unwrap_or_default())?,
    };
    let all: Vec<&Stix> = reading.order.clone();
    for object in all {
        reading.object(object, &mut rest)?;
    }
    let empty = rest.attributes.is_empty() && rest.objects.is_empty();
    match &mut events[..] {
        [only] => *only = rest,
        [] => events.push(rest),
        _ if !empty => events.push(rest),
        _ => {}
    }
    for event in &mut events {
        reading.link(event);
    }
    Ok(events)
}

fn kind(object: &Stix) -> &str {
    text(object, "type").unwrap_or_default()
}

/// Whether a MISP wrote this report.
fn is_misp(report: &Stix) -> bool {
    list(report, "labels").any(|label| label.starts_with("misp:tool="))
}

fn uuid_of(id: &str) -> Option<Uuid> {
    Uuid::parse_str(id.split_once("--")?.1).ok()
}

#[derive(Default)]
struct Reading<'a> {
    order: Vec<&'a Stix>,
    by_id: FxHashMap<&'a str, &'a Stix>,
    places: FxHashMap<&'a str, usize>,
    /// Objects that a draft was made of.
    done: FxHashSet<&'a str>,
    /// Tags that relationships put on objects.
    tags: FxHashMap<&'a str, Vec<String>>,
    sightings: FxHashMap<&'a str, Vec<&'a Stix>>,
    links: Vec<&'a Stix>,
    budget: Budget,
}

impl<'a> Reading<'a> {
    fn take(&mut self, place: usize, object: &'a Value) -> Result<(), Problem> {
        let at = |member: &str| format!("objects[{place}]{member}");
        let Value::Object(object) = object else {
            return Err(Problem::new(at(""), "It is not an object."));
        };
        let Some(kind) = text(object, "type") else {
            return Err(Problem::new(at(".type"), "Every STIX object has a type."));
        };
        let Some(id) = text(object, "id") else {
            return Err(Problem::new(at(".id"), "Every STIX object has an id."));
        };
        if id.split_once("--").is_none_or(|(name, _)| name != kind) || uuid_of(id).is_none() {
            return Err(Problem::new(at(".id"), format!("An id is {kind}--, followed by a UUID.")));
        }
        let wanted: &[&str] = match kind {
            "indicator" => &["pattern"],
            "relationship" => &["relationship_type", "source_ref", "target_ref"],
            "sighting" => &["sighting_of_ref"],
            "report" | "grouping" => &["name"],
            _ => &[],
        };
        for name in wanted {
            if text(object, name).is_none_or(|text| text.trim().is_empty()) {
                let message = format!("A STIX {kind} has a {name}, which is a text.");
                return Err(Problem::new(at(&format!(".{name}")), message));
            }
        }
        for name in ["object_refs", "labels", "object_marking_refs"] {
            let texts = |v: &Value| v.as_array().is_some_and(|list| list.iter().all(Value::is_string));
            if object.get(name).is_some_and(|value| !texts(value)) {
                return Err(Problem::new(at(&format!(".{name}")), "It is a list of texts."));
            }
        }
        for name in ["created", "modified", "first_observed", "last_observed", "valid_from", "valid_until"] {
            let Some(value) = object.get(name) else { continue };
            if value.as_str().and_then(pisax_model::time::parse_micros).is_none() {
                return Err(Problem::new(at(&format!(".{name}")), "It is not a time of STIX (RFC 3339)."));
            }
        }
        // The later of two with one id is the newer version.
        if self.by_id.insert(id, object).is_some() {
            self.order.retain(|o| text(o, "id") != Some(id));
        }
        self.places.insert(id, place);
        self.order.push(object);
        Ok(())
    }

    /// Sorts relationships and sightings to what they are about.
    fn relations(&mut self) {
        for &object in &self.order {
            match kind(object) {
                "relationship" => {
                    let (source, target) = (text(object, "source_ref"), text(object, "target_ref"));
                    let (Some(source), Some(target)) = (source, target) else { continue };
                    let named = self.by_id.get(target).and_then(|target| domain::tag(target));
                    match named {
                        Some(tag) => self.tags.entry(source).or_default().push(tag),
                        None => self.links.push(object),
                    }
                }
                "sighting" => {
                    if let Some(of) = text(object, "sighting_of_ref") {
                        self.sightings.entry(of).or_default().push(object);
                    }
                }
                _ => {}
            }
        }
    }

    fn org(&self, id: Option<&str>) -> Option<OrgRef> {
        let object = self.by_id.get(id?)?;
        let name = text(object, "name")?.to_owned();
        let uuid = text(object, "id").and_then(uuid_of);
        Some(OrgRef { name: Some(name), uuid, ..OrgRef::default() })
    }

    fn event(&mut self, report: Option<&'a Stix>, bundle: &str) -> Result<EventDraft, Problem> {
        let Some(report) = report else {
            let info = format!("STIX {bundle}");
            return Ok(EventDraft { info: Some(info), ..EventDraft::default() });
        };
        let mut draft = EventDraft {
            uuid: text(report, "id").and_then(uuid_of),
            info: text(report, "name").map(str::to_owned),
            date: text(report, "created").and_then(pisax_model::time::parse_date),
            timestamp: parts::seconds(report, "modified"),
            // Who a vendor is says nothing of whose event it is here; what a MISP wrote does.
            orgc: self.org(text(report, "created_by_ref").filter(|_| is_misp(report))),
            ..EventDraft::default()
        };
        draft.tags = self.tags_of(report);
        if let Some(description) = text(report, "description").filter(|d| !d.trim().is_empty()) {
            draft
                .attributes
                .push(note(derived(&format!("{:?} description", draft.uuid), Version::V21), description));
        }
        for id in list(report, "object_refs") {
            let Some(&object) = self.by_id.get(id) else { continue };
            if let Some(tag) = domain::tag(object).filter(|_| !self.is_target(id)) {
                add_tag(&mut draft.tags, &tag);
            }
            self.object(object, &mut draft)?;
        }
        Ok(draft)
    }

    /// Whether a relationship leads to this: then it is told of what the arrow comes from.
    fn is_target(&self, id: &str) -> bool {
        // Tags hang on their sources; whoever has one of them got it from an arrow.
        let Some(tag) = self.by_id.get(id).and_then(|object| domain::tag(object)) else { return false };
        self.tags.values().any(|tags| tags.contains(&tag))
    }

    fn tags_of(&self, object: &Stix) -> Vec<TagDraft> {
        let mut tags = Vec::new();
        for label in list(object, "labels").filter(|l| !l.starts_with("misp:") && *l != "Threat-Report") {
            add_tag(&mut tags, label);
        }
        for marking in list(object, "object_marking_refs").filter_map(marking_tag) {
            add_tag(&mut tags, marking);
        }
        for tag in text(object, "id").and_then(|id| self.tags.get(id)).into_iter().flatten() {
            add_tag(&mut tags, tag);
        }
        tags
    }

    fn sightings_of(&self, id: &str) -> Vec<SightingDraft> {
        let Some(list) = self.sightings.get(id) else { return Vec::new() };
        let draft = |sighting: &&Stix| SightingDraft {
            uuid: text(sighting, "id").and_then(uuid_of),
            kind: Some(0),
            source: text(sighting, "description").map(str::to_owned),
            date_sighting: parts::seconds(sighting, "last_seen").or(parts::seconds(sighting, "modified")),
            organisation: self.org(parts::list(sighting, "where_sighted_refs").next()),
            ..SightingDraft::default()
        };
        list.iter().map(draft).collect()
    }

    /// Turns one object of the bundle into what it is in MISP, once.
    fn object(&mut self, object: &'a Stix, draft: &mut EventDraft) -> Result<(), Problem> {
        let Some(id) = text(object, "id") else { return Ok(()) };
        if self.done.contains(id) {
            return Ok(());
        }
        match kind(object) {
            "indicator" | "observed-data" => self.sighted(object, draft),
            "x-misp-attribute" => {
                self.done.insert(id);
                draft.attributes.push(self.custom_attribute(object));
                Ok(())
            }
            "x-misp-object" => {
                self.done.insert(id);
                let to_ids = Labels::of(object).to_ids;
                let drafted = self.whole_object(object, object, to_ids);
                draft.objects.extend(drafted);
                Ok(())
            }
            "vulnerability" | "campaign" if domain::tag(object).is_none() => {
                self.done.insert(id);
                draft.attributes.extend(self.named(object));
                Ok(())
            }
            "note" => {
                self.done.insert(id);
                let title = text(object, "abstract").map(|t| format!("{t}\n\n")).unwrap_or_default();
                if let Some(content) = text(object, "content") {
                    let uuid = uuid_of(id).unwrap_or_default();
                    draft.attributes.push(note(uuid, &format!("{title}{content}")));
                }
                Ok(())
            }
            kind if facts::is_observable(kind) => {
                // Alone in the bundle: observed by whoever made the report.
                if !self.done.contains(id) && !self.is_part(id) {
                    self.done.insert(id);
                    let facts = facts::of_observables(&[object], &self.by_id, &mut self.budget)
                        .map_err(|message| self.too_much(id, message))?;
                    let about = parts::About { uuid: uuid_of(id), ..parts::About::default() };
                    parts::put(facts, &about, draft);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether an observable belongs to an observed-data or to another observable.
    fn is_part(&mut self, id: &str) -> bool {
        if self.budget.parts.is_none() {
            let mut named = FxHashSet::default();
            for object in &self.order {
                if kind(object) == "observed-data" {
                    named.extend(list(object, "object_refs").map(str::to_owned));
                }
                if facts::is_observable(kind(object)) {
                    facts::references(object, &mut named);
                }
            }
            self.budget.parts = Some(named);
        }
        self.budget.parts.as_ref().is_some_and(|named| named.contains(id))
    }

    fn too_much(&self, id: &str, message: &str) -> Problem {
        Problem::new(format!("objects[{}]", self.places.get(id).copied().unwrap_or_default()), message)
    }

    /// An indicator, what was observed, or both of the same uuid.
    fn sighted(&mut self, object: &'a Stix, draft: &mut EventDraft) -> Result<(), Problem> {
        let id = text(object, "id").unwrap_or_default();
        let uuid = uuid_of(id);
        let twin = |kind: &str| uuid.and_then(|uuid| self.by_id.get(super::id(kind, uuid).as_str()).copied());
        let (indicator, observed) = (twin("indicator"), twin("observed-data"));
        for part in [indicator, observed].into_iter().flatten() {
            self.done.extend(text(part, "id"));
        }
        let main = indicator.or(observed).unwrap_or(object);
        let labels = Labels::of(main);
        let to_ids = indicator.is_some() || labels.to_ids;
        for part in [observed, indicator].into_iter().flatten() {
            if part.contains_key("x_misp_attributes") {
                let drafted = self.whole_object(part, main, to_ids);
                draft.objects.extend(drafted);
                return Ok(());
            }
        }
        let since = observed.map_or("valid_from", |_| "first_observed");
        let until = observed.map_or("valid_until", |_| "last_observed");
        let part = observed.unwrap_or(main);
        let mut about = parts::About {
            uuid,
            to_ids,
            labels,
            timestamp: parts::seconds(main, "modified"),
            comment: comment(main),
            tags: self.tags_of(main),
            sightings: self.sightings_of(text(main, "id").unwrap_or_default()),
            ..parts::About::default()
        };
        if let Some(observed) = observed.filter(|o| !std::ptr::eq(*o, main)) {
            about.sightings.extend(self.sightings_of(text(observed, "id").unwrap_or_default()));
        }
        // MISP's writers put the timestamp where nothing is known.
        if text(part, since) != text(part, "created").map(|c| c.replace(".000Z", "Z")).as_deref()
            && text(part, since) != text(part, "created")
        {
            about.first_seen = text(part, since).map(str::to_owned);
            about.last_seen = text(part, until).map(str::to_owned);
        }
        let language = indicator.and_then(|i| text(i, "pattern_type")).unwrap_or("stix");
        let pattern = indicator.and_then(|i| text(i, "pattern")).unwrap_or_default();
        if indicator.is_some() && language != "stix" {
            parts::put_rule(language, pattern, &about, draft);
            return Ok(());
        }
        let facts = match observed {
            Some(observed) => facts::of_observed(observed, &self.by_id, &mut self.budget)
                .map_err(|m| self.too_much(id, m))?,
            None => Vec::new(),
        };
        if indicator.is_none() || !facts.is_empty() && about.labels.is_misp() {
            parts::put(facts, &about, draft);
            return Ok(());
        }
        match super::pattern::read(pattern) {
            Some(alternatives) => parts::put_pattern(pattern, alternatives, &about, draft),
            None => parts::put_whole(pattern, &about, draft),
        }
        Ok(())
    }

    fn custom_attribute(&self, object: &Stix) -> AttributeDraft {
        let own = |name: &str| text(object, name).map(str::to_owned);
        AttributeDraft {
            uuid: text(object, "id").and_then(uuid_of),
            kind: own("x_misp_type"),
            category: own("x_misp_category"),
            value: own("x_misp_value"),
            comment: own("x_misp_comment"),
            to_ids: Some(Labels::of(object).to_ids),
            timestamp: parts::seconds(object, "modified"),
            data: own("x_misp_data").and_then(|data| parts::bytes(&data)).map(Into::into),
            tags: self.tags_of(object),
            sightings: self.sightings_of(text(object, "id").unwrap_or_default()),
            ..AttributeDraft::default()
        }
    }

    /// An object whose attributes were written whole.
    fn whole_object(&self, part: &Stix, main: &Stix, to_ids: bool) -> Option<ObjectDraft> {
        let labels = Labels::of(main);
        let own = |name: &str| text(part, name).map(str::to_owned);
        let Some(Value::Array(items)) = part.get("x_misp_attributes") else { return None };
        let timestamp = parts::seconds(main, "modified");
        let uuid = text(main, "id").and_then(uuid_of);
        let mut attributes: Vec<AttributeDraft> = items
            .iter()
            .filter_map(Value::as_object)
            .map(|item| {
                let own = |name: &str| text(item, name).map(str::to_owned);
                let mut tags = Vec::new();
                list(item, "tags").for_each(|tag| add_tag(&mut tags, tag));
                AttributeDraft {
                    uuid: text(item, "uuid").and_then(|uuid| Uuid::parse_str(uuid).ok()),
                    kind: own("type"),
                    category: own("category"),
                    object_relation: own("object_relation"),
                    value: own("value"),
                    comment: own("comment"),
                    to_ids: Some(item.get("to_ids").and_then(Value::as_bool).unwrap_or(false) && to_ids),
                    timestamp,
                    data: own("data").and_then(|data| parts::bytes(&data)).map(Into::into),
                    tags,
                    ..AttributeDraft::default()
                }
            })
            .collect();
        if let Some(first) = attributes.first_mut() {
            first.sightings = self.sightings_of(text(main, "id").unwrap_or_default());
        }
        Some(ObjectDraft {
            uuid,
            name: labels.name.map(str::to_owned).or(own("x_misp_name")),
            meta_category: labels.meta_category.map(str::to_owned).or(own("x_misp_meta_category")),
            description: own("x_misp_description"),
            template_uuid: own("x_misp_template_uuid"),
            template_version: own("x_misp_template_version"),
            comment: own("x_misp_comment"),
            timestamp,
            distribution: Some(5),
            attributes,
            has_attributes: true,
            ..ObjectDraft::default()
        })
    }

    /// A vulnerability or campaign that is an attribute.
    fn named(&self, object: &Stix) -> Option<AttributeDraft> {
        let labels = Labels::of(object);
        let cve = object.get("external_references").and_then(Value::as_array).into_iter().flatten().find_map(
            |reference| {
                let id = reference.get("external_id")?.as_str()?;
                (reference.get("source_name")?.as_str()? == "cve").then_some(id)
            },
        );
        let (kind, value) = match kind(object) {
            "vulnerability" => ("vulnerability", cve.or(text(object, "name"))?),
            _ => ("campaign-name", text(object, "name")?),
        };
        Some(AttributeDraft {
            uuid: text(object, "id").and_then(uuid_of),
            kind: Some(kind.to_owned()),
            category: labels.category.map(str::to_owned),
            value: Some(value.to_owned()),
            comment: text(object, "description").map(str::to_owned),
            to_ids: Some(labels.to_ids),
            timestamp: parts::seconds(object, "modified"),
            tags: self.tags_of(object),
            ..AttributeDraft::default()
        })
    }

    /// Arrows from the event's objects to what else is in it.
    fn link(&self, event: &mut EventDraft) {
        let inside = event.objects.iter().flat_map(|o| &o.attributes);
        let known: FxHashSet<Uuid> = (event.attributes.iter().chain(inside).filter_map(|a| a.uuid))
            .chain(event.objects.iter().filter_map(|o| o.uuid))
            .collect();
        let places: FxHashMap<Uuid, usize> =
            event.objects.iter().enumerate().filter_map(|(n, o)| Some((o.uuid?, n))).collect();
        for link in &self.links {
            let end = |name: &str| text(link, name).and_then(uuid_of);
            let (Some(source), Some(target)) = (end("source_ref"), end("target_ref")) else { continue };
            let Some(&place) = places.get(&source).filter(|_| source != target && known.contains(&target))
            else {
                continue;
            };
            event.objects[place].references.push(ReferenceDraft {
                uuid: text(link, "id").and_then(uuid_of),
                source: Some(Ref::Uuid(source)),
                referenced: Some(Ref::Uuid(target)),
                relationship_type: text(link, "relationship_type").map(str::to_owned),
                comment: text(link, "description").map(str::to_owned),
                timestamp: parts::seconds(link, "modified"),
                deleted: None,
            });
        }
    }
}

/// What its maker says of it: the description, else the name of an indicator.
fn comment(object: &Stix) -> Option<String> {
    let own = text(object, "x_misp_comment").or(text(object, "description"));
    own.or(text(object, "name")).map(str::to_owned)
}

fn note(uuid: Uuid, content: &str) -> AttributeDraft {
    AttributeDraft {
        uuid: Some(uuid),
        kind: Some("comment".to_owned()),
        category: Some("Other".to_owned()),
        value: Some(content.to_owned()),
        to_ids: Some(false),
        ..AttributeDraft::default()
    }
}

fn add_tag(tags: &mut Vec<TagDraft>, name: &str) {
    if !name.trim().is_empty() && !tags.iter().any(|tag| tag.name == name) {
        tags.push(TagDraft { name: name.to_owned(), ..TagDraft::default() });
    }
}
