//! References between records, read by set with what they point to, and written where the reader sees that.

use crate::answer::{Sink, Stop};
use pisax_model::object::{Object, Reference};
use pisax_store::Reader;
use pisax_store::attributes::Batch;
use pisax_wire::JsonWriter;
use pisax_wire::object_out::{ReferenceTarget, write_reference};
use rustc_hash::FxHashMap;

/// References of a batch of objects with what they point to.
pub(crate) struct References {
    by_object: FxHashMap<i64, Vec<Reference>>,
    attributes: Batch,
    places: FxHashMap<i64, usize>,
    objects: FxHashMap<i64, Object>,
}

impl References {
    pub(crate) fn load(r: &mut Reader<'_>, objects: &[i64], deleted: bool) -> Result<Self, Stop> {
        let by_object = r.references_of(objects, deleted)?;
        let all = || by_object.values().flatten();
        let to_attributes: Vec<i64> = all().filter(|x| !x.to_object).map(|x| x.referenced_id).collect();
        let to_objects: Vec<i64> = all().filter(|x| x.to_object).map(|x| x.referenced_id).collect();
        let attributes =
            if to_attributes.is_empty() { Batch::default() } else { r.attributes_by_ids(&to_attributes)? };
        let places = attributes.iter().enumerate().map(|(i, a)| (a.id, i)).collect();
        let objects = match to_objects.is_empty() {
            true => FxHashMap::default(),
            false => r.objects_by_ids(&to_objects)?.into_iter().map(|o| (o.id, o)).collect(),
        };
        Ok(Self { by_object, attributes, places, objects })
    }

    pub(crate) fn has(&self, object_id: i64) -> bool {
        self.by_object.contains_key(&object_id)
    }

    /// Those of an object whose targets the reader sees: of another he is not told.
    pub(crate) fn seen(&self, object_id: i64) -> impl Iterator<Item = &Reference> {
        let list = self.by_object.get(&object_id).into_iter().flatten();
        list.filter(|r| match r.to_object {
            true => self.objects.contains_key(&r.referenced_id),
            false => self.places.contains_key(&r.referenced_id),
        })
    }

    pub(crate) fn write(&self, object_id: i64, sink: &mut Sink) {
        for (n, reference) in self.seen(object_id).enumerate() {
            if n > 0 {
                sink.buffer().push(b',');
            }
            let mut w = JsonWriter::new(sink.buffer());
            if let Some(object) = self.objects.get(&reference.referenced_id).filter(|_| reference.to_object) {
                let target = ReferenceTarget::Object {
                    distribution: object.distribution,
                    sharing_group_id: object.sharing_group_id,
                    uuid: object.uuid,
                    name: &object.name,
                    meta_category: &object.meta_category,
                };
                write_reference(&mut w, reference, Some(&target));
                continue;
            }
            let place = self.places.get(&reference.referenced_id).filter(|_| !reference.to_object);
            let Some(place) = place else {
                write_reference(&mut w, reference, None);
                continue;
            };
            let attribute = self.attributes.get(*place);
            let value = attribute.value();
            let target = ReferenceTarget::Attribute {
                distribution: attribute.distribution,
                sharing_group_id: attribute.sharing_group_id,
                uuid: attribute.uuid,
                value: &value,
                kind: attribute.kind.name(),
                category: attribute.category.name(),
                to_ids: attribute.to_ids,
            };
            write_reference(&mut w, reference, Some(&target));
        }
    }
}
