//! One event with everything in it, written piece by piece in MISP's shape and order.

use crate::analyst_tree::AnalystTree;
use crate::answer::{Sink, Stop};
use crate::event_extras;
use crate::failure::Failure;
use crate::galaxies::Expanded;
use crate::inlaid::Inlaid;
use crate::proposals::{Open, write_inside};
use crate::references::References;
use crate::request::Request;
use crate::scores::Extras;
use pisax_access::Permission;
use pisax_model::Uuid;
use pisax_model::event::Event;
use pisax_model::filter::Tri;
use pisax_model::ids::Ref;
use pisax_model::object::Object;
use pisax_model::sighting::Sighting;
use pisax_model::tag::Attached;
use pisax_store::Reader;
use pisax_store::attributes::{Batch, Trim, Wanted};
use pisax_store::orgs::OrgName;
use pisax_store::sightings::Sighted;
use pisax_wire::JsonWriter;
use pisax_wire::analyst_out::AnalystShape;
use pisax_wire::attribute_out::{AttributeContext, OrgSummary, RelatedAttribute, write_event_attribute};
use pisax_wire::cryptographic_key_out::write_cryptographic_key;
use pisax_wire::event_out::{RelatedEvent, write_event_head, write_related_event, write_tag_member};
use pisax_wire::include::EventView;
use pisax_wire::object_out::write_object_head;
use pisax_wire::sharing_out::EventGroup;
use rustc_hash::{FxHashMap, FxHashSet};

/// How many attributes are read at a time.
const ATTRIBUTES: i64 = 2000;
/// How many objects are read at a time.
const OBJECTS: i64 = 500;

/// What of an event is written.
pub(crate) struct Shape {
    pub(crate) view: EventView,
    /// Correlations shown for each batch of attributes (`MISP.max_correlations_per_event`).
    pub(crate) correlations: usize,
    /// More of them than this are marked (`MISP.correlation_limit`).
    correlation_limit: usize,
    /// Scores and warnings.
    extras: Extras,
    /// The answer to an addition or edit, which has a little less than a view (045).
    saved: bool,
    /// Local tags are for those who synchronise too, unless they ask for none: servers that belong together pull
    /// them from views (MISP's internal servers). Searches and answers to a change never hold them.
    pub(crate) local_for_sync: bool,
    /// Attributes that are left out of what is read.
    pub(crate) trim: Trim,
    /// Attributes for which this says no are left out.
    pub(crate) keep: Option<Keep>,
    /// Attributes that somebody proposes to delete or to take out of detection are left out.
    pub(crate) undoubted: bool,
}

/// A last look at an attribute before it is written (warninglists).
pub(crate) type Keep = Box<dyn Fn(&pisax_model::attribute::AttributeView<'_>) -> bool + Send>;

impl Shape {
    pub(crate) fn new(view: EventView) -> Self {
        let trim = Trim { to_ids: view.to_ids, ..Trim::default() };
        Self {
            view,
            correlations: 5000,
            correlation_limit: 20,
            extras: Extras::default(),
            saved: false,
            local_for_sync: false,
            trim,
            keep: None,
            undoubted: false,
        }
    }

    /// Takes over what the instance is set to, its decaying models and its warninglists.
    pub(crate) fn fit(&mut self, request: &Request) -> Result<(), Failure> {
        self.correlations = request.shown_correlations();
        self.correlation_limit =
            usize::try_from(request.service.settings().correlation_limit).unwrap_or_default();
        self.extras = Extras::load(&request.service, &request.actor, &self.view.include)?;
        Ok(())
    }

    /// The answer to an addition or edit.
    pub(crate) fn saved(metadata: bool) -> Result<Self, Failure> {
        let mut view = pisax_wire::include::read_event_view(b"", &[])?;
        view.include.metadata = metadata;
        view.include.with_attachments = false;
        Ok(Self { saved: true, ..Self::new(view) })
    }

    fn wanted(&self) -> Wanted {
        Wanted {
            living: self.view.deleted != Tri::Only(true),
            deleted: self.view.deleted != Tri::Only(false),
        }
    }
}

/// An organisation the event refers to; one that was removed is shown by its number.
pub(crate) fn org_summary(names: &FxHashMap<i64, OrgName>, id: i64) -> OrgSummary<'_> {
    match names.get(&id) {
        Some(org) => OrgSummary { id, name: &org.name, uuid: org.uuid, local: org.local },
        None => OrgSummary { id, name: "", uuid: pisax_model::Uuid::nil(), local: false },
    }
}

/// Writes `{"Event":{…}}`.
pub(crate) fn write_event(
    r: &mut Reader<'_>,
    event: &Event,
    shape: &Shape,
    base_url: &str,
    sink: &mut Sink,
) -> Result<(), Stop> {
    let (sightings, proposals, doubted) = (FxHashMap::default(), Open::default(), FxHashSet::default());
    let event_tags = None;
    let mut writer = Writing { r, event, shape, base_url, sink, sightings, proposals, doubted, event_tags };
    writer.sink.buffer().extend_from_slice(b"{\"Event\":");
    writer.head()?;
    writer.body()?;
    writer.sink.buffer().extend_from_slice(b"}}");
    writer.sink.flush_full()
}

struct Writing<'w, 'r> {
    r: &'w mut Reader<'r>,
    event: &'w Event,
    shape: &'w Shape,
    base_url: &'w str,
    sink: &'w mut Sink,
    sightings: FxHashMap<i64, Vec<Sighting>>,
    proposals: Open,
    /// Attributes that are left out for what is proposed about them.
    doubted: FxHashSet<i64>,
    /// The event's tags, read once they are needed.
    event_tags: Option<Vec<Attached>>,
}

impl Writing<'_, '_> {
    fn head(&mut self) -> Result<(), Stop> {
        let event = self.event;
        let group = match event.sharing_group_id {
            0 => None,
            id => self.r.sharing_group(Ref::Id(id))?,
        };
        let owner = group.as_ref().map_or(0, |g| g.org_id);
        let names = self.r.org_names(&[event.org_id, event.orgc_id, owner])?;
        let actor = self.r.actor();
        let may_know = actor.sees_all() || (actor.has(Permission::Audit) && actor.org_id == event.orgc_id);
        let email = if may_know { self.r.creator_email(event.user_id)? } else { None };
        let group = group.as_ref().map(|group| EventGroup {
            group,
            organisation: org_summary(&names, owner),
            base_url: self.base_url,
        });
        let mut w = JsonWriter::new(self.sink.buffer());
        write_event_head(
            &mut w,
            event,
            org_summary(&names, event.org_id),
            org_summary(&names, event.orgc_id),
            email.as_deref(),
            group.as_ref(),
        );
        Ok(())
    }

    fn body(&mut self) -> Result<(), Stop> {
        let include = &self.shape.view.include;
        if !include.metadata {
            if !include.no_sightings {
                for sighting in self.r.sightings_of(Sighted::Events(vec![self.event.id]))? {
                    self.sightings.entry(sighting.attribute_id).or_default().push(sighting);
                }
            }
            if !include.no_shadow_attributes || self.shape.undoubted {
                let open = Open::new(self.r.proposals_of_event(self.event.id)?);
                if self.shape.undoubted {
                    self.doubted = open.doubted().collect();
                }
                if !include.no_shadow_attributes {
                    self.proposals = open;
                }
            }
            self.raw(b",\"Attribute\":[");
            self.attributes()?;
            self.raw(b"]");
            self.raw(b",\"ShadowAttribute\":[");
            self.proposals_of_new()?;
            self.raw(b"]");
        }
        self.raw(b",\"RelatedEvent\":[");
        if include.include_event_correlations {
            self.related_events()?;
        }
        let tags = self.tags_of_event()?;
        let galaxies = if include.exclude_galaxy { Vec::new() } else { self.galaxies(&tags)? };
        self.raw(b"],\"Galaxy\":[");
        self.raw(&galaxies);
        if include.metadata {
            self.raw(b"]");
        } else {
            self.raw(b"],\"Object\":[");
            self.objects()?;
            self.raw(b"],\"EventReport\":[");
            if !include.no_event_reports {
                self.reports()?;
            }
            self.raw(b"],\"CryptographicKey\":[");
            self.cryptographic_keys()?;
            self.raw(b"]");
        }
        let said = self.analyst(&[self.event.uuid])?.members(&self.event.uuid, AnalystShape::Short);
        if !said.is_empty() {
            self.raw(b",");
            self.raw(&said);
        }
        let mut w = JsonWriter::after_member(self.sink.buffer());
        write_tag_member(&mut w, &tags);
        if let Some(scoring) = self.shape.extras.scoring.as_ref().filter(|_| include.include_scores_on_event)
        {
            w.key("event_scores");
            scoring.write(&mut w, &scoring.of_event(self.event, &tags));
        }
        Ok(())
    }

    fn tags_of_event(&mut self) -> Result<Vec<Attached>, Stop> {
        if let Some(tags) = &self.event_tags {
            return Ok(tags.clone());
        }
        let mut tags = self.r.event_tags(&[self.event.id])?.remove(&self.event.id).unwrap_or_default();
        self.drop_tags(&mut tags);
        self.event_tags = Some(tags.clone());
        Ok(tags)
    }

    /// Warnings, scores and marks of the attributes of a batch.
    fn more(&mut self, batch: &Batch, around: &mut Around) -> Result<(), Stop> {
        let shape = self.shape;
        let scored = shape.view.include.include_decay_score && shape.extras.scoring.is_some();
        let event_tags = if scored { self.tags_of_event()? } else { Vec::new() };
        let visible = self.shown_tags();
        let tags = |id| {
            let all = around.all_tags.get(&id).map_or(&[][..], Vec::as_slice);
            all.iter().filter(|t| visible(t)).cloned().collect()
        };
        let known = event_extras::Known {
            include: &shape.view.include,
            tags: &tags,
            event_tags: &event_tags,
            pairs: &|id| around.pairs.get(&id).map_or(0, Vec::len),
            correlation_limit: shape.correlation_limit,
        };
        around.more = event_extras::members(self.r, &shape.extras, batch, &known)?;
        Ok(())
    }

    fn raw(&mut self, json: &[u8]) {
        self.sink.buffer().extend_from_slice(json);
    }

    fn cryptographic_keys(&mut self) -> Result<(), Stop> {
        for (n, key) in self.r.keys_of_event(self.event.id)?.iter().enumerate() {
            if n > 0 {
                self.raw(b",");
            }
            write_cryptographic_key(&mut JsonWriter::new(self.sink.buffer()), key);
        }
        Ok(())
    }

    /// Non-exportable tags stay here unless asked for; local ones go where the reader asked.
    fn shown_tags(&self) -> impl Fn(&Attached) -> bool + use<> {
        let include = &self.shape.view.include;
        let actor = self.r.actor();
        let sync = actor.has(Permission::Sync) && !actor.sees_all() && !self.shape.local_for_sync;
        let (all, no_local) = (include.include_all_tags, include.exclude_local_tags || sync);
        move |t| (all || t.tag.exportable) && !(t.local && no_local)
    }

    fn drop_tags(&self, tags: &mut Vec<Attached>) {
        tags.retain(self.shown_tags());
    }

    fn reports(&mut self) -> Result<(), Stop> {
        let (wanted, analyst) = (self.shape.wanted(), self.shape.view.include.include_analyst_data);
        let base_url = self.base_url;
        let groups = |r: &mut Reader<'_>, ids: &[i64]| {
            let mut around = Around::default();
            around.load_groups(r, ids, base_url)?;
            Ok(around.groups)
        };
        crate::reports::write_inside(self.r, self.event, wanted, analyst, groups, self.sink)
    }

    /// What analysts said about these records, where that is wanted.
    fn analyst(&mut self, uuids: &[Uuid]) -> Result<AnalystTree, Stop> {
        if !self.shape.view.include.include_analyst_data {
            return Ok(AnalystTree::default());
        }
        Ok(AnalystTree::load(self.r, uuids)?)
    }

    fn galaxies(&mut self, tags: &[Attached]) -> Result<Vec<u8>, Stop> {
        crate::galaxies::expand(self.r, tags)
    }

    fn attributes(&mut self) -> Result<(), Stop> {
        let wanted = self.shape.wanted();
        let (mut after, mut first) = (0, true);
        loop {
            let batch =
                self.r.trimmed_event_attributes(self.event, wanted, &self.shape.trim, after, ATTRIBUTES)?;
            let Some(last) = batch.last_id() else { return Ok(()) };
            after = last;
            let around = self.around(&batch)?;
            for i in 0..batch.len() {
                if !self.passes(&batch, i) {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    self.raw(b",");
                }
                self.attribute(&batch, i, &around)?;
            }
            if batch.len() < ATTRIBUTES as usize {
                return Ok(());
            }
        }
    }

    fn passes(&self, batch: &Batch, i: usize) -> bool {
        let attribute = batch.get(i);
        let view = &self.shape.view;
        !self.doubted.contains(&attribute.id)
            && (!view.public || matches!(attribute.distribution, 3 | 5))
            && view.search_for.as_ref().is_none_or(|text| attribute.value().contains(text.as_str()))
            && self.shape.keep.as_ref().is_none_or(|keep| keep(&attribute))
    }

    /// What stands around the attributes of a batch, read by set.
    fn around(&mut self, batch: &Batch) -> Result<Around, Stop> {
        let include = &self.shape.view.include;
        let all_tags = self.r.attribute_tags(&batch.ids())?;
        let mut around = Around { all_tags, ..Around::default() };
        let galaxy_tags = around.all_tags.values().flatten().any(|t| t.tag.is_galaxy);
        if galaxy_tags && !include.exclude_galaxy {
            let known = Expanded::load(self.r, around.all_tags.values().flatten())?;
            for (id, tags) in &around.all_tags {
                let items = known.items(tags);
                if !items.is_empty() {
                    around.galaxies.insert(*id, [b"[", items.as_slice(), b"]"].concat());
                }
            }
        }
        if include.include_granular_correlations {
            around.load_related(self.r, batch, self.shape.correlations)?;
        }
        around.analyst = self.analyst(&batch.iter().map(|a| a.uuid).collect::<Vec<_>>())?;
        let groups: Vec<i64> = batch.iter().map(|a| a.sharing_group_id).filter(|g| *g > 0).collect();
        if !groups.is_empty() {
            around.load_groups(self.r, &groups, self.base_url)?;
        }
        self.more(batch, &mut around)?;
        Ok(around)
    }

    fn attribute(&mut self, batch: &Batch, i: usize, around: &Around) -> Result<(), Stop> {
        let attribute = batch.get(i);
        let mut tags = around.all_tags.get(&attribute.id).cloned().unwrap_or_default();
        self.drop_tags(&mut tags);
        let data = match attribute.kind.holds_bytes() && self.shape.view.include.with_attachments {
            true => self.r.attachment(attribute.id)?,
            false => None,
        };
        let data = Inlaid::of(data, self.sink);
        let related = around.related_of(attribute.id);
        let said = around.analyst.members(&attribute.uuid, AnalystShape::Whole);
        let mut proposals = Vec::new();
        for proposal in self.proposals.of(attribute.id) {
            proposals.push(if proposals.is_empty() { b'[' } else { b',' });
            write_inside(self.r, proposal, self.shape.view.include.with_attachments, &mut proposals)?;
        }
        if !proposals.is_empty() {
            proposals.push(b']');
        }
        let context = AttributeContext {
            tags: &tags,
            data: data.as_data(),
            sightings: self.sightings.get(&attribute.id).map_or(&[], Vec::as_slice),
            related: &related,
            galaxies: around.galaxies.get(&attribute.id).map_or(&[], Vec::as_slice),
            proposals: &proposals,
            sharing_group: around.groups.get(&attribute.sharing_group_id).map(Vec::as_slice),
            analyst_data: &said,
            more: around.more.get(&attribute.id).map_or(&[], Vec::as_slice),
            ..AttributeContext::default()
        };
        write_event_attribute(&mut JsonWriter::new(self.sink.buffer()), &attribute, &context);
        self.sink.flush_full()
    }

    /// Proposals of new attributes, one after the other.
    fn proposals_of_new(&mut self) -> Result<(), Stop> {
        for (n, proposal) in self.proposals.of(0).iter().enumerate() {
            if n > 0 {
                self.sink.buffer().push(b',');
            }
            let with_file = self.shape.view.include.with_attachments;
            write_inside(self.r, proposal, with_file, self.sink.buffer())?;
            self.sink.flush_full()?;
        }
        Ok(())
    }

    fn related_events(&mut self) -> Result<(), Stop> {
        let related = self.r.related_events(self.event)?;
        let ids: Vec<i64> = related.iter().map(|r| r.event_id).collect();
        let mut events = self.r.events_by_ids(&ids)?;
        events.sort_by(|a, b| b.date.cmp(&a.date).then(b.id.cmp(&a.id)));
        let orgs: Vec<i64> = events.iter().flat_map(|e| [e.org_id, e.orgc_id]).collect();
        let names = self.r.org_names(&orgs)?;
        for (i, event) in events.iter().enumerate() {
            if i > 0 {
                self.raw(b",");
            }
            let related = RelatedEvent {
                id: event.id,
                date: &event.date,
                threat_level_id: event.threat_level_id,
                info: &event.info,
                published: event.published,
                uuid: event.uuid,
                analysis: event.analysis,
                timestamp: event.timestamp,
                distribution: event.distribution,
                org: org_summary(&names, event.org_id),
                orgc: org_summary(&names, event.orgc_id),
                relationship_inbound: if self.shape.saved { None } else { Some(b"") },
            };
            write_related_event(&mut JsonWriter::new(self.sink.buffer()), &related);
            self.sink.flush_full()?;
        }
        Ok(())
    }

    fn objects(&mut self) -> Result<(), Stop> {
        let wanted = self.shape.wanted();
        let (mut after, mut first) = (0, true);
        loop {
            let objects = self.r.event_objects(self.event, wanted, after, OBJECTS)?;
            let Some(last) = objects.last() else { return Ok(()) };
            after = last.id;
            let ids: Vec<i64> = objects.iter().map(|o| o.id).collect();
            let batch = self.r.trimmed_object_attributes(self.event, wanted, &self.shape.trim, &ids)?;
            let around = self.around(&batch)?;
            let references = References::load(self.r, &ids, wanted.deleted)?;
            let said = self.analyst(&objects.iter().map(|o| o.uuid).collect::<Vec<_>>())?;
            let mut at = 0;
            for object in &objects {
                let from = at;
                while at < batch.len() && batch.get(at).object_id == object.id {
                    at += 1;
                }
                let rows: Vec<usize> = (from..at).filter(|i| self.passes(&batch, *i)).collect();
                // An object of which the reader sees no attribute is nothing to him, unless it is a tombstone.
                if rows.is_empty() && !object.deleted {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    self.raw(b",");
                }
                let said = said.members(&object.uuid, AnalystShape::Whole);
                self.object(object, &references, (&batch, &rows), &around, &said)?;
            }
            if objects.len() < OBJECTS as usize {
                return Ok(());
            }
        }
    }

    fn object(
        &mut self,
        object: &Object,
        references: &References,
        (batch, rows): (&Batch, &[usize]),
        around: &Around,
        said: &[u8],
    ) -> Result<(), Stop> {
        write_object_head(&mut JsonWriter::new(self.sink.buffer()), object);
        self.raw(b",\"ObjectReference\":[");
        references.write(object.id, self.sink);
        self.raw(b"],\"Attribute\":[");
        for (n, i) in rows.iter().enumerate() {
            if n > 0 {
                self.raw(b",");
            }
            self.attribute(batch, *i, around)?;
        }
        self.raw(b"]");
        if !said.is_empty() {
            self.raw(b",");
            self.raw(said);
        }
        self.raw(b"}");
        self.sink.flush_full()
    }
}

#[derive(Default)]
struct Around {
    all_tags: FxHashMap<i64, Vec<Attached>>,
    galaxies: FxHashMap<i64, Vec<u8>>,
    pairs: FxHashMap<i64, Vec<i64>>,
    related: FxHashMap<i64, (i64, String)>,
    events: FxHashMap<i64, Event>,
    groups: FxHashMap<i64, Vec<u8>>,
    analyst: AnalystTree,
    /// Members that stand last.
    more: FxHashMap<i64, Vec<u8>>,
}

impl Around {
    fn load_related(&mut self, r: &mut Reader<'_>, batch: &Batch, most: usize) -> Result<(), Stop> {
        let mut pairs = r.correlations(batch, most)?;
        pairs.truncate(most);
        let ids: Vec<i64> = pairs.iter().map(|p| p.theirs).collect();
        for theirs in r.attributes_by_ids(&ids)?.iter() {
            self.related.insert(theirs.id, (theirs.event_id, theirs.value().into_owned()));
        }
        let events: Vec<i64> = pairs.iter().map(|p| p.their_event).collect();
        self.events = r.events_by_ids(&events)?.into_iter().map(|e| (e.id, e)).collect();
        for pair in pairs {
            self.pairs.entry(pair.ours).or_default().push(pair.theirs);
        }
        Ok(())
    }

    fn related_of(&self, id: i64) -> Vec<RelatedAttribute<'_>> {
        let Some(list) = self.pairs.get(&id) else { return Vec::new() };
        list.iter()
            .filter_map(|theirs| {
                let (event_id, value) = self.related.get(theirs)?;
                let event = self.events.get(event_id)?;
                Some(RelatedAttribute {
                    id: *theirs,
                    event_id: *event_id,
                    info: &event.info,
                    org_id: event.orgc_id,
                    date: &event.date,
                    value,
                })
            })
            .collect()
    }

    fn load_groups(&mut self, r: &mut Reader<'_>, ids: &[i64], base_url: &str) -> Result<(), Stop> {
        let groups = r.sharing_groups_by_ids(ids)?;
        let owners: Vec<i64> = groups.values().map(|g| g.org_id).collect();
        let names = r.org_names(&owners)?;
        for (id, group) in &groups {
            let mut json = Vec::new();
            let organisation = org_summary(&names, group.org_id);
            let group = EventGroup { group, organisation, base_url };
            pisax_wire::sharing_out::write_event_group(&mut JsonWriter::new(&mut json), &group);
            self.groups.insert(*id, json);
        }
        Ok(())
    }
}
