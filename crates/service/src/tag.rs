//! Tags themselves: their names, colours and who may attach them. Attaching is [`crate::attribute::tag`].

use crate::attribute::{self, Target};
use crate::{Error, Result, Service, rules};
use pisax_access::{Actor, Permission};
use pisax_model::ids::Ref;
use pisax_model::tag::Tag;
use pisax_model::{FieldError, Uuid};
use pisax_store::{Reader, Writer};

/// A tag as a client sends it; what is absent stays or has its default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TagChange {
    pub name: Option<String>,
    /// `#rrggbb`; one is made from the name where there is none.
    pub colour: Option<String>,
    pub exportable: Option<bool>,
    /// Only this organisation may attach it; 0: any.
    pub org_id: Option<i64>,
    pub user_id: Option<i64>,
    pub hide_tag: Option<bool>,
    pub numerical_value: Option<Option<i64>>,
    pub local_only: Option<bool>,
}

/// Adds a tag: for tag editors.
pub fn add(service: &Service, actor: &Actor, change: TagChange) -> Result<Tag> {
    if !actor.has(Permission::TagEditor) && !actor.sees_all() {
        return Err(Error::Forbidden);
    }
    let mut tag = blank();
    apply(&mut tag, change)?;
    service.write(actor, |w| {
        check_reserved(w, &tag)?;
        let id = w.add_tag(&tag).map_err(taken)?;
        w.tag(id)?.ok_or(Error::NotFound("tag"))
    })
}

/// Changes a tag wherever it is attached: for site admins.
pub fn edit(service: &Service, actor: &Actor, id: i64, change: TagChange) -> Result<Tag> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let mut tag = w.tag(id)?.ok_or(Error::NotFound("tag"))?;
        apply(&mut tag, change)?;
        check_reserved(w, &tag)?;
        w.edit_tag(&tag).map_err(taken)?;
        w.tag(id)?.ok_or(Error::NotFound("tag"))
    })
}

/// Removes a tag from everything and for good: for site admins.
pub fn delete(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        w.tag(id)?.ok_or(Error::NotFound("tag"))?;
        Ok(w.delete_tag(id)?)
    })
}

/// What a uuid names among what can be tagged.
pub fn target(r: &mut Reader<'_>, uuid: Uuid) -> Result<Target> {
    let reference = Ref::Uuid(uuid);
    if r.event(reference)?.is_some() {
        Ok(Target::Event(reference))
    } else if r.attribute(reference)?.is_some() {
        Ok(Target::Attribute(reference))
    } else if r.object(reference)?.is_some() {
        Ok(Target::Object(reference))
    } else {
        Err(Error::NotFound("target"))
    }
}

/// Attaches tags to whatever has this uuid. Locally only users of the organisation that runs the instance
/// may do so by this way, site admins of others may not (observed on MISP); by the ways of event and attribute
/// the ordinary rule holds.
pub fn attach(
    service: &Service,
    actor: &Actor,
    target: Target,
    names: &[String],
    local: bool,
    relationship_type: Option<String>,
) -> Result<Vec<(Tag, i64)>> {
    if local && !actor.host_org {
        return Err(Error::Refused("Local tags can only be added by users of the host organisation.".into()));
    }
    attribute::tag(service, actor, target, names, local, relationship_type)
}

fn blank() -> Tag {
    Tag {
        id: 0,
        name: String::new(),
        colour: String::new(),
        exportable: true,
        org_id: 0,
        user_id: 0,
        hide_tag: false,
        numerical_value: None,
        is_galaxy: false,
        is_custom_galaxy: false,
        local_only: false,
    }
}

fn apply(tag: &mut Tag, change: TagChange) -> Result<(), FieldError> {
    if let Some(name) = change.name {
        tag.name = name.trim().to_owned();
    }
    if tag.name.is_empty() {
        return Err(FieldError::new("name", "The name cannot be empty."));
    }
    if let Some(colour) = change.colour.filter(|c| !c.trim().is_empty()) {
        tag.colour = check_colour(&colour)?;
    }
    tag.exportable = change.exportable.unwrap_or(tag.exportable);
    tag.org_id = change.org_id.unwrap_or(tag.org_id);
    tag.user_id = change.user_id.unwrap_or(tag.user_id);
    tag.hide_tag = change.hide_tag.unwrap_or(tag.hide_tag);
    tag.numerical_value = change.numerical_value.unwrap_or(tag.numerical_value);
    tag.local_only = change.local_only.unwrap_or(tag.local_only);
    Ok(())
}

fn check_colour(text: &str) -> Result<String, FieldError> {
    let colour = text.trim();
    let hex =
        colour.strip_prefix('#').is_some_and(|h| h.len() == 6 && h.bytes().all(|b| b.is_ascii_hexdigit()));
    if hex {
        Ok(colour.to_owned())
    } else {
        Err(FieldError::new("colour", "Colour has to be in the RGB format (#FFFFFF)"))
    }
}

/// The organisation and the user a tag is reserved for exist.
fn check_reserved(w: &mut Writer<'_>, tag: &Tag) -> Result<()> {
    if tag.org_id != 0 && w.org(Ref::Id(tag.org_id))?.is_none() {
        return Err(FieldError::new("org_id", "There is no such organisation.").into());
    }
    if tag.user_id != 0 && w.user(tag.user_id)?.is_none() {
        return Err(FieldError::new("user_id", "There is no such user.").into());
    }
    Ok(())
}

fn taken(error: pisax_store::Error) -> Error {
    match error {
        pisax_store::Error::Conflict(_) => FieldError::new("name", "A similar name already exists.").into(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_six_digits_and_empty_means_none() {
        let mut tag = blank();
        let change = |colour: &str| TagChange {
            name: Some(" tlp:red ".into()),
            colour: Some(colour.into()),
            ..TagChange::default()
        };
        apply(&mut tag, change("")).unwrap();
        assert_eq!((tag.name.as_str(), tag.colour.as_str()), ("tlp:red", ""));
        apply(&mut tag, change("#Ff0000")).unwrap();
        assert_eq!(tag.colour, "#Ff0000");
        assert_eq!(apply(&mut tag, change("red")).unwrap_err().field, "colour");
    }
}
