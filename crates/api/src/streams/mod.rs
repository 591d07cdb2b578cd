//! Live streams: readers of the change log, each with a cursor, each told what its reader may see.

mod audience;
pub(crate) mod cursor;
pub(crate) mod live;
pub(crate) mod messages;
mod nats;
mod webhooks;

pub use nats::publish as publish_to_nats;
pub use webhooks::deliver as call_webhooks;
