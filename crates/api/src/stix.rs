//! Events and attributes as a STIX 2 bundle.

use crate::answer::{Answer, Sink, Stop};
use crate::event_writer::{Keep, org_summary};
use crate::inlaid::Inlaid;
use pisax_access::{Actor, Permission};
use pisax_formats::stix2::{self, Bundle, Cluster, Target};
use pisax_model::attribute::AttributeView;
use pisax_model::event::Event;
use pisax_model::filter::Tri;
use pisax_model::ids::Ref;
use pisax_model::object::Object;
use pisax_model::sighting::Sighting;
use pisax_model::tag::Attached;
use pisax_service::Service;
use pisax_store::Reader;
use pisax_store::attributes::{Batch, Wanted};
use pisax_store::sightings::Sighted;
use pisax_store::tags::folded;
use pisax_wire::Include;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Attributes, and objects, read at a time.
const ATTRIBUTES: i64 = 1000;
const OBJECTS: i64 = 200;

const LIVING: Wanted = Wanted { living: true, deleted: false };

/// What is to be written.
pub(crate) struct Export {
    pub(crate) service: Arc<Service>,
    pub(crate) actor: Actor,
    pub(crate) include: Include,
    pub(crate) to_ids: Tri,
    /// Attributes of an event that carry one of these are left out.
    pub(crate) without_tags: FxHashSet<i64>,
    pub(crate) keep: Option<Keep>,
    /// Makes the bundle's id.
    pub(crate) key: String,
}

impl Export {
    fn version(&self) -> stix2::Version {
        stix2::Version::parse(self.include.option("stix-version"))
    }

    /// Whole events, each with its report.
    pub(crate) fn events(self, ids: Vec<i64>) -> Answer {
        Answer::stream(move |sink| {
            let mut bundle = Bundle::new(self.version());
            bundle.begin(&self.key, sink.buffer());
            for id in ids {
                sink.held(|sink| {
                    self.service.store.read::<(), Stop>(&self.actor, |r| {
                        let Some(event) = r.event(Ref::Id(id))? else { return Ok(()) };
                        Walk::new(&self, r, event).event(&mut bundle, sink)
                    })
                })?;
                sink.flush_full()?;
            }
            bundle.end(sink.buffer());
            Ok(())
        })
    }

    /// Attributes without their events.
    pub(crate) fn attributes(self, ids: Vec<i64>) -> Answer {
        Answer::stream(move |sink| {
            let mut bundle = Bundle::new(self.version());
            bundle.begin(&self.key, sink.buffer());
            for chunk in ids.chunks(ATTRIBUTES as usize) {
                sink.held(|sink| {
                    self.service.store.read::<(), Stop>(&self.actor, |r| {
                        let batch = r.attributes_by_ids(chunk)?;
                        let events: FxHashSet<i64> = batch.iter().map(|a| a.event_id).collect();
                        let events: Vec<i64> = events.into_iter().collect();
                        let events = r.events_by_ids(&events)?;
                        let orgs: Vec<i64> = events.iter().map(|e| e.orgc_id).collect();
                        let names = r.org_names(&orgs)?;
                        let events: FxHashMap<i64, Event> = events.into_iter().map(|e| (e.id, e)).collect();
                        let Some(any) = events.values().next().cloned() else { return Ok(()) };
                        let mut walk = Walk::new(&self, r, any);
                        let around = walk.around(&batch, sink)?;
                        for attribute in batch.iter() {
                            let Some(event) = events.get(&attribute.event_id) else { continue };
                            let org = org_summary(&names, event.orgc_id);
                            let org = stix2::Org { uuid: org.uuid, name: org.name };
                            bundle.author(org, event.timestamp, sink.buffer());
                            walk.write(&attribute, &around, &mut bundle, sink)?;
                        }
                        Ok(())
                    })
                })?;
                sink.flush_full()?;
            }
            bundle.end(sink.buffer());
            Ok(())
        })
    }
}

/// One event, read in batches within one snapshot.
struct Walk<'w, 'r> {
    export: &'w Export,
    r: &'w mut Reader<'r>,
    event: Event,
    /// Attributes of the event with a tag that is not wanted.
    unwanted: FxHashSet<i64>,
    /// Clusters by folded tag name; `None` for tags that stand for none.
    clusters: FxHashMap<String, Option<Cluster>>,
    galaxies: FxHashMap<i64, (String, String)>,
}

/// What stands around a batch.
#[derive(Default)]
struct Around {
    tags: FxHashMap<i64, Vec<String>>,
    sightings: FxHashMap<i64, Vec<Sighting>>,
    data: FxHashMap<i64, String>,
}

impl<'w, 'r> Walk<'w, 'r> {
    fn new(export: &'w Export, r: &'w mut Reader<'r>, event: Event) -> Self {
        Self {
            export,
            r,
            event,
            unwanted: FxHashSet::default(),
            clusters: FxHashMap::default(),
            galaxies: FxHashMap::default(),
        }
    }

    fn event(mut self, bundle: &mut Bundle, sink: &mut Sink) -> Result<(), Stop> {
        let event = self.event.clone();
        let names = self.r.org_names(&[event.orgc_id])?;
        let org = org_summary(&names, event.orgc_id);
        let attached = self.r.event_tags(&[event.id])?.remove(&event.id).unwrap_or_default();
        let tags = self.tag_names(attached);
        self.learn(tags.iter())?;
        let clusters: Vec<Cluster> = self.known(&tags).into_iter().cloned().collect();
        let clusters: Vec<&Cluster> = clusters.iter().collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let head = stix2::Event {
            event: &event,
            org: stix2::Org { uuid: org.uuid, name: org.name },
            tags: &tags,
            clusters: &clusters,
        };
        bundle.begin_event(&head, sink.buffer());
        self.contents(bundle, sink)?;
        bundle.begin_objects(&head, sink.buffer());
        self.contents(bundle, sink)
    }

    fn contents(&mut self, bundle: &mut Bundle, sink: &mut Sink) -> Result<(), Stop> {
        if self.export.include.metadata {
            return Ok(());
        }
        let (mut after, event) = (0, self.event.clone());
        loop {
            let batch = self.r.event_attributes(&event, LIVING, after, ATTRIBUTES)?;
            let Some(last) = batch.last_id() else { break };
            after = last;
            let around = self.around(&batch, sink)?;
            for attribute in batch.iter() {
                self.write(&attribute, &around, bundle, sink)?;
            }
        }
        after = 0;
        loop {
            let objects = self.r.event_objects(&event, LIVING, after, OBJECTS)?;
            let Some(last) = objects.last() else { return Ok(()) };
            after = last.id;
            let ids: Vec<i64> = objects.iter().map(|o| o.id).collect();
            let batch = self.r.object_attributes(&event, LIVING, &ids)?;
            let around = self.around(&batch, sink)?;
            for object in &objects {
                self.object(object, &batch, &around, bundle, sink)?;
            }
            self.links(&objects, &batch, bundle, sink)?;
        }
    }

    fn wanted(&self, attribute: &AttributeView<'_>) -> bool {
        let flag = match self.export.to_ids {
            Tri::Only(flag) => attribute.to_ids == flag,
            Tri::Any => true,
        };
        flag && !self.unwanted.contains(&attribute.id)
            && self.export.keep.as_ref().is_none_or(|keep| keep(attribute))
    }

    fn write(
        &mut self,
        attribute: &AttributeView<'_>,
        around: &Around,
        bundle: &mut Bundle,
        sink: &mut Sink,
    ) -> Result<(), Stop> {
        if !self.wanted(attribute) {
            return Ok(());
        }
        let tags = around.tags.get(&attribute.id).map_or(&[][..], Vec::as_slice);
        let clusters = self.known(tags);
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        bundle.attribute(&attribute_of(attribute, &tags, &clusters, around), sink.buffer());
        sink.flush_full()
    }

    fn object(
        &mut self,
        object: &Object,
        batch: &Batch,
        around: &Around,
        bundle: &mut Bundle,
        sink: &mut Sink,
    ) -> Result<(), Stop> {
        let rows: Vec<AttributeView<'_>> =
            batch.iter().filter(|a| a.object_id == object.id && self.wanted(a)).collect();
        // Nothing of it is seen, or wanted.
        if rows.is_empty() {
            return Ok(());
        }
        let names = |a: &AttributeView<'_>| around.tags.get(&a.id).map_or(&[][..], Vec::as_slice);
        let tags: Vec<Vec<&str>> =
            rows.iter().map(|a| names(a).iter().map(String::as_str).collect()).collect();
        let clusters: Vec<Vec<&Cluster>> = rows.iter().map(|a| self.known(names(a))).collect();
        let attributes: Vec<stix2::Attribute<'_>> =
            rows.iter().enumerate().map(|(n, a)| attribute_of(a, &tags[n], &clusters[n], around)).collect();
        bundle.object(&stix2::Object { object, attributes: &attributes }, sink.buffer());
        sink.flush_full()
    }

    /// References of these objects to what the reader sees of the same event.
    fn links(
        &mut self,
        objects: &[Object],
        batch: &Batch,
        bundle: &mut Bundle,
        sink: &mut Sink,
    ) -> Result<(), Stop> {
        let ids: Vec<i64> = objects.iter().map(|o| o.id).collect();
        let references = self.r.references_of(&ids, false)?;
        let all = || references.values().flatten();
        let targets = |to_object: bool| -> Vec<i64> {
            all().filter(|x| x.to_object == to_object).map(|x| x.referenced_id).collect()
        };
        let (to_attributes, to_objects) = (targets(false), targets(true));
        if to_attributes.is_empty() && to_objects.is_empty() {
            return Ok(());
        }
        let attributes = self.r.attributes_by_ids(&to_attributes)?;
        let target_objects = self.r.objects_by_ids(&to_objects)?;
        let theirs = self.r.object_attributes(&self.event.clone(), LIVING, &to_objects)?;
        let none = Around::default();
        for object in objects {
            let own = self.rows(object.id, batch, &none);
            if own.is_empty() {
                continue;
            }
            let source = stix2::Object { object, attributes: &own };
            for reference in references.get(&object.id).into_iter().flatten() {
                let in_object;
                let target = if reference.to_object {
                    let Some(target) =
                        target_objects.iter().find(|o| o.id == reference.referenced_id && !o.deleted)
                    else {
                        continue;
                    };
                    in_object = self.rows(target.id, &theirs, &none);
                    if in_object.is_empty() {
                        continue;
                    }
                    Target::Object(stix2::Object { object: target, attributes: &in_object })
                } else {
                    let found = attributes.iter().find(|a| a.id == reference.referenced_id);
                    let Some(attribute) = found.filter(|a| !a.deleted && self.wanted(a)) else { continue };
                    Target::Attribute(attribute)
                };
                bundle.link(&stix2::Link { reference, source, target }, sink.buffer());
                sink.flush_full()?;
            }
        }
        Ok(())
    }

    fn rows<'b>(&self, object_id: i64, batch: &'b Batch, around: &'b Around) -> Vec<stix2::Attribute<'b>> {
        let wanted = batch.iter().filter(|a| a.object_id == object_id && self.wanted(a));
        wanted.map(|a| attribute_of(&a, &[], &[], around)).collect()
    }

    fn around(&mut self, batch: &Batch, sink: &mut Sink) -> Result<Around, Stop> {
        let mut around = Around::default();
        for (id, attached) in self.r.attribute_tags(&batch.ids())? {
            if attached.iter().any(|t| self.export.without_tags.contains(&t.tag.id)) {
                self.unwanted.insert(id);
            }
            let names = self.tag_names(attached);
            around.tags.insert(id, names);
        }
        self.learn(around.tags.values().flatten())?;
        if !self.export.include.no_sightings {
            for sighting in self.r.sightings_of(Sighted::Attributes(batch.ids()))? {
                around.sightings.entry(sighting.attribute_id).or_default().push(sighting);
            }
        }
        if self.export.include.with_attachments {
            for attribute in batch.iter().filter(|a| matches!(a.kind.name(), "attachment" | "malware-sample"))
            {
                let attachment = self.r.attachment(attribute.id)?;
                if let Some(text) = Inlaid::of(attachment, sink).into_text() {
                    around.data.insert(attribute.id, text);
                }
            }
        }
        Ok(around)
    }

    /// Names of the tags that may travel.
    fn tag_names(&self, attached: Vec<Attached>) -> Vec<String> {
        let include = &self.export.include;
        let actor = &self.export.actor;
        let no_local = include.exclude_local_tags || actor.has(Permission::Sync) && !actor.sees_all();
        let travels = |t: &Attached| (include.include_all_tags || t.tag.exportable) && !(t.local && no_local);
        attached.into_iter().filter(travels).map(|t| t.tag.name).collect()
    }

    /// Reads the clusters of tags that were not met before.
    fn learn<'n>(&mut self, names: impl Iterator<Item = &'n String>) -> Result<(), Stop> {
        let new: Vec<String> = names
            .filter(|name| name.starts_with("misp-galaxy:") && !self.clusters.contains_key(&folded(name)))
            .cloned()
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let mut found = self.r.cluster_by_tag_names(&new)?;
        for name in new {
            let key = folded(&name);
            let Some(row) = found.remove(&key) else {
                self.clusters.entry(key).or_insert(None);
                continue;
            };
            if !self.galaxies.contains_key(&row.galaxy_id) {
                let galaxy = self.r.galaxy(Ref::Id(row.galaxy_id))?;
                let names = galaxy.map(|g| (g.name, g.kind)).unwrap_or_default();
                self.galaxies.insert(row.galaxy_id, names);
            }
            let (galaxy_name, kind) = self.galaxies.get(&row.galaxy_id).cloned().unwrap_or_default();
            let cluster = Cluster {
                uuid: row.uuid,
                galaxy_name,
                kind,
                value: row.value,
                tag_name: row.tag_name,
                description: row.description,
                meta: serde_json::from_str(&row.meta).unwrap_or_default(),
            };
            self.clusters.insert(key, Some(cluster));
        }
        Ok(())
    }

    fn known(&self, tags: &[String]) -> Vec<&Cluster> {
        tags.iter().filter_map(|name| self.clusters.get(&folded(name))?.as_ref()).collect()
    }
}

fn attribute_of<'a>(
    view: &AttributeView<'a>,
    tags: &'a [&'a str],
    clusters: &'a [&'a Cluster],
    around: &'a Around,
) -> stix2::Attribute<'a> {
    stix2::Attribute {
        view: *view,
        tags,
        clusters,
        sightings: around.sightings.get(&view.id).map_or(&[], Vec::as_slice),
        data: around.data.get(&view.id).map(String::as_str),
    }
}
