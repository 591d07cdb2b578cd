//! Rows of an attribute search with what stands around them, fetched by set, batch by batch.

use crate::analyst_tree::AnalystTree;
use crate::answer::{Sink, Stop};
use crate::event_writer::{Keep, org_summary};
use crate::galaxies::Expanded;
use crate::proposals::Open;
use crate::scores::{self, Extras, Said};
use pisax_access::{Actor, Permission};
use pisax_formats::export::{self, AttributeFormat, ExportRow};
use pisax_model::attribute::AttributeView;
use pisax_model::decay;
use pisax_model::event::Event;
use pisax_model::object::Object;
use pisax_model::sighting::Sighting;
use pisax_model::tag::Attached;
use pisax_service::Service;
use pisax_store::Reader;
use pisax_store::attributes::Batch;
use pisax_store::files::Attachment;
use pisax_store::orgs::OrgName;
use pisax_store::sightings::Sighted;
use pisax_wire::JsonWriter;
use pisax_wire::analyst_out::AnalystShape;
use pisax_wire::attribute_out::{
    AttributeContext, Data, EventContext, EventSummary, ObjectSummary, RelatedRow, write_search_attribute,
};
use pisax_wire::include::Include;
use rustc_hash::{FxHashMap, FxHashSet};

/// Correlations shown per attribute.
const SHOWN_CORRELATIONS: usize = 100;
/// Events remembered from batch to batch.
const REMEMBERED: usize = 20_000;

/// Writes batches one after the other.
pub(crate) struct Rows<'s> {
    service: &'s Service,
    actor: &'s Actor,
    include: Include,
    keep: Option<Keep>,
    /// Whether what is proposed to go is left out (`allow_proposal_blocking`, where the setting lets it).
    doubts: bool,
    extras: Extras,
    first: bool,
    events: FxHashMap<i64, Event>,
    event_tags: FxHashMap<i64, Vec<Attached>>,
    orgs: FxHashMap<i64, OrgName>,
}

/// What belongs to one batch.
#[derive(Default)]
struct Around {
    tags: FxHashMap<i64, Vec<Attached>>,
    objects: FxHashMap<i64, Object>,
    sightings: FxHashMap<i64, Vec<Sighting>>,
    proposals: Open,
    /// Attributes that somebody proposes to delete or to take out of detection.
    doubted: FxHashSet<i64>,
    sighted: FxHashMap<i64, decay::Sighted>,
    pairs: FxHashMap<i64, Vec<i64>>,
    theirs: Batch,
    places: FxHashMap<i64, usize>,
    analyst: AnalystTree,
    /// `"Galaxy":[…]` by attribute.
    galaxies: FxHashMap<i64, Vec<u8>>,
}

impl<'s> Rows<'s> {
    pub(crate) fn new(service: &'s Service, actor: &'s Actor, include: Include, keep: Option<Keep>) -> Self {
        let doubts = include.allow_proposal_blocking && service.settings().proposals_block;
        Self {
            service,
            actor,
            include,
            keep,
            doubts,
            extras: Extras::default(),
            first: true,
            events: FxHashMap::default(),
            event_tags: FxHashMap::default(),
            orgs: FxHashMap::default(),
        }
    }

    /// The same with scores and warnings.
    pub(crate) fn with(self, extras: Extras) -> Self {
        Self { extras, ..self }
    }

    /// Those of a batch that are to be left out: on a warninglist, or decayed by all models that score them.
    pub(crate) fn refused(&mut self, batch: &Batch) -> Result<Vec<i64>, Stop> {
        let kept = |a: &AttributeView<'_>| self.keep.as_ref().is_none_or(|keep| keep(a));
        let mut refused: Vec<i64> = batch.iter().filter(|a| !kept(a)).map(|a| a.id).collect();
        if self.include.exclude_decayed {
            let around = self.load(batch)?;
            let decayed = batch.iter().filter(|a| scores::all_decayed(&self.said(&around, a)));
            refused.extend(decayed.map(|a| a.id));
        }
        Ok(refused)
    }

    /// What the models of this answer say of an attribute.
    fn said(&self, around: &Around, attribute: &AttributeView<'_>) -> Vec<Said> {
        let Some(scoring) = &self.extras.scoring else { return Vec::new() };
        let tags = around.tags.get(&attribute.id).map_or(&[][..], Vec::as_slice);
        let event_tags = self.event_tags.get(&attribute.event_id).map_or(&[][..], Vec::as_slice);
        let sighted = around.sighted.get(&attribute.id).copied().unwrap_or_default();
        scoring.of_attribute(attribute, tags, event_tags, sighted)
    }

    /// Writes a batch as JSON rows.
    pub(crate) fn write(&mut self, batch: &Batch, sink: &mut Sink) -> Result<(), Stop> {
        let around = self.load(batch)?;
        for attribute in batch.iter() {
            if self.leaves_out(&around, &attribute) {
                continue;
            }
            // Its event went away between two reads: so did the attribute.
            let Some(event) = self.events.get(&attribute.event_id) else { continue };
            if !std::mem::take(&mut self.first) {
                sink.buffer().push(b',');
            }
            let event_tags = self.event_tags.get(&event.id).map_or(&[][..], Vec::as_slice);
            let related = self.related(&around, attribute.id);
            let data = self.attachment(&attribute)?;
            let said = around.analyst.members(&attribute.uuid, AnalystShape::Whole);
            let more = self.extras.members(&attribute, &self.said(&around, &attribute));
            let proposals = around.proposals.bare_list(attribute.id);
            let context = AttributeContext {
                tags: around.tags.get(&attribute.id).map_or(&[], Vec::as_slice),
                inherited_tags: if self.include.include_event_tags { event_tags } else { &[] },
                event: Some(EventSummary::from(event)),
                event_context: self.include.include_context.then(|| EventContext {
                    event,
                    orgc: org_summary(&self.orgs, event.orgc_id),
                    tags: event_tags,
                }),
                object: around.objects.get(&attribute.object_id).map(|o| ObjectSummary {
                    id: o.id,
                    distribution: o.distribution,
                    sharing_group_id: o.sharing_group_id,
                }),
                event_uuid: self.include.include_event_uuid.then_some(event.uuid),
                data: data.as_deref().map(Data::Bytes),
                sightings: around.sightings.get(&attribute.id).map_or(&[], Vec::as_slice),
                proposals: &proposals,
                related_rows: &related,
                analyst_data: &said,
                more: &more,
                galaxies: around.galaxies.get(&attribute.id).map_or(&[], Vec::as_slice),
                ..AttributeContext::default()
            };
            write_search_attribute(&mut JsonWriter::new(sink.buffer()), &attribute, &context);
            sink.flush_full()?;
        }
        Ok(())
    }

    /// Tells another format of an event whose attributes follow; `false` when it is not to be seen any more.
    pub(crate) fn announce(
        &mut self,
        id: i64,
        format: &mut dyn AttributeFormat,
        sink: &mut Sink,
    ) -> Result<bool, Stop> {
        let (service, actor) = (self.service, self.actor);
        service.store.read::<(), Stop>(actor, |r| self.load_events(r, vec![id]))?;
        let Some(event) = self.events.get(&id) else { return Ok(false) };
        let tags = self.event_tags.get(&id).map_or(&[][..], Vec::as_slice);
        let tags: Vec<&str> = tags.iter().map(|t| t.tag.name.as_str()).collect();
        format.event(&export_event(event, &self.orgs), &tags, sink.buffer());
        Ok(true)
    }

    /// Hands a batch to another format.
    pub(crate) fn export(
        &mut self,
        batch: &Batch,
        format: &mut dyn AttributeFormat,
        sink: &mut Sink,
    ) -> Result<(), Stop> {
        let around = self.load(batch)?;
        for attribute in batch.iter() {
            if self.leaves_out(&around, &attribute) {
                continue;
            }
            let Some(event) = self.events.get(&attribute.event_id) else { continue };
            let names = |list: Option<&Vec<Attached>>| -> Vec<String> {
                list.map(|l| l.iter().map(|t| t.tag.name.clone()).collect()).unwrap_or_default()
            };
            let (tags, event_tags) =
                (names(around.tags.get(&attribute.id)), names(self.event_tags.get(&event.id)));
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            let event_tags: Vec<&str> = event_tags.iter().map(String::as_str).collect();
            let sightings = around.sightings.get(&attribute.id).map_or(&[][..], Vec::as_slice);
            let sighted: Vec<i64> =
                sightings.iter().filter(|s| s.kind == 0).map(|s| s.date_sighting).collect();
            let row = ExportRow {
                attribute,
                event: export_event(event, &self.orgs),
                tags: &tags,
                event_tags: &event_tags,
                object: around.objects.get(&attribute.object_id).map(export_object),
                decay: scores::summary(&self.said(&around, &attribute)),
                sighted: &sighted,
            };
            format.attribute(&row, sink.buffer());
            sink.flush_full()?;
        }
        Ok(())
    }

    fn leaves_out(&self, around: &Around, attribute: &AttributeView<'_>) -> bool {
        around.doubted.contains(&attribute.id) || self.keep.as_ref().is_some_and(|keep| !keep(attribute))
    }

    /// One at a time: they can be of any size.
    fn attachment(&self, attribute: &AttributeView<'_>) -> Result<Option<Vec<u8>>, Stop> {
        if !attribute.kind.holds_bytes() || !self.include.with_attachments {
            return Ok(None);
        }
        let found = self.service.store.read::<_, Stop>(self.actor, |r| Ok(r.attachment(attribute.id)?))?;
        // Fetched here, where no snapshot is held.
        Ok(found.map(Attachment::bytes).transpose()?.flatten())
    }

    fn related<'a>(&'a self, around: &'a Around, id: i64) -> Vec<RelatedRow<'a>> {
        let Some(list) = around.pairs.get(&id) else { return Vec::new() };
        let row = |theirs: &i64| {
            let attribute = around.theirs.get(*around.places.get(theirs)?);
            let event = self.events.get(&attribute.event_id)?;
            Some(RelatedRow { attribute, event: EventSummary::from(event) })
        };
        list.iter().filter_map(row).collect()
    }

    fn load(&mut self, batch: &Batch) -> Result<Around, Stop> {
        if self.events.len() > REMEMBERED {
            self.events.clear();
            self.event_tags.clear();
        }
        let (service, actor) = (self.service, self.actor);
        service.store.read(actor, |r| self.load_in(r, batch))
    }

    fn load_in(&mut self, r: &mut Reader<'_>, batch: &Batch) -> Result<Around, Stop> {
        let mut around = Around { tags: r.attribute_tags(&batch.ids())?, ..Around::default() };
        let mut objects: Vec<i64> = batch.iter().map(|a| a.object_id).filter(|o| *o > 0).collect();
        objects.dedup();
        if !objects.is_empty() {
            around.objects = r.objects_by_ids(&objects)?.into_iter().map(|o| (o.id, o)).collect();
        }
        let mut events: Vec<i64> = batch.iter().map(|a| a.event_id).collect();
        if self.include.include_correlations || self.include.include_granular_correlations {
            for pair in r.correlations(batch, SHOWN_CORRELATIONS)? {
                around.pairs.entry(pair.ours).or_default().push(pair.theirs);
                events.push(pair.their_event);
            }
            let theirs: Vec<i64> = around.pairs.values().flatten().copied().collect();
            around.theirs = r.attributes_by_ids(&theirs)?;
            around.places = around.theirs.iter().enumerate().map(|(place, a)| (a.id, place)).collect();
        }
        self.load_events(r, events)?;
        if self.include.include_analyst_data {
            around.analyst = AnalystTree::load(r, &batch.iter().map(|a| a.uuid).collect::<Vec<_>>())?;
        }
        if self.include.include_sightings {
            for sighting in r.sightings_of(Sighted::Attributes(batch.ids()))? {
                around.sightings.entry(sighting.attribute_id).or_default().push(sighting);
            }
        }
        if self.include.include_proposals {
            around.proposals = Open::about(r, &batch.ids())?;
        }
        if self.doubts {
            around.doubted = r.attributes_in_doubt(&batch.ids())?;
        }
        if self.extras.scoring.is_some() {
            around.sighted = r.sighted(&batch.ids())?;
        }
        self.drop_tags(&mut around.tags);
        if self.include.include_galaxy {
            let known = Expanded::load(r, around.tags.values().flatten())?;
            for (id, tags) in &around.tags {
                around.galaxies.insert(*id, [b"[", known.items(tags).as_slice(), b"]"].concat());
            }
        }
        Ok(around)
    }

    fn load_events(&mut self, r: &mut Reader<'_>, mut ids: Vec<i64>) -> Result<(), Stop> {
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|id| !self.events.contains_key(id));
        if ids.is_empty() {
            return Ok(());
        }
        let found = r.events_by_ids(&ids)?;
        if self.include.include_event_tags || self.include.include_context {
            let mut tags = r.event_tags(&ids)?;
            self.drop_tags(&mut tags);
            self.event_tags.extend(tags);
        }
        let orgs: Vec<i64> =
            found.iter().flat_map(|e| [e.org_id, e.orgc_id]).filter(|o| !self.orgs.contains_key(o)).collect();
        if !orgs.is_empty() {
            self.orgs.extend(r.org_names(&orgs)?);
        }
        self.events.extend(found.into_iter().map(|e| (e.id, e)));
        Ok(())
    }

    /// Non-exportable tags stay here unless asked for; local ones are not for those who synchronise.
    fn drop_tags(&self, tags: &mut FxHashMap<i64, Vec<Attached>>) {
        let sync = self.actor.has(Permission::Sync) && !self.actor.sees_all();
        let (all, no_local) = (self.include.include_all_tags, self.include.exclude_local_tags || sync);
        for list in tags.values_mut() {
            list.retain(|t| (all || t.tag.exportable) && !(t.local && no_local));
        }
    }
}

fn export_event<'a>(event: &'a Event, orgs: &'a FxHashMap<i64, OrgName>) -> export::EventSummary<'a> {
    export::EventSummary {
        id: event.id,
        uuid: event.uuid,
        info: &event.info,
        org: org_summary(orgs, event.org_id).name,
        orgc: org_summary(orgs, event.orgc_id).name,
        distribution: event.distribution,
        threat_level_id: event.threat_level_id,
        analysis: event.analysis,
        date: &event.date,
        timestamp: event.timestamp,
    }
}

fn export_object(object: &Object) -> export::ObjectSummary<'_> {
    export::ObjectSummary {
        id: object.id,
        uuid: object.uuid,
        name: &object.name,
        meta_category: &object.meta_category,
        description: &object.description,
        template_uuid: &object.template_uuid,
        template_version: &object.template_version,
        timestamp: object.timestamp,
        distribution: object.distribution,
        comment: &object.comment,
    }
}
