//! Analyst data that must not come (back).

use crate::blocklist::some_found;
use crate::{Error, Result, Service, rules};
use pisax_access::Actor;
use pisax_model::Uuid;
use pisax_model::analyst::BlockedAnalystData;
use pisax_model::ids::Ref;

/// What is noted beside an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    pub info: Option<String>,
    pub orgc: Option<String>,
    pub comment: Option<String>,
}

/// All entries, newest first.
pub fn list(service: &Service, actor: &Actor) -> Result<Vec<BlockedAnalystData>> {
    rules::site_admin(actor)?;
    service.read(actor, |r| Ok(r.analyst_blocklist()?))
}

/// Blocks analyst data; what is blocked already stays as it is.
pub fn add(service: &Service, actor: &Actor, uuids: &[Uuid], note: &Note) -> Result<()> {
    rules::site_admin(actor)?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    service.write(actor, |w| {
        for uuid in uuids {
            w.block_analyst_data(*uuid, &text(&note.info), &text(&note.orgc), &text(&note.comment))?;
        }
        Ok(())
    })
}

/// Changes what is noted beside an entry, named by its number or the uuid of the data.
pub fn edit(service: &Service, actor: &Actor, reference: Ref, note: Note) -> Result<BlockedAnalystData> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let old = w.blocked_analyst_data(reference)?.ok_or(Error::NotFound("blocklist entry"))?;
        let mut new = old.clone();
        new.info = note.info.unwrap_or(new.info);
        new.orgc = note.orgc.unwrap_or(new.orgc);
        new.comment = note.comment.unwrap_or(new.comment);
        w.edit_blocked_analyst_data(&old, &new)?;
        Ok(new)
    })
}

/// Lets analyst data come again, together; what is no entry is passed over where another is one.
pub fn remove(service: &Service, actor: &Actor, references: &[Ref]) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let mut found = false;
        for reference in references {
            if let Some(entry) = w.blocked_analyst_data(*reference)? {
                w.unblock_analyst_data(&entry)?;
                found = true;
            }
        }
        some_found(found)
    })
}
