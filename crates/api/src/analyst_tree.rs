//! What analysts said about records, with what was said about that in turn, read by set: one statement for each
//! level of nesting, whatever the number of records.

use pisax_access::edit::may_edit_analyst_data;
use pisax_model::Uuid;
use pisax_model::analyst::{AnalystData, AnalystKind, DEEPEST, TargetKind};
use pisax_model::attribute::AttributeView;
use pisax_model::object::Object;
use pisax_model::org::Org;
use pisax_model::sharing::SharingGroup;
use pisax_service::Result;
use pisax_store::Reader;
use pisax_wire::JsonWriter;
use pisax_wire::analyst_out::{AnalystContext, AnalystShape, write_analyst_data, write_related_event_object};
use pisax_wire::attribute_out::{AttributeContext, write_viewed_attribute};
use pisax_wire::object_out::write_object_head;
use rustc_hash::{FxHashMap, FxHashSet};

/// Analyst data around some records.
#[derive(Default)]
pub(crate) struct AnalystTree {
    by_object: FxHashMap<Uuid, Vec<AnalystData>>,
    orgs: FxHashMap<i64, Org>,
    groups: FxHashMap<i64, SharingGroup>,
    related: FxHashMap<Uuid, Vec<u8>>,
    editable: FxHashSet<i64>,
}

impl AnalystTree {
    /// What the reader sees of what was said about these records.
    pub(crate) fn load(r: &mut Reader<'_>, uuids: &[Uuid]) -> Result<Self> {
        let mut tree = Self::default();
        if uuids.is_empty() || !r.has_analyst_data()? {
            return Ok(tree);
        }
        tree.grow(r, uuids.to_vec(), DEEPEST)?;
        tree.surround(r)?;
        Ok(tree)
    }

    /// The same for analyst data that is at hand.
    pub(crate) fn around(r: &mut Reader<'_>, data: &[AnalystData]) -> Result<Self> {
        let mut tree = Self::default();
        tree.grow(r, data.iter().map(|d| d.uuid).collect(), DEEPEST - 1)?;
        // Held while what stands around it is looked up.
        let own = Uuid::nil();
        tree.by_object.insert(own, data.to_vec());
        tree.surround(r)?;
        tree.by_object.remove(&own);
        Ok(tree)
    }

    fn grow(&mut self, r: &mut Reader<'_>, mut level: Vec<Uuid>, levels: usize) -> Result<()> {
        let mut met: FxHashSet<Uuid> = level.iter().copied().collect();
        for _ in 0..levels {
            if level.is_empty() {
                return Ok(());
            }
            let found = r.analyst_data_about(&level)?;
            level = found.iter().map(|d| d.uuid).filter(|uuid| met.insert(*uuid)).collect();
            for data in found {
                self.by_object.entry(data.object_uuid).or_default().push(data);
            }
        }
        Ok(())
    }

    fn surround(&mut self, r: &mut Reader<'_>) -> Result<()> {
        let all: Vec<&AnalystData> = self.by_object.values().flatten().collect();
        if all.is_empty() {
            return Ok(());
        }
        let orgs: FxHashSet<i64> = all.iter().flat_map(|d| [d.org_id, d.orgc_id]).collect();
        let groups: Vec<i64> = all.iter().map(|d| d.sharing_group_id).filter(|id| *id > 0).collect();
        let pointed: Vec<(TargetKind, Uuid)> =
            all.iter().filter_map(|d| Some((d.related_type?, d.related_uuid?))).collect();
        self.editable =
            all.iter().filter(|d| may_edit_analyst_data(r.actor(), d.orgc_id)).map(|d| d.id).collect();
        self.orgs = r.orgs_by_ids(&orgs.into_iter().collect::<Vec<_>>())?;
        self.groups = r.sharing_groups_by_ids(&groups)?;
        self.related = related(r, &pointed)?;
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_object.is_empty()
    }

    /// The members `"Note":[…],"Opinion":[…],"Relationship":[…]` about a record, each only when there is one.
    pub(crate) fn members(&self, uuid: &Uuid, shape: AnalystShape) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.is_empty() {
            self.write_members(&mut JsonWriter::new(&mut out), uuid, shape, &AnalystKind::ALL, 1);
        }
        out
    }

    /// One of those that were at hand, with what was said about it.
    pub(crate) fn write(&self, w: &mut JsonWriter<'_>, data: &AnalystData, shape: AnalystShape) {
        self.write_one(w, data, shape, 1);
    }

    fn write_members(
        &self,
        w: &mut JsonWriter<'_>,
        uuid: &Uuid,
        shape: AnalystShape,
        kinds: &[AnalystKind],
        depth: usize,
    ) {
        let Some(list) = self.by_object.get(uuid) else { return };
        for kind in kinds {
            let mut of_kind = list.iter().filter(|d| d.kind == *kind).peekable();
            if of_kind.peek().is_none() {
                continue;
            }
            w.key(kind.name());
            w.begin_array();
            of_kind.for_each(|data| self.write_one(w, data, shape, depth));
            w.end_array();
        }
    }

    fn write_one(&self, w: &mut JsonWriter<'_>, data: &AnalystData, shape: AnalystShape, depth: usize) {
        let mut children = Vec::new();
        let below = self.by_object.get(&data.uuid).is_some_and(|list| !list.is_empty());
        if below && depth < DEEPEST {
            // What stands inside shows its organisations in short (213).
            let inner = if shape == AnalystShape::Viewed { shape } else { AnalystShape::Short };
            let kinds = [AnalystKind::Note, AnalystKind::Opinion];
            self.write_members(&mut JsonWriter::new(&mut children), &data.uuid, inner, &kinds, depth + 1);
        }
        let related = data.related_uuid.and_then(|uuid| self.related.get(&uuid));
        let context = AnalystContext {
            shape,
            org: self.orgs.get(&data.org_id),
            orgc: self.orgs.get(&data.orgc_id),
            sharing_group: self.groups.get(&data.sharing_group_id),
            may_edit: self.editable.contains(&data.id),
            children: &children,
            cut: below && depth >= DEEPEST,
            related: related.map_or(&[], Vec::as_slice),
        };
        write_analyst_data(w, data, &context);
    }
}

/// The records that relationships point at, as far as the reader sees them.
pub(crate) fn related(
    r: &mut Reader<'_>,
    pointed: &[(TargetKind, Uuid)],
) -> Result<FxHashMap<Uuid, Vec<u8>>> {
    let of = |kind: TargetKind| -> Vec<Uuid> {
        pointed.iter().filter(|(k, _)| *k == kind).map(|(_, uuid)| *uuid).collect()
    };
    let mut found = FxHashMap::default();
    let events = of(TargetKind::Event);
    if !events.is_empty() {
        for event in r.events_by_uuids(&events)? {
            let mut out = Vec::new();
            write_related_event_object(&mut JsonWriter::new(&mut out), &event);
            found.insert(event.uuid, out);
        }
    }
    let attributes = of(TargetKind::Attribute);
    if !attributes.is_empty() {
        let ids: Vec<i64> = r.known_attributes(&attributes)?.values().map(|known| known.id).collect();
        for attribute in r.attributes_by_ids(&ids)?.iter() {
            found.insert(attribute.uuid, wrapped_attribute(&attribute));
        }
    }
    let objects = of(TargetKind::Object);
    if !objects.is_empty() {
        let ids: Vec<i64> = r.known_objects(&objects)?.values().map(|known| known.id).collect();
        for object in r.objects_by_ids(&ids)? {
            found.insert(object.uuid, wrapped_object(&object));
        }
    }
    Ok(found)
}

fn wrapped_attribute(attribute: &AttributeView<'_>) -> Vec<u8> {
    let mut out = b"{\"Attribute\":".to_vec();
    write_viewed_attribute(&mut JsonWriter::new(&mut out), attribute, &AttributeContext::default());
    out.push(b'}');
    out
}

fn wrapped_object(object: &Object) -> Vec<u8> {
    let mut out = b"{\"Object\":".to_vec();
    // The head stays open for lists that are not told here.
    write_object_head(&mut JsonWriter::new(&mut out), object);
    out.extend_from_slice(b"}}");
    out
}
