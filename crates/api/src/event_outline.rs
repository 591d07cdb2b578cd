//! `/events/getEventTimeline` and `/events/getDistributionGraph`: when things of an event were seen, and how far
//! they travel.

use crate::answer::{Answer, Sink};
use crate::event_walk::{Draw, Held, Leaves, walk};
use crate::events::find;
use crate::failure::Failure;
use crate::reply::{document, member, number_member};
use crate::request::Request;
use pisax_model::attribute::AttributeView;
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::time::format_micros;
use pisax_store::sightings::Sighted;
use pisax_wire::JsonWriter;
use pisax_wire::answer as body;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

// ---- When -------------------------------------------------------------------------------------------------

/// GET /events/getEventTimeline/{id}
pub(crate) fn timeline(request: &Request) -> Result<Answer, Failure> {
    let event = find(request, request.reference(0, body::INVALID_EVENT)?)?;
    let (service, actor) = (Arc::clone(&request.service), request.actor.clone());
    Ok(Answer::stream(move |sink: &mut Sink| {
        let seen = service.read(&actor, |r| Ok(r.sightings_of(Sighted::Events(vec![event.id]))?))?;
        let mut dates: FxHashMap<i64, Vec<i64>> = FxHashMap::default();
        for sighting in seen {
            dates.entry(sighting.attribute_id).or_default().push(sighting.date_sighting);
        }
        sink.buffer().extend_from_slice(b"{\"items\":[");
        walk(&service, &actor, &event, &mut Timeline { first: true, dates }, sink)?;
        sink.buffer().extend_from_slice(b"]}");
        Ok(())
    }))
}

struct Timeline {
    first: bool,
    /// When each attribute was sighted.
    dates: FxHashMap<i64, Vec<i64>>,
}

fn moment(w: &mut JsonWriter<'_>, key: &str, text: Option<&str>) {
    w.key(key);
    match text {
        Some(text) => w.str(text),
        None => w.null(),
    }
}

impl Timeline {
    fn item<'s>(&mut self, sink: &'s mut Sink) -> JsonWriter<'s> {
        if !std::mem::take(&mut self.first) {
            sink.buffer().push(b',');
        }
        JsonWriter::new(sink.buffer())
    }

    fn sightings(&self, w: &mut JsonWriter<'_>, attribute: &AttributeView<'_>) {
        w.key("date_sighting");
        w.begin_array();
        self.dates.get(&attribute.id).into_iter().flatten().for_each(|date| w.str_num(*date));
        w.end_array();
        let name = attribute.value().to_ascii_lowercase();
        let image = [".png", ".jpg", ".jpeg", ".gif"].iter().any(|end| name.ends_with(end));
        w.key("is_image");
        w.bool(attribute.kind.name() == "attachment" && image);
    }
}

impl Draw for Timeline {
    fn attribute(&mut self, attribute: &AttributeView<'_>, _: &Leaves, sink: &mut Sink) {
        let mut w = self.item(sink);
        w.begin_object();
        number_member(&mut w, "id", attribute.id);
        w.key("uuid");
        w.uuid(attribute.uuid);
        member(&mut w, "content", &attribute.value());
        number_member(&mut w, "event_id", attribute.event_id);
        member(&mut w, "group", "attribute");
        number_member(&mut w, "timestamp", attribute.timestamp);
        moment(&mut w, "first_seen", attribute.first_seen.map(format_micros).as_deref());
        moment(&mut w, "last_seen", attribute.last_seen.map(format_micros).as_deref());
        member(&mut w, "attribute_type", attribute.kind.name());
        self.sightings(&mut w, attribute);
        w.end_object();
    }

    fn object(&mut self, held: &Held<'_>, sink: &mut Sink) {
        let object = held.object;
        // An object that does not say when it was seen may have an attribute that does.
        let of = |own: Option<i64>, relation: &str| match own {
            Some(micros) => (Some(format_micros(micros)), false),
            None => {
                let said = held.attributes().find(|a| a.object_relation == Some(relation));
                let said = said.map(|a| a.value().into_owned());
                let taken = said.is_some();
                (said, taken)
            }
        };
        let (first, first_taken) = of(object.first_seen, "first-seen");
        let (last, last_taken) = of(object.last_seen, "last-seen");
        let mut w = self.item(sink);
        w.begin_object();
        number_member(&mut w, "id", object.id);
        w.key("uuid");
        w.uuid(object.uuid);
        member(&mut w, "content", &object.name);
        member(&mut w, "group", "object");
        member(&mut w, "meta-category", &object.meta_category);
        member(&mut w, "template_uuid", &object.template_uuid);
        number_member(&mut w, "event_id", object.event_id);
        number_member(&mut w, "timestamp", object.timestamp);
        w.key("Attribute");
        w.begin_array();
        for attribute in held.attributes() {
            w.begin_object();
            number_member(&mut w, "id", attribute.id);
            w.key("uuid");
            w.uuid(attribute.uuid);
            member(&mut w, "content", &attribute.value());
            member(&mut w, "contentType", attribute.object_relation.unwrap_or_default());
            number_member(&mut w, "event_id", attribute.event_id);
            member(&mut w, "group", "object_attribute");
            number_member(&mut w, "timestamp", attribute.timestamp);
            member(&mut w, "attribute_type", attribute.kind.name());
            self.sightings(&mut w, &attribute);
            w.end_object();
        }
        w.end_array();
        moment(&mut w, "first_seen", first.as_deref());
        moment(&mut w, "last_seen", last.as_deref());
        for (key, taken) in [("first_seen_overwrite", first_taken), ("last_seen_overwrite", last_taken)] {
            w.key(key);
            w.bool(taken);
        }
        w.end_object();
    }
}

// ---- How far ----------------------------------------------------------------------------------------------

/// The levels a drawing tells of: inherited ones count as the event's.
const LEVELS: [(&str, &str); 5] = [
    ("Organisation", "This is for the organisation that owns the event alone."),
    ("Community", "Organisations on this instance."),
    ("Connected", "Organisations on this instance and on those connected to it."),
    ("All", "Everybody who is reached from instance to instance."),
    ("Sharing group", "The organisations that a sharing group lists."),
];

/// GET /events/getDistributionGraph/{id}
pub(crate) fn distribution(request: &Request) -> Result<Answer, Failure> {
    let event = find(request, request.reference(0, body::INVALID_EVENT)?)?;
    let mut reach = Reach::of(&event);
    let mut sink = Sink::memory();
    walk(&request.service, &request.actor, &event, &mut reach, &mut sink).map_err(|stop| match stop {
        crate::answer::Stop::Broken(failure) => failure,
        crate::answer::Stop::Gone => Failure::Internal("a body in memory has no client to lose".into()),
    })?;
    let groups: Vec<i64> = reach.groups.keys().copied().collect();
    let (own, groups) = request.service.read(&request.actor, |r| {
        let own = r.org(Ref::Id(request.actor.org_id))?.map(|org| org.name).unwrap_or_default();
        Ok((own, r.sharing_groups_by_ids(&groups)?))
    })?;
    let named: BTreeMap<&str, usize> = reach
        .groups
        .iter()
        .map(|(id, count)| (groups.get(id).map_or("?", |group| group.name.as_str()), *count))
        .collect();
    Ok(document(|w| reach.write(w, &own, &named)))
}

/// How many things of an event travel how far.
struct Reach {
    event: (i64, i64),
    all: [usize; 5],
    attributes: [usize; 5],
    objects: [usize; 5],
    inside: [usize; 5],
    /// Things by sharing group.
    groups: BTreeMap<i64, usize>,
}

impl Reach {
    fn of(event: &Event) -> Self {
        Self {
            event: (event.distribution, event.sharing_group_id),
            all: [0; 5],
            attributes: [0; 5],
            objects: [0; 5],
            inside: [0; 5],
            groups: BTreeMap::new(),
        }
    }

    /// The level of a thing, counted among all.
    fn level(&mut self, distribution: i64, group: i64) -> usize {
        let (level, group) = if distribution == 5 { self.event } else { (distribution, group) };
        let level = usize::try_from(level).unwrap_or(0).min(LEVELS.len() - 1);
        self.all[level] += 1;
        if level == 4 {
            *self.groups.entry(group).or_default() += 1;
        }
        level
    }

    fn write(&self, w: &mut JsonWriter<'_>, own: &str, groups: &BTreeMap<&str, usize>) {
        w.begin_object();
        for (key, counts) in [
            ("event", &self.all),
            ("attribute", &self.attributes),
            ("object", &self.objects),
            ("obj_attr", &self.inside),
        ] {
            w.key(key);
            w.begin_object();
            for (level, count) in counts.iter().enumerate() {
                w.key(&level.to_string());
                w.int(*count as i64);
            }
            w.end_object();
        }
        w.key("distributionInfo");
        w.begin_object();
        for (level, (name, words)) in LEVELS.iter().enumerate() {
            w.key(&level.to_string());
            w.begin_object();
            member(w, "key", name);
            member(w, "desc", words);
            w.key("value");
            w.int(level as i64);
            w.end_object();
        }
        w.end_object();
        w.key("additionalDistributionInfo");
        w.begin_object();
        for level in 0..LEVELS.len() {
            let names: BTreeSet<&str> = match level {
                0 | 1 => BTreeSet::from([own]),
                4 => groups.keys().copied().collect(),
                _ => BTreeSet::new(),
            };
            w.key(&level.to_string());
            w.begin_array();
            names.iter().for_each(|name| w.str(name));
            w.end_array();
        }
        w.end_object();
        w.key("sharingGroupRepartition");
        w.begin_object();
        for (name, count) in groups {
            w.key(name);
            w.int(*count as i64);
        }
        w.end_object();
        w.end_object();
    }
}

impl Draw for Reach {
    fn attribute(&mut self, attribute: &AttributeView<'_>, _: &Leaves, _: &mut Sink) {
        let level = self.level(attribute.distribution, attribute.sharing_group_id);
        self.attributes[level] += 1;
    }

    fn object(&mut self, held: &Held<'_>, _: &mut Sink) {
        let level = self.level(held.object.distribution, held.object.sharing_group_id);
        self.objects[level] += 1;
        for attribute in held.attributes() {
            let level = self.level(attribute.distribution, attribute.sharing_group_id);
            self.inside[level] += 1;
        }
    }
}
