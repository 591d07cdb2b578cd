//! Organisations. Site admins alone change them.

use crate::{Error, Result, Service, rules};
use pisax_access::Actor;
use pisax_model::FieldError;
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::org::{Org, OrgDraft};
use pisax_store::Reader;

/// Adds an organisation, with users of its own here unless said otherwise.
pub fn add(service: &Service, actor: &Actor, draft: OrgDraft) -> Result<Org> {
    rules::site_admin(actor)?;
    check_uuid(&draft)?;
    check_name(draft.name.as_deref().unwrap_or_default())?;
    let uuid = draft.uuid.unwrap_or_else(|| new_uuid(service.clock.now_ms()));
    let local = draft.local.unwrap_or(true);
    service.write(actor, |w| {
        let id = w.add_org(&draft, uuid, local).map_err(taken)?;
        w.org(Ref::Id(id))?.ok_or(Error::NotFound("organisation"))
    })
}

/// Changes what the draft names.
pub fn edit(service: &Service, actor: &Actor, reference: Ref, draft: OrgDraft) -> Result<Org> {
    rules::site_admin(actor)?;
    check_uuid(&draft)?;
    if let Some(name) = &draft.name {
        check_name(name)?;
    }
    service.write(actor, |w| {
        let org = w.org(reference)?.ok_or(Error::NotFound("organisation"))?;
        w.edit_org(org.id, &draft).map_err(taken)?;
        w.org(Ref::Id(org.id))?.ok_or(Error::NotFound("organisation"))
    })
}

/// Removes an organisation that has neither users nor events.
pub fn delete(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let org = w.org(reference)?.ok_or(Error::NotFound("organisation"))?;
        if org.id == service.policy.host_org_id {
            return Err(in_use("It runs this instance."));
        }
        if w.sharing_groups()?.iter().any(|group| group.org_id == org.id) {
            return Err(in_use("Sharing groups are its own: delete them first."));
        }
        w.delete_org(org.id).map_err(|error| match error {
            // What of it is in use stands in brackets behind it.
            pisax_store::Error::Conflict(what) => {
                let why = what.trim_start_matches("organisation (").trim_end_matches(')');
                in_use(&format!("In use: {why}. Delete or move that first, or merge the organisation."))
            }
            other => other.into(),
        })
    })
}

/// Makes everything of one organisation another's: events, users, groups, all that is its own. Returns the other.
pub fn merge(service: &Service, actor: &Actor, from: Ref, into: Ref) -> Result<Org> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let missing = || Error::NotFound("organisation");
        let from = w.org(from)?.ok_or_else(missing)?;
        let into = w.org(into)?.ok_or_else(missing)?;
        if from.id == into.id {
            return Err(Error::Refused("An organisation cannot be merged with itself.".into()));
        }
        if from.id == service.policy.host_org_id {
            let why = "The organisation that runs this instance cannot be merged into another one.";
            return Err(Error::Refused(why.into()));
        }
        w.merge_orgs(&from, &into)?;
        w.org(Ref::Id(into.id))?.ok_or_else(missing)
    })
}

/// The organisation a client means: by row number, uuid or name.
pub fn find(r: &mut Reader<'_>, text: &str) -> Result<Option<Org>> {
    match Ref::parse(text) {
        Some(reference) => Ok(r.org(reference)?),
        None => Ok(r.org_by_name(text.trim())?),
    }
}

fn in_use(why: &str) -> Error {
    FieldError::new("organisation", format!("Organisation could not be deleted. {why}")).into()
}

fn check_uuid(draft: &OrgDraft) -> Result<(), FieldError> {
    if draft.bad_uuid { Err(FieldError::new("uuid", "Please provide a valid RFC 4122 UUID")) } else { Ok(()) }
}

/// MISP's column for names holds 255 characters.
const MAX_NAME: usize = 255;

fn check_name(name: &str) -> Result<(), FieldError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(FieldError::new("name", "The name cannot be empty."));
    }
    if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(FieldError::new("name", "The name is one line of at most 255 characters."));
    }
    Ok(())
}

fn taken(error: pisax_store::Error) -> Error {
    match error {
        pisax_store::Error::Conflict("uuid") => {
            FieldError::new("uuid", "This UUID is already in use.").into()
        }
        pisax_store::Error::Conflict(_) => {
            FieldError::new("name", "An organisation with this name already exists.").into()
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_that_says_something() {
        assert!(check_name("Golden Org").is_ok());
        for bad in ["", "  ", "a\nb", &"x".repeat(256)] {
            assert_eq!(check_name(bad).unwrap_err().field, "name");
        }
    }
}
