//! Noticelists: what whoever enters an attribute should be told about its kind (privacy, law, policy).

/// A list of notices.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Noticelist {
    pub name: String,
    pub expanded_name: String,
    /// Where it is laid down: links.
    pub references: Vec<String>,
    /// Where it applies: `EU`, `Luxembourg`, ….
    pub areas: Vec<String>,
    pub version: i64,
    /// Each notice as JSON: `{scope, field, value, tags, message}`.
    pub notices: Vec<String>,
}
