//! Use cases on attributes.

mod add;
mod edit;
mod many;
mod remove;
mod tag;

pub use add::{Added, TWIN, Twins, WARNINGLIST, add, is_twin};
pub(crate) use add::{add_sightings, attach_all, insert, twin_refused};
pub use edit::edit;
pub(crate) use edit::{merge, merge_into_event, tolerate, update};
pub use many::{Chosen, edit_many, remove_many};
pub use remove::{remove, restore};
pub(crate) use tag::cluster_tag;
pub use tag::{LOCAL_SCOPE, Target, attach_cluster, pick, tag, untag};

use crate::{Error, Result};
use pisax_access::edit::may_edit;
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_store::Writer;
use pisax_store::attributes::Batch;

/// The event of an attribute, locked, and the attribute as it is behind that lock: between a first look and the
/// lock somebody else may have changed it.
pub(crate) fn for_edit(w: &mut Writer<'_>, reference: Ref) -> Result<(Event, Batch)> {
    let missing = || Error::NotFound("attribute");
    let seen = w.attribute(reference)?.ok_or_else(missing)?.get(0).event_id;
    let event = w.event_for_edit(Ref::Id(seen), may_edit)?;
    Ok((event, w.attribute(reference)?.ok_or_else(missing)?))
}
