//! New objects.

use crate::analyst;
use crate::context::{Checked, Groups, check};
use crate::error::uuid_taken;
use crate::files::Files;
use crate::{Error, Result, Service};
use pisax_access::{Actor, edit};
use pisax_model::attribute::{NewAttribute, seen};
use pisax_model::ids::{self, Ref};
use pisax_model::object::{Object, ObjectDraft, ReferenceDraft};
use pisax_model::{Distribution, FieldError, Uuid};
use pisax_store::Writer;
use pisax_store::attributes::Wanted;
use rustc_hash::FxHashSet;

/// A checked object with its checked attributes; sharing groups and row numbers come inside the transaction.
pub(crate) struct NewObject {
    pub(crate) object: Object,
    pub(crate) group: Option<Ref>,
    pub(crate) attributes: Vec<Checked>,
    pub(crate) references: Vec<ReferenceDraft>,
}

/// What to do when the event already has an equal object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicate {
    Accept,
    Refuse,
}

impl NewObject {
    /// Puts the sharing group's row number in; an unusable one makes the object the owner's alone.
    /// What the template says is taken from it where the client said nothing.
    pub(crate) fn settle(&mut self, w: &mut Writer<'_>, groups: &mut Groups) -> Result<()> {
        let bare = self.object.description.is_empty() || self.object.meta_category.is_empty();
        if let Some(uuid) = Uuid::try_parse(&self.object.template_uuid).ok().filter(|_| bare)
            && let Some(template) = w.template(&uuid, None)?
        {
            for (field, known) in [
                (&mut self.object.description, template.description),
                (&mut self.object.meta_category, template.meta_category),
            ] {
                if field.is_empty() {
                    *field = known;
                }
            }
        }
        if self.object.distribution == Distribution::SharingGroup.code() {
            match groups.usable(w, self.group) {
                Ok(id) => self.object.sharing_group_id = id,
                Err(Error::Invalid(_)) => self.object.distribution = Distribution::Organisation.code(),
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// Checks an object's own fields and its attributes; the first wrong attribute refuses it.
pub(crate) fn check_object(draft: ObjectDraft, now_ms: i64) -> Result<NewObject, FieldError> {
    let name = draft.name.map(|n| n.trim().to_owned()).filter(|n| !n.is_empty());
    let name = name.ok_or_else(|| FieldError::new("name", "The object needs a name."))?;
    if draft.bad_uuid {
        return Err(FieldError::new("uuid", "Please provide a valid RFC 4122 UUID"));
    }
    let distribution = draft.distribution.unwrap_or(Distribution::Inherit.code());
    if Distribution::from_code(distribution).is_none() {
        return Err(FieldError::new(
            "distribution",
            "Options: 0, 1, 2, 3, 4, 5 (organisation only to inherit).",
        ));
    }
    let attributes =
        draft.attributes.into_iter().map(|a| check(a, true, now_ms)).collect::<Result<Vec<_>, _>>()?;
    let object = Object {
        id: 0,
        uuid: draft.uuid.unwrap_or_else(|| ids::new_uuid(now_ms)),
        event_id: 0,
        name,
        meta_category: draft.meta_category.unwrap_or_default(),
        description: draft.description.unwrap_or_default(),
        template_uuid: draft.template_uuid.unwrap_or_default(),
        template_version: draft.template_version.unwrap_or_default(),
        timestamp: draft.timestamp.filter(|t| *t > 0).unwrap_or(now_ms / 1000),
        distribution,
        sharing_group_id: 0,
        comment: draft.comment.unwrap_or_default(),
        deleted: draft.deleted.unwrap_or(false),
        first_seen: seen("first_seen", draft.first_seen.flatten())?,
        last_seen: seen("last_seen", draft.last_seen.flatten())?,
    };
    Ok(NewObject { object, group: draft.sharing_group, attributes, references: draft.references })
}

/// Inserts the object rows; gives their attributes with the row number of the object they belong to.
pub(crate) fn insert_objects<'o>(
    w: &mut Writer<'_>,
    event_id: i64,
    objects: &'o mut [NewObject],
) -> Result<Vec<(i64, &'o NewAttribute)>> {
    let mut placed = Vec::new();
    for new in objects {
        new.object.event_id = event_id;
        new.object.id = w.insert_object(&new.object)?;
        let id = new.object.id;
        placed.extend(new.attributes.iter().map(|c| (id, &c.attribute)));
    }
    Ok(placed)
}

/// Adds an object to an event; returns its row number.
pub fn add(
    service: &Service,
    actor: &Actor,
    event: Ref,
    draft: ObjectDraft,
    duplicate: Duplicate,
) -> Result<i64> {
    let mut ids = add_all(service, actor, event, vec![draft], duplicate)?;
    ids.pop().ok_or(Error::NotFound("object"))
}

/// Adds objects to an event, all or none; returns their row numbers.
pub fn add_all(
    service: &Service,
    actor: &Actor,
    event: Ref,
    drafts: Vec<ObjectDraft>,
    duplicate: Duplicate,
) -> Result<Vec<i64>> {
    let now_ms = service.clock.now_ms();
    let (mut objects, mut said) = (Vec::with_capacity(drafts.len()), Vec::new());
    for mut draft in drafts {
        said.extend(analyst::gather_object(&mut draft, now_ms));
        objects.push(check_object(draft, now_ms)?);
    }
    let mut files = Files::new(service);
    for checked in objects.iter_mut().flat_map(|new| &mut new.attributes) {
        files.keep(&mut checked.attribute.data)?;
    }
    let ids = service.write(actor, |w| {
        let event = w.event_for_edit(event, edit::may_edit)?;
        let mut ids = Vec::with_capacity(objects.len());
        for new in objects {
            if duplicate == Duplicate::Refuse {
                refuse_twin(w, &event, &new)?;
            }
            ids.push(insert_one(w, &event, new)?);
        }
        analyst::capture_inside(w, said)?;
        let now = w.now();
        w.touch_event(event.id, now)?;
        Ok(ids)
    });
    files.after(ids)
}

/// Inserts one object with everything in it into an event got for edit.
pub(crate) fn insert_one(
    w: &mut Writer<'_>,
    event: &pisax_model::event::Event,
    mut new: NewObject,
) -> Result<i64> {
    if !w.known_objects(&[new.object.uuid])?.is_empty() {
        return Err(uuid_taken().into());
    }
    let uuids: Vec<_> = new.attributes.iter().map(|a| a.attribute.uuid).collect();
    let different: FxHashSet<_> = uuids.iter().collect();
    if different.len() < uuids.len() || !w.known_attributes(&uuids)?.is_empty() {
        return Err(FieldError::new("uuid", "The uuid of an attribute is already in use.").into());
    }
    let mut groups = Groups::default();
    new.settle(w, &mut groups)?;
    for checked in &mut new.attributes {
        groups.settle(w, checked)?;
    }
    let mut one = [new];
    let placed = insert_objects(w, event.id, &mut one)?;
    let ids = w.insert_attributes(event.id, &placed)?;
    let rows: Vec<_> = placed.iter().zip(&ids).map(|((_, a), id)| (*id, *a)).collect();
    crate::attribute::attach_all(w, event.id, &rows)?;
    w.note_added_object(&one[0].object);
    super::insert_references(w, event.id, &one)?;
    Ok(one[0].object.id)
}

/// Equal: same template, same number, same set of relation, category, type and value (semantics 1.4).
pub(crate) fn refuse_twin(
    w: &mut Writer<'_>,
    event: &pisax_model::event::Event,
    new: &NewObject,
) -> Result<()> {
    let mut wanted: Vec<_> = new
        .attributes
        .iter()
        .map(|c| &c.attribute)
        .map(|a| {
            (
                a.object_relation.clone().unwrap_or_default(),
                a.category.code(),
                a.kind.code(),
                a.value1.clone(),
                a.value2.clone(),
            )
        })
        .collect();
    wanted.sort();
    let living = Wanted { living: true, deleted: false };
    let mut after = 0;
    loop {
        let objects = w.event_objects(event, living, after, 500)?;
        let Some(last) = objects.last() else { return Ok(()) };
        after = last.id;
        let alike: Vec<i64> =
            objects.iter().filter(|o| o.template_uuid == new.object.template_uuid).map(|o| o.id).collect();
        let batch = w.object_attributes(event, living, &alike)?;
        for object in objects.iter().filter(|o| alike.contains(&o.id)) {
            let mut found: Vec<_> = batch
                .iter()
                .filter(|a| a.object_id == object.id)
                .map(|a| {
                    (
                        a.object_relation.unwrap_or_default().to_owned(),
                        a.category.code(),
                        a.kind.code(),
                        a.value1.to_owned(),
                        a.value2.to_owned(),
                    )
                })
                .collect();
            found.sort();
            if found == wanted {
                let message = format!(
                    "Duplicate object found (id: {}, uuid: {}). Since breakOnDuplicate is set the object will not be added.",
                    object.id, object.uuid
                );
                return Err(FieldError::new("value", message).into());
            }
        }
    }
}
