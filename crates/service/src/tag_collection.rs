//! Tag collections: tags that go together. And each user's favourite tags.

use crate::context::may_attach;
use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission, edit as rule};
use pisax_model::FieldError;
use pisax_model::cluster::CollectionDraft;
use pisax_model::ids::{self, Ref};
use pisax_model::tag::{Tag, TagDraft};
use pisax_store::Writer;
use pisax_store::tag_collections::Collection;

/// Most collections, and most tags, of one call.
const MOST: usize = 1_000;

fn too_many() -> Error {
    Error::Refused(format!("At most {MOST} tags or collections are taken in one call."))
}

fn may_make(actor: &Actor) -> Result<()> {
    let may = actor.has(Permission::TagEditor) || actor.sees_all();
    if may { Ok(()) } else { Err(Error::Forbidden) }
}

/// Whether the actor may change the collection.
pub fn may_edit(actor: &Actor, collection: &Collection) -> bool {
    rule::may_edit_collection(actor, collection.org_id)
}

/// Adds a collection without tags; returns its number.
pub fn add(service: &Service, actor: &Actor, draft: &CollectionDraft) -> Result<i64> {
    may_make(actor)?;
    let collection = new(service, actor, draft)?;
    service.write(actor, |w| w.add_tag_collection(&collection).map_err(taken))
}

fn new(service: &Service, actor: &Actor, draft: &CollectionDraft) -> Result<Collection> {
    if draft.bad_uuid {
        return Err(FieldError::new("uuid", "Please provide a valid RFC 4122 UUID").into());
    }
    Ok(Collection {
        id: 0,
        uuid: draft.uuid.unwrap_or_else(|| ids::new_uuid(service.clock.now_ms())),
        name: check_name(draft.name.as_deref())?,
        description: draft.description.clone().unwrap_or_default(),
        org_id: actor.org_id,
        user_id: actor.user_id,
        all_orgs: draft.all_orgs.unwrap_or(false),
        tags: Vec::new(),
    })
}

fn check_name(name: Option<&str>) -> Result<String, FieldError> {
    match name.map(str::trim).filter(|n| !n.is_empty()) {
        Some(name) => Ok(name.to_owned()),
        None => Err(FieldError::new("name", "valueNotEmpty")),
    }
}

fn taken(error: pisax_store::Error) -> Error {
    match error {
        pisax_store::Error::Conflict("name") => {
            FieldError::new("name", "A similar name already exists.").into()
        }
        other => other.into(),
    }
}

fn editable(w: &mut Writer<'_>, reference: Ref) -> Result<Collection> {
    let collection = w.tag_collection(reference)?.ok_or(Error::NotFound("tag collection"))?;
    if may_edit(w.actor(), &collection) { Ok(collection) } else { Err(Error::Forbidden) }
}

/// Changes what the draft names.
pub fn edit(service: &Service, actor: &Actor, reference: Ref, draft: &CollectionDraft) -> Result<i64> {
    service.write(actor, |w| {
        let before = editable(w, reference)?;
        let mut now = before.clone();
        if draft.name.is_some() {
            now.name = check_name(draft.name.as_deref())?;
        }
        now.description = draft.description.clone().unwrap_or(now.description);
        now.all_orgs = draft.all_orgs.unwrap_or(now.all_orgs);
        w.edit_tag_collection(&before, &now).map_err(taken)?;
        Ok(now.id)
    })
}

/// Removes a collection; its tags stay where they are attached.
pub fn delete(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    service.write(actor, |w| {
        let collection = editable(w, reference)?;
        Ok(w.delete_tag_collection(&collection)?)
    })
}

/// Puts tags (by name or number) into a collection; returns how many of them exist for the actor, and how many were
/// not in it before.
pub fn add_tags(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    names: &[String],
) -> Result<(usize, usize)> {
    if names.len() > MOST {
        return Err(too_many());
    }
    service.write(actor, |w| {
        let collection = editable(w, reference)?;
        let mut tags = Vec::new();
        for name in names {
            tags.extend(known(w, name)?.filter(|tag| may_attach(actor, tag)).map(|tag| tag.id));
        }
        Ok((tags.len(), w.add_to_collection(&collection, &tags)?))
    })
}

/// Takes a tag out; returns whether it was in.
pub fn remove_tag(service: &Service, actor: &Actor, reference: Ref, name: &str) -> Result<bool> {
    service.write(actor, |w| {
        let collection = editable(w, reference)?;
        match known(w, name)? {
            Some(tag) => Ok(w.remove_from_collection(&collection, &tag)?),
            None => Ok(false),
        }
    })
}

fn known(w: &mut Writer<'_>, name: &str) -> Result<Option<Tag>> {
    if let Some(tag) = w.tag_named(name)? {
        return Ok(Some(tag));
    }
    match name.trim().parse::<i64>() {
        Ok(id) => Ok(w.tag(id)?),
        Err(_) => Ok(None),
    }
}

/// Puts the tag of a cluster into a collection; returns whether it is new to it.
pub fn add_cluster(service: &Service, actor: &Actor, reference: Ref, cluster: Ref) -> Result<bool> {
    service.write(actor, |w| {
        let collection = editable(w, reference)?;
        let tag = crate::attribute::cluster_tag(w, cluster)?.0;
        Ok(w.add_to_collection(&collection, &[tag.id])? > 0)
    })
}

/// How many collections came in, and how many could not; those whose uuid is here already are left alone.
pub fn import(service: &Service, actor: &Actor, drafts: &[CollectionDraft]) -> Result<(usize, usize)> {
    may_make(actor)?;
    if drafts.len() > MOST || drafts.iter().any(|draft| draft.tags.len() > MOST) {
        return Err(too_many());
    }
    service.write(actor, |w| {
        let (mut added, mut failed) = (0, 0);
        for draft in drafts {
            let known = match draft.uuid {
                Some(uuid) => w.collection_uuid_taken(&uuid)?,
                None => false,
            };
            if known {
                continue;
            }
            match new(service, actor, draft).and_then(|c| take_in(w, c, &draft.tags)) {
                Ok(()) => added += 1,
                Err(Error::Store(e)) => return Err(Error::Store(e)),
                Err(_) => failed += 1,
            }
        }
        Ok((added, failed))
    })
}

fn take_in(w: &mut Writer<'_>, collection: Collection, names: &[String]) -> Result<()> {
    let id = w.add_tag_collection(&collection)?;
    let drafts: Vec<TagDraft> =
        names.iter().map(|name| TagDraft { name: name.clone(), ..TagDraft::default() }).collect();
    let refs: Vec<&TagDraft> = drafts.iter().collect();
    // Whoever may make collections may make tags.
    let tags = w.resolve_tags(&refs, true)?;
    let actor = w.actor().clone();
    let usable: Vec<i64> = tags.values().filter(|t| may_attach(&actor, t)).map(|t| t.id).collect();
    w.add_to_collection(&Collection { id, ..collection }, &usable)?;
    Ok(())
}

/// Makes a tag a favourite of the actor, or no longer; returns which.
pub fn toggle_favourite(service: &Service, actor: &Actor, tag_id: i64) -> Result<bool> {
    service.write(actor, |w| {
        let tag = w.tag(tag_id)?.ok_or(Error::NotFound("tag"))?;
        let on = !w.favourite_ids()?.contains(&tag_id);
        w.set_favourite(&tag, on)?;
        Ok(on)
    })
}

/// The tags of a collection that the actor may attach, by number: what `collection_7` stands for where tags are
/// attached.
pub fn tags_of(service: &Service, actor: &Actor, id: i64) -> Result<Vec<i64>> {
    let collection = service.read(actor, |r| Ok(r.tag_collection(Ref::Id(id))?))?;
    let collection = collection.ok_or(Error::NotFound("tag collection"))?;
    Ok(collection.tags.iter().map(|(_, tag)| tag.id).collect())
}
