//! What an event is made of: a page of its attributes, with the objects they are in.
//!
//! The row numbers of all that pass the filter come first (8 bytes each), the attributes outside objects before
//! those of each object; a page is a slice of them. So the counts are exact, and an event of 100,000 attributes
//! costs no more memory to page through than its numbers.

use std::collections::{HashMap, HashSet};

use pisax_model::attribute::AttributeView;
use pisax_model::event::Event;
use pisax_model::filter::{Filter, Order, Scope, SortKey, Terms};
use pisax_model::fold::fold;
use pisax_model::ids::Ref;
use pisax_model::object::{Object, Reference};
use pisax_model::tag::Attached;
use pisax_model::{AttributeType, Category};
use pisax_store::attributes::Batch;
use pisax_store::{Reader, Result};

use super::{groups, search};
use crate::{
    AttributeRow, EventLink, Indicator, ObjectReference, ObjectRow, Paging, Seen, Tag, Time, links, words,
};

const PER_PAGE: u64 = 500;
/// Events an attribute links to; what is beyond them is counted.
const LINKS: usize = 3;
/// Correlating attributes looked at to find those events.
const PAIRS: usize = 12;

pub(crate) struct Contents {
    pub(crate) attribute_count: u64,
    pub(crate) object_count: u64,
    pub(crate) paging: Paging,
    pub(crate) attributes: Vec<AttributeRow>,
    pub(crate) objects: Vec<ObjectRow>,
}

/// What the page knows of its reader and of the instance.
pub(crate) struct Look<'a> {
    pub(crate) may_edit: bool,
    /// The warninglists a value of a type is on.
    pub(crate) warnings: &'a dyn Fn(AttributeType, &str, &str) -> Vec<String>,
}

/// The contents of a visible event that pass the filter (all, when it is empty).
pub(crate) fn load(
    r: &mut Reader<'_>,
    event: &Event,
    filter: &str,
    page: u64,
    look: &Look<'_>,
) -> Result<Contents> {
    let mut ids = r.find(Scope::Attributes, &in_order(event))?;
    let attribute_count = ids.len() as u64;
    if !filter.is_empty() {
        let passing = passing(r, event, filter)?;
        ids.retain(|id| passing.contains(id));
    }
    let paging = paging(event, filter, ids.len() as u64, page);
    let (attributes, objects) = rows(r, event, paging.of(&ids), look)?;
    let object_count = r.find(Scope::Objects, &of(event))?.len() as u64;
    Ok(Contents { attribute_count, object_count, paging, attributes, objects })
}

fn of(event: &Event) -> Filter {
    Filter::event(Ref::Id(event.id))
}

fn in_order(event: &Event) -> Filter {
    Filter { order: vec![Order { key: SortKey::ObjectId, descending: false }], ..of(event) }
}

fn paging(event: &Event, filter: &str, total: u64, page: u64) -> Paging {
    let filtered = (!filter.is_empty()).then(|| ("filter".to_owned(), filter.to_owned()));
    let paging = Paging {
        page,
        per_page: PER_PAGE,
        total,
        noun: "attributes",
        path: links::event(event.id),
        query: filtered.into_iter().collect(),
        anchor: "attributes",
    };
    paging.within()
}

/// The event's attributes whose value, comment, type, category or tag holds the text.
fn passing(r: &mut Reader<'_>, event: &Event, text: &str) -> Result<HashSet<i64>> {
    let mut passing = HashSet::new();
    for filter in filters(event, text) {
        passing.extend(r.find(Scope::Attributes, &filter)?);
    }
    let wanted = fold(text);
    let tagged = r.attribute_tags_of_event(event.id)?.into_iter();
    let holds = |tags: &[Attached]| tags.iter().any(|a| fold(&a.tag.name).contains(wanted.as_ref()));
    passing.extend(tagged.filter(|(_, tags)| holds(tags)).map(|(id, _)| id));
    Ok(passing)
}

/// The searches that together answer a filter, but for tags.
fn filters(event: &Event, text: &str) -> Vec<Filter> {
    let wanted = fold(text);
    let names = |all: &mut dyn Iterator<Item = &'static str>| -> Vec<String> {
        all.filter(|name| fold(name).contains(wanted.as_ref())).map(str::to_owned).collect()
    };
    let mut filters = vec![
        Filter { value: Terms::one(search::containing(text)), ..of(event) },
        Filter { comment: Terms::one(search::containing(text)), ..of(event) },
    ];
    let kinds = names(&mut AttributeType::all().map(AttributeType::name));
    if !kinds.is_empty() {
        filters.push(Filter { kind: Terms { or: kinds, ..Terms::default() }, ..of(event) });
    }
    let categories = names(&mut Category::all().map(Category::name));
    if !categories.is_empty() {
        filters.push(Filter { category: Terms { or: categories, ..Terms::default() }, ..of(event) });
    }
    filters
}

/// The rows of a page: attributes by themselves, and objects with those of theirs that are on it.
fn rows(
    r: &mut Reader<'_>,
    event: &Event,
    ids: &[i64],
    look: &Look<'_>,
) -> Result<(Vec<AttributeRow>, Vec<ObjectRow>)> {
    let batch = r.attributes_by_ids(ids)?;
    let places: HashMap<i64, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    let mut order: Vec<usize> = (0..batch.len()).collect();
    order.sort_unstable_by_key(|i| places.get(&batch.get(*i).id));
    let mut holders: Vec<i64> = batch.iter().map(|a| a.object_id).filter(|id| *id > 0).collect();
    holders.sort_unstable();
    holders.dedup();
    let objects = if holders.is_empty() { Vec::new() } else { r.objects_by_ids(&holders)? };
    let around = Around::load(r, event, &batch, &objects, look)?;
    let mut inside: HashMap<i64, Vec<AttributeRow>> = HashMap::new();
    for i in order {
        let attribute = batch.get(i);
        inside.entry(attribute.object_id).or_default().push(around.row(&attribute));
    }
    let alone = inside.remove(&0).unwrap_or_default();
    let mut references = references(r, &holders)?;
    let objects = objects.into_iter().map(|object| {
        let references = references.remove(&object.id).unwrap_or_default();
        let attributes = inside.remove(&object.id).unwrap_or_default();
        object_row(object, references, attributes, &around.groups)
    });
    Ok((alone, objects.collect()))
}

/// What stands around the attributes of a page, read by set.
struct Around<'a> {
    tags: HashMap<i64, Vec<Attached>>,
    counts: HashMap<i64, i64>,
    /// By attribute: the first events it links to, and how many of its correlating attributes are in them.
    links: HashMap<i64, (Vec<EventLink>, u64)>,
    groups: HashMap<i64, String>,
    look: &'a Look<'a>,
}

impl<'a> Around<'a> {
    fn load(
        r: &mut Reader<'_>,
        event: &Event,
        batch: &Batch,
        objects: &[Object],
        look: &'a Look<'a>,
    ) -> Result<Self> {
        let counts: HashMap<i64, i64> = r.correlation_counts(event, batch)?.into_iter().collect();
        let links = if counts.is_empty() { HashMap::new() } else { links_of(r, batch)? };
        let shared = batch.iter().map(|a| a.sharing_group_id);
        let groups = groups::names(r, shared.chain(objects.iter().map(|o| o.sharing_group_id)))?;
        let tags = r.attribute_tags(&batch.ids())?.into_iter().collect();
        Ok(Self { tags, counts, links, groups, look })
    }

    fn row(&self, attribute: &AttributeView<'_>) -> AttributeRow {
        let kind = attribute.kind.name();
        let group = self.groups.get(&attribute.sharing_group_id).map(String::as_str);
        let tags = self.tags.get(&attribute.id).into_iter().flatten();
        let count = self.counts.get(&attribute.id).map_or(0, |count| (*count).max(0) as u64);
        let (related, covered) = self.links.get(&attribute.id).cloned().unwrap_or_default();
        AttributeRow {
            id: attribute.id,
            uuid: attribute.uuid.to_string(),
            category: attribute.category.name().to_owned(),
            kind: kind.to_owned(),
            relation: attribute.object_relation.unwrap_or_default().to_owned(),
            value: Indicator::new(kind, attribute.value()),
            comment: attribute.comment.to_owned(),
            to_ids: attribute.to_ids,
            visibility: words::visibility(attribute.distribution, group),
            tags: tags.map(|a| Tag::new(a.tag.name.as_str(), &a.tag.colour, a.local)).collect(),
            related_count: count,
            related_rest: count.saturating_sub(covered),
            related,
            seen: seen(attribute.first_seen, attribute.last_seen),
            warnings: (self.look.warnings)(attribute.kind, attribute.value1, attribute.value2),
            deleted: attribute.deleted,
            may_edit: self.look.may_edit,
        }
    }
}

fn seen(first: Option<i64>, last: Option<i64>) -> Seen {
    Seen { first: first.map(Time::on_micros), last: last.map(Time::on_micros) }
}

/// The first few events each attribute correlates with, newest first, and how many of its pairs are in them.
fn links_of(r: &mut Reader<'_>, batch: &Batch) -> Result<HashMap<i64, (Vec<EventLink>, u64)>> {
    let pairs = r.correlations(batch, PAIRS)?;
    let mut events: HashMap<i64, HashMap<i64, u64>> = HashMap::new();
    for pair in &pairs {
        *events.entry(pair.ours).or_default().entry(pair.their_event).or_default() += 1;
    }
    let mut wanted = Vec::new();
    let first: HashMap<i64, Vec<(i64, u64)>> = events
        .into_iter()
        .map(|(ours, theirs)| {
            let mut theirs: Vec<_> = theirs.into_iter().collect();
            theirs.sort_unstable_by_key(|(event, _)| std::cmp::Reverse(*event));
            theirs.truncate(LINKS);
            wanted.extend(theirs.iter().map(|(event, _)| *event));
            (ours, theirs)
        })
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let infos: HashMap<i64, String> =
        r.events_by_ids(&wanted)?.into_iter().map(|event| (event.id, event.info)).collect();
    let link = |(id, _): &(i64, u64)| Some(EventLink { id: *id, info: infos.get(id)?.clone() });
    let links = first.into_iter().map(|(ours, theirs)| {
        let covered = theirs.iter().map(|(_, pairs)| pairs).sum();
        (ours, (theirs.iter().filter_map(link).collect(), covered))
    });
    Ok(links.collect())
}

fn object_row(
    object: Object,
    references: Vec<ObjectReference>,
    attributes: Vec<AttributeRow>,
    groups: &HashMap<i64, String>,
) -> ObjectRow {
    let group = groups.get(&object.sharing_group_id).map(String::as_str);
    ObjectRow {
        id: object.id,
        uuid: object.uuid.to_string(),
        visibility: words::visibility(object.distribution, group),
        seen: seen(object.first_seen, object.last_seen),
        name: object.name,
        meta_category: object.meta_category,
        comment: object.comment,
        references,
        attributes,
        deleted: object.deleted,
    }
}

/// What these objects refer to; what the reader cannot see is left out.
fn references(r: &mut Reader<'_>, objects: &[i64]) -> Result<HashMap<i64, Vec<ObjectReference>>> {
    if objects.is_empty() {
        return Ok(HashMap::new());
    }
    let found = r.references_of(objects, false)?;
    let targets = |to_object: bool| -> Vec<i64> {
        let all = found.values().flatten().filter(|reference| reference.to_object == to_object);
        all.map(|reference| reference.referenced_id).collect()
    };
    let mut names: HashMap<(bool, i64), String> = HashMap::new();
    let (to_objects, to_attributes) = (targets(true), targets(false));
    if !to_objects.is_empty() {
        names.extend(r.objects_by_ids(&to_objects)?.into_iter().map(|o| ((true, o.id), o.name)));
    }
    if !to_attributes.is_empty() {
        let batch = r.attributes_by_ids(&to_attributes)?;
        names.extend(batch.iter().map(|a| ((false, a.id), a.value().into_owned())));
    }
    let named = |reference: Reference| {
        let target = names.get(&(reference.to_object, reference.referenced_id))?.clone();
        Some(ObjectReference {
            relationship: reference.relationship_type,
            target,
            target_uuid: reference.referenced_uuid.to_string(),
            to_object: reference.to_object,
            comment: reference.comment,
        })
    };
    Ok(found.into_iter().map(|(id, list)| (id, list.into_iter().filter_map(named).collect())).collect())
}
