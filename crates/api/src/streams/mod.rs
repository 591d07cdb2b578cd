//! Live streams: readers of the change log, each with a cursor, each told what its reader may see.

pub(crate) mod cursor;
pub(crate) mod live;
pub(crate) mod messages;
mod webhooks;

pub use webhooks::deliver as call_webhooks;
