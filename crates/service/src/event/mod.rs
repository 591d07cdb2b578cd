//! Use cases on events.

mod add;
mod arrival;
mod block_rule;
mod carry;
mod edit;
mod merge;
mod protect;
pub(crate) mod protection;
mod publish;
mod receive;
mod remove;
mod wanted;

pub(crate) use add::add_and;
pub use add::{Added, Then, add, add_document, add_together};
pub use block_rule::{block_rule, set_block_rule};
pub use carry::{Carried, CarriedEvent, carry};
pub use edit::{distribute, edit, edit_and_tell};
pub use merge::merge;
pub use protect::protect;
pub(crate) use publish::carries_required_tags;
pub use publish::{publish, send, unpublish};
pub use receive::{Received, Source, receive};
pub use remove::remove;
pub use wanted::wanted;

use crate::{Error, Result};
use pisax_model::event::MAX_INFO_BYTES;
use pisax_model::ids::Ref;
use pisax_model::{Distribution, FieldError, Uuid, time};
use pisax_store::Writer;

fn check_info(info: Option<String>) -> Result<String, FieldError> {
    let info = info.map(|i| i.trim().to_owned()).filter(|i| !i.is_empty());
    let info = info.ok_or_else(|| FieldError::new("info", "valueNotEmpty"))?;
    if info.len() > MAX_INFO_BYTES {
        return Err(FieldError::new("info", "The event info is longer than 65535 bytes."));
    }
    Ok(info)
}

fn check_date(date: &str) -> Result<String, FieldError> {
    time::parse_date(date).ok_or_else(|| FieldError::new("date", "Expected date format: YYYY-MM-DD"))
}

fn check_threat_level(code: i64) -> Result<i64, FieldError> {
    if (1..=4).contains(&code) {
        return Ok(code);
    }
    Err(FieldError::new("threat_level_id", "Options: 1, 2, 3, 4 (for High, Medium, Low, Undefined)"))
}

fn check_analysis(code: i64) -> Result<i64, FieldError> {
    if (0..=2).contains(&code) {
        return Ok(code);
    }
    Err(FieldError::new("analysis", "Options: 0, 1, 2 (for Initial, Ongoing, Completed)"))
}

fn check_distribution(code: i64) -> Result<i64, FieldError> {
    match Distribution::from_code(code) {
        Some(d) if d != Distribution::Inherit => Ok(code),
        _ => Err(FieldError::new(
            "distribution",
            "Options: Your organisation only, This community only, Connected communities, All communities, Sharing group",
        )),
    }
}

/// The event that this one extends: a uuid, or the number of a visible event here.
fn extended(w: &mut Writer<'_>, text: Option<String>) -> Result<Option<Uuid>> {
    let Some(text) = text.filter(|t| !t.trim().is_empty()) else { return Ok(None) };
    match Ref::parse(&text) {
        Some(Ref::Uuid(uuid)) => Ok(Some(uuid)),
        Some(id) => {
            let event = w.event(id)?;
            event.map(|e| Some(e.uuid)).ok_or_else(|| {
                Error::from(FieldError::new("extends_uuid", "The extended event does not exist."))
            })
        }
        None => Err(FieldError::new("extends_uuid", "Please provide a valid RFC 4122 UUID").into()),
    }
}
