//! Attaching tags to events and attributes, and taking them off.

use crate::context::may_attach;
use crate::knowledge::allowed_beside;
use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission, edit};
use pisax_model::ids::Ref;
use pisax_model::tag::{Tag, TagDraft};
use pisax_store::Writer;
use pisax_store::attributes::Wanted;
use pisax_store::tags::{NewAttachment, folded};

/// What a tag is put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Event(Ref),
    Attribute(Ref),
    /// Every living attribute of the object that the actor sees.
    Object(Ref),
}

/// A target that was found: its row number, its event, and the attributes that carry its tags unless the event
/// itself does.
struct Found {
    id: i64,
    event: Ref,
    attributes: Option<Vec<i64>>,
}

/// Attaches tags (by name or number), all or none; returns each with the row number of what it is on.
pub fn tag(
    service: &Service,
    actor: &Actor,
    target: Target,
    names: &[String],
    local: bool,
    relationship_type: Option<String>,
) -> Result<Vec<(Tag, i64)>> {
    service.write(actor, |w| {
        let tags = tags_to_attach(w, names)?;
        each(names, tags, |tag| {
            let local = local || tag.local_only;
            let (id, _) = put(w, target, &tag, local, relationship_type.clone())?;
            Ok((tag, id))
        })
    })
}

/// The same for who picks tags one by one: a tag that its taxonomy allows only once, or that stands in the way of
/// one that is there, is refused.
pub fn pick(
    service: &Service,
    actor: &Actor,
    target: Target,
    names: &[String],
    local: bool,
    relationship_type: Option<String>,
) -> Result<Vec<(Tag, i64)>> {
    service.write(actor, |w| {
        let tags = tags_to_attach(w, names)?;
        each(names, tags, |tag| {
            let local = local || tag.local_only;
            let found = find(w, target)?;
            may_tag(w, &found, local)?;
            let attached = match &found.attributes {
                None => w.event_tags(&[found.id])?,
                Some(ids) => w.attribute_tags(ids)?,
            };
            for tags in attached.values() {
                let others = tags.iter().filter(|a| a.local == local && a.tag.id != tag.id);
                let names: Vec<&str> = others.map(|a| a.tag.name.as_str()).collect();
                if !allowed_beside(w, &tag.name, &names)? {
                    return Err(Error::Refused(
                        "Tag is not allowed due to taxonomy exclusivity settings".into(),
                    ));
                }
            }
            let (id, _) = put(w, target, &tag, local, relationship_type.clone())?;
            Ok((tag, id))
        })
    })
}

/// Does something with each of several tags; a refusal says which of them it is about.
fn each<T, U>(names: &[String], items: Vec<T>, mut f: impl FnMut(T) -> Result<U>) -> Result<Vec<U>> {
    let several = names.len() > 1;
    let done = names.iter().zip(items).map(|(name, item)| {
        f(item).map_err(|e| match e {
            Error::Refused(reason) if several => Error::Refused(format!("{reason} ({name})")),
            Error::NotFound("tag") if several => Error::Refused(format!("Invalid Tag. ({name})")),
            other => other,
        })
    });
    done.collect()
}

/// Attaches a galaxy cluster; returns whether it is new there.
pub fn attach_cluster(
    service: &Service,
    actor: &Actor,
    target: Target,
    cluster: Ref,
    local: bool,
) -> Result<bool> {
    service.write(actor, |w| {
        let (tag, local_only) = cluster_tag(w, cluster)?;
        if local_only && !local {
            return Err(Error::Refused(LOCAL_SCOPE.into()));
        }
        Ok(put(w, target, &tag, local, None)?.1)
    })
}

/// The tag that stands for a living cluster the actor sees, made where there is none, and whether it may be attached
/// locally only.
pub(crate) fn cluster_tag(w: &mut Writer<'_>, cluster: Ref) -> Result<(Tag, bool)> {
    let row = w.cluster(cluster)?.filter(|row| row.owned.as_ref().is_none_or(|o| !o.deleted));
    let row = row.ok_or(Error::NotFound("cluster"))?;
    let galaxy = w.galaxy(Ref::Id(row.galaxy_id))?.ok_or(Error::NotFound("galaxy"))?;
    let draft = TagDraft { name: row.tag_name, colour: Some(CLUSTER_COLOUR.into()), ..TagDraft::default() };
    let tag = w.resolve_tags(&[&draft], true)?.into_values().next().ok_or(Error::NotFound("tag"))?;
    if !may_attach(w.actor(), &tag) {
        return Err(Error::Refused("Invalid Tag.".into()));
    }
    let local_only = galaxy.local_only || tag.local_only;
    Ok((tag, local_only))
}

/// The refusal of a global attachment of what is for local use.
pub const LOCAL_SCOPE: &str = "This Cluster can only be attached in a local scope";

/// The colour that MISP gives the tags of clusters.
const CLUSTER_COLOUR: &str = "#0088cc";

/// Attaches a tag; returns the row number of what it is on, and whether it is new there.
fn put(
    w: &mut Writer<'_>,
    target: Target,
    tag: &Tag,
    local: bool,
    relationship_type: Option<String>,
) -> Result<(i64, bool)> {
    let found = find(w, target)?;
    let event_id = may_tag(w, &found, local)?;
    // Once more behind the lock: attributes may be gone.
    let found = find(w, target)?;
    let attachment = NewAttachment { tag_id: tag.id, local, relationship_type };
    let new = match &found.attributes {
        None => w.attach_event_tags(event_id, &[attachment])?.len(),
        Some(ids) => {
            let rows: Vec<_> = ids.iter().map(|id| (*id, attachment.clone())).collect();
            w.attach_attribute_tags(event_id, &rows)?.len()
        }
    };
    if new > 0 {
        touch(w, &found, event_id, local)?;
    }
    Ok((found.id, new > 0))
}

/// Takes tags off, all or none; returns each with the row number of what it was on and whether it was local.
pub fn untag(
    service: &Service,
    actor: &Actor,
    target: Target,
    names: &[String],
) -> Result<Vec<(Tag, i64, bool)>> {
    service.write(actor, |w| each(names, names.iter().collect(), |name| take_off(w, target, name)))
}

fn take_off(w: &mut Writer<'_>, target: Target, name: &str) -> Result<(Tag, i64, bool)> {
    let tag = known_tag(w, name)?.ok_or(Error::NotFound("tag"))?;
    let found = find(w, target)?;
    let local = attached_locally(w, &found, tag.id)?
        .ok_or_else(|| Error::Refused(format!("Invalid tag: {} is not attached.", tag.name)))?;
    let event_id = may_tag(w, &found, local)?;
    let found = find(w, target)?;
    match &found.attributes {
        None => {
            w.detach_event_tag(event_id, tag.id)?;
        }
        Some(ids) => {
            for id in ids {
                w.detach_attribute_tag(*id, tag.id)?;
            }
        }
    }
    touch(w, &found, event_id, local)?;
    Ok((tag, found.id, local))
}

fn known_tag(w: &mut Writer<'_>, name: &str) -> Result<Option<Tag>> {
    if let Some(tag) = w.tag_named(name)? {
        return Ok(Some(tag));
    }
    match name.trim().parse::<i64>() {
        Ok(id) => Ok(w.tag(id)?),
        Err(_) => Ok(None),
    }
}

/// The tags of these names, in their order. Unknown ones are made for those who may, together: so they are made in
/// one order by everybody.
fn tags_to_attach(w: &mut Writer<'_>, names: &[String]) -> Result<Vec<Tag>> {
    let actor = w.actor().clone();
    let known = names.iter().map(|name| known_tag(w, name)).collect::<Result<Vec<_>>>()?;
    let missing = names.iter().zip(&known).filter(|(_, tag)| tag.is_none());
    let drafts: Vec<TagDraft> =
        missing.map(|(name, _)| TagDraft { name: name.trim().to_owned(), ..TagDraft::default() }).collect();
    let may_create = actor.has(Permission::TagEditor) || actor.sees_all();
    let made = match may_create {
        true => w.resolve_tags(&drafts.iter().collect::<Vec<_>>(), true)?,
        false => Default::default(),
    };
    let found = names.iter().zip(known).map(|(name, tag)| tag.or_else(|| made.get(&folded(name)).cloned()));
    each(names, found.collect(), |tag| {
        let tag = tag.ok_or_else(|| Error::Refused("Invalid Tag.".into()))?;
        if may_attach(&actor, &tag) {
            return Ok(tag);
        }
        let whose = if tag.user_id != 0 { "user" } else { "organisation" };
        Err(Error::Refused(format!("Invalid Tag. This tag can only be set by a fixed {whose}.")))
    })
}

fn find(w: &mut Writer<'_>, target: Target) -> Result<Found> {
    match target {
        Target::Event(reference) => {
            let id = w.event(reference)?.ok_or(Error::NotFound("event"))?.id;
            Ok(Found { id, event: Ref::Id(id), attributes: None })
        }
        Target::Attribute(reference) => {
            let batch = w.attribute(reference)?.ok_or(Error::NotFound("attribute"))?;
            let attribute = batch.get(0);
            let event = Ref::Id(attribute.event_id);
            Ok(Found { id: attribute.id, event, attributes: Some(vec![attribute.id]) })
        }
        Target::Object(reference) => {
            let object = w.object(reference)?.ok_or(Error::NotFound("object"))?;
            let event = w.event(Ref::Id(object.event_id))?.ok_or(Error::NotFound("event"))?;
            let living = Wanted { living: true, deleted: false };
            let inside = w.object_attributes(&event, living, &[object.id])?.ids();
            Ok(Found { id: object.id, event: Ref::Id(event.id), attributes: Some(inside) })
        }
    }
}

/// Locks the event, if the actor may tag in it.
fn may_tag(w: &mut Writer<'_>, found: &Found, local: bool) -> Result<i64> {
    let rule = if local {
        |a: &Actor, e| edit::may_tag(a, e, true)
    } else {
        |a: &Actor, e| edit::may_tag(a, e, false)
    };
    let event = w.event_for_edit(found.event, rule).map_err(|e| match Error::from(e) {
        Error::Forbidden if local => {
            Error::Refused("Local tags can only be added by users of the host organisation.".into())
        }
        Error::Forbidden => Error::Refused(
            "Cannot alter the tags of this data, only the organisation that has created the data (orgc) can modify global tags."
                .into(),
        ),
        other => other,
    })?;
    Ok(event.id)
}

/// Whether the tag is attached, and if so whether locally everywhere.
fn attached_locally(w: &mut Writer<'_>, found: &Found, tag_id: i64) -> Result<Option<bool>> {
    let attached = match &found.attributes {
        None => w.event_tags(&[found.id])?,
        Some(ids) => w.attribute_tags(ids)?,
    };
    let places = attached.values().flatten().filter(|a| a.tag.id == tag_id).map(|a| a.local);
    Ok(places.reduce(|all, local| all && local))
}

/// Local tags are nobody else's business: they do not make the event newer.
fn touch(w: &mut Writer<'_>, found: &Found, event_id: i64, local: bool) -> Result<()> {
    if local {
        return Ok(());
    }
    let now = w.now();
    for id in found.attributes.iter().flatten() {
        w.touch_attribute(*id, now)?;
    }
    Ok(w.touch_event(event_id, now)?)
}
