//! Events that must not come (back).

use crate::{Error, Result, Service, rules};
use pisax_access::Actor;
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use pisax_store::blocklist::BlockedEvent;

/// What is noted beside a blocked event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    pub event_info: Option<String>,
    pub event_orgc: Option<String>,
    pub comment: Option<String>,
}

/// All entries, newest first.
pub fn list(service: &Service, actor: &Actor) -> Result<Vec<BlockedEvent>> {
    rules::keeps_blocklist(actor)?;
    service.read(actor, |r| Ok(r.event_blocklist()?))
}

/// Blocks events; those that are blocked already stay as they are.
pub fn add(service: &Service, actor: &Actor, uuids: &[Uuid], note: &Note) -> Result<()> {
    rules::keeps_blocklist(actor)?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    service.write(actor, |w| {
        for uuid in uuids {
            w.block_event(*uuid, &text(&note.event_info), &text(&note.event_orgc), &text(&note.comment))?;
        }
        Ok(())
    })
}

/// Changes what is noted beside an entry, named by its number or the event's uuid.
pub fn edit(service: &Service, actor: &Actor, reference: Ref, note: Note) -> Result<BlockedEvent> {
    rules::keeps_blocklist(actor)?;
    service.write(actor, |w| {
        let mut entry = w.blocked_event(reference)?.ok_or(Error::NotFound("blocklist entry"))?;
        entry.event_info = note.event_info.unwrap_or(entry.event_info);
        entry.event_orgc = note.event_orgc.unwrap_or(entry.event_orgc);
        entry.comment = note.comment.unwrap_or(entry.comment);
        w.edit_blocked_event(&entry)?;
        Ok(entry)
    })
}

/// Lets an event come again.
pub fn remove(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    rules::keeps_blocklist(actor)?;
    service.write(actor, |w| {
        let entry = w.blocked_event(reference)?.ok_or(Error::NotFound("blocklist entry"))?;
        w.unblock_event(&entry.event_uuid)?;
        Ok(())
    })
}
