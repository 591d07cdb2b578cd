//! Collections of events and clusters.

use crate::context::Groups;
use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission};
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::{Distribution, FieldError, Uuid};
use pisax_store::Writer;
use pisax_store::collections::{Collection, Element, Whose};

/// A collection as a client sends it; what is absent stays or has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CollectionDraft {
    pub uuid: Option<Uuid>,
    pub name: Option<String>,
    pub kind: Option<String>,
    pub description: Option<String>,
    pub distribution: Option<i64>,
    pub sharing_group: Option<Ref>,
    /// With these in it; those that are there stay.
    pub elements: Vec<ElementDraft>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ElementDraft {
    pub element_uuid: Option<Uuid>,
    pub element_type: String,
    pub description: String,
}

/// A collection with what is in it.
pub type Whole = (Collection, Vec<Element>);

const KINDS: [&str; 5] = ["campaign", "intrusion_set", "named_threat", "other", "research"];
const ELEMENTS: [&str; 2] = ["Event", "GalaxyCluster"];
/// Elements that come with one request.
const MOST: usize = 1000;
const LONGEST: usize = 1 << 20;

pub fn list(service: &Service, actor: &Actor, whose: Whose, search: Option<&str>) -> Result<Vec<Collection>> {
    service.read(actor, |r| Ok(r.collections(whose, search)?))
}

pub fn view(service: &Service, actor: &Actor, reference: Ref) -> Result<Whole> {
    service.read(actor, |r| {
        let collection = r.collection(reference)?.ok_or(Error::NotFound("collection"))?;
        let elements = r.collection_elements(collection.id)?;
        Ok((collection, elements))
    })
}

pub fn add(service: &Service, actor: &Actor, draft: CollectionDraft) -> Result<Whole> {
    may_keep(actor)?;
    let mut collection = Collection {
        uuid: draft.uuid.unwrap_or_else(|| new_uuid(service.clock.now_ms())),
        org_id: actor.org_id,
        orgc_id: actor.org_id,
        user_id: actor.user_id,
        kind: "other".into(),
        ..Collection::default()
    };
    let group = apply(&mut collection, &draft)?;
    service.write(actor, |w| {
        settle(w, &mut collection, group)?;
        let id = w.add_collection(&collection)?;
        put(w, id, &draft.elements)?;
        whole(w, id)
    })
}

pub fn edit(service: &Service, actor: &Actor, reference: Ref, draft: CollectionDraft) -> Result<Whole> {
    service.write(actor, |w| {
        let old = editable(w, reference)?;
        let mut new = old.clone();
        let group = apply(&mut new, &draft)?;
        let shared = Distribution::SharingGroup.code();
        let stays = group.is_none() && old.distribution == shared && new.distribution == shared;
        if !stays {
            settle(w, &mut new, group)?;
        }
        w.edit_collection(&old, &new)?;
        put(w, new.id, &draft.elements)?;
        whole(w, new.id)
    })
}

pub fn delete(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    service.write(actor, |w| {
        let collection = editable(w, reference)?;
        Ok(w.delete_collection(&collection)?)
    })
}

/// Puts something into a collection.
pub fn add_element(
    service: &Service,
    actor: &Actor,
    collection: Ref,
    draft: &ElementDraft,
) -> Result<Element> {
    service.write(actor, |w| {
        let collection = editable(w, collection)?;
        let element = element(w, collection.id, draft)?;
        let id = w.add_collection_element(&element).map_err(there)?;
        Ok(Element { id, ..element })
    })
}

pub fn delete_element(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    service.write(actor, |w| {
        let missing = || Error::NotFound("collection element");
        let (element, collection) = w.collection_element(reference)?.ok_or_else(missing)?;
        may_edit(w.actor(), &collection)?;
        Ok(w.delete_collection_element(&element)?)
    })
}

/// The elements of a collection one sees.
pub fn elements(service: &Service, actor: &Actor, reference: Ref) -> Result<Vec<Element>> {
    Ok(view(service, actor, reference)?.1)
}

fn may_keep(actor: &Actor) -> Result<()> {
    let may = actor.has(Permission::Modify) || actor.sees_all();
    if may { Ok(()) } else { Err(Error::Forbidden) }
}

/// As with events: whoever made it, or all of his organisation where their role says so.
fn may_edit(actor: &Actor, collection: &Collection) -> Result<()> {
    let org = actor.org_id == collection.orgc_id;
    let may = actor.sees_all()
        || (org && actor.has(Permission::ModifyOrg))
        || (org && actor.has(Permission::Modify) && actor.user_id == collection.user_id);
    if may { Ok(()) } else { Err(Error::Forbidden) }
}

fn editable(w: &mut Writer<'_>, reference: Ref) -> Result<Collection> {
    let collection = w.collection(reference)?.ok_or(Error::NotFound("collection"))?;
    may_edit(w.actor(), &collection)?;
    Ok(collection)
}

fn whole(w: &mut Writer<'_>, id: i64) -> Result<Whole> {
    let collection = w.collection(Ref::Id(id))?.ok_or(Error::NotFound("collection"))?;
    Ok((collection, w.collection_elements(id)?))
}

/// Writes what the draft says; returns the sharing group it names.
fn apply(collection: &mut Collection, draft: &CollectionDraft) -> Result<Option<Ref>, FieldError> {
    if let Some(name) = &draft.name {
        collection.name = name.trim().to_owned();
    }
    if collection.name.is_empty() || collection.name.chars().count() > 255 {
        return Err(FieldError::new("name", "The name is one line of at most 255 characters."));
    }
    if let Some(kind) = &draft.kind {
        if !KINDS.contains(&kind.as_str()) {
            let message = format!("Invalid type. Valid types are: {}", KINDS.join(", "));
            return Err(FieldError::new("type", message));
        }
        collection.kind.clone_from(kind);
    }
    if let Some(description) = &draft.description {
        collection.description.clone_from(description);
    }
    if collection.description.len() > LONGEST {
        return Err(FieldError::new("description", "The description is too long."));
    }
    if let Some(code) = draft.distribution {
        match Distribution::from_code(code) {
            Some(d) if d != Distribution::Inherit => collection.distribution = code,
            _ => return Err(FieldError::new("distribution", "Options: 0, 1, 2, 3, 4")),
        }
    }
    if draft.elements.len() > MOST {
        return Err(FieldError::new("CollectionElement", "There are more than 1000 of them."));
    }
    Ok(draft.sharing_group)
}

fn settle(w: &mut Writer<'_>, collection: &mut Collection, group: Option<Ref>) -> Result<()> {
    collection.sharing_group_id = match collection.distribution == Distribution::SharingGroup.code() {
        true => Groups::default().usable(w, group)?,
        false => 0,
    };
    Ok(())
}

/// Puts what is not there yet into a collection.
fn put(w: &mut Writer<'_>, collection_id: i64, drafts: &[ElementDraft]) -> Result<()> {
    let mut there: Vec<Uuid> =
        w.collection_elements(collection_id)?.into_iter().map(|e| e.element_uuid).collect();
    for draft in drafts {
        let element = element(w, collection_id, draft)?;
        if !there.contains(&element.element_uuid) {
            w.add_collection_element(&element)?;
            there.push(element.element_uuid);
        }
    }
    Ok(())
}

fn element(w: &Writer<'_>, collection_id: i64, draft: &ElementDraft) -> Result<Element, FieldError> {
    let uuid = || FieldError::new("element_uuid", "Please provide a valid RFC 4122 UUID");
    let known = ELEMENTS.contains(&draft.element_type.as_str());
    if !known {
        let message = format!("Invalid element_type. Valid types are: {}", ELEMENTS.join(", "));
        return Err(FieldError::new("element_type", message));
    }
    if draft.description.len() > LONGEST {
        return Err(FieldError::new("description", "The description is too long."));
    }
    Ok(Element {
        id: 0,
        uuid: new_uuid(w.now_ms),
        element_uuid: draft.element_uuid.ok_or_else(uuid)?,
        element_type: draft.element_type.clone(),
        collection_id,
        description: draft.description.clone(),
    })
}

fn there(error: pisax_store::Error) -> Error {
    match error {
        pisax_store::Error::Conflict(_) => {
            FieldError::new("element_uuid", "Element already in Collection.").into()
        }
        other => other.into(),
    }
}
