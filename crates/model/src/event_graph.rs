//! Drawings of an event that an organisation keeps.

/// A stored drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct EventGraph {
    pub id: i64,
    pub event_id: i64,
    pub user_id: i64,
    /// E-mail of the user, while there is one.
    pub user_email: Option<String>,
    pub org_id: i64,
    /// Unix seconds.
    pub timestamp: i64,
    pub network_name: Option<String>,
    /// The drawing as the client wrote it: a JSON document.
    pub network_json: String,
    /// A picture of it in base64.
    pub preview_img: Option<String>,
}

/// Longest drawing, in bytes: thousands of nodes.
pub const MAX_NETWORK_BYTES: usize = 4 << 20;
/// Longest picture, in bytes of base64.
pub const MAX_PREVIEW_BYTES: usize = 2 << 20;
/// Most drawings of one event by one organisation: a client draws anew at will.
pub const MOST_GRAPHS: i64 = 500;
