//! Values that do not correlate. They count from the moment they are saved, for what is there already too.

use crate::{Error, Result, Service, rules};
use pisax_access::Actor;
use pisax_model::FieldError;
use pisax_store::exclusions::{CorrelationExclusion, core};

/// Longest value and comment, in bytes.
const LONGEST: usize = 4096;

/// What a client says of an exclusion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    pub value: Option<String>,
    pub comment: Option<String>,
    pub from_json: bool,
}

pub fn list(service: &Service, actor: &Actor, search: Option<&str>) -> Result<Vec<CorrelationExclusion>> {
    rules::site_admin(actor)?;
    service.read(actor, |r| Ok(r.correlation_exclusions(search)?))
}

pub fn view(service: &Service, actor: &Actor, id: i64) -> Result<CorrelationExclusion> {
    rules::site_admin(actor)?;
    service.read(actor, |r| r.correlation_exclusion(id)?.ok_or(Error::NotFound("correlation exclusion")))
}

pub fn add(service: &Service, actor: &Actor, draft: &Draft) -> Result<CorrelationExclusion> {
    rules::site_admin(actor)?;
    let value = draft.value.as_deref().unwrap_or_default().trim();
    if core(value).is_empty() {
        return Err(
            FieldError::new("value", "A value to exclude is needed: wildcards alone are none.").into()
        );
    }
    let comment = comment(draft)?.unwrap_or_default();
    if value.len() > LONGEST || value.contains(char::is_control) {
        return Err(FieldError::new("value", "The value is too long or has control characters.").into());
    }
    let added = service.write(actor, |w| {
        let id = w.add_correlation_exclusion(value, comment, draft.from_json)?;
        w.correlation_exclusion(id)?.ok_or(Error::NotFound("correlation exclusion"))
    });
    added.map_err(|e| match e {
        Error::Invalid(_) => FieldError::new("value", "Value is already in the exclusion list.").into(),
        other => other,
    })
}

/// Changes the comment; another value is another exclusion.
pub fn edit(service: &Service, actor: &Actor, id: i64, draft: &Draft) -> Result<CorrelationExclusion> {
    rules::site_admin(actor)?;
    let comment = comment(draft)?;
    service.write(actor, |w| {
        let mut entry = w.correlation_exclusion(id)?.ok_or(Error::NotFound("correlation exclusion"))?;
        if let Some(comment) = comment.filter(|c| *c != entry.comment) {
            w.edit_correlation_exclusion(&entry, comment)?;
            entry.comment = comment.to_owned();
        }
        Ok(entry)
    })
}

pub fn delete(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let entry = w.correlation_exclusion(id)?.ok_or(Error::NotFound("correlation exclusion"))?;
        Ok(w.delete_correlation_exclusion(&entry)?)
    })
}

fn comment(draft: &Draft) -> Result<Option<&str>> {
    match draft.comment.as_deref() {
        Some(text) if text.len() > LONGEST => {
            Err(FieldError::new("comment", "The comment is too long.").into())
        }
        other => Ok(other),
    }
}
