//! Noticelists: what the platform brings, switched on and off by who runs it.

use crate::{Error, Result, Service, rules};
use pisax_access::Actor;
use pisax_formats::knowledge::builtin;
use pisax_store::Writer;
use pisax_store::noticelists::NoticelistRow;

/// Takes in what this version brings, where that is newer; returns how many lists changed.
pub fn update(service: &Service, actor: &Actor) -> Result<usize> {
    rules::site_admin(actor)?;
    service.write(actor, put_builtin)
}

pub(crate) fn put_builtin(w: &mut Writer<'_>) -> Result<usize> {
    let mut changed = 0;
    for list in builtin::noticelists() {
        changed += usize::from(w.put_noticelist(&list)?.changed);
    }
    Ok(changed)
}

/// Switches a list on or off, or to what it is not; returns it as it is now.
pub fn enable(service: &Service, actor: &Actor, id: i64, on: Option<bool>) -> Result<NoticelistRow> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let mut row = w.noticelist(id)?.ok_or(Error::NotFound("noticelist"))?;
        let on = on.unwrap_or(!row.enabled);
        if on != row.enabled {
            w.enable_noticelist(&row, on)?;
        }
        row.enabled = on;
        Ok(row)
    })
}

/// Takes a list away; the next update brings it back.
pub fn delete(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let row = w.noticelist(id)?.ok_or(Error::NotFound("noticelist"))?;
        Ok(w.delete_noticelist(&row)?)
    })
}
