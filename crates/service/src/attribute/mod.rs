//! Use cases on attributes.

mod add;
mod edit;
mod remove;
mod tag;

pub use add::{Added, Twins, WARNINGLIST, add};
pub(crate) use add::{add_sightings, attach_all};
pub use edit::edit;
pub(crate) use edit::{merge_into_event, tolerate, update};
pub use remove::{remove, restore};
pub use tag::{Target, tag, untag};
