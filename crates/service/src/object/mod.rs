//! Use cases on objects and the references between them.

mod add;
mod edit;
mod reference;
mod remove;

pub use add::{Duplicate, add, add_all};
pub(crate) use add::{NewObject, check_object, insert_objects, insert_one, refuse_twin};
pub use edit::edit;
pub(crate) use edit::merge_objects;
pub(crate) use reference::insert as insert_references;
pub use reference::{add as add_reference, remove as remove_reference};
pub use remove::remove;

use crate::{Error, Result};
use pisax_access::edit::may_edit;
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::object::Object;
use pisax_store::Writer;

/// The event of an object, locked, and the object as it is behind that lock: between a first look and the lock
/// somebody else may have changed it.
fn for_edit(w: &mut Writer<'_>, reference: Ref) -> Result<(Event, Object)> {
    let missing = || Error::NotFound("object");
    let seen = w.object(reference)?.ok_or_else(missing)?.event_id;
    let event = w.event_for_edit(Ref::Id(seen), may_edit)?;
    Ok((event, w.object(reference)?.ok_or_else(missing)?))
}
