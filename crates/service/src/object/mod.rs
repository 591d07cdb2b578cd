//! Use cases on objects and the references between them.

mod add;
mod edit;
mod reference;
mod remove;

pub use add::{Duplicate, add};
pub(crate) use add::{NewObject, check_object, insert_objects};
pub use edit::edit;
pub(crate) use edit::merge_objects;
pub use reference::{add as add_reference, remove as remove_reference};
pub(crate) use reference::insert as insert_references;
pub use remove::remove;
